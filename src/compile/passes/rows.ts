import {collapse, rowMajorStrides} from '../../ops/geometry';
import {StridedCopy} from '../../ops/movement';
import {type Access, locate, mergedStride, reachThrough} from '../access';
import {withRows, withWriteStrides, writeWalk} from '../axes';
import {Editor} from '../editor';
import {formOf, inline, nodeOf} from '../form';
import {type Graph, type Node, type Operand, producerOf, type Uses, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';
import {accessOf, through, viewOf} from './reads';

/** A value as [count, step, cols], of which only row `first` of each `step` is read. */
interface Rows {
  readonly count: number;
  readonly step: number;
  readonly cols: number;
  readonly first: number;
}

/** What an access reads of a value of `elems` elements, as rows of neighbouring elements; undefined where it is no such thing. */
function rowsOf({offset, shape, strides}: Access, elems: number): Rows | undefined {
  const space = collapse(shape, [strides]);
  const axes = space.shape.map((size, axis) => ({size, stride: space.strides[0]?.[axis] as number})).filter(({size}) => size > 1);
  const inner = axes.at(-1)?.stride === 1 ? axes.pop() : undefined;
  const cols = inner?.size ?? 1;
  const [outer] = axes;
  const span = outer?.stride ?? elems;
  const step = span / cols;
  const [count, first] = [elems / span, (offset % span) / cols];
  const whole = [step, count, first].every(Number.isInteger);
  return axes.length <= 1 && whole && span > 0 && step > 1 ? {count, step, cols, first} : undefined;
}

/** The rows that all readers of the value read; undefined where one reads others. */
function rowsRead(graph: Graph & Uses, value: number): Rows | undefined {
  const {elems} = valueOf(graph, value);
  const reads = (graph.readers[value] as readonly Node[]).flatMap((reader) =>
    reader.inputs.flatMap((operand, position) => {
      if (operand?.value !== value) return [];
      const access = accessOf(graph, reader, position);
      return [access && rowsOf(access, elems)];
    }),
  );
  const [first] = reads;
  const alike = reads.every((rows) => rows?.step === first?.step && rows?.cols === first?.cols && rows?.first === first?.first);
  return alike ? first : undefined;
}

/** `node` computing those rows alone, into `output`. */
function narrowed(graph: Graph & Uses, node: Node, rows: Rows, output: Operand): Node | undefined {
  const {count, step, cols, first} = rows;
  const {value} = node.outputs[0] as Operand;
  const slice = {shape: [count, cols], strides: [step * cols, 1], operand: {value, offset: first * cols}};
  const form = formOf(graph, node);
  if (form !== undefined) {
    const piece = inline({shape: slice.shape, inputs: [slice], expr: {input: 0}}, 0, form);
    return piece && nodeOf(piece, output, node.notes);
  }
  const view = viewOf(graph, slice.operand);
  if (view !== undefined) {
    const params = {shape: slice.shape, srcStrides: slice.strides, dstStrides: rowMajorStrides(slice.shape)};
    return through(graph, {op: StridedCopy, inputs: [slice.operand], outputs: [output], params}, 0, view);
  }
  const fewer = writeWalk(node)?.strides[2] === cols ? withRows(node, first, step) : undefined;
  const walk = fewer && writeWalk(fewer);
  const located = walk && locate({offset: fewer?.outputs[0]?.offset ?? 0, ...walk}, [count, step, cols]);
  if (fewer === undefined || located === undefined) return undefined;
  const reach = reachThrough(located, [cols, 0, 1]);
  const strides = reach.strides.map((own, axis) => mergedStride(located.parts[axis]?.map((p) => p.size) ?? [], own));
  if (strides.some((stride) => stride === undefined)) return undefined;
  const written = withWriteStrides(fewer, strides as number[]);
  return written && {...written, outputs: [{...output, offset: reach.offset}]};
}

function narrow(editor: Editor, node: Node, inherit: PassContext['inherit']): void {
  const [result] = node.outputs;
  if (result === undefined || node.outputs.length > 1 || node.host !== undefined) return;
  if (editor.isOutput[result.value] || producerOf(editor, result) !== node || result.offset !== 0) return;
  const rows = rowsRead(editor, result.value);
  if (rows === undefined) return;
  const {count, step, cols} = rows;
  const output = {value: editor.newValue(valueOf(editor, result.value).dtype, count * cols), offset: 0};
  const fewer = narrowed(editor, node, rows, output);
  if (fewer === undefined) return;
  const view = {shape: [count, step, cols], strides: [cols, 0, 1], source: output};
  const changes = new Map<Node, Node>();
  for (const reader of editor.readers[result.value] as readonly Node[]) {
    const position = (next: Node) => next.inputs.findIndex((operand) => operand?.value === result.value);
    let next: Node | undefined = reader;
    while (next !== undefined && position(next) >= 0) next = through(editor, next, position(next), view);
    if (next === undefined) return;
    changes.set(reader, next);
  }
  for (const [reader, next] of changes) editor.replace(reader, next);
  editor.replace(node, fewer);
  inherit(node, fewer);
}

export const rows: Pass = {
  name: 'rows',
  why: 'of a class token, which is all that is read of the last layer, that layer computes one row (changes the last bits of the result)',
  run(graph, {inherit}) {
    const editor = new Editor(graph);
    // Backwards: what reads all of a value may come to read a few of its rows.
    for (const node of [...graph.nodes].reverse()) {
      const current = editor.writers[node.outputs[0]?.value as number]?.[0];
      if (current !== undefined) narrow(editor, current, inherit);
    }
    return editor.finish();
  },
};
