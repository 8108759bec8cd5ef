import {MatMul} from '../../ops/linear';
import {StridedCopy} from '../../ops/movement';
import type {ConstantPool} from '../constants';
import {Editor} from '../editor';
import {type Graph, list, type Node, num, type Operand, valueOf} from '../ir';
import type {Pass} from '../pass';
import {through} from './reads';

/** A product with constant row-major weights and at most a bias. */
function mergeable(graph: Graph, node: Node): boolean {
  if (node.op !== MatMul || num(node, 'packedB') !== 0 || list(node, 'epilogue').length > 0) return false;
  const [, weights, bias] = node.inputs;
  const constant = (o: Operand | undefined) => o !== undefined && o.offset === 0 && valueOf(graph, o.value).constant !== undefined;
  const oneMatrix = num(node, 'batch1') * num(node, 'batch2') === 1 && num(node, 'bCol') === 1 && num(node, 'bRow') === num(node, 'colsN');
  const dense = num(node, 'cRow') === num(node, 'colsN') && node.outputs[0]?.offset === 0;
  return oneMatrix && dense && constant(weights) && (bias === undefined || constant(bias));
}

const keyOf = (node: Node): string => {
  const a = node.inputs[0] as Operand;
  return [a.value, a.offset, num(node, 'aRow'), num(node, 'aCol'), num(node, 'rowsM'), num(node, 'depthK')].join(' ');
};

/** The columns of each product in the merged one: readers take them from there. */
interface Share {
  readonly node: Node;
  readonly first: number;
  readonly columns: number;
}

function weightsOf(editor: Editor, pool: ConstantPool, shares: readonly Share[], depthK: number): Operand {
  const inner = shares.map((s) => s.columns);
  const total = inner.reduce((a, b) => a + b, 0);
  const parts = shares.map((s) => valueOf(editor, (s.node.inputs[1] as Operand).value).constant as number);
  const constant = pool.besides(parts, depthK, inner);
  return {value: editor.newValue('float32', depthK * total, constant), offset: 0};
}

function biasOf(editor: Editor, pool: ConstantPool, shares: readonly Share[], total: number): Operand | undefined {
  if (shares.every((s) => s.node.inputs[2] === undefined)) return undefined;
  const parts = shares.map((s) => (s.node.inputs[2] === undefined ? undefined : valueOf(editor, s.node.inputs[2].value).constant));
  const make = () => {
    const values = new Float32Array(total);
    shares.forEach((s, i) => {
      const part = parts[i];
      if (part !== undefined) values.set(pool.values(part).subarray(0, s.columns) as Float32Array, s.first);
    });
    return values;
  };
  const constant = pool.makeOnce(JSON.stringify(['biases', parts, shares.map((s) => s.columns)]), make, 'float32');
  return {value: editor.newValue('float32', total, constant), offset: 0};
}

/** Readers of the results as readers of the merged block; undefined where one cannot read it with strides. */
function redirected(editor: Editor, shares: readonly Share[], merged: Operand, total: number): Map<Node, Node> | undefined {
  const changes = new Map<Node, Node>();
  for (const {node, first, columns} of shares) {
    const result = (node.outputs[0] as Operand).value;
    if (editor.isOutput[result]) return undefined;
    const view = {shape: [num(node, 'rowsM'), columns], strides: [total, 1], source: {value: merged.value, offset: first}};
    for (const reader of editor.readers[result] as readonly Node[]) {
      // A reader of several results, such as attention, is changed once for each.
      let next: Node | undefined = changes.get(reader) ?? reader;
      if (next.op === StridedCopy) return undefined;
      // Operands are renumbered where two become one.
      const position = (node: Node) => node.inputs.findIndex((o) => o?.value === result);
      while (next !== undefined && position(next) >= 0) next = through(editor, next, position(next), view);
      if (next === undefined) return undefined;
      changes.set(reader, next);
    }
  }
  return changes;
}

function place(
  editor: Editor,
  pool: ConstantPool,
  shares: readonly Share[],
  merged: Operand,
  total: number,
  changes: ReadonlyMap<Node, Node>,
): void {
  const first = (shares[0] as Share).node;
  const weights = weightsOf(editor, pool, shares, num(first, 'depthK'));
  const bias = biasOf(editor, pool, shares, total);
  for (const [reader, next] of changes) editor.replace(reader, next);
  for (const {node} of shares.slice(1)) editor.remove(node);
  editor.replace(first, {
    ...first,
    inputs: [first.inputs[0], weights, bias],
    outputs: [merged],
    params: {...first.params, colsN: total, bRow: total, cRow: total},
    notes: [...(bias === undefined ? [] : ['bias']), `${shares.length} merged`],
  });
}

export const sharedInput: Pass = {
  name: 'shared-input',
  why: 'products of one input with several constant weights (queries, keys, values) are one product with more columns',
  run(graph, {pool, refuse}) {
    const editor = new Editor(graph);
    const groups = new Map<string, Node[]>();
    for (const node of graph.nodes) {
      if (!mergeable(graph, node)) continue;
      const key = keyOf(node);
      groups.set(key, [...(groups.get(key) ?? []), node]);
    }
    for (const members of groups.values()) {
      // Merging one group changes the products that read its results: they may be members of another.
      const group = members.flatMap((node) => editor.writers[(node.outputs[0] as Operand).value] ?? []);
      if (group.length < 2 || !group.every((node) => mergeable(editor, node)) || new Set(group.map(keyOf)).size !== 1) continue;
      let total = 0;
      const shares = group.map((node): Share => {
        const columns = num(node, 'colsN');
        total += columns;
        return {node, first: total - columns, columns};
      });
      const merged = {value: editor.newValue('float32', num(group[0] as Node, 'rowsM') * total), offset: 0};
      const changes = redirected(editor, shares, merged, total);
      if (changes === undefined) refuse(group[0] as Node, 'shared-input: a reader of one of the results cannot read it with strides');
      else place(editor, pool, shares, merged, total, changes);
    }
    return editor.finish();
  },
};
