/**
 * Graphs as text, both ways: for reading, and for tests that say "this graph becomes that one".
 *
 *     inputs: v0 float32[8]
 *     constants: v1 float32[4] = c0
 *     v2 float32[8] = Pointwise(v0, v1) {shape: [2,4], strides: [4,1,0,1,4,1], program: [1,1,0,1,8480]}
 *     outputs: v2
 *
 * An operand that does not start at a value's first element is written v1@4; one that is not given is written -.
 */
import {ops} from '../ops';
import type {NativeDType, ParamValue} from '../ops/schema';
import type {Graph, Node, Operand, Value, ValueId} from './ir';

const operandText = (o: Operand | undefined) => (o === undefined ? '-' : o.offset === 0 ? `v${o.value}` : `v${o.value}@${o.offset}`);
const valueText = (id: ValueId, {dtype, elems}: Value) => `v${id} ${dtype}[${elems}]`;
const paramText = (value: ParamValue) => (Array.isArray(value) ? `[${value.join()}]` : String(value));

export function printGraph(graph: Graph): string {
  const declared = new Set<ValueId>();
  const declare = (id: ValueId) => {
    if (declared.has(id)) return operandText({value: id, offset: 0});
    declared.add(id);
    return valueText(id, graph.values[id] as Value);
  };
  const used = new Set(graph.nodes.flatMap((n) => n.inputs.map((o) => o?.value)).concat(graph.outputs));
  const constants = graph.values.flatMap((v, id) => (v.constant !== undefined && used.has(id) ? [`${declare(id)} = c${v.constant}`] : []));
  const lines = [`inputs: ${graph.inputs.map(declare).join(', ')}`, `constants: ${constants.join(', ')}`];
  for (const node of graph.nodes) {
    const outputs = node.outputs.map((o) => (o.offset === 0 ? declare(o.value) : operandText(o))).join(', ');
    const params = Object.entries(node.params).map(([name, value]) => `${name}: ${paramText(value)}`);
    const notes = node.notes?.length ? ` # ${node.notes.join(' ')}` : '';
    lines.push(`${outputs} = ${node.host?.kernelName ?? node.op.name}(${node.inputs.map(operandText).join(', ')}) {${params.join(', ')}}${notes}`);
  }
  lines.push(`outputs: ${graph.outputs.map((id) => `v${id}`).join(', ')}`);
  return lines.join('\n');
}

/** The graph that a text describes; host calls have no text form. Throws on what it does not understand. */
export function parseGraph(text: string): Graph {
  const values: Value[] = [];
  const nodes: Node[] = [];
  let inputs: ValueId[] = [];
  let outputs: ValueId[] = [];
  const value = (declaration: string, constant?: number): ValueId => {
    const [, id, dtype, elems] = /^v(\d+)(?: (\w+)\[(\d+)\])?/.exec(declaration.trim()) ?? [];
    if (id === undefined) throw new Error(`not a value: ${declaration}`);
    if (dtype !== undefined) {
      values[Number(id)] = {dtype: dtype as NativeDType, elems: Number(elems), ...(constant === undefined ? {} : {constant})};
    }
    return Number(id);
  };
  const operand = (reference: string): Operand | undefined => {
    if (reference.trim() === '-') return undefined;
    const offset = /@(\d+)/.exec(reference)?.[1];
    return {value: value(reference), offset: Number(offset ?? 0)};
  };
  const items = (list: string) => list.split(/,(?![^[]*\])/).filter((item) => item.trim() !== '');
  for (const line of text.split('\n').map((l) => l.trim()).filter((l) => l !== '')) {
    const [, head, body] = /^(inputs|constants|outputs): ?(.*)$/.exec(line) ?? [];
    if (head === 'inputs') inputs = items(body as string).map((item) => value(item));
    else if (head === 'outputs') outputs = items(body as string).map((item) => value(item));
    else if (head === 'constants') for (const item of items(body as string)) value(item, Number(/= c(\d+)/.exec(item)?.[1]));
    else nodes.push(parseNode(line, operand, items));
  }
  return {values, nodes, inputs, outputs};
}

function parseNode(line: string, operand: (text: string) => Operand | undefined, items: (list: string) => string[]): Node {
  const [, results, name, operands, params, notes] = /^(.*?) = (\w+)\((.*?)\) \{(.*?)\}(?: # (.*))?$/.exec(line) ?? [];
  const op = ops.find((o) => o.name === name);
  if (op === undefined) throw new Error(`not a node: ${line}`);
  const parsed = items(params as string).map((item): [string, ParamValue] => {
    const [key, value] = item.trim().split(': ') as [string, string];
    if (value.startsWith('[')) return [key, value.slice(1, -1).split(',').filter((v) => v !== '').map(Number)];
    return [key, value === 'true' ? true : value === 'false' ? false : Number(value)];
  });
  return {
    op,
    inputs: items(operands as string).map(operand),
    outputs: items(results as string).flatMap((r) => operand(r) ?? []),
    params: Object.fromEntries(parsed),
    ...(notes === undefined ? {} : {notes: notes.split(' ')}),
  };
}
