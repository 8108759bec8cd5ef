/**
 * What the fuzzer draws for each kernel: shapes of rank 0 to 6 with sizes from 0, types, elements and attributes. A draw is usually valid;
 * `spoil` makes some invalid.
 */
import * as tf from '@tensorflow/tfjs-core';
import type fc from 'fast-check';
import * as arbitrary from 'fast-check';
import {type Call, type DType, type Fill, fills, type TensorSpec} from './call';

type Gen = fc.GeneratorValue;
type Shape = readonly number[];
type Draw = (g: Gen) => Omit<Call, 'kernel'>;

const int = (g: Gen, low: number, high: number): number => g(arbitrary.integer, {min: low, max: high});
const flag = (g: Gen): boolean => g(arbitrary.boolean);
const pick = <T>(g: Gen, list: readonly T[]): T => list[int(g, 0, list.length - 1)] as T;
/** Mostly small sizes; sometimes 0, sometimes beyond a vector or two. */
const size = (g: Gen): number => pick(g, [1, 2, 3, 4, 5, 1, 2, 3, 7, 0, 17, 33]);
const shapeOf = (g: Gen, least = 0, most = 6): number[] => {
  const shape = Array.from({length: int(g, least, most)}, () => size(g));
  while (shape.reduce((a, b) => a * b, 1) > 4000) shape[shape.findIndex((s) => s > 3)] = 2;
  return shape;
};
const numeric: readonly DType[] = ['float32', 'float32', 'int32', 'bool'];
const fillOf = (g: Gen, among: readonly Fill[] = fills): Fill => pick(g, among);
const tensor = (g: Gen, shape: Shape, dtype: DType = 'float32', fill?: Fill): TensorSpec => ({
  shape,
  dtype,
  fill: fill ?? fillOf(g),
  salt: int(g, 0, 99),
});
const given = (shape: Shape, dtype: DType, values: readonly number[]): TensorSpec => ({shape, dtype, fill: 'unit', salt: 0, values});
const elems = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
const indices = (g: Gen, shape: Shape, most: number): TensorSpec =>
  given(
    shape,
    'int32',
    Array.from({length: elems(shape)}, () => int(g, 0, Math.max(0, most - 1))),
  );
/** A shape that broadcasts with `shape`. */
const broadcastOf = (g: Gen, shape: Shape): number[] => shape.slice(int(g, 0, shape.length)).map((s) => (int(g, 0, 3) === 0 ? 1 : s));
const resized = (shape: Shape, axis: number, to: number): number[] => shape.map((s, i) => (i === axis ? to : s));
const axisOf = (g: Gen, rank: number): number => int(g, 0, Math.max(0, rank - 1));
const permutation = (g: Gen, rank: number): number[] => {
  const perm = Array.from({length: rank}, (_, i) => i);
  for (let i = rank - 1; i > 0; i--) {
    const j = int(g, 0, i);
    [perm[i], perm[j]] = [perm[j] as number, perm[i] as number];
  }
  return perm;
};
const subset = (g: Gen, rank: number): number[] => Array.from({length: rank}, (_, i) => i).filter(() => flag(g));

// Elements where a function is steep or tells huge numbers apart have tests of their own (test/ops/cases).
const unary =
  (dtypes: readonly DType[] = numeric, among?: readonly Fill[]): Draw =>
  (g) => ({inputs: {x: tensor(g, shapeOf(g), pick(g, dtypes), fillOf(g, among))}, attrs: {}});
const binary =
  (dtypes: readonly DType[] = numeric, among?: readonly Fill[], same = true): Draw =>
  (g) => {
    const shape = shapeOf(g);
    const dtype = pick(g, dtypes);
    const other = same ? dtype : pick(g, dtypes);
    const a = tensor(g, shape, dtype, fillOf(g, among));
    const b = tensor(g, flag(g) ? shape : broadcastOf(g, shape), other, fillOf(g, among));
    return {inputs: flag(g) ? {a, b} : {a: b, b: a}, attrs: {}};
  };
const exactInts: readonly Fill[] = ['unit', 'small', 'wide'];

const reduction =
  (dtypes: readonly DType[], name: 'axis' | 'reductionIndices', among?: readonly Fill[]): Draw =>
  (g) => {
    const shape = shapeOf(g);
    return {inputs: {x: tensor(g, shape, pick(g, dtypes), fillOf(g, among))}, attrs: {[name]: subset(g, shape.length), keepDims: flag(g)}};
  };
const argReduction: Draw = (g) => {
  const shape = shapeOf(g, 1).map((s) => Math.max(s, 1));
  return {inputs: {x: tensor(g, shape, pick(g, ['float32', 'int32', 'bool'] as const))}, attrs: {axis: axisOf(g, shape.length)}};
};
const cumulative: Draw = (g) => {
  const shape = shapeOf(g, 1);
  const x = tensor(g, shape, pick(g, ['float32', 'int32'] as const), fillOf(g, ['unit', 'small']));
  return {inputs: {x}, attrs: {axis: axisOf(g, shape.length), exclusive: flag(g), reverse: flag(g)}};
};
const softmax: Draw = (g) => {
  const shape = shapeOf(g, 1);
  const attr = shape.length - 1;
  return {inputs: {logits: tensor(g, shape)}, attrs: {dim: attr, axis: attr}};
};

const matMul = (g: Gen): {a: TensorSpec; b: TensorSpec; transposeA: boolean; transposeB: boolean; shape: number[]} => {
  const [m, k, n] = [size(g), size(g), size(g)];
  const [transposeA, transposeB] = [flag(g), flag(g)];
  const batch = shapeOf(g, 1, 2).map((s) => Math.min(s, 4));
  const a = [...batch, ...(transposeA ? [k, m] : [m, k])];
  const b = [...(flag(g) ? batch : batch.map(() => 1)), ...(transposeB ? [n, k] : [k, n])];
  return {a: tensor(g, a), b: tensor(g, b), transposeA, transposeB, shape: [...batch, m, n]};
};
const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const;

interface Window {
  readonly image: readonly [number, number];
  readonly filter: readonly [number, number];
  readonly attrs: {strides: number[]; dilations: number[]; pad: unknown; dataFormat: string};
}
const window = (g: Gen, pads: readonly unknown[] = ['same', 'valid']): Window => {
  const strides = [int(g, 1, 3), int(g, 1, 3)];
  const steps = strides[0] === 1 && strides[1] === 1 && flag(g);
  const dilations = steps ? [int(g, 1, 2), int(g, 1, 2)] : [1, 1];
  const filter = [int(g, 1, 4), int(g, 1, 4)] as const;
  const reach = (i: 0 | 1) => ((filter[i] as number) - 1) * (dilations[i] as number) + 1;
  const image = [reach(0) + int(g, 0, 9), reach(1) + int(g, 0, 9)] as const;
  return {image, filter, attrs: {strides, dilations, pad: pick(g, pads), dataFormat: 'NHWC'}};
};
const conv: Draw = (g) => {
  const {image, filter, attrs} = window(g, [
    'same',
    'valid',
    'same',
    [
      [0, 0],
      [1, 0],
      [0, 2],
      [0, 0],
    ],
  ]);
  const [c, out] = [pick(g, [1, 2, 3, 5, 16, 17]), pick(g, [1, 2, 3, 8, 17, 33])];
  return {
    inputs: {x: tensor(g, [int(g, 1, 2), ...image, c]), filter: tensor(g, [...filter, c, out])},
    attrs: {...attrs, pad: attrs.pad},
  };
};
const depthwise: Draw = (g) => {
  const {image, filter, attrs} = window(g);
  const [c, m] = [pick(g, [1, 2, 3, 8, 17, 33]), pick(g, [1, 1, 2, 3])];
  return {inputs: {x: tensor(g, [int(g, 1, 2), ...image, c]), filter: tensor(g, [...filter, c, m])}, attrs};
};
const fused =
  (draw: Draw, outOf: (filter: Shape) => number): Draw =>
  (g) => {
    const {inputs, attrs} = draw(g);
    const {x, filter} = inputs as Record<string, TensorSpec>;
    const bias = flag(g) ? {bias: tensor(g, [outOf((filter as TensorSpec).shape)])} : {};
    return {
      inputs: {x: x as TensorSpec, filter: filter as TensorSpec, ...bias},
      attrs: {...attrs, activation: pick(g, activations), leakyreluAlpha: 0.2},
    };
  };
const pool: Draw = (g) => {
  const {image, filter, attrs} = window(g);
  return {
    inputs: {x: tensor(g, [int(g, 1, 2), ...image, pick(g, [1, 2, 3, 16, 17])])},
    attrs: {filterSize: filter, strides: attrs.strides, pad: attrs.pad},
  };
};
/** The shape that a convolution or pool gives. */
const convOut = (g: Gen, depthwiseFilter: boolean) => {
  const {image, filter, attrs} = window(g);
  const fixed = {...attrs, dilations: [1, 1]};
  const [c, out] = [pick(g, [1, 2, 3, 17]), pick(g, [1, 2, 3, 17])];
  const inShape = [int(g, 1, 2), ...image, c] as [number, number, number, number];
  const filterShape = [...filter, c, depthwiseFilter ? pick(g, [1, 2]) : out] as [number, number, number, number];
  const info = tf.backend_util.computeConv2DInfo(
    inShape,
    filterShape,
    fixed.strides as [number, number],
    [1, 1],
    fixed.pad as 'same',
    undefined,
    depthwiseFilter,
  );
  return {inShape, filterShape, attrs: fixed, outShape: info.outShape};
};
const resize: Draw = (g) => {
  const alignCorners = flag(g);
  return {
    inputs: {images: tensor(g, [int(g, 1, 2), int(g, 1, 7), int(g, 1, 7), int(g, 1, 4)], 'float32', fillOf(g, ['unit', 'small', 'wide']))},
    attrs: {size: [int(g, 1, 12), int(g, 1, 12)], alignCorners, halfPixelCenters: !alignCorners && flag(g)},
  };
};
const pooled3: Draw = (g) => {
  const x = tensor(g, [1, int(g, 2, 5), int(g, 2, 5), int(g, 2, 5), pick(g, [1, 3, 17])]);
  const filterSize = [int(g, 1, 2), int(g, 1, 2), int(g, 1, 2)];
  return {inputs: {x}, attrs: {filterSize, strides: [int(g, 1, 2), 1, int(g, 1, 2)], pad: pick(g, ['same', 'valid']), dataFormat: 'NDHWC'}};
};

const anyUnary = ['Ceil', 'Floor', 'Neg', 'Relu', 'Relu6', 'Round', 'Sign', 'IsFinite', 'IsInf', 'IsNan', 'Abs', 'OnesLike', 'ZerosLike'];
const smoothUnary = ['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Elu', 'Exp', 'Expm1', 'Log', 'Log1p', 'Reciprocal', 'Rsqrt'];
const smoothUnary2 = ['Selu', 'Sigmoid', 'Softplus', 'Sqrt', 'Tanh', 'Cos', 'Cosh', 'Sin', 'Sinh', 'Tan', 'Erf'];
const comparisons = ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'];
const rows = (names: readonly string[], draw: Draw): Record<string, Draw> => Object.fromEntries(names.map((name) => [name, draw]));

const draws: Readonly<Record<string, Draw>> = {
  ...rows(anyUnary, unary(['float32', 'float32', 'int32'])),
  ...rows([...smoothUnary, ...smoothUnary2], unary(['float32'])),
  ...rows(comparisons, binary()),
  ...rows(['LogicalAnd', 'LogicalOr', 'LogicalXor'], binary(['bool'])),
  LogicalNot: unary(['bool']),
  Square: unary(['float32', 'int32'], exactInts),
  BitwiseAnd: binary(['int32']),
  ...rows(['Add', 'Sub', 'Maximum', 'Minimum'], binary(['float32', 'int32'])),
  ...rows(['Multiply', 'SquaredDifference'], binary(['float32', 'float32', 'int32'], exactInts)),
  ...rows(['RealDiv', 'Mod', 'FloorDiv', 'Atan2', 'Pow'], binary(['float32'])),
  Prelu: (g) => {
    const shape = shapeOf(g, 1);
    return {inputs: {x: tensor(g, shape), alpha: tensor(g, shape.slice(1))}, attrs: {}};
  },
  AddN: (g) => {
    const shape = shapeOf(g);
    const dtype = pick(g, ['float32', 'int32'] as const);
    return {inputs: Array.from({length: int(g, 1, 20)}, () => tensor(g, shape, dtype, 'small')), attrs: {}};
  },
  Select: (g) => {
    const shape = shapeOf(g, 1);
    const dtype = pick(g, numeric);
    return {
      inputs: {condition: tensor(g, flag(g) ? shape : shape.slice(0, 1), 'bool'), t: tensor(g, shape, dtype), e: tensor(g, shape, dtype)},
      attrs: {},
    };
  },
  ClipByValue: (g) => ({inputs: {x: tensor(g, shapeOf(g))}, attrs: {clipValueMin: int(g, -3, 0), clipValueMax: int(g, 0, 3)}}),
  LeakyRelu: (g) => ({inputs: {x: tensor(g, shapeOf(g))}, attrs: {alpha: int(g, -4, 8) / 4}}),
  Step: (g) => ({inputs: {x: tensor(g, shapeOf(g))}, attrs: {alpha: int(g, -4, 8) / 4}}),
  EluGrad: (g) => {
    const shape = shapeOf(g);
    return {inputs: {dy: tensor(g, shape), y: tensor(g, shape)}, attrs: {}};
  },
  Cast: (g) => {
    const x = tensor(g, shapeOf(g), pick(g, numeric), fillOf(g, ['unit', 'small', 'wide']));
    return {inputs: {x}, attrs: {dtype: pick(g, ['float32', 'int32', 'bool'])}};
  },

  Sum: reduction(['float32', 'float32', 'int32'], 'axis', exactInts),
  Mean: reduction(['float32'], 'axis'),
  Prod: reduction(['float32'], 'axis', ['unit', 'small']),
  Max: reduction(['float32', 'float32', 'int32'], 'reductionIndices'),
  Min: reduction(['float32', 'float32', 'int32'], 'axis'),
  All: reduction(['bool'], 'axis'),
  Any: reduction(['bool'], 'axis'),
  ArgMax: argReduction,
  ArgMin: argReduction,
  Cumsum: cumulative,
  Cumprod: cumulative,
  Softmax: softmax,
  LogSoftmax: softmax,
  TopK: (g) => {
    const shape = shapeOf(g, 1).map((s) => Math.max(s, 1));
    return {
      inputs: {x: tensor(g, shape, pick(g, ['float32', 'int32'] as const), fillOf(g, exactInts))},
      attrs: {k: int(g, 1, shape[shape.length - 1] as number), sorted: flag(g)},
    };
  },

  Reshape: (g) => {
    const shape = shapeOf(g);
    return {inputs: {x: tensor(g, shape, pick(g, numeric))}, attrs: {shape: permutation(g, shape.length).map((i) => shape[i] as number)}};
  },
  ExpandDims: (g) => {
    const shape = shapeOf(g, 0, 5);
    return {inputs: {input: tensor(g, shape, pick(g, numeric))}, attrs: {dim: int(g, -shape.length - 1, shape.length)}};
  },
  Identity: unary(),
  Transpose: (g) => {
    const shape = shapeOf(g);
    return {inputs: {x: tensor(g, shape, pick(g, numeric))}, attrs: {perm: permutation(g, shape.length)}};
  },
  Reverse: (g) => {
    const shape = shapeOf(g);
    return {inputs: {x: tensor(g, shape, pick(g, numeric))}, attrs: {dims: subset(g, shape.length)}};
  },
  Slice: (g) => {
    const shape = shapeOf(g, 1);
    const begin = shape.map((s) => int(g, 0, s));
    return {
      inputs: {x: tensor(g, shape, pick(g, numeric))},
      attrs: {begin, size: shape.map((s, i) => int(g, 0, s - (begin[i] as number)))},
    };
  },
  StridedSlice: (g) => {
    const shape = shapeOf(g, 1);
    const each = (low: number, high: number) => shape.map((s) => int(g, low * (s + 2), high * (s + 2)));
    const mask = () => int(g, 0, 2 ** shape.length - 1);
    const attrs = {begin: each(-1, 1), end: each(-1, 1), strides: shape.map(() => pick(g, [1, 2, -1, 3, -2]))};
    return {
      inputs: {x: tensor(g, shape, pick(g, numeric))},
      attrs: {...attrs, beginMask: mask(), endMask: mask(), ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0},
    };
  },
  Concat: (g) => {
    const shape = shapeOf(g, 1, 5);
    const axis = axisOf(g, shape.length);
    const dtype = pick(g, numeric);
    const part = () => tensor(g, resized(shape, axis, int(g, 0, 4)), dtype);
    return {inputs: Array.from({length: int(g, 1, 6)}, part), attrs: {axis}};
  },
  Pack: (g) => {
    const shape = shapeOf(g, 0, 4);
    const dtype = pick(g, numeric);
    return {inputs: Array.from({length: int(g, 1, 5)}, () => tensor(g, shape, dtype)), attrs: {axis: int(g, 0, shape.length)}};
  },
  Unpack: (g) => {
    const shape = shapeOf(g, 1, 5);
    return {inputs: {value: tensor(g, shape, pick(g, numeric))}, attrs: {axis: axisOf(g, shape.length)}};
  },
  SplitV: (g) => {
    const shape = shapeOf(g, 1, 5);
    const axis = axisOf(g, shape.length);
    const splits = Array.from({length: int(g, 1, 4)}, () => int(g, 0, 5));
    const whole = resized(
      shape,
      axis,
      splits.reduce((a, b) => a + b, 0),
    );
    return {inputs: {x: tensor(g, whole, pick(g, numeric))}, attrs: {numOrSizeSplits: splits, axis}};
  },
  PadV2: (g) => {
    const shape = shapeOf(g, 1, 5);
    const x = tensor(g, shape, pick(g, ['float32', 'int32'] as const));
    return {inputs: {x}, attrs: {paddings: shape.map(() => [int(g, 0, 3), int(g, 0, 3)]), constantValue: int(g, -2, 2)}};
  },
  MirrorPad: (g) => {
    const shape = shapeOf(g, 1, 4).map((s) => Math.max(s, 1));
    const mode = pick(g, ['reflect', 'symmetric']);
    const most = (s: number) => Math.min(3, mode === 'reflect' ? s - 1 : s);
    return {inputs: {x: tensor(g, shape)}, attrs: {paddings: shape.map((s) => [int(g, 0, most(s)), int(g, 0, most(s))]), mode}};
  },
  Tile: (g) => {
    const shape = shapeOf(g, 0, 4);
    return {inputs: {x: tensor(g, shape, pick(g, numeric))}, attrs: {reps: shape.map(() => int(g, 0, 3))}};
  },
  SpaceToBatchND: (g) => {
    const [blockShape, inner] = [
      [int(g, 1, 3), int(g, 1, 3)],
      [int(g, 1, 3), int(g, 1, 3)],
    ];
    const paddings = blockShape.map((b) => [int(g, 0, b), int(g, 0, b)] as const);
    const spatial = blockShape.map((b, i) => b * ((inner[i] as number) + 2) - (paddings[i]?.[0] ?? 0) - (paddings[i]?.[1] ?? 0));
    return {inputs: {x: tensor(g, [int(g, 1, 2), ...spatial, int(g, 1, 3)])}, attrs: {blockShape, paddings}};
  },
  BatchToSpaceND: (g) => {
    const blockShape = [int(g, 1, 3), int(g, 1, 3)];
    const spatial = [int(g, 1, 4), int(g, 1, 4)];
    const crops = blockShape.map((b) => [int(g, 0, b - 1), 0]);
    const batch = int(g, 1, 2) * (blockShape[0] as number) * (blockShape[1] as number);
    return {inputs: {x: tensor(g, [batch, ...spatial, int(g, 1, 3)])}, attrs: {blockShape, crops}};
  },
  DepthToSpace: (g) => {
    const blockSize = int(g, 2, 3);
    return {
      inputs: {x: tensor(g, [int(g, 0, 2), int(g, 1, 4), int(g, 1, 4), blockSize * blockSize * int(g, 1, 3)])},
      attrs: {blockSize, dataFormat: 'NHWC'},
    };
  },
  GatherV2: (g) => {
    const shape = shapeOf(g, 1, 4).map((s) => Math.max(s, 1));
    const axis = axisOf(g, shape.length);
    const picked = shapeOf(g, 0, 2);
    return {
      inputs: {x: tensor(g, shape, pick(g, numeric)), indices: indices(g, picked, shape[axis] as number)},
      attrs: {axis, batchDims: 0},
    };
  },
  GatherNd: (g) => {
    const shape = shapeOf(g, 1, 4).map((s) => Math.max(s, 1));
    const depth = int(g, 1, shape.length);
    const rowsOf = shapeOf(g, 1, 2);
    const values = Array.from({length: elems(rowsOf)}, () => shape.slice(0, depth).map((s) => int(g, 0, s - 1))).flat();
    return {inputs: {params: tensor(g, shape, pick(g, numeric)), indices: given([...rowsOf, depth], 'int32', values)}, attrs: {}};
  },
  ScatterNd: (g) => {
    const shape = shapeOf(g, 1, 3).map((s) => Math.max(s, 1));
    const depth = int(g, 1, shape.length);
    const count = int(g, 1, 6);
    const values = Array.from({length: count}, () => shape.slice(0, depth).map((s) => int(g, 0, s - 1))).flat();
    return {
      inputs: {
        indices: given([count, depth], 'int32', values),
        updates: tensor(g, [count, ...shape.slice(depth)], pick(g, ['float32', 'int32'] as const), 'small'),
      },
      attrs: {shape},
    };
  },
  UnsortedSegmentSum: (g) => {
    const shape = shapeOf(g, 1, 3);
    const numSegments = int(g, 1, 5);
    const x = tensor(g, shape, pick(g, ['float32', 'int32'] as const), 'small');
    return {inputs: {x, segmentIds: indices(g, [shape[0] as number], numSegments)}, attrs: {numSegments}};
  },
  OneHot: (g) => {
    const depth = int(g, 1, 6);
    return {
      inputs: {indices: indices(g, shapeOf(g, 0, 3), depth + 2)},
      attrs: {depth, onValue: int(g, -2, 2), offValue: int(g, -2, 2), dtype: pick(g, ['float32', 'int32'])},
    };
  },
  Fill: (g) => {
    const dtype = pick(g, ['float32', 'int32']);
    return {inputs: {}, attrs: {shape: shapeOf(g), value: int(g, -5, 5), dtype}};
  },
  LinSpace: (g) => ({inputs: {}, attrs: {start: int(g, -5, 5), stop: int(g, -5, 5), num: int(g, 1, 40)}}),
  Range: (g) => {
    const [start, stop] = [int(g, -9, 9), int(g, -9, 9)];
    return {inputs: {}, attrs: {start, stop, step: stop < start ? -1 : pick(g, [1, 2, 3]), dtype: pick(g, ['float32', 'int32'])}};
  },
  Diag: (g) => ({inputs: {x: tensor(g, shapeOf(g, 1, 2), pick(g, ['float32', 'int32'] as const))}, attrs: {}}),
  Bincount: (g) => {
    const n = int(g, 0, 40);
    const weights = flag(g) ? tensor(g, [n], 'float32', 'small') : given([0], 'float32', []);
    return {inputs: {x: indices(g, [n], 9), weights}, attrs: {size: int(g, 1, 12)}};
  },
  SearchSorted: (g) => {
    const [batch, n, m] = [int(g, 1, 3), int(g, 1, 9), int(g, 1, 9)];
    const sorted = Array.from({length: batch}, () => Array.from({length: n}, () => int(g, -9, 9)).sort((a, b) => a - b)).flat();
    return {
      inputs: {sortedSequence: given([batch, n], 'float32', sorted), values: tensor(g, [batch, m], 'float32', 'small')},
      attrs: {side: pick(g, ['left', 'right'])},
    };
  },

  BatchMatMul: (g) => {
    const {a, b, transposeA, transposeB} = matMul(g);
    return {inputs: {a, b}, attrs: {transposeA, transposeB}};
  },
  _FusedMatMul: (g) => {
    const {a, b, transposeA, transposeB, shape} = matMul(g);
    const n = shape[shape.length - 1] as number;
    return {
      inputs: {a, b, ...(flag(g) ? {bias: tensor(g, [n])} : {})},
      attrs: {transposeA, transposeB, activation: pick(g, activations), leakyreluAlpha: 0.3},
    };
  },
  Einsum: (g) => {
    const [i, j, k] = [int(g, 1, 5), int(g, 1, 5), int(g, 1, 5)];
    const forms: readonly [string, readonly Shape[]][] = [
      [
        'ij,jk->ik',
        [
          [i, j],
          [j, k],
        ],
      ],
      [
        'bij,bkj->bik',
        [
          [2, i, j],
          [2, k, j],
        ],
      ],
      ['ij->ji', [[i, j]]],
      ['ij->i', [[i, j]]],
      ['i,j->ij', [[i], [j]]],
      [
        'bihd,bjhd->bhij',
        [
          [2, i, 3, k],
          [2, j, 3, k],
        ],
      ],
    ];
    const [equation, shapes] = pick(g, forms);
    return {inputs: shapes.map((shape) => tensor(g, shape)), attrs: {equation}};
  },
  Conv2D: conv,
  DepthwiseConv2dNative: depthwise,
  FusedConv2D: fused(conv, (f) => f[3] as number),
  FusedDepthwiseConv2D: fused(depthwise, (f) => (f[2] as number) * (f[3] as number)),
  Conv2DBackpropInput: (g) => {
    const {inShape, filterShape, attrs, outShape} = convOut(g, false);
    return {inputs: {dy: tensor(g, outShape), filter: tensor(g, filterShape)}, attrs: {...attrs, inputShape: inShape}};
  },
  Conv2DBackpropFilter: (g) => {
    const {inShape, filterShape, attrs, outShape} = convOut(g, false);
    return {inputs: {x: tensor(g, inShape), dy: tensor(g, outShape)}, attrs: {...attrs, filterShape}};
  },
  DepthwiseConv2dNativeBackpropInput: (g) => {
    const {inShape, filterShape, attrs, outShape} = convOut(g, true);
    return {inputs: {dy: tensor(g, outShape), filter: tensor(g, filterShape)}, attrs: {...attrs, inputShape: inShape}};
  },
  DepthwiseConv2dNativeBackpropFilter: (g) => {
    const {inShape, filterShape, attrs, outShape} = convOut(g, true);
    return {inputs: {x: tensor(g, inShape), dy: tensor(g, outShape)}, attrs: {...attrs, filterShape}};
  },
  Conv3D: (g) => {
    const [c, out] = [pick(g, [1, 2, 17]), pick(g, [1, 3, 17])];
    return {
      inputs: {x: tensor(g, [1, int(g, 2, 5), int(g, 2, 5), int(g, 2, 5), c]), filter: tensor(g, [int(g, 1, 2), 2, int(g, 1, 2), c, out])},
      attrs: {strides: [1, int(g, 1, 2), 1], pad: pick(g, ['same', 'valid']), dataFormat: 'NDHWC', dilations: [1, 1, 1]},
    };
  },
  MaxPool: pool,
  AvgPool: pool,
  MaxPool3D: pooled3,
  AvgPool3D: pooled3,
  MaxPoolWithArgmax: (g) => {
    const {inputs, attrs} = pool(g);
    return {inputs, attrs: {...attrs, includeBatchInIndex: flag(g)}};
  },
  Dilation2D: (g) => {
    const {image, filter, attrs} = window(g);
    const c = int(g, 1, 5);
    return {
      inputs: {x: tensor(g, [1, ...image, c]), filter: tensor(g, [...filter, c])},
      attrs: {strides: attrs.strides, pad: attrs.pad, dilations: attrs.dilations},
    };
  },
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  CropAndResize: (g) => {
    const n = int(g, 1, 3);
    const boxes = Array.from({length: 4 * n}, () => int(g, -2, 12) / 10);
    return {
      inputs: {
        image: tensor(g, [2, int(g, 2, 6), int(g, 2, 6), int(g, 1, 3)], 'float32', 'unit'),
        boxes: given([n, 4], 'float32', boxes),
        boxInd: indices(g, [n], 2),
      },
      attrs: {cropSize: [int(g, 1, 5), int(g, 1, 5)], method: pick(g, ['bilinear', 'nearest']), extrapolationValue: int(g, -1, 1)},
    };
  },
  LRN: (g) => ({
    inputs: {x: tensor(g, [1, int(g, 1, 3), int(g, 1, 3), int(g, 1, 20)], 'float32', fillOf(g, ['unit', 'small']))},
    attrs: {depthRadius: int(g, 0, 5), bias: 1, alpha: 0.5, beta: 0.75},
  }),
  FusedBatchNorm: (g) => {
    const shape = shapeOf(g, 1, 4);
    const c = [shape[shape.length - 1] as number];
    const offset = flag(g) ? {offset: tensor(g, c, 'float32', 'unit')} : {};
    const scale = flag(g) ? {scale: tensor(g, c, 'float32', 'unit')} : {};
    const variance = given(
      c,
      'float32',
      Array.from({length: c[0] as number}, () => int(g, 1, 20) / 4),
    );
    return {
      inputs: {x: tensor(g, shape, 'float32', 'small'), mean: tensor(g, c, 'float32', 'unit'), variance, ...offset, ...scale},
      attrs: {varianceEpsilon: 0.001},
    };
  },
  FlipLeftRight: (g) => ({inputs: {image: tensor(g, [int(g, 0, 2), int(g, 1, 5), int(g, 1, 5), int(g, 1, 4)])}, attrs: {}}),
};

/** One change that often makes a call invalid. */
function spoil(g: Gen, call: Call): Call {
  const list = Array.isArray(call.inputs);
  const names = Object.keys(call.inputs);
  if (names.length === 0) return call;
  const name = pick(g, names);
  const spec = (call.inputs as Record<string, TensorSpec>)[name] as TensorSpec;
  const {values: _, ...plain} = spec;
  const {shape} = spec;
  const changed: readonly (readonly number[])[] = [
    [...shape, 2],
    shape.slice(1),
    shape.map((s) => s + 1),
    shape.length === 0 ? [3] : resized(shape, 0, (shape[0] as number) + 2),
    [],
  ];
  const replaced: TensorSpec = {...plain, shape: pick(g, changed)};
  const inputs = {...(call.inputs as Record<string, TensorSpec>), [name]: replaced};
  return {...call, inputs: list ? Object.values(inputs) : inputs};
}

export const kernelNames: readonly string[] = Object.keys(draws).sort();

/** Valid calls of a kernel, or spoilt ones. */
export function calls(kernel: string, spoilt: boolean): fc.Arbitrary<Call> {
  const draw = draws[kernel] as Draw;
  return arbitrary.gen().map((g) => {
    const call: Call = {kernel, ...draw(g)};
    return spoilt ? spoil(g, call) : call;
  });
}
