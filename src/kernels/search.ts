/** Kernels that look for elements. Where the size of a result depends on elements, its count is read. */
import type {
  BroadcastArgsInputs,
  MultinomialAttrs,
  MultinomialInputs,
  NonMaxSuppressionV3Attrs,
  NonMaxSuppressionV3Inputs,
  NonMaxSuppressionV4Attrs,
  NonMaxSuppressionV5Attrs,
  SearchSortedAttrs,
  SearchSortedInputs,
  TensorInfo,
  UniqueAttrs,
  UniqueInputs,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {sizeOf} from '../ops/geometry';
import {Gather, Pad, padModes} from '../ops/movement';
import {Cumulative, cumulativeKinds} from '../ops/reduction';
import {BroadcastArgs, NonMaxSuppression, SearchSorted, Unique} from '../ops/search';
import {alea} from './alea';
import {castTo} from './cast';
import {float32, type KernelTable, kernel, numeric} from './kernel';
import {softmax} from './reduction';
import {axisOf, stridedCopy, transpose, using} from './steps';

/** The one element of `count`, which JavaScript needs to know a shape. */
function read(backend: GravitonBackend, count: TensorInfo): number {
  return (backend.readSync(count.dataId) as Int32Array)[0] ?? 0;
}

/** The first `count` elements. */
const firstOf = (backend: GravitonBackend, x: TensorInfo, count: number): TensorInfo => stridedCopy(backend, x, [count], [1]);

type Three = [TensorInfo, TensorInfo, TensorInfo];

interface Suppression {
  readonly iouThreshold: number;
  readonly scoreThreshold: number;
  readonly maxOutputSize: number;
  readonly softNmsSigma?: number;
}
/** [rows, scores, count], the first two of `maxOutputSize` elements. */
function suppressed(backend: GravitonBackend, boxes: TensorInfo, scores: TensorInfo, attrs: Suppression): Three {
  const {iouThreshold, scoreThreshold, maxOutputSize, softNmsSigma = 0} = attrs;
  const count = scores.shape[0] ?? 0;
  const most = Math.min(maxOutputSize, count);
  const outputs = [
    {shape: [most], dtype: 'int32'},
    {shape: [most], dtype: 'float32'},
    {shape: [], dtype: 'int32'},
  ] as const;
  const params = {count, most, iou: iouThreshold, score: scoreThreshold, sigma: softNmsSigma};
  return backend.step(NonMaxSuppression, [boxes, scores], outputs, params) as Three;
}

/** `x` with zeros after it. */
function padded(backend: GravitonBackend, x: TensorInfo, size: number): TensorInfo {
  const params = {mode: padModes.constant, value: 0, shape: [sizeOf(x.shape)], before: [0], after: [size - sizeOf(x.shape)]};
  return backend.run(Pad, [x], {shape: [size], dtype: x.dtype}, params);
}

/** Values along `axis` in the order of their first appearance, and for each position the number of its value. */
function unique(backend: GravitonBackend, x: TensorInfo, axis: number): TensorInfo[] {
  const rows = x.shape[axis] as number;
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const flat = transpose(backend, {...x, shape: [outer, rows, inner]}, [1, 0, 2]);
  const outputs = [
    {shape: [rows], dtype: 'int32'},
    {shape: [rows], dtype: 'int32'},
    {shape: [], dtype: 'int32'},
  ] as const;
  const [numbers, firsts, count] = using(backend, [flat], () =>
    backend.step(Unique, [flat], outputs, {rows, cols: outer * inner}),
  ) as Three;
  const values = using(backend, [firsts, count], () => {
    const found = read(backend, count);
    const shape = x.shape.map((size, i) => (i === axis ? found : size));
    const params = {batch: 1, outer, axis: rows, inner, count: found};
    return backend.run(Gather, [x, firsts], {shape, dtype: x.dtype}, params);
  });
  return [values, numbers];
}

/** out[r, i] = where values[r, i] belongs in sorted[r, cols]. */
function searchSorted(backend: GravitonBackend, sorted: TensorInfo, values: TensorInfo, right: boolean): TensorInfo {
  const [rows = 0, cols = 0] = sorted.shape;
  if (sorted.shape.length !== 2 || values.shape.length !== 2 || values.shape[0] !== rows)
    throw errors.shape('SearchSorted', `takes matrices of as many rows, not [${sorted.shape}] and [${values.shape}]`);
  const params = {rows, cols, values: rows === 0 ? 0 : sizeOf(values.shape) / rows, right};
  return backend.run(SearchSorted, [sorted, values], {shape: values.shape, dtype: 'int32'}, params);
}

/** Each sample is how many of the running sums of probabilities, the last one left out, do not exceed a random number. */
function multinomial(backend: GravitonBackend, logits: TensorInfo, {numSamples, seed, normalized}: MultinomialAttrs): TensorInfo {
  const [rows = 0, events = 0] = logits.shape;
  if (events === 0) throw errors.shape('Multinomial', `logits [${logits.shape.join(', ')}] must have an outcome`);
  const random = alea(String(seed));
  // Every row draws the same numbers, as in tfjs, which seeds each anew.
  const numbers = new Float32Array(numSamples);
  for (let i = 0; i < numSamples; i++) numbers[i] = random();
  const draws = backend.makeTensor(numbers, [numSamples], 'float32');
  const probabilities = normalized ? backend.view(logits, logits.shape) : softmax(backend, logits, -1, false);
  const params = {kind: cumulativeKinds.sum, outer: rows, length: events, inner: 1, exclusive: false, reverse: false};
  const sums = using(backend, [probabilities], () =>
    backend.run(Cumulative, [probabilities], {shape: [rows, events], dtype: 'float32'}, params),
  );
  const known = using(backend, [sums], () => stridedCopy(backend, sums, [rows, events - 1], [events, 1]));
  const repeated = using(backend, [draws], () => stridedCopy(backend, draws, [rows, numSamples], [0, 1]));
  return using(backend, [known, repeated], () => searchSorted(backend, known, repeated, true));
}

export const searchKernels: KernelTable = {
  BroadcastArgs: kernel<BroadcastArgsInputs>(['int32'], ({inputs: {s0, s1}, backend}) => {
    const [first = 0, second = 0] = [s0.shape[0], s1.shape[0]];
    return backend.run(BroadcastArgs, [s0, s1], {shape: [Math.max(first, second)], dtype: 'int32'}, {first, second});
  }),
  Multinomial: kernel<MultinomialInputs, MultinomialAttrs>(float32, ({inputs: {logits}, attrs, backend}) =>
    multinomial(backend, logits, attrs),
  ),
  NonMaxSuppressionV3: kernel<NonMaxSuppressionV3Inputs, NonMaxSuppressionV3Attrs>(float32, ({inputs: {boxes, scores}, attrs, backend}) => {
    const made = suppressed(backend, boxes, scores, attrs);
    return using(backend, made, () => firstOf(backend, made[0], read(backend, made[2])));
  }),
  /** The one whose sizes are known beforehand, if it pads. */
  NonMaxSuppressionV4: kernel<NonMaxSuppressionV3Inputs, NonMaxSuppressionV4Attrs>(float32, ({inputs: {boxes, scores}, attrs, backend}) => {
    const [rows, best, count] = suppressed(backend, boxes, scores, attrs);
    const kept = using(backend, [rows, best], () =>
      attrs.padToMaxOutputSize ? padded(backend, rows, attrs.maxOutputSize) : firstOf(backend, rows, read(backend, count)),
    );
    return [kept, count];
  }),
  NonMaxSuppressionV5: kernel<NonMaxSuppressionV3Inputs, NonMaxSuppressionV5Attrs>(float32, ({inputs: {boxes, scores}, attrs, backend}) => {
    const made = suppressed(backend, boxes, scores, attrs);
    return using(backend, made, () => {
      const count = read(backend, made[2]);
      return [firstOf(backend, made[0], count), firstOf(backend, made[1], count)];
    });
  }),
  SearchSorted: kernel<SearchSortedInputs, SearchSortedAttrs>(
    ['float32', 'int32'],
    ({inputs: {sortedSequence, values}, attrs: {side}, backend}) => {
      const dtype = sortedSequence.dtype === values.dtype ? values.dtype : 'float32';
      const operands = [castTo(backend, sortedSequence, dtype), castTo(backend, values, dtype)] as const;
      return using(backend, operands, () => searchSorted(backend, ...operands, side === 'right'));
    },
  ),
  Unique: kernel<UniqueInputs, UniqueAttrs>(numeric, ({inputs: {x}, attrs: {axis}, backend}) =>
    unique(backend, x, axisOf('Unique', axis, x.shape.length)),
  ),
};
