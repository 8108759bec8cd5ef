import {rowMajorStrides, sameWalk, sizeOf} from '../../ops/geometry';
import {Concat} from '../../ops/movement';
import {type Access, locate} from '../access';
import {Editor} from '../editor';
import {formOf, inline, nodeOf} from '../form';
import {type Graph, list, type Node, num, type Operand, onlyReader, producerOf, type Uses, valueOf} from '../ir';
import type {Pass} from '../pass';
import {copiesAsItIs} from './canonicalise';
import {linearOps} from './linear';
import {accessOf, through} from './reads';

/** One operand of a concatenation: columns `first` to `first + count` of its result. */
interface Part {
  readonly operand: Operand;
  readonly first: number;
  readonly count: number;
}

interface Parts {
  readonly outer: number;
  readonly total: number;
  readonly parts: readonly Part[];
}

function partsOf(graph: Graph & Uses, operand: Operand | undefined): Parts | undefined {
  const concat = producerOf(graph, operand);
  if (concat?.op !== Concat) return undefined;
  let total = 0;
  const parts = list(concat, 'inner').map((count, i): Part => {
    total += count;
    return {operand: concat.inputs[i] as Operand, first: total - count, count};
  });
  return {outer: num(concat, 'outer'), total, parts};
}

/** The part of a concatenation that has all that is accessed. */
function partOf({outer, total, parts}: Parts, access: Access): Part | undefined {
  if (sizeOf(access.shape) === 0) return undefined;
  const located = locate(access, [outer, total]);
  if (located === undefined) return undefined;
  const first = located.start[1] as number;
  const steps = located.parts.flat().filter(({axis}) => axis === 1);
  const last = steps.reduce((sum, {factor, size}) => sum + factor * (size - 1), first);
  return parts.find((part) => part.first <= first && last < part.first + part.count);
}

/** `node` reading parts of concatenations where it reads nothing else of them. */
function readingParts(graph: Graph & Uses, node: Node): Node {
  let result = node;
  for (let position = 0; position < result.inputs.length; position++) {
    const whole = partsOf(graph, result.inputs[position]);
    const access = whole && accessOf(graph, result, position);
    const part = access && partOf(whole, access);
    if (whole === undefined || part === undefined) continue;
    // In the part's columns the concatenation is this view of it.
    const source = {value: part.operand.value, offset: part.operand.offset - part.first};
    const direct = through(graph, result, position, {shape: [whole.outer, whole.total], strides: [part.count, 1], source});
    if (direct === undefined) continue;
    result = direct;
    position = -1; // a part that is a concatenation, or operands that were renumbered
  }
  return result;
}

/** Whether the part's producer can compute what follows the concatenation, on its own result. */
function canAbsorb(editor: Editor, concat: Node, {operand}: Part): boolean {
  const producer = producerOf(editor, operand);
  if (producer === undefined || operand.offset !== 0 || !onlyReader(editor, operand.value, concat)) return false;
  return linearOps.has(producer.op) || formOf(editor, producer) !== undefined;
}

/** Puts a pointwise node that alone reads a concatenation before it: once for each part, of which at least one absorbs it. */
function distribute(editor: Editor, node: Node): void {
  const form = formOf(editor, node);
  const output = node.outputs[0] as Operand;
  for (const {operand, strides} of form?.inputs ?? []) {
    const concat = producerOf(editor, operand);
    const whole = partsOf(editor, operand);
    if (form === undefined || concat === undefined || whole === undefined || operand.offset !== 0) continue;
    const elems = valueOf(editor, operand.value).elems;
    const dense = rowMajorStrides(form.shape);
    const inOrder = sizeOf(form.shape) === elems && sameWalk(strides, dense, form.shape);
    if (!inOrder || !onlyReader(editor, operand.value, node) || whole.parts.some(({count}) => count === 0)) continue;
    if (!whole.parts.some((part) => canAbsorb(editor, concat, part))) continue;
    const {dtype} = valueOf(editor, output.value);
    const pieces = whole.parts.map(({first, count}) => {
      const slice = {shape: [whole.outer, count], inputs: [{operand: {...output, offset: first}, strides: [whole.total, 1]}]};
      const piece = inline({...slice, expr: {input: 0}}, 0, form);
      return piece && nodeOf(piece, {value: editor.newValue(dtype, whole.outer * count), offset: 0}, node.notes);
    });
    if (pieces.some((piece) => piece === undefined)) continue;
    const made = (pieces as Node[]).map((piece) => readingParts(editor, piece));
    if (made.some((piece) => piece.inputs.some((o) => o?.value === operand.value))) continue;
    editor.remove(concat);
    editor.replace(node, ...made, {...concat, inputs: made.map((piece) => piece.outputs[0]), outputs: node.outputs});
    return;
  }
}

export const concatenations: Pass = {
  name: 'concatenations',
  why: 'what is taken out of a concatenation again is read where it was; what follows one runs on its parts, whose producers absorb it',
  run(graph) {
    const editor = new Editor(graph);
    for (const original of graph.nodes) {
      // Redirects replace later nodes as they go.
      const node = editor.writers[original.outputs[0]?.value as number]?.[0];
      if (node === undefined) continue;
      const direct = readingParts(editor, node);
      if (direct !== node) editor.replace(node, direct);
      if (copiesAsItIs(editor, direct)) {
        editor.redirect((direct.outputs[0] as Operand).value, direct.inputs[0] as Operand);
        editor.remove(direct);
      } else {
        distribute(editor, direct);
      }
    }
    return editor.finish();
  },
};
