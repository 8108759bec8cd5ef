import {MatMul} from '../../ops/linear';
import {Concat} from '../../ops/movement';
import {call, input} from '../../ops/program';
import type {ConstantPool} from '../constants';
import {Editor} from '../editor';
import {type Graph, inputsOf, list, type Node, num, type Operand, onlyReader, producerOf, type Uses, type ValueId, valueOf} from '../ir';
import {inOrder} from '../order';
import type {Pass} from '../pass';
import {epilogueOf, notesOf, withEpilogue} from './linear';

/** As many as one Concat takes. */
const mostMembers = 64;
/** Below so many, inputs that lie apart are not put together: copying them may take longer than reading the weights again. */
const leastApart = 3;

/** A product that can be computed with others of the same weights. */
interface Member {
  readonly node: Node;
  readonly input: Operand;
  readonly output: ValueId;
  readonly bias: Operand | undefined;
  /** The result of another product that is added to it: this one can as well be added to that. */
  readonly addend: ValueId | undefined;
}

const isOneMatrix = (node: Node): boolean => num(node, 'batch1') * num(node, 'batch2') === 1;
const isPlain = (node: Node): boolean => node.op === MatMul && list(node, 'epilogue').length === 0;
const isConstant = (graph: Graph, operand: Operand | undefined): boolean =>
  operand !== undefined && valueOf(graph, operand.value).constant !== undefined;

function isZeros(graph: Graph, {value}: Operand, pool: ConstantPool): boolean {
  const {constant, dtype} = valueOf(graph, value);
  return constant !== undefined && dtype === 'float32' && pool.values(constant).every((v) => v === 0);
}

/** What is added to the product, with strides over rows and columns; undefined where the epilogue does anything else. */
function termsOf(node: Node): {readonly operand: Operand; readonly strides: readonly [row: number, col: number]}[] | undefined {
  const {expr, bias, extras} = epilogueOf(node);
  const column = bias === undefined ? [] : [{operand: bias, strides: [0, 1] as const}];
  if ('input' in expr) return column;
  const [extra, second] = extras;
  const adds = 'op' in expr && expr.op === 'Add' && expr.args.every((a) => 'input' in a);
  if (!adds || extra === undefined || second !== undefined) return undefined;
  return [...column, {operand: extra.operand, strides: [extra.strides[2] as number, extra.strides[3] as number]}];
}

/** Whether the operand is all of what a product like `node` gives, for `node` alone. */
function isSumOf(graph: Graph & Uses, node: Node, {value, offset}: Operand): boolean {
  const producer = producerOf(graph, {value, offset});
  if (producer === undefined || !isPlain(producer) || !isOneMatrix(producer) || offset !== 0) return false;
  const [rows, columns] = [num(node, 'rowsM'), num(node, 'colsN')];
  const same = num(producer, 'rowsM') === rows && num(producer, 'colsN') === columns && num(producer, 'cRow') === columns;
  return same && valueOf(graph, value).elems === rows * columns && onlyReader(graph, value, node);
}

/** A constant bias and a product that are added to the product, each at most once; undefined where anything else is. */
function addedTo(graph: Graph & Uses, node: Node, pool: ConstantPool): Pick<Member, 'bias' | 'addend'> | undefined {
  const [rows, columns] = [num(node, 'rowsM'), num(node, 'colsN')];
  let bias: Operand | undefined;
  let addend: ValueId | undefined;
  for (const {operand, strides} of termsOf(node) ?? []) {
    const {elems} = valueOf(graph, operand.value);
    if (elems <= rows * columns && isZeros(graph, operand, pool)) continue;
    const isColumn =
      isConstant(graph, operand) && strides[1] === 1 && (rows === 1 || strides[0] === 0) && elems >= operand.offset + columns;
    if (isColumn && bias === undefined) bias = operand;
    else if (addend === undefined && strides[1] === 1 && (rows === 1 || strides[0] === columns) && isSumOf(graph, node, operand))
      addend = operand.value;
    else return undefined;
  }
  return termsOf(node) && {bias, addend};
}

function memberOf(graph: Graph & Uses, node: Node | undefined, pool: ConstantPool): Member | undefined {
  if (node?.op !== MatMul || num(node, 'packedB') !== 0 || !isOneMatrix(node)) return undefined;
  const [input, weights] = node.inputs;
  const output = node.outputs[0] as Operand;
  if (input === undefined || isConstant(graph, input) || !isConstant(graph, weights) || graph.isOutput[output.value]) return undefined;
  const elems = num(node, 'rowsM') * num(node, 'colsN');
  const dense = num(node, 'cRow') === num(node, 'colsN') && output.offset === 0 && valueOf(graph, output.value).elems === elems;
  if (num(node, 'aCol') !== 1 || !dense || elems * num(node, 'depthK') === 0) return undefined;
  const added = addedTo(graph, node, pool);
  return added && {node, input, output: output.value, ...added};
}

/** What members of one group have in common. */
function keyOf({node: {inputs, params}, bias}: Member): string {
  const row = params.rowsM === 1 ? 0 : params.aRow;
  return JSON.stringify([inputs[1], bias, params.rowsM, row, params.depthK, params.colsN, params.bRow, params.bCol]);
}

/** Those whose inputs depend on no other's result, in the order of the graph. */
function independent(graph: Graph, members: readonly Member[]): Member[] {
  const own = new Map(members.map((member) => [member.node, member]));
  const tainted = new Set<ValueId>();
  const result: Member[] = [];
  for (const node of graph.nodes) {
    const member = own.get(node);
    if (member !== undefined && !tainted.has(member.input.value)) result.push(member);
    if (member === undefined && !inputsOf(node).some(({value}) => tainted.has(value))) continue;
    for (const {value} of node.outputs) tainted.add(value);
  }
  return result;
}

/** The distance of the members' inputs, where they lie evenly in one value. */
function spacingOf(members: readonly Member[]): number | undefined {
  const [first, second] = members as readonly [Member, Member];
  const step = second.input.offset - first.input.offset;
  const even = members.every(({input}, i) => input.value === first.input.value && input.offset === first.input.offset + i * step);
  return even && step > 0 ? step : undefined;
}

/** How the merged product walks its input, whose rows are those of one member after the other's. */
type Walk = Pick<Node, 'params'> & {readonly input: Operand; readonly copies: readonly Node[]};

function walkOf(editor: Editor, members: readonly Member[]): Walk | undefined {
  const [{node, input}] = members as readonly [Member];
  const [rows, depth, columns] = [num(node, 'rowsM'), num(node, 'depthK'), num(node, 'colsN')];
  const rowsFollow = rows === 1 || num(node, 'aRow') === depth;
  const whole = {rowsM: members.length * rows, aRow: depth, cRow: columns};
  const spacing = spacingOf(members);
  if (spacing === rows * depth && rowsFollow) return {input, copies: [], params: whole};
  if (spacing !== undefined) {
    // Row r of all members is one product of the batch.
    const batch = {batch2: rows, aBatch2: rows === 1 ? 0 : num(node, 'aRow'), bBatch2: 0, cBatch2: columns};
    return {input, copies: [], params: {...batch, rowsM: members.length, aRow: spacing, cRow: rows * columns}};
  }
  if (members.length < leastApart || !rowsFollow) return undefined;
  const value = editor.newValue('float32', members.length * rows * depth);
  const output = {value, offset: 0};
  const params = {outer: 1, inner: members.map(() => rows * depth)};
  const concat: Node = {op: Concat, inputs: members.map((m) => m.input), outputs: [output], params};
  return {input: output, copies: [concat], params: whole};
}

const sum = call('Add', input(0), input(1));

/** What reads the member's result reads it in the merged one; a product that was added to it adds it instead. */
function connect(editor: Editor, {node, output, addend}: Member, result: Operand): void {
  if (addend === undefined) return editor.redirect(output, result);
  const adding = producerOf(editor, {value: addend, offset: 0}) as Node;
  const epilogue = {
    expr: sum,
    bias: adding.inputs[2],
    extras: [{operand: result, strides: [0, 0, num(node, 'colsN'), 1]}],
  };
  const target = {value: output, offset: 0};
  // One addition always fits into a program.
  editor.replace(adding, withEpilogue(adding, epilogue, target, notesOf(epilogue)) as Node);
}

/** One product for all members; nodes are out of order then. */
function merge(editor: Editor, members: readonly Member[]): void {
  const [{node, bias}] = members as readonly [Member];
  const walk = walkOf(editor, members);
  if (walk === undefined) return;
  const elems = num(node, 'rowsM') * num(node, 'colsN');
  const merged = editor.newValue('float32', members.length * elems);
  editor.replace(node, ...walk.copies, {
    ...node,
    inputs: [walk.input, node.inputs[1], bias],
    outputs: [{value: merged, offset: 0}],
    params: {...node.params, epilogue: [], epilogueStrides: [], ...walk.params},
    notes: [...(bias === undefined ? [] : ['bias']), `${members.length} inputs`],
  });
  for (const member of members.slice(1)) editor.remove(member.node);
  members.forEach((member, i) => {
    connect(editor, member, {value: merged, offset: i * elems});
  });
}

export const sharedWeights: Pass = {
  name: 'shared-weights',
  why: 'products of several inputs with the same weights (time steps of a recurrent layer) are one product with more rows',
  run(graph, {pool}) {
    const groups = new Map<string, ValueId[]>();
    const uses = new Editor(graph);
    for (const node of graph.nodes) {
      const member = memberOf(uses, node, pool);
      if (member === undefined) continue;
      const key = keyOf(member);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [member.output]);
      else group.push(member.output);
    }
    let current = graph;
    for (const outputs of groups.values()) {
      if (outputs.length < 2) continue;
      const editor = new Editor(current);
      // Groups before may have changed what members read.
      const members = outputs.flatMap((value) => memberOf(editor, editor.writers[value]?.[0], pool) ?? []);
      const alike = members.filter((member) => keyOf(member) === keyOf(members[0] as Member));
      const free = independent(current, alike);
      const most = free.length > 1 && spacingOf(free) !== undefined ? free.length : mostMembers;
      for (let i = 0; i + 1 < free.length; i += most) merge(editor, free.slice(i, i + most));
      if (editor.changes > 0) current = inOrder(editor.finish());
    }
    return current;
  },
};
