/** Pooling over three axes and with positions, morphological dilation, and the gradients of both. */
import {
  type AvgPool3DAttrs,
  type AvgPool3DGradAttrs,
  type AvgPool3DGradInputs,
  type AvgPool3DInputs,
  type AvgPoolGradAttrs,
  type AvgPoolGradInputs,
  backend_util,
  type Dilation2DAttrs,
  type Dilation2DBackpropFilterInputs,
  type Dilation2DBackpropInputInputs,
  type Dilation2DInputs,
  type MaxPool3DAttrs,
  type MaxPool3DGradAttrs,
  type MaxPool3DGradInputs,
  type MaxPoolGradAttrs,
  type MaxPoolGradInputs,
  type MaxPoolWithArgmaxAttrs,
  type MaxPoolWithArgmaxInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {Pool2D, poolKinds} from '../ops/convolution';
import {sizeOf} from '../ops/geometry';
import {Scatter, scatterKinds, scatterOutside} from '../ops/movement';
import {call, f32, input} from '../ops/program';
import {Fold, WindowMax} from '../ops/windows';
import {asImage, Pool2DParams} from './convolution';
import {float32, type KernelTable, kernel, type NativeKernel} from './kernel';
import {broadcast, kept, pointwise, program, using} from './steps';
import {checkShape, FoldParams, imageShape, tapCount, WindowMaxParams, type Windows, windowShape, windowsOf} from './windows';

type Shape5D = [number, number, number, number, number];
function asVolume(op: string, shape: readonly number[]): Shape5D {
  if (shape.length !== 5) throw errors.shape(op, `the image [${shape.join(', ')}] must have five axes`);
  return shape as Shape5D;
}

type Pool2DAttrs = AvgPoolGradAttrs & Partial<Pick<MaxPoolGradAttrs, 'dimRoundingMode'>>;
function pool2DWindows(op: string, shape: readonly number[], {filterSize, strides, pad, dimRoundingMode}: Pool2DAttrs): Windows {
  return windowsOf(op, backend_util.computePool2DInfo(asImage(op, shape), filterSize, strides, 1, pad, dimRoundingMode));
}
function pool3DWindows(op: string, shape: readonly number[], {filterSize, strides, pad, dimRoundingMode}: AvgPool3DGradAttrs): Windows {
  return windowsOf(op, backend_util.computePool3DInfo(asVolume(op, shape), filterSize, strides, 1, pad, dimRoundingMode));
}

/** The windows' parameters over dense images [batch, inH, inW, channels] (imageParams), of which pooling needs no more. */
interface Plane {
  readonly batch: number;
  readonly channels: number;
  readonly sizes: readonly [inH: number, inW: number, outH: number, outW: number];
  readonly filter: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number];
}
function pooledPlane(backend: GravitonBackend, kind: keyof typeof poolKinds, x: TensorInfo, p: Plane): TensorInfo {
  const [inH, inW, outH, outW] = p.sizes;
  const {batch, channels} = p;
  const params = {
    kind: poolKinds[kind],
    batch,
    inH,
    inW,
    inC: channels,
    outH,
    outW,
    outC: channels,
    filterH: p.filter[0],
    filterW: p.filter[1],
    strideH: p.strides[0],
    strideW: p.strides[1],
    padTop: p.pads[0],
    padLeft: p.pads[1],
    dilationH: 1,
    dilationW: 1,
    xBatch: inH * inW * channels,
    xRow: inW * channels,
    xCol: channels,
    yBatch: outH * outW * channels,
    yRow: outW * channels,
    yCol: channels,
  };
  return backend.run(Pool2D, [x], {shape: [batch, outH, outW, channels], dtype: 'float32'}, params);
}

const orZero = program(call('Select', input(1), input(0), f32(0)));

/** Whether the first or the last window along an axis has no tap inside. */
const leaves = (size: number, out: number, filter: number, stride: number, pad: number): boolean =>
  pad >= filter || (out - 1) * stride - pad >= size;

/** Takes y over. A window wholly outside has the mean 0 over three axes, as in tfjs (over two it is NaN there). */
function zeroOutside(backend: GravitonBackend, y: TensorInfo, w: Windows): TensorInfo {
  const outside =
    leaves(w.inD, w.outD, w.filterD, w.strideD, w.padFront) ||
    leaves(w.inH, w.outH, w.filterH, w.strideH, w.padTop) ||
    leaves(w.inW, w.outW, w.filterW, w.strideW, w.padLeft);
  if (!outside) return y;
  const inside = backend.makeTensor(
    Uint8Array.from(insideWindows(w), (count) => Math.min(count, 1)),
    [w.outD, w.outH, w.outW, 1],
    'bool',
  );
  return using(backend, [y, inside], () => broadcast(backend, 'AvgPool3D', orZero, [y, inside], 'float32'));
}

/** A maximum, or a mean of those inside, over a box is the same over its planes and then over its depth. */
function pool3D(kind: keyof typeof poolKinds, op: string): NativeKernel {
  return kernel<AvgPool3DInputs, AvgPool3DAttrs | MaxPool3DAttrs>(float32, ({inputs: {x}, attrs, backend}) => {
    const w = pool3DWindows(op, x.shape, attrs);
    const {batch, channels, inD, inH, inW, outD, outH, outW} = w;
    const planes = pooledPlane(backend, kind, x, {
      batch: batch * inD,
      channels,
      sizes: [inH, inW, outH, outW],
      filter: [w.filterH, w.filterW],
      strides: [w.strideH, w.strideW],
      pads: [w.padTop, w.padLeft],
    });
    const depth: Plane = {
      batch,
      channels: outH * outW * channels,
      sizes: [inD, 1, outD, 1],
      filter: [w.filterD, 1],
      strides: [w.strideD, 1],
      pads: [w.padFront, 0],
    };
    const y = using(backend, [planes], () => pooledPlane(backend, kind, planes, depth));
    const shape = [batch, outD, outH, outW, channels];
    return kind === 'average' ? zeroOutside(backend, {...y, shape}, w) : {...y, shape};
  });
}

/** How many taps of each window along one axis lie inside. */
function insideCounts(size: number, out: number, filter: number, stride: number, pad: number): number[] {
  return Array.from({length: out}, (_, o) => Math.max(0, Math.min(o * stride - pad + filter, size) - Math.max(o * stride - pad, 0)));
}

/** How many taps of each window [outD, outH, outW] lie inside. */
function insideWindows(w: Windows): Float32Array {
  const depths = insideCounts(w.inD, w.outD, w.filterD, w.strideD, w.padFront);
  const heights = insideCounts(w.inH, w.outH, w.filterH, w.strideH, w.padTop);
  const widths = insideCounts(w.inW, w.outW, w.filterW, w.strideW, w.padLeft);
  const counts = new Float32Array(depths.length * heights.length * widths.length);
  let at = 0;
  for (const d of depths) for (const h of heights) for (const c of widths) counts[at++] = d * h * c;
  return counts;
}

const divide = program(call('Div', input(0), input(1)));
const share = kept(({taps}: {taps: number}) => program(call('Mul', input(0), f32(1 / taps))));

/**
 * Each window gives its taps inside x an equal part of dy, as it took the mean of them. `whole`: a part for each tap, inside or not, which
 * tfjs-core's suite wants where the padding is given explicitly (and which is then no gradient of what AvgPool computes).
 */
function averageGradient(backend: GravitonBackend, op: string, dy: TensorInfo, w: Windows, whole = false): TensorInfo {
  const dense = {...dy, shape: [...windowShape(w), w.channels]};
  const counts = insideWindows(w);
  const full = counts.every((count) => count === tapCount(w));
  let shares: TensorInfo;
  if (whole || full) {
    shares = pointwise(backend, share({taps: tapCount(w)}), [dense], dense.shape, 'float32');
  } else {
    const inside = backend.makeTensor(counts, [w.outD, w.outH, w.outW, 1], 'float32');
    shares = using(backend, [inside], () => broadcast(backend, op, divide, [dense, inside], 'float32'));
  }
  const params = new FoldParams(w, w.channels, 0);
  return using(backend, [shares], () => backend.run(Fold, [shares, undefined], {shape: imageShape(w), dtype: 'float32'}, params));
}

function positions(
  backend: GravitonBackend,
  x: TensorInfo,
  filter: TensorInfo | undefined,
  w: Windows,
  result: 'element' | 'tap',
  acrossBatch: boolean,
): TensorInfo {
  const shape = [...windowShape(w), w.channels];
  return backend.run(WindowMax, [x, filter], {shape, dtype: 'int32'}, new WindowMaxParams(w, result, acrossBatch));
}

/** out[batch, size], in which each position has the sum of the dy that came from it. */
function collected(backend: GravitonBackend, at: TensorInfo, dy: TensorInfo, batch: number, shape: readonly number[]): TensorInfo {
  const count = batch === 0 ? 0 : sizeOf(at.shape) / batch;
  const size = batch === 0 ? 0 : sizeOf(shape) / batch;
  const same = {sameUpdate: false, sameBase: false};
  const params = {kind: scatterKinds.add, outside: scatterOutside.dropped, batch, count, inner: 1, ...same, dims: [size]};
  return backend.run(Scatter, [at, dy, undefined], {shape, dtype: 'float32'}, params);
}

/** The first largest element of each window gets its dy. */
function maxGradient(backend: GravitonBackend, x: TensorInfo, dy: TensorInfo, w: Windows): TensorInfo {
  const at = positions(backend, x, undefined, w, 'element', false);
  return using(backend, [at], () => collected(backend, at, dy, w.batch, imageShape(w)));
}

function dilationWindows(op: string, x: TensorInfo, filter: TensorInfo, attrs: Dilation2DAttrs): Windows {
  const {strides, pad, dilations} = attrs;
  if (filter.shape.length !== 3) throw errors.shape(op, `the filter [${filter.shape.join(', ')}] must have three axes`);
  const filterShape = filter.shape as [number, number, number];
  const info = backend_util.computeDilation2DInfo(asImage(op, x.shape), filterShape, strides, pad, 'NHWC', dilations);
  const w = windowsOf(op, info);
  checkShape(op, 'filter', filter, [w.filterH, w.filterW, w.channels]);
  return w;
}

const outShape = (w: Windows): number[] => [w.batch, w.outH, w.outW, w.channels];

export const poolingGradientKernels: KernelTable = {
  AvgPool3D: pool3D('average', 'AvgPool3D'),
  MaxPool3D: pool3D('max', 'MaxPool3D'),
  AvgPoolGrad: kernel<AvgPoolGradInputs, AvgPoolGradAttrs>(float32, ({inputs: {dy, input: x}, attrs, backend}) => {
    const w = pool2DWindows('AvgPoolGrad', x.shape, attrs);
    checkShape('AvgPoolGrad', 'dy', dy, outShape(w));
    return {...averageGradient(backend, 'AvgPoolGrad', dy, w, Array.isArray(attrs.pad)), shape: x.shape};
  }),
  AvgPool3DGrad: kernel<AvgPool3DGradInputs, AvgPool3DGradAttrs>(float32, ({inputs: {dy, input: x}, attrs, backend}) => {
    const w = pool3DWindows('AvgPool3DGrad', x.shape, attrs);
    checkShape('AvgPool3DGrad', 'dy', dy, [...windowShape(w), w.channels]);
    return {...averageGradient(backend, 'AvgPool3DGrad', dy, w), shape: x.shape};
  }),
  MaxPoolGrad: kernel<MaxPoolGradInputs, MaxPoolGradAttrs>(float32, ({inputs: {dy, input: x}, attrs, backend}) => {
    const w = pool2DWindows('MaxPoolGrad', x.shape, attrs);
    checkShape('MaxPoolGrad', 'dy', dy, outShape(w));
    return {...maxGradient(backend, x, dy, w), shape: x.shape};
  }),
  MaxPool3DGrad: kernel<MaxPool3DGradInputs, MaxPool3DGradAttrs>(float32, ({inputs: {dy, input: x}, attrs, backend}) => {
    const w = pool3DWindows('MaxPool3DGrad', x.shape, attrs);
    checkShape('MaxPool3DGrad', 'dy', dy, [...windowShape(w), w.channels]);
    return {...maxGradient(backend, x, dy, w), shape: x.shape};
  }),
  MaxPoolWithArgmax: kernel<MaxPoolWithArgmaxInputs, MaxPoolWithArgmaxAttrs>(float32, ({inputs: {x}, attrs, backend}) => {
    const {filterSize, strides, pad, includeBatchInIndex} = attrs;
    const info = backend_util.computePool2DInfo(asImage('MaxPoolWithArgmax', x.shape), filterSize, strides, 1, pad);
    const w = windowsOf('MaxPoolWithArgmax', info);
    const y = backend.run(Pool2D, [x], {shape: info.outShape, dtype: 'float32'}, new Pool2DParams(info, 'max'));
    const at = positions(backend, x, undefined, w, 'element', includeBatchInIndex);
    return [y, {...at, shape: info.outShape}];
  }),
  Dilation2D: kernel<Dilation2DInputs, Dilation2DAttrs>(float32, ({inputs: {x, filter}, attrs, backend}) => {
    const w = dilationWindows('Dilation2D', x, filter, attrs);
    return backend.run(WindowMax, [x, filter], {shape: outShape(w), dtype: 'float32'}, new WindowMaxParams(w, 'value', false));
  }),
  Dilation2DBackpropInput: kernel<Dilation2DBackpropInputInputs, Dilation2DAttrs>(float32, ({inputs: {x, filter, dy}, attrs, backend}) => {
    const w = dilationWindows('Dilation2DBackpropInput', x, filter, attrs);
    checkShape('Dilation2DBackpropInput', 'dy', dy, outShape(w));
    const at = positions(backend, x, filter, w, 'element', false);
    return using(backend, [at], () => collected(backend, at, dy, w.batch, x.shape));
  }),
  Dilation2DBackpropFilter: kernel<Dilation2DBackpropFilterInputs, Dilation2DAttrs>(
    float32,
    ({inputs: {x, filter, dy}, attrs, backend}) => {
      const w = dilationWindows('Dilation2DBackpropFilter', x, filter, attrs);
      checkShape('Dilation2DBackpropFilter', 'dy', dy, outShape(w));
      const at = positions(backend, x, filter, w, 'tap', false);
      return using(backend, [at], () => collected(backend, at, dy, 1, filter.shape));
    },
  ),
};
