import {rowMajorStrides, sizeOf} from '../../ops/geometry';
import {Concat, StridedCopy} from '../../ops/movement';
import {Pointwise} from '../../ops/pointwise';
import {encodeProgram} from '../../ops/program';
import {locate, mergedStride, reachThrough, splitStride} from '../access';
import {withSplitBatch, withWriteStrides, writeWalk} from '../axes';
import {Editor} from '../editor';
import {formOf, tidy} from '../form';
import {type Graph, list, type Node, num, type Operand, onlyReader, producerOf, valueOf} from '../ir';
import type {Pass} from '../pass';

/** Where the elements of a dense value of `shape` go. */
interface Target {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly output: Operand;
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
  if (!walk.strides.every((s, axis) => s === dense[axis] || walk.shape[axis] === 1)) return undefined;
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
  return result && {...result, outputs: [target.output]};
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

/** The parts of a Concat as copies into its result. */
function copiesOf(graph: Graph, concat: Node): Node[] {
  const outer = num(concat, 'outer');
  const inner = list(concat, 'inner');
  const total = inner.reduce((a, b) => a + b, 0);
  const output = concat.outputs[0] as Operand;
  let offset = output.offset;
  void graph;
  return concat.inputs.map((operand, i): Node => {
    const size = inner[i] as number;
    const copy: Node = {
      op: StridedCopy,
      inputs: [operand],
      outputs: [{value: output.value, offset}],
      params: {shape: [outer, size], srcStrides: [size, 1], dstStrides: [total, 1]},
      notes: ['concat'],
    };
    offset += size;
    return copy;
  });
}

/** Makes whoever computes the copy's source write to its target instead. */
function absorbCopy(editor: Editor, copy: Node, refuse: (node: Node, reason: string) => void): boolean {
  const source = copy.inputs[0] as Operand;
  const producer = producerOf(editor, source);
  if (producer === undefined || !onlyReader(editor, source.value, copy)) return false;
  const target = targetOf(editor, copy);
  const writer = target && writing(editor, producer, target);
  if (writer === undefined) {
    if (target !== undefined) refuse(copy, `writes: ${producer.op.name} cannot write with these strides`);
    return false;
  }
  editor.remove(copy);
  editor.replace(producer, writer);
  return true;
}

export const writes: Pass = {
  name: 'writes',
  why: 'what is transposed or concatenated is computed where it is wanted',
  run(graph, {refuse}) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      if (!editor.has(node)) continue;
      if (node.op === StridedCopy) absorbCopy(editor, node, refuse);
      if (node.op !== Concat) continue;
      const copies = copiesOf(editor, node).filter((copy) => list(copy, 'shape').every((size) => size > 0));
      const distinct = new Set(copies.map((c) => c.inputs[0]?.value)).size === copies.length;
      const movable = copies.some((copy) => {
        const source = copy.inputs[0] as Operand;
        const producer = producerOf(editor, source);
        const target = targetOf(editor, copy);
        return (
          producer !== undefined &&
          onlyReader(editor, source.value, node) &&
          target !== undefined &&
          writing(editor, producer, target) !== undefined
        );
      });
      if (!distinct || !movable || copies.length < 2) continue;
      editor.replace(node, ...copies);
      for (const copy of copies) absorbCopy(editor, copy, refuse);
    }
    return editor.finish();
  },
};
