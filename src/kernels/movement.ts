import {
  type BatchToSpaceNDAttrs,
  type BatchToSpaceNDInputs,
  type BroadCastToAttrs,
  type BroadcastToInputs,
  backend_util,
  type ConcatAttrs,
  type ConcatInputs,
  type DepthToSpaceAttrs,
  type DepthToSpaceInputs,
  type FlipLeftRightInputs,
  type MirrorPadAttrs,
  type MirrorPadInputs,
  type PackAttrs,
  type PackInputs,
  type PadV2Attrs,
  type PadV2Inputs,
  type ReverseAttrs,
  type ReverseInputs,
  type SliceAttrs,
  type SliceInputs,
  type SpaceToBatchNDAttrs,
  type SpaceToBatchNDInputs,
  type SplitVAttrs,
  type SplitVInputs,
  type StridedSliceAttrs,
  type StridedSliceInputs,
  slice_util,
  type TensorInfo,
  type TileAttrs,
  type TileInputs,
  type TransposeAttrs,
  type TransposeInputs,
  type UnpackAttrs,
  type UnpackInputs,
  upcastType,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {broadcastShape, broadcastStrides, collapse, rowMajorStrides, sameShape, sizeOf} from '../ops/geometry';
import {Concat, Pad, padModes, StridedCopy} from '../ops/movement';
import {castTo} from './cast';
import {byParts} from './complex';
import {type KernelTable, kernel, numeric} from './kernel';
import {axesOf, axisOf, bitsOf, stridedCopy, transpose, using} from './steps';

/** StridedCopy walks at most this many axes. */
const maxAxes = 8;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

function transposed(backend: GravitonBackend, x: TensorInfo, perm: readonly number[]): TensorInfo {
  const rank = x.shape.length;
  const isOrder = perm.length === rank && perm.every((axis, i) => axis >= 0 && axis < rank && perm.indexOf(axis) === i);
  if (!isOrder) throw errors.shape('Transpose', `[${perm.join(', ')}] is not an order of the ${rank} axes of [${x.shape.join(', ')}]`);
  return transpose(backend, x, perm);
}

function slice(backend: GravitonBackend, x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
  const fits = begin.length === x.shape.length && size.length === x.shape.length;
  if (!fits || begin.some((b, i) => b < 0 || (size[i] as number) < 0 || b + (size[i] as number) > (x.shape[i] as number))) {
    throw errors.shape('Slice', `begin [${begin.join(', ')}] and size [${size.join(', ')}] leave the shape [${x.shape.join(', ')}]`);
  }
  const strides = rowMajorStrides(x.shape);
  return stridedCopy(backend, x, size, strides, dot(begin, strides));
}

/** Sizes of begin:end:stride; slice_util has clamped begin and end to the shape. */
function stridedSizes(begin: readonly number[], end: readonly number[], strides: readonly number[]): number[] {
  return begin.map((b, i) => Math.max(0, Math.ceil(((end[i] as number) - b) / (strides[i] as number))));
}

function stridedSlice(backend: GravitonBackend, x: TensorInfo, attrs: StridedSliceAttrs): TensorInfo {
  const {begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask} = attrs;
  const info = slice_util.sliceInfo(x.shape, begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask);
  const dense = rowMajorStrides(x.shape);
  const size = stridedSizes(info.begin, info.end, info.strides);
  const steps = dense.map((s, i) => s * (info.strides[i] as number));
  const part = stridedCopy(backend, x, size, steps, dot(info.begin, dense));
  return {...part, shape: info.finalShape};
}

/** Side by side along `axis`; all of one type and equal in the other axes. */
export function concat(backend: GravitonBackend, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const filled = parts.filter((x) => sizeOf(x.shape) > 0);
  const [first] = parts as [TensorInfo];
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, x) => sum + (x.shape[axis] as number), 0);
  if (filled.length === 1) return backend.view(filled[0] as TensorInfo, shape);
  const [, most] = Concat.inputs as readonly [number, number];
  if (filled.length > most) {
    const head = concat(backend, filled.slice(0, most), axis);
    return using(backend, [head], () => concat(backend, [head, ...filled.slice(most)], axis));
  }
  const outer = sizeOf(shape.slice(0, axis));
  const given = filled.length === 0 ? [first] : filled;
  const inner = given.map((x) => sizeOf(x.shape.slice(axis)));
  return backend.run(Concat, given, {shape, dtype: first.dtype}, {outer, inner});
}

function concatMixed(backend: GravitonBackend, parts: readonly TensorInfo[], attrs: {axis: number}): TensorInfo {
  const [first, ...rest] = parts as [TensorInfo, ...TensorInfo[]];
  const axis = axisOf('Concat', attrs.axis, first.shape.length);
  backend_util.assertParamsConsistent(
    parts.map((x) => x.shape),
    axis,
  );
  const dtype = rest.reduce((type, x) => upcastType(type, x.dtype), first.dtype);
  if (parts.every((x) => x.dtype === dtype)) return concat(backend, parts, axis);
  const cast = parts.map((x) => castTo(backend, x, dtype));
  return using(backend, cast, () => concat(backend, cast, axis));
}

function pack(backend: GravitonBackend, parts: readonly TensorInfo[], attrs: PackAttrs): TensorInfo {
  const [first] = parts as [TensorInfo];
  const axis = axisOf('Pack', attrs.axis, first.shape.length + 1);
  const views = parts.map((x) => {
    if (!sameShape(x.shape, first.shape) || x.dtype !== first.dtype) {
      throw errors.shape(
        'Pack',
        `tensors must be alike; got ${first.dtype} [${first.shape.join(', ')}] and ${x.dtype} [${x.shape.join(', ')}]`,
      );
    }
    return {...x, shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]};
  });
  return concat(backend, views, axis);
}

function unpack(backend: GravitonBackend, value: TensorInfo, attrs: UnpackAttrs): TensorInfo[] {
  const axis = axisOf('Unpack', attrs.axis, value.shape.length);
  const strides = rowMajorStrides(value.shape);
  const rest = (list: readonly number[]) => list.filter((_, i) => i !== axis);
  const parts = Array.from({length: value.shape[axis] as number}, (_, i) => i);
  return parts.map((i) => stridedCopy(backend, value, rest(value.shape), rest(strides), i * (strides[axis] as number)));
}

function splitV(backend: GravitonBackend, x: TensorInfo, attrs: SplitVAttrs): TensorInfo[] {
  const axis = axisOf('SplitV', attrs.axis, x.shape.length);
  const {numOrSizeSplits: given} = attrs;
  const sizes = backend_util.prepareSplitSize(x, Array.isArray(given) ? [...given] : given, axis); // it writes into the list
  const begin = x.shape.map(() => 0);
  return sizes.map((size) => {
    const part = slice(
      backend,
      x,
      begin,
      x.shape.map((all, i) => (i === axis ? size : all)),
    );
    begin[axis] = (begin[axis] as number) + size;
    return part;
  });
}

function tile(backend: GravitonBackend, x: TensorInfo, reps: readonly number[]): TensorInfo {
  const rank = x.shape.length;
  if (reps.length !== rank || reps.some((n) => !Number.isInteger(n) || n < 0)) {
    throw errors.shape('Tile', `repetitions [${reps.join(', ')}] do not suit the shape [${x.shape.join(', ')}]`);
  }
  const dense = rowMajorStrides(x.shape);
  const space = x.shape.flatMap((size, i) => [reps[i] as number, size]);
  const strides = dense.flatMap((s) => [0, s]);
  const shape = x.shape.map((size, i) => size * (reps[i] as number));
  if (collapse(space, [strides, rowMajorStrides(space)]).shape.length > maxAxes) {
    const half = rank >> 1;
    const inner = tile(
      backend,
      x,
      reps.map((n, i) => (i < half ? 1 : n)),
    );
    return using(backend, [inner], () =>
      tile(
        backend,
        inner,
        reps.map((n, i) => (i < half ? n : 1)),
      ),
    );
  }
  return {...stridedCopy(backend, x, space, strides), shape};
}

function broadcastTo(backend: GravitonBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  if (!sameShape(broadcastShape(x.shape, shape, 'BroadcastTo'), shape)) {
    throw errors.shape('BroadcastTo', `[${x.shape.join(', ')}] does not broadcast to [${shape.join(', ')}]`);
  }
  return stridedCopy(backend, x, shape, broadcastStrides(x.shape, shape));
}

/** x with the order of some axes turned round. */
function reverse(backend: GravitonBackend, x: TensorInfo, axes: readonly number[]): TensorInfo {
  const dense = rowMajorStrides(x.shape);
  const strides = dense.map((s, axis) => (axes.includes(axis) ? -s : s));
  const offset = axes.reduce((sum, axis) => sum + ((x.shape[axis] as number) - 1) * (dense[axis] as number), 0);
  return stridedCopy(backend, x, x.shape, strides, offset);
}

type Paddings = readonly (readonly [number, number])[];
function pad(backend: GravitonBackend, x: TensorInfo, mode: keyof typeof padModes, paddings: Paddings, value: number): TensorInfo {
  const bad = (p: readonly number[]) => p.length !== 2 || p.some((n) => !Number.isInteger(n) || n < 0);
  if (paddings.length !== x.shape.length || paddings.some(bad)) {
    throw errors.shape('Pad', `${JSON.stringify(paddings)} are not two whole numbers from 0 for each axis of [${x.shape.join(', ')}]`);
  }
  const most = (size: number) => (mode === 'reflect' ? size - 1 : size);
  if (mode !== 'constant' && paddings.some((p, i) => Math.max(...p) > most(x.shape[i] as number))) {
    throw errors.shape('MirrorPad', `${JSON.stringify(paddings)} mirror more elements than [${x.shape.join(', ')}] has (${mode})`);
  }
  const shape = x.shape.map((size, i) => size + (paddings[i]?.[0] as number) + (paddings[i]?.[1] as number));
  const [before, after] = [paddings.map((p) => p[0]), paddings.map((p) => p[1])];
  return backend.run(
    Pad,
    [x],
    {shape, dtype: x.dtype},
    {mode: padModes[mode], value: bitsOf(value, x.dtype), shape: x.shape, before, after},
  );
}

function spaceToBatch(backend: GravitonBackend, x: TensorInfo, {blockShape, paddings}: SpaceToBatchNDAttrs): TensorInfo {
  const rest = x.shape.length - 1 - blockShape.length;
  const divides = (block: number, i: number): boolean => {
    const [before = 0, after = 0] = paddings[i] ?? [];
    return ((x.shape[1 + i] as number) + before + after) % block === 0;
  };
  if (rest < 0 || !blockShape.every(divides)) {
    throw errors.shape('SpaceToBatchND', `blocks of [${blockShape.join(', ')}] do not divide the padded axes of [${x.shape.join(', ')}]`);
  }
  const all: Paddings = [
    [0, 0],
    ...paddings.map((p) => [p[0], p[1]] as [number, number]),
    ...Array.from({length: rest}, () => [0, 0] as const),
  ];
  const padded = pad(backend, x, 'constant', all, 0);
  return using(backend, [padded], () => {
    const split = backend_util.getReshaped(
      padded.shape,
      blockShape,
      blockShape.reduce((a, b) => a * b, 1),
      false,
    );
    const perm = backend_util.getPermuted(split.length, blockShape.length, false);
    const flat = backend_util.getReshapedPermuted(
      padded.shape,
      blockShape,
      blockShape.reduce((a, b) => a * b, 1),
      false,
    );
    return {...transpose(backend, {...padded, shape: split}, perm), shape: flat};
  });
}

function batchToSpace(backend: GravitonBackend, x: TensorInfo, {blockShape, crops}: BatchToSpaceNDAttrs): TensorInfo {
  const blocks = blockShape.reduce((a, b) => a * b, 1);
  if (x.shape.length < 1 + blockShape.length || (x.shape[0] as number) % blocks !== 0) {
    throw errors.shape('BatchToSpaceND', `blocks of [${blockShape.join(', ')}] do not divide the batch of [${x.shape.join(', ')}]`);
  }
  const split = backend_util.getReshaped(x.shape, blockShape, blocks);
  const perm = backend_util.getPermuted(split.length, blockShape.length);
  const whole = transpose(backend, {...x, shape: split}, perm);
  const shape = backend_util.getReshapedPermuted(x.shape, blockShape, blocks);
  return using(backend, [whole], () => {
    const begin = backend_util.getSliceBeginCoords(crops, blockShape.length);
    const size = backend_util.getSliceSize(shape, crops, blockShape.length);
    const rest = shape.slice(begin.length); // axes behind the blocks are taken whole
    return slice(backend, {...whole, shape}, [...begin, ...rest.map(() => 0)], [...size, ...rest]);
  });
}

function depthToSpace(backend: GravitonBackend, x: TensorInfo, {blockSize, dataFormat}: DepthToSpaceAttrs): TensorInfo {
  const [batch, a, b, c] = x.shape as [number, number, number, number];
  const channels = dataFormat === 'NHWC' ? c : a;
  if (x.shape.length !== 4 || channels % (blockSize * blockSize) !== 0) {
    throw errors.shape(
      'DepthToSpace',
      `blocks of ${blockSize} x ${blockSize} do not divide the channels of [${x.shape.join(', ')}], ${dataFormat}`,
    );
  }
  if (dataFormat === 'NHWC') {
    const depth = c / (blockSize * blockSize);
    const split = {...x, shape: [batch, a, b, blockSize, blockSize, depth]};
    return {...transpose(backend, split, [0, 1, 3, 2, 4, 5]), shape: [batch, a * blockSize, b * blockSize, depth]};
  }
  const depth = a / (blockSize * blockSize);
  const split = {...x, shape: [batch, blockSize, blockSize, depth, b, c]};
  return {...transpose(backend, split, [0, 3, 4, 1, 5, 2]), shape: [batch, depth, b * blockSize, c * blockSize]};
}

export const movementKernels: KernelTable = {
  BatchToSpaceND: kernel<BatchToSpaceNDInputs, BatchToSpaceNDAttrs>(numeric, ({inputs: {x}, attrs, backend}) =>
    batchToSpace(backend, x, attrs),
  ),
  BroadcastTo: kernel<BroadcastToInputs, BroadCastToAttrs>(numeric, ({inputs: {x}, attrs, backend}) =>
    broadcastTo(backend, x, attrs.shape),
  ),
  Concat: byParts(kernel<ConcatInputs, ConcatAttrs>(numeric, ({inputs, attrs, backend}) => concatMixed(backend, inputs, attrs))),
  DepthToSpace: kernel<DepthToSpaceInputs, DepthToSpaceAttrs>(numeric, ({inputs: {x}, attrs, backend}) => depthToSpace(backend, x, attrs)),
  FlipLeftRight: kernel<FlipLeftRightInputs>(numeric, ({inputs: {image}, backend}) => {
    if (image.shape.length !== 4) throw errors.shape('FlipLeftRight', `an image has rank 4; got [${image.shape.join(', ')}]`);
    const [batch, height, width, channels] = image.shape as [number, number, number, number];
    const row = width * channels;
    const params = {shape: [batch * height, width, channels], srcStrides: [row, -channels, 1], dstStrides: [row, channels, 1]};
    return backend.run(StridedCopy, [image], image, params, sizeOf(image.shape) === 0 ? undefined : [row - channels]);
  }),
  MirrorPad: kernel<MirrorPadInputs, MirrorPadAttrs>(numeric, ({inputs: {x}, attrs: {paddings, mode}, backend}) =>
    pad(backend, x, mode, paddings, 0),
  ),
  Pack: byParts(kernel<PackInputs, PackAttrs>(numeric, ({inputs, attrs, backend}) => pack(backend, inputs, attrs))),
  PadV2: kernel<PadV2Inputs, PadV2Attrs>(numeric, ({inputs: {x}, attrs: {paddings, constantValue}, backend}) =>
    pad(backend, x, 'constant', paddings, constantValue),
  ),
  Reverse: byParts(
    kernel<ReverseInputs, ReverseAttrs>(numeric, ({inputs: {x}, attrs: {dims}, backend}) =>
      reverse(backend, x, axesOf('Reverse', dims, x.shape.length)),
    ),
  ),
  Slice: byParts(
    kernel<SliceInputs, SliceAttrs>(numeric, ({inputs: {x}, attrs, backend}) => {
      const [begin, size] = slice_util.parseSliceParams(x, attrs.begin, attrs.size);
      return slice(backend, x, begin ?? [], size ?? []);
    }),
  ),
  SpaceToBatchND: kernel<SpaceToBatchNDInputs, SpaceToBatchNDAttrs>(numeric, ({inputs: {x}, attrs, backend}) =>
    spaceToBatch(backend, x, attrs),
  ),
  SplitV: byParts(kernel<SplitVInputs, SplitVAttrs>(numeric, ({inputs: {x}, attrs, backend}) => splitV(backend, x, attrs))),
  StridedSlice: byParts(
    kernel<StridedSliceInputs, StridedSliceAttrs>(numeric, ({inputs: {x}, attrs, backend}) => stridedSlice(backend, x, attrs)),
  ),
  Tile: byParts(kernel<TileInputs, TileAttrs>(numeric, ({inputs: {x}, attrs: {reps}, backend}) => tile(backend, x, reps))),
  Transpose: byParts(
    kernel<TransposeInputs, TransposeAttrs>(numeric, ({inputs: {x}, attrs: {perm}, backend}) => transposed(backend, x, perm)),
  ),
  Unpack: byParts(kernel<UnpackInputs, UnpackAttrs>(numeric, ({inputs: {value}, attrs, backend}) => unpack(backend, value, attrs))),
};
