/** One call of each kernel at a size, for bench/kernels/all.ts. Sizes are elements of the largest operand or result, as near as shapes allow. */
import * as tf from '@tensorflow/tfjs-core';

export interface KernelCall {
  /** By name, or a list. Made on the backend that is active. */
  readonly inputs: () => tf.NamedTensorMap | tf.Tensor[];
  readonly attrs?: object;
  /** Elements are read and written once each and hardly computed with: time is memory's. */
  readonly streams?: boolean;
}
type Make = (elems: number) => KernelCall;

type Range = readonly [number, number];

/** Numbers in [low, high) that repeat only after 9973. */
function numbers(elems: number, [low, high]: Range): Float32Array {
  const values = new Float32Array(elems);
  for (let i = 0; i < elems; i++) values[i] = low + ((high - low) * ((i * 7919) % 9973)) / 9973;
  return values;
}
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const float = (shape: readonly number[], range: Range = [-2, 2]): tf.Tensor => tf.tensor(numbers(sizeOf(shape), range), [...shape]);
const int = (shape: readonly number[], range: Range = [0, 100]): tf.Tensor =>
  tf.tensor(Int32Array.from(numbers(sizeOf(shape), range), Math.floor), [...shape], 'int32');
const bool = (shape: readonly number[]): tf.Tensor =>
  tf.tensor(Uint8Array.from(numbers(sizeOf(shape), [0, 2]), Math.floor), [...shape], 'bool');
const complex = (shape: readonly number[]): tf.Tensor => {
  const parts = [float(shape), float(shape)] as const;
  const made = tf.complex(...parts);
  tf.dispose([...parts]);
  return made;
};

/** Rows of 256, or of fewer where there are not so many elements. */
const matrix = (elems: number): [number, number] => [Math.max(1, Math.floor(elems / 256)), Math.min(elems, 256)];
/** An image of 16 channels; what computes much stays at a million elements. */
function image(elems: number, most = 2 ** 20): [number, number, number, number] {
  const side = Math.max(4, Math.round(Math.sqrt(Math.min(elems, most) / 16)));
  return [1, side, side, 16];
}
function volume(elems: number): [number, number, number, number, number] {
  const side = Math.max(4, Math.round(Math.cbrt(Math.min(elems, 2 ** 18) / 8)));
  return [1, side, side, side, 8];
}
/** One pixel around an image. */
const imageBorder = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
];
const few = (elems: number, most = 2 ** 18): number => Math.min(elems, most);
const halved = ([n, h, w, c]: readonly [number, number, number, number]): [number, number, number, number] => [
  n,
  Math.ceil(h / 2),
  Math.ceil(w / 2),
  c,
];

const unary =
  (range: Range = [-2, 2], attrs: object = {}, streams = false): Make =>
  (n) => ({inputs: () => ({x: float([n], range)}), attrs, streams});
const binary =
  (range: Range = [-2, 2], streams = true): Make =>
  (n) => ({inputs: () => ({a: float([n], range), b: float([n], range)}), streams});
const logical: Make = (n) => ({inputs: () => ({a: bool([n]), b: bool([n])})});
const reduction =
  (name: 'axis' | 'reductionIndices' | 'dim' = 'axis'): Make =>
  (n) => ({
    inputs: () => ({x: float(matrix(n))}),
    attrs: {[name]: name === 'axis' ? [1] : 1, keepDims: false, reductionIndices: [1]},
    streams: true,
  });
const argReduction: Make = (n) => ({inputs: () => ({x: float(matrix(n))}), attrs: {axis: 1}, streams: true});
const ofBools: Make = (n) => ({inputs: () => ({x: bool(matrix(n))}), attrs: {axis: [1], keepDims: false}});
const cumulative: Make = (n) => ({inputs: () => ({x: float(matrix(n), [0.9, 1.1])}), attrs: {axis: 1, exclusive: false, reverse: false}});
const softmax: Make = (n) => ({inputs: () => ({logits: float(matrix(n))}), attrs: {dim: 1, axis: 1}});

const conv = {strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1]};
const conv3 = {strides: [1, 1, 1], pad: 'same', dataFormat: 'NDHWC', dilations: [1, 1, 1]};
const filter = [3, 3, 16, 16];
const depthFilter = [3, 3, 16, 1];
const pool = {filterSize: [3, 3], strides: [2, 2], pad: 'same'};
const pool3 = {filterSize: [2, 2, 2], strides: [2, 2, 2], pad: 'same', dataFormat: 'NDHWC'};
const halved3 = ([n, d, h, w, c]: readonly number[]): number[] => [
  n as number,
  ...[d, h, w].map((s) => Math.ceil((s as number) / 2)),
  c as number,
];
const fused = {activation: 'relu', leakyreluAlpha: 0.2};
const suppression: Make = (n) => {
  const boxes = few(n, 2 ** 12) / 4;
  const corners = () => {
    const at = numbers(2 * boxes, [0, 100]);
    return tf.tensor2d(
      Float32Array.from({length: 4 * boxes}, (_, i) => (at[2 * (i >> 2) + (i & 1)] as number) + (i & 2 ? 10 : 0)),
      [boxes, 4],
    );
  };
  return {
    inputs: () => ({boxes: corners(), scores: float([boxes], [0, 1])}),
    attrs: {maxOutputSize: 100, iouThreshold: 0.5, scoreThreshold: 0.1, softNmsSigma: 0, padToMaxOutputSize: false},
  };
};
const square = (n: number): number => Math.max(8, Math.round(Math.sqrt(few(n))));
const resized = {size: [0, 0], alignCorners: false, halfPixelCenters: true};
const resize: Make = (n) => {
  const shape = halved(image(n));
  return {inputs: () => ({images: float(shape)}), attrs: {...resized, size: [2 * shape[1], 2 * shape[2]]}};
};
const resizeGradient: Make = (n) => {
  const shape = halved(image(n));
  return {
    inputs: () => ({images: float(shape), dy: float([1, 2 * shape[1], 2 * shape[2], 16])}),
    attrs: {alignCorners: false, halfPixelCenters: false},
  };
};

export const calls: Readonly<Record<string, Make>> = {
  Abs: unary([-2, 2], {}, true),
  Acos: unary([-1, 1]),
  Acosh: unary([1, 9]),
  Asin: unary([-1, 1]),
  Asinh: unary(),
  Atan: unary(),
  Atanh: unary([-0.9, 0.9]),
  Cast: unary([-99, 99], {dtype: 'int32'}, true),
  Ceil: unary([-9, 9], {}, true),
  ClipByValue: unary([-2, 2], {clipValueMin: -1, clipValueMax: 1}, true),
  Cos: unary(),
  Cosh: unary(),
  Elu: unary(),
  Erf: unary(),
  Exp: unary(),
  Expm1: unary(),
  Floor: unary([-9, 9], {}, true),
  IsFinite: unary(),
  IsInf: unary(),
  IsNan: unary(),
  LeakyRelu: unary([-2, 2], {alpha: 0.2}, true),
  Log: unary([0.1, 9]),
  Log1p: unary([-0.9, 9]),
  Neg: unary([-2, 2], {}, true),
  OnesLike: unary(),
  Reciprocal: unary([0.5, 2], {}, true),
  Relu: unary([-2, 2], {}, true),
  Relu6: unary([-2, 8], {}, true),
  Round: unary([-9, 9], {}, true),
  Rsqrt: unary([0.5, 2]),
  Selu: unary(),
  Sigmoid: unary(),
  Sign: unary([-2, 2], {}, true),
  Sin: unary(),
  Sinh: unary(),
  Softplus: unary(),
  Sqrt: unary([0, 9], {}, true),
  Square: unary([-2, 2], {}, true),
  Step: unary([-2, 2], {alpha: 0}, true),
  Tan: unary(),
  Tanh: unary(),
  ZerosLike: unary(),
  LogicalNot: (n) => ({inputs: () => ({x: bool([n])})}),
  Add: binary(),
  AddN: (n) => ({inputs: () => [float([n]), float([n]), float([n])], streams: true}),
  Atan2: binary([-2, 2], false),
  BitwiseAnd: (n) => ({inputs: () => ({a: int([n]), b: int([n])}), streams: true}),
  EluGrad: (n) => ({inputs: () => ({dy: float([n]), y: float([n])}), streams: true}),
  Equal: binary([-2, 2], false),
  FloorDiv: binary([1, 99], false),
  Greater: binary([-2, 2], false),
  GreaterEqual: binary([-2, 2], false),
  Less: binary([-2, 2], false),
  LessEqual: binary([-2, 2], false),
  LogicalAnd: logical,
  LogicalOr: logical,
  LogicalXor: logical,
  Maximum: binary(),
  Minimum: binary(),
  Mod: binary([1, 99], false),
  Multiply: binary(),
  NotEqual: binary([-2, 2], false),
  Pow: binary([0.5, 2], false),
  Prelu: (n) => ({inputs: () => ({x: float([n]), alpha: float([n])}), streams: true}),
  RealDiv: binary([0.5, 2]),
  Select: (n) => ({inputs: () => ({condition: bool([n]), t: float([n]), e: float([n])})}),
  SquaredDifference: binary(),
  Sub: binary(),
  Complex: (n) => ({inputs: () => ({real: float([n]), imag: float([n])})}),
  ComplexAbs: (n) => ({inputs: () => ({x: complex([n])})}),
  Imag: (n) => ({inputs: () => ({input: complex([n])})}),
  Real: (n) => ({inputs: () => ({input: complex([n])})}),

  All: ofBools,
  Any: ofBools,
  ArgMax: argReduction,
  ArgMin: argReduction,
  Cumprod: cumulative,
  Cumsum: cumulative,
  LogSoftmax: softmax,
  Max: reduction('reductionIndices'),
  Mean: reduction(),
  Min: reduction(),
  Prod: reduction(),
  Softmax: softmax,
  Sum: reduction(),

  BatchToSpaceND: (n) => ({
    inputs: () => ({x: float([4, ...halved(image(n, n)).slice(1)])}),
    attrs: {
      blockShape: [2, 2],
      crops: [
        [0, 0],
        [0, 0],
      ],
    },
  }),
  BroadcastArgs: () => ({inputs: () => ({s0: int([3], [1, 2]), s1: int([4], [1, 2])})}),
  BroadcastTo: (n) => ({inputs: () => ({x: float([1, matrix(n)[1]])}), attrs: {shape: matrix(n), inputShape: [1, matrix(n)[1]]}}),
  Concat: (n) => ({inputs: () => [float(matrix(n / 2)), float(matrix(n / 2))], attrs: {axis: 1}}),
  DepthToSpace: (n) => ({inputs: () => ({x: float(image(n, n))}), attrs: {blockSize: 2, dataFormat: 'NHWC'}}),
  Diag: (n) => ({inputs: () => ({x: float([square(n)])})}),
  ExpandDims: (n) => ({inputs: () => ({input: float([n])}), attrs: {dim: 0}}),
  Fill: (n) => ({inputs: () => ({}), attrs: {shape: [n], value: 1, dtype: 'float32'}}),
  FlipLeftRight: (n) => ({inputs: () => ({image: float(image(n, n))})}),
  GatherNd: (n) => ({inputs: () => ({params: float([1000, 64]), indices: int([Math.max(1, n / 64), 1], [0, 1000])})}),
  GatherV2: (n) => ({
    inputs: () => ({x: float([1000, 64]), indices: int([Math.max(1, n / 64)], [0, 1000])}),
    attrs: {axis: 0, batchDims: 0},
  }),
  Identity: (n) => ({inputs: () => ({x: float([n])})}),
  LinSpace: (n) => ({inputs: () => ({}), attrs: {start: 0, stop: 1, num: few(n)}}),
  MirrorPad: (n) => ({
    inputs: () => ({x: float(image(n, n))}),
    attrs: {
      paddings: imageBorder,
      mode: 'reflect',
    },
  }),
  OneHot: (n) => ({
    inputs: () => ({indices: int([Math.max(1, n / 64)], [0, 64])}),
    attrs: {depth: 64, onValue: 1, offValue: 0, dtype: 'float32'},
  }),
  Pack: (n) => ({inputs: () => [float([n / 2]), float([n / 2])], attrs: {axis: 0}}),
  PadV2: (n) => ({
    inputs: () => ({x: float(image(n, n))}),
    attrs: {
      paddings: imageBorder,
      constantValue: 0,
    },
  }),
  Range: (n) => ({inputs: () => ({}), attrs: {start: 0, stop: few(n), step: 1, dtype: 'float32'}}),
  Reshape: (n) => ({inputs: () => ({x: float([n])}), attrs: {shape: [n / 2, 2]}}),
  Reverse: (n) => ({inputs: () => ({x: float(matrix(n))}), attrs: {dims: [1]}}),
  Slice: (n) => ({inputs: () => ({x: float(matrix(n))}), attrs: {begin: [0, 1], size: [matrix(n)[0], matrix(n)[1] - 2]}}),
  SpaceToBatchND: (n) => {
    const [, h, w] = halved(image(n, n));
    return {
      inputs: () => ({x: float([1, 2 * h, 2 * w, 16])}),
      attrs: {
        blockShape: [2, 2],
        paddings: [
          [0, 0],
          [0, 0],
        ],
      },
    };
  },
  SplitV: (n) => ({inputs: () => ({x: float(matrix(n))}), attrs: {numOrSizeSplits: [matrix(n)[1] / 2, matrix(n)[1] / 2], axis: 1}}),
  StridedSlice: (n) => ({
    inputs: () => ({x: float(matrix(n))}),
    attrs: {begin: [0, 0], end: matrix(n), strides: [1, 2], beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0},
  }),
  Tile: (n) => ({inputs: () => ({x: float(matrix(n / 4))}), attrs: {reps: [2, 2]}}),
  Transpose: (n) => ({inputs: () => ({x: float(matrix(n))}), attrs: {perm: [1, 0]}}),
  Unpack: (n) => ({inputs: () => ({value: float([4, n / 4])}), attrs: {axis: 0}}),

  BatchMatMul: (n) => ({
    inputs: () => ({a: float([1, square(n), square(n)]), b: float([1, square(n), square(n)])}),
    attrs: {transposeA: false, transposeB: false},
  }),
  _FusedMatMul: (n) => ({
    inputs: () => ({a: float([1, square(n), square(n)]), b: float([1, square(n), square(n)]), bias: float([square(n)])}),
    attrs: {transposeA: false, transposeB: false, ...fused},
  }),
  Einsum: (n) => ({inputs: () => [float([1, square(n), square(n)]), float([1, square(n), square(n)])], attrs: {equation: 'bij,bjk->bik'}}),
  Conv2D: (n) => ({inputs: () => ({x: float(image(n)), filter: float(filter)}), attrs: conv}),
  FusedConv2D: (n) => ({inputs: () => ({x: float(image(n)), filter: float(filter), bias: float([16])}), attrs: {...conv, ...fused}}),
  Conv2DBackpropInput: (n) => ({inputs: () => ({dy: float(image(n)), filter: float(filter)}), attrs: {...conv, inputShape: image(n)}}),
  Conv2DBackpropFilter: (n) => ({inputs: () => ({x: float(image(n)), dy: float(image(n))}), attrs: {...conv, filterShape: filter}}),
  DepthwiseConv2dNative: (n) => ({inputs: () => ({x: float(image(n)), filter: float(depthFilter)}), attrs: conv}),
  FusedDepthwiseConv2D: (n) => ({
    inputs: () => ({x: float(image(n)), filter: float(depthFilter), bias: float([16])}),
    attrs: {...conv, ...fused},
  }),
  DepthwiseConv2dNativeBackpropInput: (n) => ({
    inputs: () => ({dy: float(image(n)), filter: float(depthFilter)}),
    attrs: {...conv, inputShape: image(n)},
  }),
  DepthwiseConv2dNativeBackpropFilter: (n) => ({
    inputs: () => ({x: float(image(n)), dy: float(image(n))}),
    attrs: {...conv, filterShape: depthFilter},
  }),
  Conv3D: (n) => ({inputs: () => ({x: float(volume(n)), filter: float([3, 3, 3, 8, 8])}), attrs: conv3}),
  Conv3DBackpropInputV2: (n) => ({
    inputs: () => ({dy: float(volume(n)), filter: float([3, 3, 3, 8, 8])}),
    attrs: {...conv3, inputShape: volume(n)},
  }),
  Conv3DBackpropFilterV2: (n) => ({
    inputs: () => ({x: float(volume(n)), dy: float(volume(n))}),
    attrs: {...conv3, filterShape: [3, 3, 3, 8, 8]},
  }),
  AvgPool: (n) => ({inputs: () => ({x: float(image(n))}), attrs: pool}),
  AvgPoolGrad: (n) => ({inputs: () => ({dy: float(halved(image(n))), input: float(image(n))}), attrs: pool}),
  MaxPool: (n) => ({inputs: () => ({x: float(image(n))}), attrs: pool}),
  MaxPoolGrad: (n) => ({
    inputs: () => ({dy: float(halved(image(n))), input: float(image(n)), output: float(halved(image(n)))}),
    attrs: pool,
  }),
  MaxPoolWithArgmax: (n) => ({inputs: () => ({x: float(image(n))}), attrs: {...pool, includeBatchInIndex: false}}),
  AvgPool3D: (n) => ({inputs: () => ({x: float(volume(n))}), attrs: pool3}),
  AvgPool3DGrad: (n) => ({inputs: () => ({dy: float(halved3(volume(n))), input: float(volume(n))}), attrs: pool3}),
  MaxPool3D: (n) => ({inputs: () => ({x: float(volume(n))}), attrs: pool3}),
  MaxPool3DGrad: (n) => ({
    inputs: () => ({dy: float(halved3(volume(n))), input: float(volume(n)), output: float(halved3(volume(n)))}),
    attrs: pool3,
  }),
  Dilation2D: (n) => ({
    inputs: () => ({x: float(image(n)), filter: float([3, 3, 16])}),
    attrs: {strides: [1, 1], pad: 'same', dilations: [1, 1]},
  }),
  Dilation2DBackpropInput: (n) => ({
    inputs: () => ({x: float(image(n, 2 ** 16)), filter: float([3, 3, 16]), dy: float(image(n, 2 ** 16))}),
    attrs: {strides: [1, 1], pad: 'same', dilations: [1, 1]},
  }),
  Dilation2DBackpropFilter: (n) => ({
    inputs: () => ({x: float(image(n, 2 ** 16)), filter: float([3, 3, 16]), dy: float(image(n, 2 ** 16))}),
    attrs: {strides: [1, 1], pad: 'same', dilations: [1, 1]},
  }),
  FusedBatchNorm: (n) => ({
    inputs: () => ({
      x: float(image(n, n)),
      mean: float([16]),
      variance: float([16], [1, 2]),
      offset: float([16]),
      scale: float([16]),
    }),
    attrs: {varianceEpsilon: 1e-3},
  }),
  LRN: (n) => ({inputs: () => ({x: float(image(n))}), attrs: {depthRadius: 2, bias: 1, alpha: 0.5, beta: 0.75}}),
  LRNGrad: (n) => ({
    inputs: () => ({x: float(image(n)), y: float(image(n)), dy: float(image(n))}),
    attrs: {depthRadius: 2, bias: 1, alpha: 0.5, beta: 0.75},
  }),
  ResizeBilinear: resize,
  ResizeBilinearGrad: resizeGradient,
  ResizeNearestNeighbor: resize,
  ResizeNearestNeighborGrad: resizeGradient,
  CropAndResize: (n) => {
    const [, h, w] = halved(image(n));
    return {
      inputs: () => ({image: float([1, h, w, 16]), boxes: float([4, 4], [0, 1]), boxInd: int([4], [0, 1])}),
      attrs: {cropSize: [h, w], method: 'bilinear', extrapolationValue: 0},
    };
  },
  RotateWithOffset: (n) => ({inputs: () => ({image: float(image(n))}), attrs: {radians: 0.5, fillValue: 0, center: 0.5}}),
  Transform: (n) => ({
    inputs: () => ({image: float(image(n)), transforms: tf.tensor2d([0.9, 0.1, 1, -0.1, 0.9, 2, 0, 0], [1, 8])}),
    attrs: {interpolation: 'bilinear', fillMode: 'constant', fillValue: 0, outputShape: image(n).slice(1, 3)},
  }),

  Bincount: (n) => ({inputs: () => ({x: int([few(n)]), weights: float([few(n)])}), attrs: {size: 100}}),
  DenseBincount: (n) => ({inputs: () => ({x: int([few(n)]), weights: float([few(n)])}), attrs: {size: 100, binaryOutput: false}}),
  FFT: (n) => ({inputs: () => ({input: complex([Math.max(1, few(n) / 1024), 1024])})}),
  IFFT: (n) => ({inputs: () => ({input: complex([Math.max(1, few(n) / 1024), 1024])})}),
  Multinomial: (n) => ({inputs: () => ({logits: float([4, 32])}), attrs: {numSamples: few(n) / 4, seed: 7, normalized: false}}),
  NonMaxSuppressionV3: suppression,
  NonMaxSuppressionV4: suppression,
  NonMaxSuppressionV5: suppression,
  ScatterNd: (n) => ({
    inputs: () => ({indices: int([Math.max(1, few(n) / 64), 1], [0, 1000]), updates: float([Math.max(1, few(n) / 64), 64])}),
    attrs: {shape: [1000, 64]},
  }),
  SearchSorted: (n) => ({
    inputs: () => ({
      sortedSequence: tf.tensor2d(
        Float32Array.from({length: 256}, (_, i) => i / 64 - 2),
        [1, 256],
      ),
      values: float([1, few(n)]),
    }),
    attrs: {side: 'left'},
  }),
  SparseToDense: (n) => ({
    inputs: () => ({sparseIndices: int([few(n) / 64, 1], [0, few(n)]), sparseValues: float([few(n) / 64]), defaultValue: tf.scalar(0)}),
    attrs: {outputShape: [few(n)]},
  }),
  TensorScatterUpdate: (n) => ({
    inputs: () => ({tensor: float([few(n) / 64, 64]), indices: int([4, 1], [0, few(n) / 64]), updates: float([4, 64])}),
  }),
  TopK: (n) => ({inputs: () => ({x: float(matrix(few(n)))}), attrs: {k: 8, sorted: true}}),
  Unique: (n) => ({inputs: () => ({x: int([few(n)])}), attrs: {axis: 0}}),
  UnsortedSegmentSum: (n) => ({
    inputs: () => ({x: float([few(n) / 64, 64]), segmentIds: int([few(n) / 64], [0, 10])}),
    attrs: {numSegments: 10},
  }),
};
