import {collapse, rowMajorStrides, sameWalk, sizeOf} from '../../ops/geometry';
import {Concat, StridedCopy} from '../../ops/movement';
import {Pointwise} from '../../ops/pointwise';
import {encodeProgram} from '../../ops/program';
import {locate, mergedStride, reachThrough, splitStride} from '../access';
import {withSplitBatch, withWriteStrides, writeWalk} from '../axes';
import {Editor} from '../editor';
import {formOf, tidy} from '../form';
import {type Graph, list, type Node, num, type Operand, producerOf, type ValueId, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';
import {through, viewOf} from './reads';

/** Where the elements of a dense value of `shape` go. */
interface Target {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly output: Operand;
}

/** What writes a copy's target itself: nodes for the place of the producer of its source, and for the source's other readers. */
interface Move {
  readonly producer: Node;
  readonly nodes: readonly Node[];
  readonly changes: ReadonlyMap<Node, Node>;
}

/** The target of a copy that takes every element of its source once. */
function targetOf(graph: Graph, copy: Node): Target | undefined {
  const source = copy.inputs[0] as Operand;
  const shape = list(copy, 'shape');
  const src = list(copy, 'srcStrides');
  const axes = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  axes.sort((a, b) => (src[b] as number) - (src[a] as number));
  const ordered = axes.map((axis) => shape[axis] as number);
  const dense = rowMajorStrides(ordered);
  const permutes = axes.every((axis, i) => src[axis] === dense[i]) && sizeOf(ordered) === valueOf(graph, source.value).elems;
  if (!permutes || source.offset !== 0) return undefined;
  return {shape: ordered, strides: axes.map((axis) => list(copy, 'dstStrides')[axis] as number), output: copy.outputs[0] as Operand};
}

/** `node` writing its dense result straight to the target; undefined where its strides cannot say so. */
function writing(graph: Graph, node: Node, target: Target): Node | undefined {
  if (node.op === Pointwise) return pointwiseWriting(graph, node, target);
  const walk = writeWalk(node);
  if (walk === undefined) return undefined;
  const dense = rowMajorStrides(walk.shape);
  if (!sameWalk(walk.strides, dense, walk.shape)) return undefined;
  const located = locate({offset: 0, shape: walk.shape, strides: dense}, target.shape);
  if (located === undefined) return undefined;
  const reach = reachThrough(located, target.strides);
  const sizes = located.parts.map((own) => own.map((p) => p.size));
  const strides = reach.strides.map((own, axis) => mergedStride(sizes[axis] as number[], own));
  let writer: Node | undefined = node;
  if (strides[1] === undefined && sizes[1]?.length === 2) {
    writer = withSplitBatch(node, ...(sizes[1] as [number, number]));
    [strides[0], strides[1]] = reach.strides[1] as [number, number];
  }
  if (writer === undefined || strides.some((s) => s === undefined)) return undefined;
  const result = withWriteStrides(writer, strides as number[]);
  return result && {...result, outputs: [target.output, ...node.outputs.slice(1)]};
}

function pointwiseWriting(graph: Graph, node: Node, target: Target): Node | undefined {
  const form = formOf(graph, node);
  if (form === undefined) return undefined;
  const {shape, inputs, expr} = tidy(form);
  const located = locate({offset: 0, shape, strides: rowMajorStrides(shape)}, target.shape);
  const program = encodeProgram(expr);
  if (located === undefined || program === undefined) return undefined;
  const sizes = located.parts.map((own) => own.map((p) => p.size));
  if (sizes.flat().length > 8) return undefined;
  const cut = (strides: readonly number[]) => sizes.flatMap((own, axis) => splitStride(strides[axis] as number, own));
  const out = reachThrough(located, target.strides).strides.flat();
  return {
    ...node,
    inputs: inputs.map((i) => i.operand),
    outputs: [target.output],
    params: {shape: sizes.flat(), strides: [...inputs.flatMap((i) => cut(i.strides)), ...out], program},
  };
}

/** The parts of a Concat as copies of what they are to where `target` puts the concatenation; undefined where strides cannot say so. */
function copiesOf(concat: Node, target: Target): Node[] | undefined {
  const outer = num(concat, 'outer');
  const inner = list(concat, 'inner');
  const total = inner.reduce((a, b) => a + b, 0);
  const copies: Node[] = [];
  let first = 0;
  for (const [i, operand] of concat.inputs.entries()) {
    const size = inner[i] as number;
    const offset = first;
    first += size;
    if (size * outer === 0) continue;
    const located = locate({offset, shape: [outer, size], strides: [total, 1]}, target.shape);
    if (located === undefined) return undefined;
    const reach = reachThrough(located, target.strides);
    const [rows, columns] = located.parts.map((own) => own.map((p) => p.size)) as [number[], number[]];
    const src = [...splitStride(size, rows), ...splitStride(1, columns)];
    const space = collapse([...rows, ...columns], [src, reach.strides.flat()]);
    if (space.shape.length > 8) return undefined;
    copies.push({
      op: StridedCopy,
      inputs: [operand],
      outputs: [{value: target.output.value, offset: target.output.offset + reach.offset}],
      params: {shape: space.shape, srcStrides: space.strides[0] as number[], dstStrides: space.strides[1] as number[]},
      notes: ['concat'],
    });
  }
  return copies;
}

/**
 * Readers of `value` other than `copy` as readers of where the copy puts it; undefined where one cannot read it there, or would have to
 * gather it element by element.
 */
function redirected(editor: Editor, value: ValueId, copy: Node, target: Target): Map<Node, Node> | undefined {
  const view = {shape: target.shape, strides: target.strides, source: target.output};
  const changes = new Map<Node, Node>();
  for (const reader of editor.readers[value] as readonly Node[]) {
    if (reader === copy) continue;
    if (target.strides.at(-1) !== 1) return undefined;
    // No step may write to what it reads.
    if (reader.op === Concat || reader.outputs.some((o) => o.value === target.output.value)) return undefined;
    let next: Node | undefined = reader;
    // Operands are renumbered where two become one.
    for (let position = next.inputs.length - 1; position >= 0; position--) {
      if (next?.inputs[position]?.value === value) next = through(editor, next, position, view);
    }
    if (next === undefined || next.inputs.some((o) => o?.value === value)) return undefined;
    changes.set(reader, next);
  }
  return changes;
}

/** What computes the copy's source, writing to its target instead: nodes for the place of the producer; or why not. */
function producing(editor: Editor, copy: Node, producer: Node, target: Target): readonly Node[] | string {
  const source = copy.inputs[0] as Operand;
  const name = producer.host?.kernelName ?? producer.op.name;
  const strides = `${name} cannot write with its strides`;
  if (producer.op === Concat) return copiesOf(producer, target) ?? strides;
  const view = viewOf(editor, source);
  if (view !== undefined) {
    const direct = through(editor, copy, 0, view);
    return direct === undefined ? strides : [direct];
  }
  if (producer.outputs[0]?.value !== source.value) return `${name} writes it as it is`;
  const writer = writing(editor, producer, target);
  if (writer === undefined) return strides;
  return writer.inputs.some((o) => o?.value === target.output.value) ? `${name} would write to what it reads` : [writer];
}

/** How the copy's source, which is read by `reader`, and maybe by others, can be computed where the copy puts it; or why it cannot. */
function movedTo(editor: Editor, copy: Node, reader: Node): Move | string {
  const source = copy.inputs[0] as Operand;
  const producer = producerOf(editor, source);
  if (producer === undefined) return editor.inputs.includes(source.value) ? 'it copies an input' : 'several steps write what it copies';
  const target = targetOf(editor, copy);
  const repeats = sizeOf(list(copy, 'shape')) > valueOf(editor, source.value).elems;
  if (target === undefined) return repeats ? 'it repeats what it copies' : 'it copies a part of what a step writes';
  if (editor.isOutput[source.value]) return 'what it copies is an output';
  const changes = redirected(editor, source.value, reader, target);
  if (changes === undefined) return 'another step reads what it copies';
  const nodes = producing(editor, copy, producer, target);
  return typeof nodes === 'string' ? nodes : {producer, nodes, changes};
}

/** Makes whoever computes the copy's source write to its target instead, and who else reads the source read it there. */
function absorbCopy(editor: Editor, copy: Node, context: PassContext): void {
  const move = movedTo(editor, copy, copy);
  if (typeof move === 'string') return context.leave(copy, move);
  const {producer, nodes, changes} = move;
  editor.remove(copy);
  for (const [reader, next] of changes) editor.replace(reader, next);
  editor.replace(producer, ...nodes);
  if (producer.op !== StridedCopy) for (const node of nodes) context.inherit(producer, node);
  for (const node of nodes) if (node.op === StridedCopy) absorbCopy(editor, node, context);
}

function expand(editor: Editor, concat: Node, context: PassContext): void {
  const {value} = concat.outputs[0] as Operand;
  const outer = num(concat, 'outer');
  const total = list(concat, 'inner').reduce((a, b) => a + b, 0);
  if (outer * total === 0) return;
  const copies = copiesOf(concat, {shape: [outer, total], strides: [total, 1], output: {value, offset: 0}}) ?? [];
  const distinct = new Set(copies.map((c) => c.inputs[0]?.value)).size === copies.length;
  if (!distinct) return context.leave(concat, 'it has a part twice');
  if (copies.length < 2) return context.leave(concat, 'it has one part');
  const moves = copies.map((copy) => movedTo(editor, copy, concat));
  if (moves.every((move) => typeof move === 'string')) {
    for (const reason of moves) context.leave(concat, reason);
    return;
  }
  editor.replace(concat, ...copies);
  for (const copy of copies) absorbCopy(editor, copy, context);
}

export const writes: Pass = {
  name: 'writes',
  why: 'what is transposed or concatenated is computed where it is wanted',
  run(graph, context) {
    const editor = new Editor(graph);
    // Backwards: what a concatenation of concatenations takes from the inner one is computed in the outer one.
    for (const node of [...graph.nodes].reverse()) {
      if (!editor.has(node)) continue;
      if (node.op === StridedCopy) absorbCopy(editor, node, context);
      if (node.op === Concat) expand(editor, node, context);
    }
    return editor.finish();
  },
};
