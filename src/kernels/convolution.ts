import {
  backend_util,
  type Conv2DAttrs,
  type Conv2DInputs,
  type FusedConv2DAttrs,
  type FusedConv2DInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {Conv2D, DepthwiseConv2D, poolKinds} from '../ops/convolution';
import {type Epilogue, epilogueOf, epilogueParams, operandStrides, plain, withEpilogue} from './epilogue';
import {float32, type KernelTable, kernel} from './kernel';
import {transpose, using} from './steps';

type ConvInfo = backend_util.Conv2DInfo;

/**
 * The parameters that windows over dense NHWC images share. Ops extend them as classes: what is joined from several objects by spreading is a
 * dictionary to V8, and to make and read one took longer than small steps do. `declare`: fields that the constructor sets are not set before.
 */
export class ImageParams {
  declare readonly batch: number;
  declare readonly inH: number;
  declare readonly inW: number;
  declare readonly inC: number;
  declare readonly outH: number;
  declare readonly outW: number;
  declare readonly outC: number;
  declare readonly filterH: number;
  declare readonly filterW: number;
  declare readonly strideH: number;
  declare readonly strideW: number;
  declare readonly padTop: number;
  declare readonly padLeft: number;
  declare readonly dilationH: number;
  declare readonly dilationW: number;
  declare readonly xBatch: number;
  declare readonly xRow: number;
  declare readonly xCol: number;
  declare readonly yBatch: number;
  declare readonly yRow: number;
  declare readonly yCol: number;

  constructor(info: ConvInfo) {
    const {inHeight: inH, inWidth: inW, inChannels: inC, outHeight: outH, outWidth: outW, outChannels: outC} = info;
    this.batch = info.batchSize;
    this.inH = inH;
    this.inW = inW;
    this.inC = inC;
    this.outH = outH;
    this.outW = outW;
    this.outC = outC;
    this.filterH = info.filterHeight;
    this.filterW = info.filterWidth;
    this.strideH = info.strideHeight;
    this.strideW = info.strideWidth;
    this.padTop = info.padInfo.top;
    this.padLeft = info.padInfo.left;
    this.dilationH = info.dilationHeight;
    this.dilationW = info.dilationWidth;
    this.xBatch = inH * inW * inC;
    this.xRow = inW * inC;
    this.xCol = inC;
    this.yBatch = outH * outW * outC;
    this.yRow = outW * outC;
    this.yCol = outC;
  }
}

class FusedParams extends ImageParams {
  declare readonly epilogue: readonly number[];
  declare readonly epilogueStrides: readonly number[];

  constructor(info: ConvInfo, fused: Epilogue) {
    super(info);
    const {epilogue, epilogueStrides} = epilogueParams(fused, operandStrides(fused, info.outShape));
    this.epilogue = epilogue;
    this.epilogueStrides = epilogueStrides;
  }
}

export class Conv2DParams extends FusedParams {
  declare readonly groups: number;
  declare readonly packedFilter: number;

  constructor(info: ConvInfo, fused: Epilogue, groups: number) {
    super(info, fused);
    this.groups = groups;
    this.packedFilter = 0;
  }
}

class DepthwiseConv2DParams extends FusedParams {
  declare readonly multiplier: number;

  constructor(info: ConvInfo, fused: Epilogue, multiplier: number) {
    super(info, fused);
    this.multiplier = multiplier;
  }
}

export class Pool2DParams extends ImageParams {
  declare readonly kind: number;

  constructor(info: ConvInfo, kind: keyof typeof poolKinds) {
    super(info);
    this.kind = poolKinds[kind];
  }
}

/** conv_util computes sizes below zero where a window is larger than the image. */
export function checkWindow(op: string, info: ConvInfo): void {
  if (info.outHeight < 0 || info.outWidth < 0 || !Number.isInteger(info.outHeight) || !Number.isInteger(info.outWidth)) {
    throw errors.shape(
      op,
      `a window of ${info.effectiveFilterHeight} x ${info.effectiveFilterWidth} does not fit into [${info.inShape.join(', ')}]`,
    );
  }
  if (Math.min(info.padInfo.top, info.padInfo.bottom, info.padInfo.left, info.padInfo.right) < 0) {
    throw errors.shape(op, 'paddings must be whole numbers from 0');
  }
}

type Attrs = Conv2DAttrs & Partial<FusedConv2DAttrs>;
type EpilogueOf = (channels: number) => Epilogue;

function conv2D(backend: GravitonBackend, x: TensorInfo, filter: TensorInfo, attrs: Attrs, epilogue: EpilogueOf): TensorInfo {
  if (attrs.dataFormat === 'NCHW') return channelsFirst(backend, x, filter, attrs, epilogue);
  const {strides, pad, dilations, dimRoundingMode} = attrs;
  const info = backend_util.computeConv2DInfo(
    asImage('Conv2D', x.shape),
    asFilter('Conv2D', filter.shape),
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  checkWindow('Conv2D', info);
  const groups = info.inChannels / (filter.shape[2] as number);
  if (!Number.isInteger(groups) || info.outChannels % groups !== 0) {
    throw errors.shape('Conv2D', `a filter [${filter.shape.join(', ')}] does not suit ${info.inChannels} channels`);
  }
  return withEpilogue(backend, 'Conv2D', epilogue(info.outChannels), info.outShape, (fused) =>
    backend.run(
      Conv2D,
      [x, filter, fused.bias, ...fused.operands],
      {shape: info.outShape, dtype: 'float32'},
      new Conv2DParams(info, fused, groups),
    ),
  );
}

/** NCHW: the image and the result, and what the epilogue reads, change places with their channels-last form. */
function channelsFirst(backend: GravitonBackend, x: TensorInfo, filter: TensorInfo, attrs: Attrs, epilogue: EpilogueOf): TensorInfo {
  const {pad} = attrs;
  const padLast = typeof pad === 'object' ? ([pad[0], pad[2], pad[3], pad[1]] as typeof pad) : pad;
  const image = transpose(backend, x, [0, 2, 3, 1]);
  const made: TensorInfo[] = [image];
  const lastAxis = (operand: TensorInfo): TensorInfo => {
    if (operand.shape.length < 3) return operand; // a scalar, or one value for each channel
    const whole = {...operand, shape: [...new Array<number>(4 - operand.shape.length).fill(1), ...operand.shape]};
    const moved = transpose(backend, whole, [0, 2, 3, 1]);
    made.push(moved);
    return moved;
  };
  const y = using(backend, made, () =>
    conv2D(backend, image, filter, {...attrs, pad: padLast, dataFormat: 'NHWC'}, (channels) => {
      const fused = epilogue(channels);
      return {...fused, operands: fused.operands.map(lastAxis)};
    }),
  );
  return using(backend, [y], () => transpose(backend, y, [0, 3, 1, 2]));
}

function depthwise(backend: GravitonBackend, x: TensorInfo, filter: TensorInfo, attrs: Attrs, epilogue: EpilogueOf): TensorInfo {
  const {strides, pad, dilations, dimRoundingMode} = attrs;
  const info = backend_util.computeConv2DInfo(
    asImage('DepthwiseConv2D', x.shape),
    asFilter('DepthwiseConv2D', filter.shape),
    strides,
    dilations ?? [1, 1],
    pad,
    dimRoundingMode,
    true,
  );
  checkWindow('DepthwiseConv2D', info);
  if (filter.shape[2] !== info.inChannels) {
    throw errors.shape('DepthwiseConv2D', `a filter [${filter.shape.join(', ')}] does not suit ${info.inChannels} channels`);
  }
  return withEpilogue(backend, 'DepthwiseConv2D', epilogue(info.outChannels), info.outShape, (fused) =>
    backend.run(
      DepthwiseConv2D,
      [x, filter, fused.bias, ...fused.operands],
      {shape: info.outShape, dtype: 'float32'},
      new DepthwiseConv2DParams(info, fused, filter.shape[3] as number),
    ),
  );
}

type Four = [number, number, number, number];
export function asImage(op: string, shape: readonly number[]): Four {
  if (shape.length !== 4) throw errors.shape(op, `the image [${shape.join(', ')}] must have four axes`);
  return shape as Four;
}
function asFilter(op: string, shape: readonly number[]): Four {
  if (shape.length !== 4) throw errors.shape(op, `the filter [${shape.join(', ')}] must have four axes`);
  return shape as Four;
}

function plainKernel(run: typeof conv2D) {
  return kernel<Conv2DInputs, Conv2DAttrs>(float32, ({inputs: {x, filter}, attrs, backend}) => run(backend, x, filter, attrs, () => plain));
}

function fusedKernel(run: typeof conv2D) {
  return kernel<FusedConv2DInputs, FusedConv2DAttrs>(float32, ({inputs, attrs, backend}) => {
    const {bias, preluActivationWeights}: Partial<typeof inputs> = inputs;
    return run(backend, inputs.x, inputs.filter, attrs, (channels) => epilogueOf(channels, bias, preluActivationWeights, attrs));
  });
}

export const convolutionKernels: KernelTable = {
  Conv2D: plainKernel(conv2D),
  DepthwiseConv2dNative: plainKernel(depthwise),
  FusedConv2D: fusedKernel(conv2D),
  FusedDepthwiseConv2D: fusedKernel(depthwise),
};
