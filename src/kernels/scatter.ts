/** Kernels that write or add rows at indices: all one op (Scatter in src/ops/movement.ts). */
import {
  type BincountAttrs,
  type BincountInputs,
  backend_util,
  type DataType,
  type DenseBincountAttrs,
  type DenseBincountInputs,
  type ScatterNdAttrs,
  type ScatterNdInputs,
  type SparseToDenseAttrs,
  type SparseToDenseInputs,
  type TensorInfo,
  type TensorScatterUpdateInputs,
  type UnsortedSegmentSumAttrs,
  type UnsortedSegmentSumInputs,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {type Shape, sameShape, sizeOf} from '../ops/geometry';
import {Scatter, scatterKinds, scatterOutside} from '../ops/movement';
import {castTo} from './cast';
import {type KernelTable, kernel, numeric} from './kernel';
import {fill, using} from './steps';

interface Target {
  readonly kind: keyof typeof scatterKinds;
  readonly shape: Shape;
  /** Of the result's shape, or one element for all. */
  readonly base?: TensorInfo;
}

/** `indices` and `updates` as in tf.scatterND; one scalar update serves all indices. */
function scatterNd(backend: GravitonBackend, indices: TensorInfo, updates: TensorInfo, {kind, shape, base}: Target): TensorInfo {
  const {sliceRank, numUpdates, sliceSize} = backend_util.calculateShapes(updates, indices, [...shape]);
  const sameUpdate = updates.shape.length === 0;
  const params = {
    kind: scatterKinds[kind],
    outside: scatterOutside.fails,
    batch: 1,
    sameUpdate,
    sameBase: base !== undefined && sizeOf(base.shape) === 1,
    count: Math.floor(numUpdates),
    inner: sliceSize,
    dims: shape.slice(0, sliceRank),
  };
  const positions = castTo(backend, indices, 'int32');
  return using(backend, [positions], () => backend.run(Scatter, [positions, updates, base], {shape, dtype: updates.dtype}, params));
}

/** out[b, x[b, i]] += weights[b, i], or 1 where there are none; with `binary` it becomes 1. What is too large is not counted. */
function bincount(backend: GravitonBackend, x: TensorInfo, weights: TensorInfo, size: number, binary: boolean, shape: Shape): TensorInfo {
  const batch = shape.length === 2 ? (shape[0] as number) : 1;
  const dtype: DataType = weights.dtype === 'bool' ? 'int32' : weights.dtype;
  const sameUpdate = binary || sizeOf(weights.shape) === 0;
  if (!sameUpdate && !sameShape(weights.shape, x.shape)) {
    throw errors.shape('Bincount', `weights [${weights.shape.join(', ')}] must be empty or of the shape of x, [${x.shape.join(', ')}]`);
  }
  const updates = sameUpdate ? fill(backend, [1], 1, dtype) : castTo(backend, weights, dtype);
  const positions = castTo(backend, x, 'int32');
  const params = {
    kind: binary ? scatterKinds.set : scatterKinds.add,
    outside: scatterOutside.largeDropped,
    batch,
    sameUpdate,
    sameBase: false,
    count: batch === 0 ? 0 : sizeOf(x.shape) / batch,
    inner: 1,
    dims: [size],
  };
  return using(backend, [updates, positions], () => backend.run(Scatter, [positions, updates, undefined], {shape, dtype}, params));
}

export const scatterKernels: KernelTable = {
  Bincount: kernel<BincountInputs, BincountAttrs>(numeric, ({inputs: {x, weights}, attrs: {size}, backend}) =>
    bincount(backend, x, weights, size, false, [size]),
  ),
  DenseBincount: kernel<DenseBincountInputs, DenseBincountAttrs>(numeric, ({inputs: {x, weights}, attrs, backend}) => {
    const {size, binaryOutput = false} = attrs;
    if (x.shape.length > 2) throw errors.shape('DenseBincount', `x [${x.shape.join(', ')}] must have one axis or two`);
    return bincount(backend, x, weights, size, binaryOutput, [...x.shape.slice(0, -1), size]);
  }),
  ScatterNd: kernel<ScatterNdInputs, ScatterNdAttrs>(['float32', 'int32'], ({inputs: {indices, updates}, attrs: {shape}, backend}) =>
    scatterNd(backend, indices, updates, {kind: 'add', shape}),
  ),
  SparseToDense: kernel<SparseToDenseInputs, SparseToDenseAttrs>(numeric, ({inputs, attrs: {outputShape}, backend}) => {
    const {sparseIndices, sparseValues, defaultValue} = inputs;
    const value = castTo(backend, defaultValue, sparseValues.dtype);
    return using(backend, [value], () => scatterNd(backend, sparseIndices, sparseValues, {kind: 'set', shape: outputShape, base: value}));
  }),
  TensorScatterUpdate: kernel<TensorScatterUpdateInputs>(numeric, ({inputs: {tensor, indices, updates}, backend}) =>
    scatterNd(backend, indices, updates, {kind: 'set', shape: tensor.shape, base: tensor}),
  ),
  UnsortedSegmentSum: kernel<UnsortedSegmentSumInputs, UnsortedSegmentSumAttrs>(
    ['float32', 'int32'],
    ({inputs: {x, segmentIds}, attrs: {numSegments}, backend}) => {
      const rank = segmentIds.shape.length;
      if (!sameShape(x.shape.slice(0, rank), segmentIds.shape)) {
        throw errors.shape(
          'UnsortedSegmentSum',
          `segmentIds [${segmentIds.shape.join(', ')}] must be the first axes of x, [${x.shape.join(', ')}]`,
        );
      }
      const rest = x.shape.slice(rank);
      const params = {
        kind: scatterKinds.add,
        outside: scatterOutside.dropped,
        batch: 1,
        sameUpdate: false,
        sameBase: false,
        count: sizeOf(segmentIds.shape),
        inner: sizeOf(rest),
        dims: [numSegments],
      };
      return backend.run(Scatter, [segmentIds, x, undefined], {shape: [numSegments, ...rest], dtype: x.dtype}, params);
    },
  ),
};
