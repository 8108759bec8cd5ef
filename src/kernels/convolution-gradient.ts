/** Convolution over three axes, and the gradients of every convolution: products with the unfolded image (src/ops/windows.ts). */
import {
  backend_util,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropFilterInputs,
  type Conv2DBackpropInputAttrs,
  type Conv2DBackpropInputInputs,
  type Conv3DAttrs,
  type Conv3DBackpropFilterV2Attrs,
  type Conv3DBackpropFilterV2Inputs,
  type Conv3DBackpropInputV2Attrs,
  type Conv3DBackpropInputV2Inputs,
  type Conv3DInputs,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropFilterInputs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type DepthwiseConv2dNativeBackpropInputInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {Conv2D} from '../ops/convolution';
import {rowMajorStrides} from '../ops/geometry';
import {call, input} from '../ops/program';
import {DepthwiseFilterGrad, Fold} from '../ops/windows';
import {asImage, Conv2DParams} from './convolution';
import {plain} from './epilogue';
import {float32, type KernelTable, kernel} from './kernel';
import {product} from './linear';
import {reduce} from './reduction';
import {pointwise, program, stridedCopy, transpose, using} from './steps';
import {
  checkShape,
  FoldParams,
  imageRuns,
  imageShape,
  isPixelwise,
  joined,
  tapCount,
  unfolded,
  type Windows,
  windowCount,
  windowsOf,
} from './windows';

const addWords = program(call('Add', input(0), input(1)));

/** Rows of `x` of `cols` elements, as a matrix of its own. */
function rowsOf(backend: GravitonBackend, x: TensorInfo, first: number, rows: number, cols: number): TensorInfo {
  return stridedCopy(backend, x, [rows, cols], [cols, 1], first * cols);
}

/** y[windows, outC] = cols · filter[taps · inC, outC] */
function convolve(backend: GravitonBackend, x: TensorInfo, filter: TensorInfo, w: Windows, outC: number): TensorInfo {
  const depthK = tapCount(w) * w.channels;
  const parts = imageRuns(w).map(({first, windows}) => {
    const cols = isPixelwise(w) ? backend.view(x, x.shape) : unfolded(backend, x, windows, first);
    const rowsM = windowCount(isPixelwise(w) ? w : windows);
    return using(backend, [cols], () =>
      product(backend, cols, filter, {
        batch: [],
        aBatch: [],
        bBatch: [],
        rowsM,
        colsN: outC,
        depthK,
        aRow: depthK,
        aCol: 1,
        bRow: outC,
        bCol: 1,
      }),
    );
  });
  return joined(backend, parts);
}

/** filter[taps · inC, outC] = Σ colsᵀ · dy over runs of images. */
function filterGradient(backend: GravitonBackend, x: TensorInfo, dy: TensorInfo, w: Windows, outC: number): TensorInfo {
  const rowsM = tapCount(w) * w.channels;
  const strides = {batch: [], aBatch: [], bBatch: [], aRow: 1, aCol: rowsM, bRow: outC, bCol: 1};
  let sum: TensorInfo | undefined;
  for (const {first, windows} of imageRuns(w)) {
    const cols = unfolded(backend, x, windows, first);
    const depthK = windowCount(windows);
    const part = rowsOf(backend, dy, first * w.outD * w.outH * w.outW, depthK, outC);
    const grad = using(backend, [cols, part], () => product(backend, cols, part, {...strides, rowsM, colsN: outC, depthK}));
    const before: TensorInfo | undefined = sum;
    sum =
      before === undefined
        ? grad
        : using(backend, [before, grad], () => pointwise(backend, addWords, [before, grad], grad.shape, 'float32'));
  }
  return sum as TensorInfo;
}

/** x = folded dy · filterᵀ */
function inputGradient(backend: GravitonBackend, dy: TensorInfo, filter: TensorInfo, w: Windows, outC: number): TensorInfo {
  const colsN = tapCount(w) * w.channels;
  const strides = {batch: [], aBatch: [], bBatch: [], aRow: outC, aCol: 1, bRow: 1, bCol: outC};
  const parts = imageRuns(w).map(({first, windows}) => {
    const rowsM = windowCount(windows);
    const part = rowsOf(backend, dy, first * w.outD * w.outH * w.outW, rowsM, outC);
    const cols = using(backend, [part], () => product(backend, part, filter, {...strides, rowsM, colsN, depthK: outC}));
    if (isPixelwise(w)) return {...cols, shape: imageShape(windows)};
    const params = new FoldParams(windows, colsN, w.channels);
    return using(backend, [cols], () => backend.run(Fold, [cols, undefined], {shape: imageShape(windows), dtype: 'float32'}, params));
  });
  return joined(backend, parts);
}

/**
 * The gradient of a convolution without steps is a convolution with the filter turned round, whose image is dy with as much padding as
 * lets each tap meet each pixel.
 */
function turnedConvolution(backend: GravitonBackend, dy: TensorInfo, filter: TensorInfo, info: backend_util.Conv2DInfo): TensorInfo {
  const {filterHeight, filterWidth, inChannels: outC, outChannels: inC} = info;
  const taps = filterHeight * filterWidth;
  const turned = stridedCopy(
    backend,
    filter,
    [filterHeight, filterWidth, inC, outC],
    [-filterWidth * outC * inC, -outC * inC, 1, inC],
    taps === 0 ? 0 : (taps - 1) * outC * inC,
  );
  const mirrored = {
    ...info,
    inHeight: info.outHeight,
    inWidth: info.outWidth,
    inChannels: inC,
    outHeight: info.inHeight,
    outWidth: info.inWidth,
    outChannels: outC,
    padInfo: {
      ...info.padInfo,
      top: (filterHeight - 1) * info.dilationHeight - info.padInfo.top,
      left: (filterWidth - 1) * info.dilationWidth - info.padInfo.left,
    },
  };
  return using(backend, [turned], () =>
    backend.run(Conv2D, [dy, turned, undefined], {shape: info.inShape, dtype: 'float32'}, new Conv2DParams(mirrored, plain, 1)),
  );
}

function canTurn(info: backend_util.Conv2DInfo): boolean {
  const {top, left} = info.padInfo;
  const fits = top <= (info.filterHeight - 1) * info.dilationHeight && left <= (info.filterWidth - 1) * info.dilationWidth;
  return info.strideHeight === 1 && info.strideWidth === 1 && fits;
}

/** To fold takes about as long for an element as to unfold takes for so many. */
const unfoldedPerFolded = 4;

/**
 * The same over three axes: the windows of dy that meet each element of x. Undefined where they have steps, or more padding than lets each tap
 * meet each element, or where dy has so many more channels that to fold takes less time.
 */
function turnedWindows(w: Windows, outC: number): Windows | undefined {
  const padFront = (w.filterD - 1) * w.dilationD - w.padFront;
  const padTop = (w.filterH - 1) * w.dilationH - w.padTop;
  const padLeft = (w.filterW - 1) * w.dilationW - w.padLeft;
  const turns = w.strideD === 1 && w.strideH === 1 && w.strideW === 1 && padFront >= 0 && padTop >= 0 && padLeft >= 0;
  if (!turns || outC > unfoldedPerFolded * w.channels) return undefined;
  const {inD: outD, inH: outH, inW: outW, outD: inD, outH: inH, outW: inW} = w;
  return {...w, channels: outC, inD, inH, inW, outD, outH, outW, padFront, padTop, padLeft};
}

/** x = unfolded dy · filter, turned round. */
function turnedConvolution3D(backend: GravitonBackend, dy: TensorInfo, filter: TensorInfo, w: Windows, inC: number): TensorInfo {
  const [taps, outC] = [tapCount(w), w.channels];
  const turned = stridedCopy(backend, filter, [taps, outC, inC], [-inC * outC, 1, outC], Math.max(0, taps - 1) * inC * outC);
  return using(backend, [turned], () => convolve(backend, dy, turned, w, inC));
}

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];

/** Between the axis orders NCHW and NHWC. */
const toLast = [0, 2, 3, 1];
const toFirst = [0, 3, 1, 2];
const lastShape = (shape: readonly number[]): number[] => toLast.map((axis) => shape[axis] as number);
function lastPad<P>(pad: P): P {
  return Array.isArray(pad) ? ([pad[0], pad[2], pad[3], pad[1]] as P) : pad;
}

function conv2DInputGradient(backend: GravitonBackend, dy: TensorInfo, filter: TensorInfo, attrs: Conv2DBackpropInputAttrs): TensorInfo {
  const op = 'Conv2DBackpropInput';
  const {strides, pad, dataFormat, dimRoundingMode, inputShape} = attrs;
  if (dataFormat === 'NCHW') {
    const last = transpose(backend, dy, toLast);
    const given = {...attrs, dataFormat: 'NHWC' as const, pad: lastPad(pad), inputShape: lastShape(inputShape) as Shape4D};
    const dx = using(backend, [last], () => conv2DInputGradient(backend, last, filter, given));
    return using(backend, [dx], () => transpose(backend, dx, toFirst));
  }
  const info = backend_util.computeConv2DInfo(inputShape, filter.shape as Shape4D, strides, 1, pad, dimRoundingMode);
  const w = windowsOf(op, info);
  checkShape(op, 'filter', filter, [info.filterHeight, info.filterWidth, info.inChannels, info.outChannels]);
  const {outShape} = info;
  // A transposed convolution may be asked for a smaller result than all of dy gives (tfjs-core's suite does).
  const larger = dy.shape.length === 4 && outShape.every((size, axis) => size <= (dy.shape[axis] as number));
  const part = larger ? stridedCopy(backend, dy, outShape, rowMajorStrides(dy.shape)) : backend.view(dy, dy.shape);
  return using(backend, [part], () => {
    checkShape(op, 'dy', part, outShape);
    if (canTurn(info)) return turnedConvolution(backend, part, filter, info);
    return {...inputGradient(backend, part, filter, w, info.outChannels), shape: info.inShape};
  });
}

function conv2DFilterGradient(backend: GravitonBackend, x: TensorInfo, dy: TensorInfo, attrs: Conv2DBackpropFilterAttrs): TensorInfo {
  const op = 'Conv2DBackpropFilter';
  const {strides, pad, dataFormat, dimRoundingMode, filterShape} = attrs;
  if (dataFormat === 'NCHW') {
    const moved = [x, dy].map((t) => transpose(backend, t, toLast)) as [TensorInfo, TensorInfo];
    return using(backend, moved, () => conv2DFilterGradient(backend, ...moved, {...attrs, dataFormat: 'NHWC', pad: lastPad(pad)}));
  }
  const info = backend_util.computeConv2DInfo(asImage(op, x.shape), filterShape, strides, 1, pad, dimRoundingMode);
  const w = windowsOf(op, info);
  if (filterShape.length !== 4 || filterShape[2] !== info.inChannels)
    throw errors.shape(op, `a filter [${filterShape.join(', ')}] does not suit ${info.inChannels} channels`);
  checkShape(op, 'dy', dy, info.outShape);
  return {...filterGradient(backend, x, dy, w, info.outChannels), shape: filterShape};
}

/** Windows of a convolution over three axes. */
function conv3DWindows(
  op: string,
  xShape: readonly number[],
  filterShape: readonly number[],
  attrs: {strides: number | [number, number, number]; pad: 'valid' | 'same'; dilations?: number | [number, number, number]},
): {info: backend_util.Conv3DInfo; w: Windows} {
  if (xShape.length !== 5 || filterShape.length !== 5) {
    throw errors.shape(op, `x [${xShape.join(', ')}] and filter [${filterShape.join(', ')}] must have five axes`);
  }
  const info = backend_util.computeConv3DInfo(xShape as Shape5D, filterShape as Shape5D, attrs.strides, attrs.dilations ?? 1, attrs.pad);
  if (filterShape[3] !== info.inChannels)
    throw errors.shape(op, `a filter [${filterShape.join(', ')}] does not suit ${info.inChannels} channels`);
  return {info, w: windowsOf(op, info)};
}

type DepthwiseAttrs = DepthwiseConv2dNativeBackpropInputAttrs | DepthwiseConv2dNativeBackpropFilterAttrs;
function depthwiseWindows(
  op: string,
  xShape: readonly number[],
  filterShape: readonly number[],
  dy: TensorInfo,
  attrs: DepthwiseAttrs,
): Windows {
  const {strides, dilations, pad, dimRoundingMode} = attrs;
  const info = backend_util.computeConv2DInfo(
    asImage(op, xShape),
    filterShape as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
  if (filterShape.length !== 4 || filterShape[2] !== info.inChannels)
    throw errors.shape(op, `a filter [${filterShape.join(', ')}] does not suit ${info.inChannels} channels`);
  checkShape(op, 'dy', dy, info.outShape);
  return windowsOf(op, info);
}

function depthwiseInputGradient(backend: GravitonBackend, dy: TensorInfo, filter: TensorInfo, w: Windows): TensorInfo {
  const multiplier = filter.shape[3] as number;
  const wide = {...w, channels: w.channels * multiplier};
  const params = {...wide, colsWindow: wide.channels, colsTap: 0};
  const shape = [w.batch, w.inH, w.inW, wide.channels];
  const dx = backend.run(Fold, [dy, filter], {shape, dtype: 'float32'}, params);
  if (multiplier === 1) return dx;
  const split = {...dx, shape: [w.batch, w.inH, w.inW, w.channels, multiplier]};
  return using(backend, [dx], () => reduce(backend, 'sum', split, [4], false));
}

export const convolutionGradientKernels: KernelTable = {
  Conv2DBackpropInput: kernel<Conv2DBackpropInputInputs, Conv2DBackpropInputAttrs>(float32, ({inputs: {dy, filter}, attrs, backend}) =>
    conv2DInputGradient(backend, dy, filter, attrs),
  ),
  Conv2DBackpropFilter: kernel<Conv2DBackpropFilterInputs, Conv2DBackpropFilterAttrs>(float32, ({inputs: {x, dy}, attrs, backend}) =>
    conv2DFilterGradient(backend, x, dy, attrs),
  ),
  Conv3D: kernel<Conv3DInputs, Conv3DAttrs>(float32, ({inputs: {x, filter}, attrs, backend}) => {
    const {info, w} = conv3DWindows('Conv3D', x.shape, filter.shape, attrs);
    return {...convolve(backend, x, filter, w, info.outChannels), shape: info.outShape};
  }),
  Conv3DBackpropInputV2: kernel<Conv3DBackpropInputV2Inputs, Conv3DBackpropInputV2Attrs>(
    float32,
    ({inputs: {dy, filter}, attrs, backend}) => {
      const op = 'Conv3DBackpropInputV2';
      const {info, w} = conv3DWindows(op, attrs.inputShape, filter.shape, attrs);
      checkShape(op, 'dy', dy, info.outShape);
      const turned = turnedWindows(w, info.outChannels);
      const dx =
        turned === undefined
          ? inputGradient(backend, dy, filter, w, info.outChannels)
          : turnedConvolution3D(backend, dy, filter, turned, info.inChannels);
      return {...dx, shape: info.inShape};
    },
  ),
  Conv3DBackpropFilterV2: kernel<Conv3DBackpropFilterV2Inputs, Conv3DBackpropFilterV2Attrs>(
    float32,
    ({inputs: {x, dy}, attrs, backend}) => {
      const op = 'Conv3DBackpropFilterV2';
      const {info, w} = conv3DWindows(op, x.shape, attrs.filterShape, attrs);
      checkShape(op, 'dy', dy, info.outShape);
      return {...filterGradient(backend, x, dy, w, info.outChannels), shape: attrs.filterShape};
    },
  ),
  DepthwiseConv2dNativeBackpropInput: kernel<DepthwiseConv2dNativeBackpropInputInputs, DepthwiseConv2dNativeBackpropInputAttrs>(
    float32,
    ({inputs: {dy, filter}, attrs, backend}) => {
      const w = depthwiseWindows('DepthwiseConv2dNativeBackpropInput', attrs.inputShape, filter.shape, dy, attrs);
      return depthwiseInputGradient(backend, dy, filter, w);
    },
  ),
  DepthwiseConv2dNativeBackpropFilter: kernel<DepthwiseConv2dNativeBackpropFilterInputs, DepthwiseConv2dNativeBackpropFilterAttrs>(
    float32,
    ({inputs: {x, dy}, attrs, backend}) => {
      const {filterShape} = attrs;
      const w = depthwiseWindows('DepthwiseConv2dNativeBackpropFilter', x.shape, filterShape, dy, attrs);
      const params = {...w, multiplier: filterShape[3]};
      return backend.run(DepthwiseFilterGrad, [x, dy], {shape: filterShape, dtype: 'float32'}, params);
    },
  ),
};
