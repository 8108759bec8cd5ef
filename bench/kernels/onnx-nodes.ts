/** What a kernel's call is as one node of ONNX, for those kernels that ONNX has. Images have their channels first there. */
import type * as tf from '@tensorflow/tfjs-core';
import type {OnnxAttribute, OnnxNode, OnnxType, OnnxValue} from './onnx-model';

/** Attributes as calls.ts gives them: each kernel's own. */
interface Attrs {
  readonly alpha: number;
  readonly begin: readonly number[];
  readonly clipValueMax: number;
  readonly clipValueMin: number;
  readonly depthRadius: number;
  readonly end: readonly number[];
  readonly equation: string;
  readonly filterSize: readonly number[];
  readonly k: number;
  readonly numOrSizeSplits: readonly number[];
  readonly paddings: readonly (readonly [number, number])[];
  readonly reps: readonly number[];
  readonly shape: readonly number[];
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly varianceEpsilon: number;
}
type ToNode = (inputs: readonly OnnxValue[], attrs: Attrs) => OnnxNode;

const integers = (...values: readonly number[]): OnnxValue => ({
  type: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
  constant: true,
});
const scalar = (value: number): OnnxValue => ({type: 'float32', shape: [], data: Float32Array.of(value), constant: true});
const weights = (value: OnnxValue, shape = value.shape): OnnxValue => ({...value, shape, constant: true});
const indices = (value: OnnxValue): OnnxValue => ({
  ...value,
  type: 'int64',
  data: BigInt64Array.from(value.data as Int32Array, BigInt),
});

/** [n, …space, c] as [n, c, …space]. */
const channelsFirst = (shape: readonly number[]): number[] => [shape[0] as number, shape.at(-1) as number, ...shape.slice(1, -1)];
const image = (value: OnnxValue | undefined): OnnxValue => ({...(value as OnnxValue), shape: channelsFirst((value as OnnxValue).shape)});

const node =
  (op: string, attributes: Readonly<Record<string, OnnxAttribute>> = {}): ToNode =>
  (inputs) => ({op, inputs, attributes});
const reduce =
  (op: string): ToNode =>
  ([x]) => ({op, inputs: [x as OnnxValue, integers(1)], attributes: {keepdims: 0}});
const argReduce =
  (op: string): ToNode =>
  ([x]) => ({op, inputs: [x as OnnxValue], attributes: {axis: 1, keepdims: 0}});
const clip = (x: OnnxValue | undefined, low: number, high: number): OnnxNode => ({
  op: 'Clip',
  inputs: [x as OnnxValue, scalar(low), scalar(high)],
});
const reshaped =
  (op: string, name: 'shape' | 'reps'): ToNode =>
  ([x], attrs) => ({op, inputs: [x as OnnxValue, integers(...attrs[name])]});
/** [space…, in, out] as [out, in, space…]; depthwise [h, w, channels, multiplier] as [channels·multiplier, 1, h, w]. */
const conv =
  (depthwise = false): ToNode =>
  ([x, filter, ...rest]) => {
    const {shape} = filter as OnnxValue;
    const [inner, outer] = shape.slice(-2) as [number, number];
    const space = shape.slice(0, -2);
    const kernel = weights(filter as OnnxValue, depthwise ? [inner * outer, 1, ...space] : [outer, inner, ...space]);
    const inputs = [image(x), kernel, ...rest.map((value) => weights(value))];
    return {op: 'Conv', inputs, attributes: {auto_pad: 'SAME_UPPER', ...(depthwise ? {group: inner} : {})}};
  };
const pool =
  (op: string): ToNode =>
  ([x], {filterSize, strides}) => ({op, inputs: [image(x)], attributes: {kernel_shape: filterSize, strides, auto_pad: 'SAME_UPPER'}});
const resize =
  (mode: string, transformation: string): ToNode =>
  ([x], {size}) => {
    const [n, c] = channelsFirst((x as OnnxValue).shape) as [number, number];
    const none = {...scalar(0), shape: [0], data: new Float32Array(0)};
    return {
      op: 'Resize',
      inputs: [image(x), none, none, integers(n, c, ...size)],
      attributes: {mode, coordinate_transformation_mode: transformation, nearest_mode: 'floor'},
    };
  };
const pad =
  (mode: string): ToNode =>
  ([x], {paddings}) => ({
    op: 'Pad',
    inputs: [x as OnnxValue, integers(...paddings.map(([before]) => before), ...paddings.map(([, after]) => after))],
    attributes: {mode},
  });

const nodes: Readonly<Record<string, ToNode>> = {
  ...Object.fromEntries(
    'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Floor Log Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Sqrt Tan Tanh Identity Sub Equal Greater Less Pow'
      .split(' ')
      .map((name) => [name, node(name)]),
  ),
  Add: node('Add'),
  AddN: node('Sum'),
  BitwiseAnd: node('BitwiseAnd'),
  Cast: node('Cast', {to: 6}),
  ClipByValue: ([x], {clipValueMin, clipValueMax}) => clip(x, clipValueMin, clipValueMax),
  GreaterEqual: node('GreaterOrEqual'),
  IsInf: node('IsInf'),
  IsNan: node('IsNaN'),
  LeakyRelu: ([x], {alpha}) => ({op: 'LeakyRelu', inputs: [x as OnnxValue], attributes: {alpha: {float: alpha}}}),
  LessEqual: node('LessOrEqual'),
  LogicalAnd: node('And'),
  LogicalNot: node('Not'),
  LogicalOr: node('Or'),
  LogicalXor: node('Xor'),
  Maximum: node('Max'),
  Minimum: node('Min'),
  Mod: node('Mod', {fmod: 1}),
  Multiply: node('Mul'),
  Prelu: node('PRelu'),
  RealDiv: node('Div'),
  Relu6: ([x]) => clip(x, 0, 6),
  Select: node('Where'),

  ArgMax: argReduce('ArgMax'),
  ArgMin: argReduce('ArgMin'),
  Cumsum: ([x]) => ({op: 'CumSum', inputs: [x as OnnxValue, integers(1)]}),
  LogSoftmax: node('LogSoftmax', {axis: 1}),
  Max: reduce('ReduceMax'),
  Mean: reduce('ReduceMean'),
  Min: reduce('ReduceMin'),
  Prod: reduce('ReduceProd'),
  Softmax: node('Softmax', {axis: 1}),
  Sum: reduce('ReduceSum'),

  BroadcastTo: reshaped('Expand', 'shape'),
  Concat: node('Concat', {axis: 1}),
  DepthToSpace: ([x]) => ({op: 'DepthToSpace', inputs: [image(x)], attributes: {blocksize: 2}}),
  GatherNd: ([params, at]) => ({op: 'GatherND', inputs: [params as OnnxValue, indices(at as OnnxValue)]}),
  GatherV2: node('Gather', {axis: 0}),
  MirrorPad: pad('reflect'),
  PadV2: pad('constant'),
  Reshape: reshaped('Reshape', 'shape'),
  Slice: ([x], {begin, size}) => ({
    op: 'Slice',
    inputs: [x as OnnxValue, integers(...begin), integers(...begin.map((from, i) => from + (size[i] as number)))],
  }),
  StridedSlice: ([x], {begin, end, strides}) => ({
    op: 'Slice',
    inputs: [x as OnnxValue, integers(...begin), integers(...end), integers(...begin.keys()), integers(...strides)],
  }),
  SplitV: ([x], {numOrSizeSplits}) => ({
    op: 'Split',
    inputs: [x as OnnxValue, integers(...numOrSizeSplits)],
    attributes: {axis: 1},
    outputs: 2,
  }),
  Tile: reshaped('Tile', 'reps'),
  Transpose: node('Transpose', {perm: [1, 0]}),
  TopK: ([x], {k}) => ({op: 'TopK', inputs: [x as OnnxValue, integers(k)], outputs: 2}),

  BatchMatMul: node('MatMul'),
  Einsum: (inputs, {equation}) => ({op: 'Einsum', inputs, attributes: {equation}}),
  Conv2D: conv(),
  Conv3D: conv(),
  DepthwiseConv2dNative: conv(true),
  AvgPool: pool('AveragePool'),
  AvgPool3D: pool('AveragePool'),
  MaxPool: pool('MaxPool'),
  MaxPool3D: pool('MaxPool'),
  FusedBatchNorm: ([x, mean, variance, offset, scale], {varianceEpsilon}) => ({
    op: 'BatchNormalization',
    inputs: [image(x), ...[scale, offset, mean, variance].map((value) => weights(value as OnnxValue))],
    attributes: {epsilon: {float: varianceEpsilon}},
  }),
  LRN: ([x], {depthRadius}) => ({op: 'LRN', inputs: [image(x)], attributes: {size: 2 * depthRadius + 1}}),
  ResizeBilinear: resize('linear', 'half_pixel'),
  ResizeNearestNeighbor: resize('nearest', 'half_pixel'),
};

/** Undefined where ONNX has no such op, or only one of another meaning. */
export function onnxNodeOf(kernel: string, inputs: readonly tf.Tensor[], attrs: object): OnnxNode | undefined {
  return nodes[kernel]?.(
    inputs.map((tensor): OnnxValue => ({type: tensor.dtype as OnnxType, shape: tensor.shape, data: tensor.dataSync()})),
    attrs as Attrs,
  );
}
