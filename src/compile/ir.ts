import {errors} from '../errors';
import type {NativeDType, OpSpec, ParamValue} from '../ops/schema';

/** Index into Graph.values. */
export type ValueId = number;

/** A dense block of elements: an input of the call, a constant, or what nodes write. Shapes belong to nodes, so reshapes leave no trace. */
export interface Value {
  readonly dtype: NativeDType;
  readonly elems: number;
  /** For constants: which one (ConstantPool). */
  readonly constant?: number;
}

/** Where a node reads or writes: `offset` elements into a value. Its params say with which strides. */
export interface Operand {
  readonly value: ValueId;
  readonly offset: number;
}

/** A kernel that runs on tfjs-backend-cpu: the plan pauses there. */
export interface HostCall {
  readonly kernelName: string;
  readonly attrs: object;
  /** How tfjs sees the operands: by input name, and the results in order. */
  readonly inputs: readonly {
    readonly name: string;
    readonly index: number | undefined;
    readonly shape: readonly number[];
    readonly dtype: string;
  }[];
  readonly outputs: readonly {readonly shape: readonly number[]; readonly dtype: NativeDType}[];
}

/** An op of the table with its operands; `undefined` where an optional operand is not given. Several nodes may write parts of one value. */
export interface Node {
  readonly op: OpSpec;
  readonly inputs: readonly (Operand | undefined)[];
  readonly outputs: readonly Operand[];
  readonly params: Readonly<Record<string, ParamValue>>;
  /** What passes made of it, for explain(): 'bias', 'GeluErf', 'residual', … */
  readonly notes?: readonly string[];
  readonly host?: HostCall;
}

/** Nodes are in an order in which they can run. */
export interface Graph {
  readonly values: readonly Value[];
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

/** The op of a HostCall; never encoded. */
export const hostOp: OpSpec = {name: 'Host', inputs: [0, 64], outputs: 8, params: {}};

export function inputsOf(node: Node): Operand[] {
  return node.inputs.filter((o) => o !== undefined);
}

/** Who writes and who reads each value. */
export interface Uses {
  readonly writers: readonly (readonly Node[])[];
  readonly readers: readonly (readonly Node[])[];
  readonly isOutput: readonly boolean[];
}

export function usesOf(graph: Graph): Uses {
  const writers: Node[][] = graph.values.map(() => []);
  const readers: Node[][] = graph.values.map(() => []);
  const isOutput = graph.values.map(() => false);
  for (const node of graph.nodes) {
    for (const {value} of node.outputs) (writers[value] as Node[]).push(node);
    for (const value of new Set(inputsOf(node).map((o) => o.value))) (readers[value] as Node[]).push(node);
  }
  for (const value of graph.outputs) isOutput[value] = true;
  return {writers, readers, isOutput};
}

/** The node that alone writes all of `value`. */
export function producerOf(uses: Uses, operand: Operand | undefined): Node | undefined {
  if (operand === undefined) return undefined;
  const writers = uses.writers[operand.value] as readonly Node[];
  return writers.length === 1 ? writers[0] : undefined;
}

/** Whether `node` is all that needs `value`. */
export function onlyReader(uses: Uses, value: ValueId, node: Node): boolean {
  const readers = uses.readers[value] as readonly Node[];
  return !uses.isOutput[value] && readers.length === 1 && readers[0] === node;
}

export function valueOf(graph: Graph, id: ValueId): Value {
  return graph.values[id] as Value;
}

export const num = (node: Node, name: string): number => Number(node.params[name]);
export const list = (node: Node, name: string): readonly number[] => node.params[name] as readonly number[];

/** Nodes that have passed: they never change. */
const wellFormed = new WeakSet<Node>();

/** The problem with a node's arity or parameters by itself. */
function malformed(node: Node): string | undefined {
  const [least, most] = typeof node.op.inputs === 'number' ? [node.op.inputs, node.op.inputs] : node.op.inputs;
  if (node.inputs.length < least || node.inputs.length > most) return `has ${node.inputs.length} inputs`;
  if (node.host === undefined && node.outputs.length !== node.op.outputs) return `has ${node.outputs.length} outputs`;
  const missing = Object.keys(node.op.params).find((name) => node.params[name] === undefined);
  return missing && `has no ${missing}`;
}

/**
 * Checks what every pass must leave intact: operands exist, arities fit the op table, nothing is read before it is written, inputs and
 * constants are never written, outputs are written.
 * @throws ERR_VERIFY naming the pass and the node.
 */
export function verify(graph: Graph, after: string): void {
  const fail = (problem: string): never => {
    throw errors.verify(after, problem);
  };
  const written = graph.values.map((v) => v.constant !== undefined);
  for (const id of graph.inputs) written[id] = true;
  const fixed = [...written];
  for (const [at, node] of graph.nodes.entries()) {
    const where = `node ${at} (${node.op.name})`;
    if (!wellFormed.has(node)) {
      const problem = malformed(node);
      if (problem !== undefined) fail(`${where} ${problem}`);
      wellFormed.add(node);
    }
    for (const {value, offset} of inputsOf(node)) {
      const v = graph.values[value];
      if (v === undefined || offset < 0 || offset > v.elems) fail(`${where} reads outside value ${value}`);
      if (!written[value]) fail(`${where} reads value ${value} before it is written`);
    }
    for (const {value, offset} of node.outputs) {
      const v = graph.values[value];
      if (v === undefined || offset < 0 || offset > v.elems) fail(`${where} writes outside value ${value}`);
      if (fixed[value]) fail(`${where} writes to an input or a constant`);
      written[value] = true;
    }
  }
  for (const id of graph.outputs) if (!written[id]) fail(`output ${id} is never written`);
}
