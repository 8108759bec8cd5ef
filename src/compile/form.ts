/** Pointwise nodes as the passes see them: an expression over operands that are walked together. */
import {collapse, rowMajorStrides, sameWalk, sizeOf} from '../ops/geometry';
import {maxProgramInputs, Pointwise, scalars} from '../ops/pointwise';
import {decodeProgram, type Expr, encodeProgram} from '../ops/program';
import {type Access, type Located, locate, mergedStride, reachThrough, splitStride} from './access';
import {compose, inputsIn, renumber} from './expression';
import {type Graph, list, type Node, type Operand, valueOf} from './ir';

export interface FormInput {
  readonly operand: Operand;
  readonly strides: readonly number[];
}

export interface Form {
  readonly shape: readonly number[];
  readonly inputs: readonly FormInput[];
  readonly expr: Expr;
}

/** Chunks of `list`, `size` long. */
function chunks(strides: readonly number[], size: number): number[][] {
  return Array.from({length: size === 0 ? 0 : strides.length / size}, (_, i) => strides.slice(i * size, (i + 1) * size));
}

const forms = new WeakMap<Node, Form | undefined>();

/** The form of a Pointwise node whose output is dense, as it is unless a late pass has made it write elsewhere. */
export function formOf(graph: Graph, node: Node | undefined): Form | undefined {
  if (node?.op !== Pointwise) return undefined;
  if (forms.has(node)) return forms.get(node);
  const shape = list(node, 'shape');
  const strides = chunks(list(node, 'strides'), shape.length);
  const out = strides.pop() as number[];
  const dense = sameWalk(rowMajorStrides(shape), out, shape);
  const whole = node.outputs[0]?.offset === 0 && valueOf(graph, node.outputs[0].value).elems === sizeOf(shape);
  const form =
    dense && whole
      ? {
          shape,
          inputs: strides.map((s, i) => ({operand: node.inputs[i] as Operand, strides: s})),
          expr: decodeProgram(list(node, 'program')),
        }
      : undefined;
  forms.set(node, form);
  return form;
}

const tidied = new WeakSet<Form>();

/** Operands that are walked alike become one, unused ones go, and axes are joined where they can be. */
export function tidy(form: Form): Form {
  if (tidied.has(form)) return form;
  const used = inputsIn(form.expr);
  const kept: FormInput[] = [];
  const numbers = new Map<string, number>();
  const numbering = form.inputs.map((input, i) => {
    if (!used.has(i)) return -1;
    // Along an axis of one element nothing is walked.
    const walked = input.strides.filter((_, axis) => form.shape[axis] !== 1);
    const key = `${input.operand.value} ${input.operand.offset} ${walked.join(' ')}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, kept.length);
    return kept.push(input) - 1;
  });
  const unchanged = numbering.every((number, i) => number < 0 || number === i);
  const expr = unchanged ? form.expr : renumber(form.expr, numbering);
  const out = rowMajorStrides(form.shape);
  const space = collapse(form.shape, [...kept.map((k) => k.strides), out]);
  const result = {shape: space.shape, inputs: kept.map((k, i) => ({operand: k.operand, strides: space.strides[i] as number[]})), expr};
  tidied.add(result);
  return result;
}

/** A Pointwise node of the form, writing all of `output`; undefined where it does not fit into one program. */
export function nodeOf(form: Form, output: Operand, notes?: readonly string[]): Node | undefined {
  const {shape, inputs, expr} = tidy(form);
  if (inputs.length > maxProgramInputs || shape.length > 8) return undefined;
  const program = encodeProgram('op' in expr ? expr : {op: 'Copy', args: [expr]});
  if (program === undefined) return undefined;
  return {
    op: Pointwise,
    inputs: inputs.map((i) => i.operand),
    outputs: [output],
    params: {shape, strides: [...inputs.flatMap((i) => i.strides), ...rowMajorStrides(shape)], program},
    ...(notes?.length ? {notes} : {}),
  };
}

function accessOf(form: Form, input: FormInput): Access {
  return {offset: input.operand.offset, shape: form.shape, strides: input.strides};
}

/** The form in a finer index space: axis j is cut into the parts that `located` gives it. */
function refine(form: Form, located: Located): {shape: number[]; strides: number[][]} {
  const sizes = located.parts.map((own) => own.map((p) => p.size));
  return {
    shape: sizes.flat(),
    strides: form.inputs.map((input) => sizes.flatMap((own, axis) => splitStride(input.strides[axis] as number, own))),
  };
}

/**
 * The form with input `position`, which reads what `producer` computes, replaced by that computation.
 * Undefined where no strides express it.
 */
export function inline(form: Form, position: number, producer: Form): Form | undefined {
  const read = form.inputs[position] as FormInput;
  const located = locate(accessOf(form, read), producer.shape);
  if (located === undefined) return undefined;
  const {shape, strides} = refine(form, located);
  const own = form.inputs.map((input, i) => ({operand: input.operand, strides: strides[i] as number[]}));
  const theirs = producer.inputs.map((input) => {
    const reach = reachThrough(located, input.strides);
    return {operand: {value: input.operand.value, offset: input.operand.offset + reach.offset}, strides: reach.strides.flat()};
  });
  const expr = compose(form.expr, position, producer.expr, own.length);
  return tidy({shape, inputs: [...own, ...theirs], expr});
}

/** What a copy computes: one object, by which compose() finds what it has made before. */
const copied: Expr = {input: 0};

/** The form reading through a copy: input `position` reads what a StridedCopy of `source` made. */
export function readThrough(
  form: Form,
  position: number,
  copy: {shape: readonly number[]; strides: readonly number[]; source: Operand},
): Form | undefined {
  return inline(form, position, {
    shape: copy.shape,
    inputs: [{operand: copy.source, strides: copy.strides}],
    expr: copied,
  });
}

/** A form in the index space of another op: four axes, and each input's strides over them. */
export interface FittedForm {
  readonly axes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * The form's inputs over the axes of an op that writes the same dense block. An axis before the last two may be cut in two where the axis
 * before it is 1: (1, b·h, q, k) becomes (b, h, q, k). Undefined where an input needs finer axes.
 */
export function fit(form: Form, axes: readonly number[]): FittedForm | undefined {
  const located = locate({offset: 0, shape: axes, strides: rowMajorStrides(axes)}, form.shape);
  if (located === undefined) return undefined;
  const reaches = form.inputs.map((input) => reachThrough(located, input.strides));
  if (reaches.some((r) => r.offset !== 0)) return undefined;
  const sizes = located.parts.map((own) => own.map((p) => p.size));
  const merged = (axis: number) => reaches.map((r) => mergedStride(sizes[axis] as number[], r.strides[axis] as number[]));
  const columns = axes.map((_, axis) => merged(axis));
  const finalAxes = [...axes];
  for (const [axis, column] of columns.entries()) {
    if (column.every((s) => s !== undefined)) continue;
    if (axis !== 1 || axes[0] !== 1 || sizes[1]?.length !== 2) return undefined;
    columns[0] = reaches.map((r) => r.strides[1]?.[0]);
    columns[1] = reaches.map((r) => r.strides[1]?.[1]);
    finalAxes.splice(0, 2, ...(sizes[1] as number[]));
  }
  return {axes: finalAxes, strides: form.inputs.map((_, i) => columns.map((column) => column[i] as number))};
}

/** Whether input `position` is a block of exactly these axes, read in the order in which it is written. */
export function readsInOrder(form: Form, fitted: FittedForm, position: number): boolean {
  const dense = rowMajorStrides(fitted.axes);
  const strides = fitted.strides[position] as readonly number[];
  return form.inputs[position]?.operand.offset === 0 && sameWalk(strides, dense, fitted.axes);
}

export function resultType(expr: Expr): 'f' | 'i' | undefined {
  return 'op' in expr ? scalars[expr.op].gives : undefined;
}
