import {Conv2D, DepthwiseConv2D} from '../../ops/convolution';
import {sizeOf} from '../../ops/geometry';
import {MatMul} from '../../ops/linear';
import {decodeProgram, type Expr, encodeProgram, input} from '../../ops/program';
import {Normalize} from '../../ops/reduction';
import type {OpSpec} from '../../ops/schema';
import {withSplitBatch, writeWalk} from '../axes';
import {Editor} from '../editor';
import {compose, inputsIn, keyOf, occurrences, partsOf, recogniseActivations, renumber, replacePart} from '../expression';
import {type Form, fit, formOf, readsInOrder, resultType} from '../form';
import {type Graph, list, type Node, type Operand, onlyReader, producerOf, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';

export const linearOps: ReadonlySet<OpSpec> = new Set<OpSpec>([MatMul, Conv2D, DepthwiseConv2D, Normalize]);
const bias = 2;
const firstExtra = 3;
/** The product, of which nothing is made: one object, by which compose() finds what it has made before. */
const itself = input(0);

/** A linear op's epilogue while it grows: input 0 is the product, the others are `extras`. */
export interface Epilogue {
  expr: Expr;
  bias: Operand | undefined;
  readonly extras: {readonly operand: Operand; readonly strides: readonly number[]}[];
}

export function epilogueOf(node: Node): Epilogue {
  const program = list(node, 'epilogue');
  const strides = list(node, 'epilogueStrides');
  return {
    expr: program.length === 0 ? itself : decodeProgram(program),
    bias: node.inputs[bias],
    extras: node.inputs.slice(firstExtra).map((operand, i) => ({operand: operand as Operand, strides: strides.slice(4 * i, 4 * i + 4)})),
  };
}

/** The node with this epilogue; undefined where it does not fit into one program. */
export function withEpilogue(node: Node, epilogue: Epilogue, output: Operand, notes: readonly string[]): Node | undefined {
  const used = inputsIn(epilogue.expr);
  const extras = epilogue.extras.filter((_, i) => used.has(i + 1));
  const expr = renumber(epilogue.expr, [0, ...epilogue.extras.map((e) => extras.indexOf(e) + 1)]);
  const program = 'op' in expr ? encodeProgram(expr) : [];
  if (program === undefined || extras.length > 28) return undefined;
  return {
    ...node,
    inputs: [node.inputs[0], node.inputs[1], epilogue.bias, ...extras.map((e) => e.operand)],
    outputs: [output],
    params: {...node.params, epilogue: program, epilogueStrides: extras.flatMap((e) => [...e.strides])},
    notes,
  };
}

/** Whether an operand depends on the last axis alone. */
export function isColumn(strides: readonly number[], axes: readonly number[]): boolean {
  return strides.slice(0, 3).every((s, axis) => s === 0 || axes[axis] === 1);
}

/** Takes `product + column vector` out of the expression and makes the vector the bias, which costs nothing. */
function extractBias(graph: Graph, epilogue: Epilogue, axes: readonly number[]): void {
  const columns = axes[3] as number;
  if (epilogue.bias !== undefined || occurrences(epilogue.expr, 0) !== 1) return;
  const sum = [...partsOf(epilogue.expr)].find((p) => 'op' in p && p.op === 'Add' && p.args.some((a) => 'input' in a && a.input === 0));
  if (sum === undefined || !('op' in sum)) return;
  const other = sum.args.find((a) => !('input' in a && a.input === 0));
  if (other === undefined || !('input' in other)) return;
  const extra = epilogue.extras[other.input - 1];
  if (extra === undefined) return;
  if (columns === 1 || !isColumn(extra.strides, axes) || extra.strides[3] !== 1) return;
  if (valueOf(graph, extra.operand.value).elems < extra.operand.offset + columns) return;
  epilogue.bias = extra.operand;
  epilogue.expr = replacePart(epilogue.expr, sum, itself);
}

/** `node` computing what `form`, the only reader of its result, computes; or why not. */
function absorb(graph: Graph, node: Node, form: Form, position: number, output: Operand, remember: PassContext['remember']): Node | string {
  const walk = writeWalk(node);
  if (walk === undefined || sizeOf(walk.shape) !== sizeOf(form.shape)) return 'it is of another size than its product';
  if (valueOf(graph, output.value).dtype !== 'float32' || resultType(form.expr) !== 'f') return 'it is not float32';
  const fitted = fit(form, walk.shape);
  if (fitted === undefined) return 'an operand varies along finer axes than the product has';
  if (!readsInOrder(form, fitted, position)) return 'it reads its product in another order';
  const cut = fitted.axes.every((size, axis) => size === walk.shape[axis]);
  const target = cut ? node : withSplitBatch(node, fitted.axes[0] as number, fitted.axes[1] as number);
  if (target === undefined) return 'the batch axes cannot be cut as an operand needs';
  const own = epilogueOf(target);
  const others = form.inputs.map((input, i) => ({input, i})).filter(({i}) => i !== position);
  // The product's place is after all operands until its own expression takes it.
  const product = own.extras.length + 1 + others.length;
  const numbers = form.inputs.map((_, i) => (i === position ? product : own.extras.length + 1 + (i < position ? i : i - 1)));
  const epilogue: Epilogue = {
    expr: compose(renumber(form.expr, numbers), product, own.expr, 0),
    bias: own.bias,
    extras: [...own.extras, ...others.map(({input, i}) => ({operand: input.operand, strides: fitted.strides[i] as readonly number[]}))],
  };
  extractBias(graph, epilogue, fitted.axes);
  if (keyOf(epilogue.expr) === undefined) return 'the epilogue does not fit into one program';
  epilogue.expr = remember(`activations ${keyOf(epilogue.expr)}`, () => recogniseActivations(epilogue.expr));
  return withEpilogue(target, epilogue, output, notesAfter(target, own, epilogue)) ?? 'the epilogue does not fit into one program';
}

/** The node's notes with those of its new epilogue for those of its own. A normalization's shift is a part of it. */
function notesAfter(node: Node, own: Epilogue, epilogue: Epilogue): string[] {
  const kept = (node.notes ?? []).filter((note) => !notesOf(own).includes(note));
  return [...kept, ...notesOf(node.op === Normalize ? {...epilogue, bias: undefined} : epilogue)];
}

export function notesOf({expr, bias: vector}: Epilogue): string[] {
  const names = [...partsOf(expr)].flatMap((part) => ('op' in part ? [part.op] : []));
  return [...(vector === undefined ? [] : ['bias']), ...names];
}

/** The node with a bias that its kernel passed as an epilogue operand (a matrix of one row) where biases belong. */
function withBias(editor: Editor, node: Node): Node {
  const epilogue = epilogueOf(node);
  const walk = writeWalk(node);
  if (epilogue.bias !== undefined || walk === undefined || !('op' in epilogue.expr)) return node;
  extractBias(editor, epilogue, walk.shape);
  const better = epilogue.bias === undefined ? undefined : withEpilogue(node, epilogue, node.outputs[0] as Operand, notesOf(epilogue));
  if (better === undefined) return node;
  editor.replace(node, better);
  return better;
}

function absorbAll(editor: Editor, start: Node, {leave, remember}: PassContext): void {
  let node = withBias(editor, start);
  for (;;) {
    const {value, offset} = node.outputs[0] as Operand;
    const readers = editor.readers[value] as readonly Node[];
    const [reader] = readers;
    if (reader === undefined || offset !== 0) return;
    if (!onlyReader(editor, value, reader)) {
      const reason = editor.isOutput[value] ? 'its product is an output' : 'its product has several readers';
      for (const other of readers) if (formOf(editor, other) !== undefined) leave(other, reason);
      return;
    }
    const form = formOf(editor, reader);
    if (form === undefined) return;
    const reads = form.inputs.flatMap((input, i) => (input.operand.value === value ? [i] : []));
    if (reads.length !== 1) return leave(reader, 'it reads its product in two ways');
    const fused = absorb(editor, node, form, reads[0] as number, reader.outputs[0] as Operand, remember);
    if (typeof fused === 'string') return leave(reader, fused);
    editor.remove(node);
    editor.replace(reader, fused);
    node = fused;
  }
}

function makePass(name: string, why: string): Pass {
  return {
    name,
    why,
    run(graph, context) {
      const editor = new Editor(graph);
      for (const node of graph.nodes) {
        if (linearOps.has(node.op) && editor.has(node)) absorbAll(editor, node, context);
      }
      for (const node of editor.nodes) {
        const follows = node.inputs.some((operand) => operand !== undefined && linearOps.has(producerOf(editor, operand)?.op as OpSpec));
        if (formOf(editor, node) !== undefined && !follows) context.leave(node, 'no product before it');
      }
      return editor.finish();
    },
  };
}

export const linear = makePass(
  'linear',
  'bias, residual, activation and any other pointwise expression run on the product while it is in cache',
);
export const linearAgain = makePass('linear-again', 'expressions that the pointwise pass has put together now have one user');
