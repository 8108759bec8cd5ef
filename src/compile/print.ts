/**
 * Graphs as text, both ways: for reading, and for tests that say "this graph becomes that one".
 *
 *     inputs: v0 float32[8]
 *     constants: v1 float32[4] = c0
 *     v2 float32[8] = Pointwise(v0, v1) {shape: [2,4], strides: [4,1,0,1,4,1], program: Mul(x0, Add(x1, 0.5))} # Mul, Add
 *     outputs: v2
 *
 * An operand that does not start at a value's first element is written v1@4; one that is not given is written -.
 * A parameter that is 0, false or empty is left out. Programs and epilogues are expressions (./expression-text.ts).
 */
import {ops} from '../ops';
import {decodeProgram, encodeProgram} from '../ops/program';
import type {NativeDType, OpSpec, ParamValue, Word} from '../ops/schema';
import {parseExpression, printExpression} from './expression-text';
import type {Graph, Node, Operand, Value, ValueId} from './ir';

/** Parameters that hold the words of a pointwise program. */
const programs: ReadonlySet<string> = new Set(['program', 'epilogue', 'cell', 'hidden', 'expansion']);

const operandText = (o: Operand | undefined) => (o === undefined ? '-' : o.offset === 0 ? `v${o.value}` : `v${o.value}@${o.offset}`);
const valueText = (id: ValueId, {dtype, elems}: Value) => `v${id} ${dtype}[${elems}]`;
const isDefault = (value: ParamValue) => value === 0 || value === false || (Array.isArray(value) && value.length === 0);

function paramText(name: string, value: ParamValue): string {
  if (!Array.isArray(value)) return String(value);
  return programs.has(name) ? printExpression(decodeProgram(value)) : `[${value.join()}]`;
}

export function printGraph(graph: Graph): string {
  const declared = new Set<ValueId>();
  const declare = (id: ValueId) => {
    if (declared.has(id)) return operandText({value: id, offset: 0});
    declared.add(id);
    return valueText(id, graph.values[id] as Value);
  };
  const written = (o: Operand) => (declared.has(o.value) ? operandText(o) : `${declare(o.value)}${o.offset === 0 ? '' : `@${o.offset}`}`);
  const used = new Set(graph.nodes.flatMap((n) => n.inputs.map((o) => o?.value)).concat(graph.outputs));
  const constants = graph.values.flatMap((v, id) => (v.constant !== undefined && used.has(id) ? [`${declare(id)} = c${v.constant}`] : []));
  const lines = [`inputs: ${graph.inputs.map(declare).join(', ')}`, `constants: ${constants.join(', ')}`];
  for (const node of graph.nodes) {
    const outputs = node.outputs.map(written).join(', ');
    const params = Object.entries(node.params).flatMap(([name, value]) => (isDefault(value) ? [] : [`${name}: ${paramText(name, value)}`]));
    const notes = node.notes?.length ? ` # ${node.notes.join(', ')}` : '';
    lines.push(
      `${outputs} = ${node.host?.kernelName ?? node.op.name}(${node.inputs.map(operandText).join(', ')}) {${params.join(', ')}}${notes}`,
    );
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
      // Numbers that no line declares stand for values that nothing uses any more.
      while (values.length < Number(id)) values.push({dtype: 'float32', elems: 0});
      values[Number(id)] = {dtype: dtype as NativeDType, elems: Number(elems), ...(constant === undefined ? {} : {constant})};
    }
    return Number(id);
  };
  const operand = (reference: string): Operand | undefined => {
    if (reference.trim() === '-') return undefined;
    const offset = /@(\d+)/.exec(reference)?.[1];
    return {value: value(reference), offset: Number(offset ?? 0)};
  };
  for (const line of text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '')) {
    const [, head, body] = /^(inputs|constants|outputs): ?(.*)$/.exec(line) ?? [];
    if (head === 'inputs') inputs = items(body as string).map((item) => value(item));
    else if (head === 'outputs') outputs = items(body as string).map((item) => value(item));
    else if (head === 'constants') for (const item of items(body as string)) value(item, Number(/= c(\d+)/.exec(item)?.[1]));
    else nodes.push(parseNode(line, operand));
  }
  return {values, nodes, inputs, outputs};
}

/** The parts between commas that stand in no bracket. */
function items(list: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of list) {
    if ('[('.includes(character)) depth++;
    if ('])'.includes(character)) depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.filter((part) => part.trim() !== '');
}

function parseParam(op: OpSpec, item: string): [string, ParamValue] {
  const [, name, text] = /^\s*(\w+): (.*)$/.exec(item) ?? [];
  if (name === undefined || text === undefined || op.params[name] === undefined) throw new Error(`${op.name} has no parameter '${item}'`);
  if (text.startsWith('['))
    return [
      name,
      text
        .slice(1, -1)
        .split(',')
        .filter((v) => v !== '')
        .map(Number),
    ];
  if (!programs.has(name)) return [name, op.params[name] === 'bool' ? text === 'true' : Number(text)];
  const program = encodeProgram(parseExpression(text));
  if (program === undefined) throw new Error(`does not fit into one program: ${text}`);
  return [name, program];
}

const defaults = {u32: 0, i32: 0, f32: 0, f64: 0, bool: false, list: []} as const satisfies Record<Word, ParamValue>;

function parseNode(line: string, operand: (text: string) => Operand | undefined): Node {
  const [, results, name, operands, params, notes] = /^(.*?) = (\w+)\((.*?)\) \{(.*?)\}(?: # (.*))?$/.exec(line) ?? [];
  const op = ops.find((o) => o.name === name);
  if (op === undefined) throw new Error(`not a node: ${line}`);
  const given = Object.fromEntries(items(params as string).map((item) => parseParam(op, item)));
  return {
    op,
    inputs: items(operands as string).map(operand),
    outputs: items(results as string).flatMap((r) => operand(r) ?? []),
    params: Object.fromEntries(Object.entries(op.params).map(([key, word]) => [key, given[key] ?? defaults[word]])),
    ...(notes === undefined ? {} : {notes: notes.split(', ')}),
  };
}
