/** How far results may be apart, and where the cpu backend itself is wrong. */
import {type Call, type TensorSpec, valuesOf} from './call';

export interface Tolerance {
  /** Units in the last place of float32; the cpu backend computes in double precision and rounds once. */
  readonly ulp?: number;
  readonly abs?: number;
  /** Times ε Σ|a||b|, for sums of products, which are computed in another order. */
  readonly sum?: number;
}

const smooth: Tolerance = {ulp: 8};
const sums: Tolerance = {sum: 64, ulp: 4};
const tolerances: Readonly<Record<string, Tolerance>> = {
  ...Object.fromEntries(
    [
      ...['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atan2', 'Atanh', 'Cos', 'Cosh', 'Elu', 'EluGrad', 'Exp', 'Expm1', 'Log', 'Log1p'],
      ...[
        'Pow',
        'Reciprocal',
        'RealDiv',
        'Rsqrt',
        'Selu',
        'Sigmoid',
        'Sin',
        'Sinh',
        'Softplus',
        'Sqrt',
        'Tan',
        'Tanh',
        'LeakyRelu',
        'Prelu',
      ],
    ].map((name) => [name, smooth]),
  ),
  ...Object.fromEntries(
    [
      ...['Sum', 'Mean', 'Cumsum', 'AddN', 'BatchMatMul', 'Einsum', 'Conv2D', 'Conv3D', 'DepthwiseConv2dNative', 'AvgPool', 'AvgPool3D'],
      ...['Conv2DBackpropInput', 'Conv2DBackpropFilter', 'DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter'],
      ...['ScatterNd', 'UnsortedSegmentSum', 'Bincount'],
    ].map((name) => [name, sums]),
  ),
  // The activation's slope is at most 1 (elu, sigmoid), and the product's error is that of the sum.
  _FusedMatMul: {sum: 64, ulp: 16, abs: 1e-5},
  FusedConv2D: {sum: 64, ulp: 16, abs: 1e-5},
  FusedDepthwiseConv2D: {sum: 64, ulp: 16, abs: 1e-5},
  Prod: {ulp: 256},
  Cumprod: {ulp: 256},
  Softmax: {ulp: 64, abs: 1e-7},
  LogSoftmax: {ulp: 64, abs: 1e-5},
  Erf: {abs: 1e-6}, // the cpu backend's is Abramowitz and Stegun's 7.1.26
  FusedBatchNorm: {ulp: 16, abs: 1e-5},
  ResizeBilinear: {ulp: 16, abs: 1e-5, sum: 16},
  CropAndResize: {abs: 1e-5},
  LRN: {ulp: 32, abs: 1e-6},
  Dilation2D: {ulp: 2},
  LinSpace: {abs: 1e-5}, // the cpu backend adds the step up
  SquaredDifference: {ulp: 2},
};
export const toleranceOf = (kernel: string): Tolerance => tolerances[kernel] ?? {};

type Attrs = Readonly<Record<string, unknown>>;
interface Wrong {
  readonly why: string;
  readonly when: (inputs: Readonly<Record<string, TensorSpec>>, attrs: Attrs) => boolean;
}
type Inputs = Readonly<Record<string, TensorSpec>>;
const has =
  (test: (x: number) => boolean) =>
  (inputs: Inputs): boolean =>
    Object.values(inputs).some((spec) => valuesOf(spec).some(test));
const notFinite = has((x) => !Number.isFinite(x));
const nan = has(Number.isNaN);
const empty = (inputs: Inputs): boolean => Object.values(inputs).some(({shape}) => shape.includes(0));
const elems = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const always = (): boolean => true;
const int32 = (inputs: Inputs): boolean => Object.values(inputs)[0]?.dtype === 'int32';
const padded = (inputs: Inputs, {pad}: Attrs): boolean => pad !== 'valid' && notFinite(inputs);

const emptyFold = {why: 'gives 0, or NaN, where an empty axis has the neutral element (mean: NaN)', when: empty};
const nanIndex = {why: 'a NaN in the first place wins', when: nan};
// TensorFlow pads with zeros and multiplies: 0 · Inf and 0 · NaN are NaN. The cpu backend leaves the padding out.
const padding = {why: 'leaves out the products with padding, also where the filter holds Inf or NaN', when: padded};
const gradient = {why: 'leaves out the products with zeros, also where the other factor is Inf or NaN', when: notFinite};
const scalar = {
  why: 'refuses a scalar or empties it; it is one row of one element',
  when: ({x, logits}: Inputs) => (x ?? logits)?.shape.length === 0,
};
const zeroPads3D = {
  why: 'takes a negative padding where a step is longer than its window',
  when: (_: Inputs, {filterSize, strides, pad}: Attrs) =>
    pad === 'same' && (strides as number[]).some((s, i) => s > ((filterSize as number[])[i] as number)),
};

const groups = ({x, filter}: Inputs): boolean => x?.shape.length === 4 && x.shape[3] !== filter?.shape[2];
const batches = {
  why: 'takes the batches of both operands in turn where each has axes that the other repeats',
  when: ({a, b}: Inputs) => {
    const [left, right] = [a?.shape.slice(0, -2) ?? [], b?.shape.slice(0, -2) ?? []];
    return elems(left) !== 1 && elems(right) !== 1 && left.join() !== right.join();
  },
};
const place = (at: number, size: number): number => Math.min(Math.max(at < 0 ? at + size : at, 0), size);

/** Where TensorFlow's documented semantics decide instead of the cpu backend, or leave the result open. */
const wrong: Readonly<Record<string, Wrong>> = {
  Abs: {why: 'computes int32 in float32', when: int32},
  All: emptyFold,
  Max: emptyFold,
  Mean: emptyFold,
  Min: emptyFold,
  ArgMax: nanIndex,
  ArgMin: nanIndex,
  AvgPool3D: zeroPads3D,
  MaxPool3D: zeroPads3D,
  BatchMatMul: batches,
  _FusedMatMul: batches,
  Conv2D: {why: `${padding.why}; knows no groups`, when: (inputs, attrs) => padded(inputs, attrs) || groups(inputs)},
  Conv3D: padding,
  DepthwiseConv2dNative: padding,
  FusedConv2D: {why: `${padding.why}; knows no groups`, when: (inputs, attrs) => padded(inputs, attrs) || groups(inputs)},
  FusedDepthwiseConv2D: padding,
  Conv2DBackpropFilter: gradient,
  Conv2DBackpropInput: gradient,
  DepthwiseConv2dNativeBackpropFilter: gradient,
  DepthwiseConv2dNativeBackpropInput: gradient,
  Dilation2D: {why: 'starts its maximum at -2^53', when: has((x) => !(x > -1e15))},
  FloorDiv: {why: 'always gives int32', when: always},
  Cumprod: scalar,
  Cumsum: scalar,
  LogSoftmax: scalar,
  Softmax: scalar,
  Mod: {
    why: 'gives NaN for a finite number modulo an infinite one of the other sign, 0 where what is left of a number is tiny beside the other',
    when: has((x) => !(Math.abs(x) < 1e15) || (x !== 0 && Math.abs(x) < 1e-30)),
  },
  ScatterNd: {why: 'takes a single update for a list of them', when: ({updates}) => updates?.shape.length === 0},
  Pow: {why: 'gives NaN for 1 to the power of NaN or an infinity', when: notFinite},
  Select: {
    why: 'a condition of rank 1 takes the wrong elements of operands of more axes; operands do not broadcast',
    when: ({condition, t, e}) =>
      (condition?.shape.length === 1 && t !== undefined && t.shape.length > 1) ||
      condition?.shape.join() !== t?.shape.join() ||
      t?.shape.join() !== e?.shape.join(),
  },
  Square: {why: 'computes int32 in float32', when: int32},
  StridedSlice: {
    why: 'refuses a slice that ends before it begins',
    when: ({x}, {begin, end, strides}) =>
      (strides as number[]).every((step) => step === 1) &&
      (begin as number[]).some((from, i) => {
        const size = x?.shape[i] ?? 0;
        return place((end as number[])[i] as number, size) < place(from, size);
      }),
  },
  TopK: {why: 'the order of unsorted results is open', when: (_, {sorted}) => sorted === false},
  UnsortedSegmentSum: {
    why: 'gives float32 for int32, and knows segments of the first axis only',
    when: ({x, segmentIds}) => x?.dtype === 'int32' || segmentIds?.shape.length !== 1,
  },
};

export function cpuIsWrong(call: Call): boolean {
  return wrong[call.kernel]?.when(call.inputs as Inputs, call.attrs) ?? false;
}
