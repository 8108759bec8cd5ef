import type {
  AllAttrs,
  AllInputs,
  ArgMaxAttrs,
  ArgMaxInputs,
  CumsumAttrs,
  CumsumInputs,
  DataType,
  LogSoftmaxAttrs,
  LogSoftmaxInputs,
  MaxAttrs,
  MeanAttrs,
  SoftmaxAttrs,
  SoftmaxInputs,
  SumAttrs,
  SumInputs,
  TensorInfo,
  TopKAttrs,
  TopKInputs,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {sizeOf} from '../ops/geometry';
import {ArgReduce, argReduceKinds, Cumulative, cumulativeKinds, Reduce, reduceKinds, Softmax, TopK} from '../ops/reduction';
import {castTo} from './cast';
import {float32, type KernelTable, kernel, type NativeKernel, numeric} from './kernel';
import {axesOf, axisOf, using} from './steps';

type Kind = keyof typeof reduceKinds;
type Axes = number | readonly number[] | null | undefined;

/** x[outer, reduce, inner] */
interface Run {
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

/**
 * The reductions that together reduce `axes` (in rising order), each over neighbouring axes, last ones first: what one leaves is what the next
 * reads. Axes of size 1 between two reduced ones do not part them.
 */
export function reductionRuns(shape: readonly number[], axes: readonly number[]): Run[] {
  const runs: Run[] = [];
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; ) {
    if (!axes.includes(axis)) {
      inner *= shape[axis--] as number;
      continue;
    }
    let reduce = 1;
    while (axis >= 0 && (axes.includes(axis) || shape[axis] === 1)) reduce *= shape[axis--] as number;
    runs.push({outer: sizeOf(shape.slice(0, axis + 1)), reduce, inner});
  }
  return runs;
}

/** The shape left by reducing `axes`. */
function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  if (keepDims) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** Reduces x over `axes`; x of a type that Reduce has for `kind`. */
export function reduce(backend: GravitonBackend, kind: Kind, x: TensorInfo, axes: Axes, keepDims: boolean): TensorInfo {
  const reduced = axesOf(kind, axes, x.shape.length);
  const shape = reducedShape(x.shape, reduced, keepDims);
  const runs = reductionRuns(x.shape, reduced);
  const [only] = runs;
  if (only !== undefined && runs.length === 1) {
    const {outer, reduce, inner} = only;
    return backend.run(Reduce, [x], {shape, dtype: x.dtype}, {kind: reduceKinds[kind], outer, reduce, inner});
  }
  let result = backend.view(x, x.shape);
  for (const run of runs) {
    const operand = result;
    const output = {shape: [run.outer, run.inner], dtype: x.dtype};
    result = using(backend, [operand], () => backend.run(Reduce, [operand], output, {kind: reduceKinds[kind], ...run}));
  }
  return {...result, shape};
}

/** A reduction of x as type `as(x.dtype)`. */
function reduction<Attrs>(
  kind: (dtype: DataType) => Kind,
  as: (dtype: DataType) => DataType,
  axesIn: (attrs: Attrs) => Axes,
): NativeKernel {
  return kernel<SumInputs, Attrs & {keepDims: boolean}>(numeric, ({inputs: {x}, attrs, backend}) => {
    const dtype = as(x.dtype);
    if (dtype === x.dtype) return reduce(backend, kind(dtype), x, axesIn(attrs), attrs.keepDims);
    const operand = castTo(backend, x, dtype);
    return using(backend, [operand], () => reduce(backend, kind(dtype), operand, axesIn(attrs), attrs.keepDims));
  });
}

const same = (dtype: DataType): DataType => dtype;
const counting = (dtype: DataType): DataType => (dtype === 'bool' ? 'int32' : dtype);
const axisAttr = ({axis}: {axis: Axes}): Axes => axis;

function argReduce(kind: keyof typeof argReduceKinds, name: string): NativeKernel {
  return kernel<ArgMaxInputs, ArgMaxAttrs>(numeric, ({inputs: {x}, attrs, backend}) => {
    // As in tfjs, a list gives its first axis and nothing means all elements in a row.
    const [first] = axesOf(name, attrs.axis, x.shape.length);
    const axis = first ?? 0;
    const shape = x.shape.filter((_, i) => i !== axis);
    const run = {outer: sizeOf(x.shape.slice(0, axis)), reduce: x.shape[axis] ?? 1, inner: sizeOf(x.shape.slice(axis + 1))};
    return backend.run(ArgReduce, [x], {shape, dtype: 'int32'}, {kind: argReduceKinds[kind], ...run});
  });
}

function cumulative(kind: keyof typeof cumulativeKinds, name: string): NativeKernel {
  return kernel<CumsumInputs, CumsumAttrs>(numeric, ({inputs: {x}, attrs, backend}) => {
    const rank = x.shape.length;
    const axis = rank === 0 ? 0 : axisOf(name, attrs.axis, rank);
    const dtype = counting(x.dtype);
    const operand = castTo(backend, x, dtype);
    const run = {outer: sizeOf(x.shape.slice(0, axis)), length: x.shape[axis] ?? 1, inner: sizeOf(x.shape.slice(axis + 1))};
    const params = {kind: cumulativeKinds[kind], ...run, exclusive: attrs.exclusive ?? false, reverse: attrs.reverse ?? false};
    return using(backend, [operand], () => backend.run(Cumulative, [operand], {shape: x.shape, dtype}, params));
  });
}

export function softmax(backend: GravitonBackend, logits: TensorInfo, dim: number, logarithm: boolean): TensorInfo {
  const rank = logits.shape.length;
  const axis = rank === 0 ? 0 : axisOf('Softmax', dim, rank);
  if (rank > 0 && axis !== rank - 1) throw errors.shape('Softmax', `axis ${dim} is not the last one of [${logits.shape.join(', ')}]`);
  const cols = logits.shape.at(-1) ?? 1;
  const params = {rows: sizeOf(logits.shape.slice(0, -1)), cols, logarithm};
  return backend.run(Softmax, [logits], {shape: logits.shape, dtype: 'float32'}, params);
}

function topK(backend: GravitonBackend, x: TensorInfo, k: number): TensorInfo[] {
  const cols = x.shape.at(-1) ?? 0;
  if (!Number.isInteger(k) || k < 0 || k > cols) throw errors.shape('TopK', `k = ${k} is not in [0, ${cols}], the size of the last axis`);
  const outer = x.shape.slice(0, -1);
  const shape = [...outer, k];
  const outputs = [
    {shape, dtype: x.dtype},
    {shape, dtype: 'int32' as const},
  ];
  return backend.step(TopK, [x], outputs, {rows: sizeOf(outer), cols, k});
}

export const reductionKernels: KernelTable = {
  All: kernel<AllInputs, AllAttrs>(['bool'], ({inputs: {x}, attrs: {axis, keepDims}, backend}) =>
    reduce(backend, 'all', x, axis, keepDims),
  ),
  Any: kernel<AllInputs, AllAttrs>(['bool'], ({inputs: {x}, attrs: {axis, keepDims}, backend}) =>
    reduce(backend, 'any', x, axis, keepDims),
  ),
  ArgMax: argReduce('max', 'ArgMax'),
  ArgMin: argReduce('min', 'ArgMin'),
  Cumprod: cumulative('product', 'Cumprod'),
  Cumsum: cumulative('sum', 'Cumsum'),
  LogSoftmax: kernel<LogSoftmaxInputs, LogSoftmaxAttrs>(float32, ({inputs: {logits}, attrs: {axis}, backend}) =>
    softmax(backend, logits, axis, true),
  ),
  Max: reduction<MaxAttrs>(
    (dtype) => (dtype === 'bool' ? 'any' : 'max'),
    same,
    ({reductionIndices}) => reductionIndices,
  ),
  Mean: reduction<MeanAttrs>(
    () => 'mean',
    () => 'float32',
    axisAttr,
  ),
  Min: reduction<MeanAttrs>((dtype) => (dtype === 'bool' ? 'all' : 'min'), same, axisAttr),
  Prod: reduction<SumAttrs>(() => 'product', counting, axisAttr),
  Softmax: kernel<SoftmaxInputs, SoftmaxAttrs>(float32, ({inputs: {logits}, attrs: {dim}, backend}) =>
    softmax(backend, logits, dim, false),
  ),
  Sum: reduction<SumAttrs>(() => 'sum', counting, axisAttr),
  TopK: kernel<TopKInputs, TopKAttrs>(numeric, ({inputs: {x}, attrs: {k}, backend}) => topK(backend, x, k)),
};
