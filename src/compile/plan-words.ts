import {opNumber} from '../native';
import {doubleBits, floatBits} from '../ops/bits';
import {sizeOf} from '../ops/geometry';
import {Pointwise} from '../ops/pointwise';
import {dtypes, type ParamValue} from '../ops/schema';
import {formOf} from './form';
import {type Graph, inputsOf, type Node, type Operand, type ValueId, valueOf} from './ir';

/** Wire numbers of StorageKind in csrc/plan/plan.h. */
export const storageKinds = {arena: 0, input: 1, output: 2, constant: 3} as const;

/** Words of a storage: kind, type, index, elements. */
export const storageWords = 4;

/**
 * A word of a plan: a number, or a linear expression in the signature's free sizes, constant + Σ factor · size. Plans are made for one
 * signature with numbers only; two of them that agree but for such words can be joined into one.
 */
export type PlanWord = number | {readonly constant: number; readonly terms: readonly (readonly [size: number, factor: number])[]};

export interface PlanWords {
  readonly inputs: number;
  readonly outputs: number;
  readonly freeSizes: number;
  readonly storages: number;
  readonly steps: number;
  /** The storages' words, then the steps'. */
  readonly body: readonly PlanWord[];
  /** Constants (by ConstantPool number) in the order in which storages name them. */
  readonly constants: readonly number[];
}

/** The part of a graph that one native plan runs. */
export interface Segment {
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

/** Which value of a segment shares the storage of another: an elementwise node writes over an operand that nobody needs afterwards. */
function sharedStorages(graph: Graph, segment: Segment): Map<ValueId, ValueId> {
  const lastReader = new Map<ValueId, number>();
  const writers = new Map<ValueId, number>();
  for (const [at, node] of segment.nodes.entries()) {
    for (const {value} of inputsOf(node)) lastReader.set(value, at);
    for (const {value} of node.outputs) writers.set(value, (writers.get(value) ?? 0) + 1);
  }
  const fixed = new Set([...segment.inputs, ...segment.outputs]);
  const shared = new Map<ValueId, ValueId>();
  const rootOf = (value: ValueId): ValueId => shared.get(value) ?? value;
  for (const [at, node] of segment.nodes.entries()) {
    const form = node.op === Pointwise ? formOf(graph, node) : undefined;
    const output = node.outputs[0]?.value as ValueId;
    if (form === undefined || fixed.has(output) || writers.get(output) !== 1) continue;
    const result = valueOf(graph, output);
    const dying = form.inputs.find(({operand, strides}) => {
      const value = valueOf(graph, operand.value);
      const wholeOnce = value.elems === sizeOf(form.shape) && strides.every((s, axis) => s === denseStride(form.shape, axis));
      const once = form.inputs.filter((i) => i.operand.value === operand.value).length === 1;
      return (
        wholeOnce &&
        once &&
        operand.offset === 0 &&
        value.constant === undefined &&
        value.dtype === result.dtype &&
        value.elems === result.elems &&
        !fixed.has(operand.value) &&
        writers.get(operand.value) === 1 &&
        lastReader.get(operand.value) === at
      );
    });
    if (dying !== undefined) shared.set(output, rootOf(dying.operand.value));
  }
  return shared;
}

function denseStride(shape: readonly number[], axis: number): number {
  return sizeOf(shape.slice(axis + 1));
}

/** The words of a segment (layout: Plan::Make in csrc/plan/plan.cc). */
export function planWords(graph: Graph, segment: Segment): PlanWords {
  const shared = sharedStorages(graph, segment);
  const numbers = new Map<ValueId, number>();
  const constants: number[] = [];
  const storages: PlanWord[] = [];
  const add = (id: ValueId, kind: number, index: number) => {
    const {dtype, elems} = valueOf(graph, id);
    storages.push(kind, dtypes.indexOf(dtype), index, elems);
    numbers.set(id, storages.length / storageWords);
  };
  segment.inputs.forEach((id, i) => {
    add(id, storageKinds.input, i);
  });
  segment.outputs.forEach((id, i) => {
    add(id, storageKinds.output, i);
  });
  const storageOf = (id: ValueId): number => {
    const root = shared.get(id) ?? id;
    if (!numbers.has(root)) {
      const {constant} = valueOf(graph, root);
      if (constant === undefined) add(root, storageKinds.arena, 0);
      else add(root, storageKinds.constant, constants.push(constant) - 1);
    }
    return numbers.get(root) as number;
  };
  const steps: PlanWord[] = [];
  for (const node of segment.nodes) steps.push(...stepWords(node, storageOf));
  return {
    inputs: segment.inputs.length,
    outputs: segment.outputs.length,
    freeSizes: 0,
    storages: storages.length / storageWords,
    steps: segment.nodes.length,
    body: [...storages, ...steps],
    constants,
  };
}

function stepWords(node: Node, storageOf: (id: ValueId) => number): number[] {
  const params: number[] = [];
  for (const [name, word] of Object.entries(node.op.params)) {
    const value = node.params[name] as ParamValue;
    if (word === 'f32') params.push(floatBits(value as number));
    else if (word === 'f64') params.push(...doubleBits(value as number));
    else if (word === 'list') params.push((value as readonly number[]).length, ...(value as readonly number[]));
    else params.push(Number(value));
  }
  const operand = (o: Operand | undefined) => (o === undefined ? [0, 0] : [storageOf(o.value), o.offset]);
  return [
    opNumber(node.op),
    node.inputs.length,
    node.outputs.length,
    params.length,
    ...node.inputs.flatMap(operand),
    ...node.outputs.flatMap(operand),
    ...params,
  ];
}

/** What native makePlan takes: the header, the words that are expressions, their terms, and the body. */
export function encodePlan(plan: PlanWords): Int32Array {
  const relocations: number[] = [];
  const terms: number[] = [];
  const body = plan.body.map((word, at) => {
    if (typeof word === 'number') return word;
    relocations.push(at, word.constant, word.terms.length);
    for (const [size, factor] of word.terms) terms.push(size, factor);
    return 0;
  });
  const header = [plan.inputs, plan.outputs, plan.freeSizes, plan.storages, plan.steps, relocations.length / 3, terms.length / 2];
  return Int32Array.from([...header, ...relocations, ...terms, ...body]);
}
