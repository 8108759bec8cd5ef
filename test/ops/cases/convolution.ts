/** Rows of Conv2D, DepthwiseConv2D and ExpandDepthwiseConv2D. */

import type {Native, Slot} from '../../../src/native';
import {Conv2D, DepthwiseConv2D, ExpandDepthwiseConv2D} from '../../../src/ops/convolution';
import {PackWeights, packLayouts} from '../../../src/ops/linear';
import {call, type Expr, encodeProgram, f32, input} from '../../../src/ops/program';
import type {ParamValues} from '../../../src/ops/schema';
import {type Input, type OpCase, opCase, uniform} from '../harness';
import {forWindows, type Image, image, nameOf, outElems} from './windows';

interface Fusion {
  readonly name: string;
  readonly expr: Expr;
  /** Of the sum, an operand like y, and one for each column w. */
  readonly value: (sum: number, residual: number, column: number) => number;
  /** How much an error of the sum can grow. */
  readonly slope: number;
}
const relu: Fusion = {name: 'relu', expr: call('Relu', input(0)), value: (sum) => Math.max(sum, 0), slope: 1};
const clamp: Fusion = {
  name: 'clamp',
  expr: call('Minimum', f32(0.5), call('Maximum', input(0), f32(-0.25))),
  value: (sum) => Math.min(Math.max(sum, -0.25), 0.5),
  slope: 1,
};
const relu6: Fusion = {name: 'relu6', expr: call('Relu6', input(0)), value: (sum) => Math.min(Math.max(sum, 0), 6), slope: 1};
const abs: Fusion = {name: 'abs', expr: call('Abs', input(0)), value: (sum) => Math.abs(sum), slope: 1};
const add: Fusion = {name: 'add', expr: call('Add', input(1), input(0)), value: (sum, other) => sum + other, slope: 1};
const residual: Fusion = {
  name: 'residual and clamp',
  expr: call('Minimum', call('Maximum', call('MulAdd', input(0), input(2), input(1)), f32(-0.5)), f32(0.75)),
  value: (sum, other, column) => Math.min(Math.max(sum * column + other, -0.5), 0.75),
  slope: 1,
};

type Packed = 'gemmF32' | 'winograd4F32' | 'winograd2F32';

interface Options {
  readonly groups?: number;
  readonly multiplier?: number;
  readonly packed?: Packed;
  readonly bias?: boolean;
  readonly fusion?: Fusion;
  /** Elements of x or of the filter that are not what uniform gives. */
  readonly special?: Readonly<Record<number, number>>;
  readonly specialFilter?: Readonly<Record<number, number>>;
}

/** The x channel and the filter element (without its tap) that output channel o reads at channel c of its group. */
interface Layout {
  readonly channels: number;
  readonly channel: (o: number, c: number) => number;
  readonly element: (tap: number, o: number, c: number) => number;
}
const convLayout = (p: Image, groups: number): Layout => {
  const channels = p.inC / groups;
  return {
    channels,
    channel: (o, c) => Math.floor(o / (p.outC / groups)) * channels + c,
    element: (tap, o, c) => (tap * channels + c) * p.outC + o,
  };
};
const depthwiseLayout = (p: Image, multiplier: number): Layout => ({
  channels: 1,
  channel: (o) => Math.floor(o / multiplier),
  element: (tap, o) => tap * p.outC + o,
});

/**
 * Winograd's error is relative to the largest sums of its neighbourhood, not to each result: these multiples of u · max Σ|a||b|. Some hundred
 * random layers of 1 to 512 channels showed 73 and 17 (and the direct form 22); what can be proved (Barabasz et al. 2020) is far larger.
 */
const winogradError = {winograd4F32: 150, winograd2F32: 40};

interface Bounded {
  readonly values: Float64Array;
  readonly bound: Float64Array;
}

function convolved(p: Image, layout: Layout, inputs: readonly ArrayLike<number>[], {fusion, packed}: Options): Bounded {
  const [x = [], filter = [], bias = [], other = [], column = []] = inputs;
  const values = new Float64Array(outElems(p));
  const bound = new Float64Array(values.length);
  let largest = 0;
  forWindows(p, (y, taps) => {
    for (let o = 0; o < p.outC; o++) {
      let sum = bias[o] ?? 0;
      let magnitude = Math.abs(sum);
      for (const [tap, at] of taps) {
        for (let c = 0; c < layout.channels; c++) {
          const product = (x[at + layout.channel(o, c)] as number) * (filter[layout.element(tap, o, c)] as number);
          sum += product;
          magnitude += Math.abs(product);
        }
      }
      if (magnitude < Infinity) largest = Math.max(largest, magnitude);
      const w = Math.floor((y % p.yRow) / p.yCol);
      values[y + o] = fusion === undefined ? sum : fusion.value(sum, other[y + o] ?? 0, column[w] ?? 0);
      // Higham 2002, (3.5): a sum of n products in any order is off by n · u / (1 − n · u) · Σ|a||b| at most; and the fusion's roundings.
      bound[y + o] = 2 ** -24 * (1.01 * (taps.length * layout.channels + 1) * magnitude * (fusion?.slope ?? 1) + 4);
    }
  });
  if (packed === 'winograd4F32' || packed === 'winograd2F32') {
    bound.fill(winogradError[packed] * 2 ** -24 * largest);
  }
  return {values, bound};
}

function withSpecial(values: Float32Array, special: Readonly<Record<number, number>> = {}): Float32Array {
  for (const [at, value] of Object.entries(special)) values[Number(at)] = value;
  return values;
}
const xOf = (p: Image, {special}: Options): Float32Array => {
  const elems = p.inC === 0 ? 0 : (p.batch - 1) * p.xBatch + (p.inH - 1) * p.xRow + (p.inW - 1) * p.xCol + p.inC;
  return withSpecial(uniform([-1, 1], Math.max(0, elems), 1), special);
};
function fusionInputs(p: Image, {bias, fusion}: Options): Input[] {
  const own: Input[] = [bias ? uniform([-1, 1], p.outC, 3) : undefined];
  if (fusion === residual || fusion === add) own.push(uniform([-1, 1], outElems(p), 4));
  if (fusion === residual) own.push(uniform([-1, 1], p.outW, 5));
  return own;
}
function fusionParams(p: Image, {fusion}: Options) {
  const epilogue = fusion === undefined ? [] : (encodeProgram(fusion.expr) ?? []);
  const like = [p.yBatch, p.yRow, p.yCol, 1];
  const epilogueStrides = fusion === residual ? [...like, 0, 0, 1, 0] : fusion === add ? like : [];
  return {epilogue, epilogueStrides};
}
function titleOf(change: object, {packed, bias, fusion, special, specialFilter, ...rest}: Options): string {
  const words = [packed, bias && 'bias', fusion?.name, (special ?? specialFilter) && 'special values'];
  return [nameOf({...change, ...rest}), ...words.filter((w) => typeof w === 'string')].join(', ');
}

function pack(runtime: Native, filter: Float32Array, taps: number, rowsK: number, colsN: number, packed: Packed = 'gemmF32'): Slot {
  const layout = packLayouts[packed];
  const source = runtime.store(filter, 'float32');
  const elems = runtime.packedElems(layout, rowsK, colsN, taps);
  const [slot] = runtime.run(PackWeights, [source], [{dtype: 'float32', elems}], {
    layout, rowsK, colsN, rowStride: colsN, colStride: 1, taps,
  }) as [Slot];
  runtime.release(source);
  return slot;
}

function conv(change: Partial<Image>, options: Options = {}): OpCase {
  const p = image(change);
  const groups = options.groups ?? 1;
  const taps = p.filterH * p.filterW;
  const filter = () => withSpecial(uniform([-1, 1], (taps * p.inC * p.outC) / groups, 2), options.specialFilter);
  return opCase({
    name: `Conv2D: ${titleOf(change, options)}`,
    op: Conv2D,
    inputs: () => [
      xOf(p, options),
      options.packed ? (runtime) => pack(runtime, filter(), taps, p.inC, p.outC, options.packed) : filter(),
      ...fusionInputs(p, options),
    ],
    outputs: [{dtype: 'float32', elems: outElems(p)}],
    params: {...p, groups, packedFilter: options.packed ? packLayouts[options.packed] : 0, ...fusionParams(p, options)},
    expected: ([x = [], , ...others]) => [convolved(p, convLayout(p, groups), [x, filter(), ...others], options)],
  });
}

function depthwise(change: Partial<Image>, options: Options = {}): OpCase {
  const multiplier = options.multiplier ?? 1;
  const p = image({...change, outC: (change.inC ?? 3) * multiplier});
  return opCase({
    name: `DepthwiseConv2D: ${titleOf(change, options)}`,
    op: DepthwiseConv2D,
    inputs: () => [
      xOf(p, options),
      withSpecial(uniform([-1, 1], p.filterH * p.filterW * p.outC, 2), options.specialFilter),
      ...fusionInputs(p, options),
    ],
    outputs: [{dtype: 'float32', elems: outElems(p)}],
    params: {...p, multiplier, ...fusionParams(p, options)},
    expected: (inputs) => [convolved(p, depthwiseLayout(p, multiplier), inputs, options)],
  });
}

/** `depthK` channels of x, `expansion`: what follows the first product; the rest as of a depthwise convolution of the expanded image. */
function expandDepthwise(
  change: Partial<Image>,
  {depthK, expansion, biases = true, ...options}: Options & {depthK: number; expansion?: Fusion; biases?: boolean},
): OpCase {
  const p = image(change);
  const expanded = image({batch: p.batch, inH: p.inH, inW: p.inW, inC: depthK, outC: p.inC, filterH: 1, filterW: 1});
  const read = {...expanded, xBatch: change.xBatch ?? expanded.xBatch, xRow: change.xRow ?? expanded.xRow, xCol: change.xCol ?? depthK};
  const own = {...p, xBatch: expanded.yBatch, xRow: expanded.yRow, xCol: expanded.yCol};
  const filter = () => uniform([-1, 1], depthK * p.inC, 6);
  const taps = p.filterH * p.filterW;
  const [first, second] = [{bias: biases, fusion: expansion} as Options, {...options, bias: biases}];
  return opCase({
    name: `ExpandDepthwiseConv2D: ${titleOf({...change, depthK}, second)}${expansion === undefined ? '' : `, expansion ${expansion.name}`}`,
    op: ExpandDepthwiseConv2D,
    inputs: () => [
      xOf(read, options),
      (runtime) => pack(runtime, filter(), 1, depthK, p.inC),
      biases ? uniform([-1, 1], p.inC, 7) : undefined,
      uniform([-1, 1], taps * p.outC, 2),
      ...fusionInputs(p, second),
    ],
    outputs: [{dtype: 'float32', elems: outElems(p)}],
    params: {
      ...own,
      ...{xBatch: read.xBatch, xRow: read.xRow, xCol: read.xCol, depthK, packedFilter: packLayouts.gemmF32},
      expansion: fusionParams(expanded, first).epilogue,
      ...fusionParams(p, second),
    },
    expected: ([x = [], , bias = [], ...others]) => {
      const e = convolved(read, convLayout(read, 1), [x, filter(), bias], first);
      const y = convolved(own, depthwiseLayout(own, 1), [e.values, ...others], second);
      // An error of e reaches y times a weight of at most 1 for each tap.
      const most = e.bound.reduce((most, bound) => (bound > most && bound < Infinity ? bound : most), 0);
      return [{values: y.values, bound: y.bound.map((bound) => bound + most * taps * (options.fusion?.slope ?? 1))}];
    },
  });
}

const tails = [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 64, 97];
const strides = [{}, {strideW: 2}, {strideH: 2}, {strideH: 2, strideW: 3}];
const pads = [{}, {padTop: 1}, {padTop: 1, padLeft: 2}, {padTop: 2, padLeft: 1, outH: 5, outW: 4}];
const dilations = [{}, {dilationH: 2}, {dilationH: 2, dilationW: 3}];
const sizes0 = [{batch: 0}, {outC: 0}, {outH: 0}, {outW: 0}, {inC: 0}, {inH: 0, outH: 2}, {inW: 0, outH: 2, outW: 2}, {filterH: 0, outH: 3}];

const convs: OpCase[] = [
  ...tails.flatMap((outC) => [conv({outC, inC: 5}), conv({outC, inC: 19, filterH: 2}, {packed: 'gemmF32', bias: true})]),
  ...tails.map((inC) => conv({inC, outC: 6, padTop: 1, padLeft: 1})),
  // Tiles of every height, across rows and images.
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17].map((inW) => conv({batch: 3, inH: 1, inW, inC: 17, outC: 20, filterH: 1, filterW: 1, strideW: 1, padTop: 1})),
  ...[1, 4, 7, 14].map((size) => conv({inH: size, inW: size, inC: 20, outC: 70, padTop: 1, padLeft: 1}, {bias: true, packed: 'gemmF32'})),
  ...[3, 20].flatMap((inC) =>
    strides.flatMap((stride) =>
      pads.flatMap((pad) => dilations.map((dilation) => conv({inH: 9, inW: 10, inC, outC: 10, ...stride, ...pad, ...dilation}))),
    ),
  ),
  // The depth in several parts: between taps, and inside one.
  conv({inH: 4, inW: 4, inC: 300, outC: 20}, {bias: true, fusion: relu}),
  conv({inH: 3, inW: 4, inC: 1000, outC: 50, filterH: 2, filterW: 2}, {bias: true, packed: 'gemmF32', fusion: residual}),
  conv({inH: 3, inW: 40, inC: 1, outC: 4, filterH: 1, filterW: 40, padLeft: 20}),
  // More pixels than a block, on all threads; columns on all threads; the first layer of an image network.
  conv({batch: 2, inH: 24, inW: 25, inC: 16, outC: 24, padTop: 1, padLeft: 1}, {bias: true, packed: 'gemmF32', fusion: relu}),
  conv({inH: 3, inW: 3, inC: 64, outC: 300, padTop: 1, padLeft: 1}, {fusion: residual}),
  conv({inH: 56, inW: 56, inC: 3, outC: 33, filterH: 7, filterW: 7, strideH: 2, strideW: 2, padTop: 3, padLeft: 3}, {bias: true}),
  ...[clamp, relu6, abs, add].flatMap((fusion) =>
    [8, 70, 300].map((outC) => conv({batch: 2, inH: 5, inW: 9, inC: 40, outC, padTop: 1, padLeft: 1}, {bias: true, packed: 'gemmF32', fusion})),
  ),
  conv({inH: 6, inW: 7, inC: 20, outC: 17}, {special: {5: NaN, 160: Infinity, 430: -Infinity}, fusion: clamp}),
  // Products of matrices.
  conv({batch: 2, inH: 5, inW: 6, inC: 33, outC: 50, filterH: 1, filterW: 1}, {bias: true, fusion: residual}),
  conv({batch: 2, inH: 5, inW: 6, inC: 33, outC: 50, filterH: 1, filterW: 1}, {packed: 'gemmF32', fusion: relu}),
  conv({inH: 5, inW: 6, inC: 33, outC: 50, filterH: 1, filterW: 1, strideH: 2, strideW: 2}, {packed: 'gemmF32'}),
  conv({inH: 5, inW: 6, inC: 3, outC: 50, filterH: 1, filterW: 1, outH: 6, outW: 7}),
  ...[2, 4, 8].map((groups) => conv({inC: 8, outC: 24, inH: 9, inW: 9, padTop: 1, padLeft: 1}, {groups, bias: true, fusion: residual})),
  conv({inC: 6, outC: 60, inH: 5, inW: 5}, {groups: 3}),
  conv({inC: 128, outC: 256, inH: 6, inW: 6}, {groups: 2, fusion: relu}),
  // A window of a larger image, written with rows and columns exchanged.
  conv({batch: 2, inC: 3, outC: 5, xCol: 7, xRow: 41, xBatch: 300, yRow: 5, yCol: 20}, {fusion: relu}),
  conv({batch: 2, inC: 20, outC: 5, xCol: 22, xRow: 150, xBatch: 0, yRow: 5, yCol: 20}),
  ...sizes0.flatMap((size) => [conv(size, {bias: true}), conv({...size, filterW: 1, outC: 4, ...size}, {fusion: relu})]),
  conv({inC: 0, outC: 3, filterH: 2 ** 31 - 1, filterW: 2 ** 31 - 1, outH: 2, outW: 2}, {bias: true}),
  conv({inH: 1, inW: 1, inC: 1, outC: 1, filterH: 1, filterW: 1}),
  conv({strideH: 2 ** 31 - 1, strideW: 2 ** 31 - 1, outH: 2, outW: 2}),
  conv({inH: 6, inW: 7, inC: 4, outC: 17}, {special: {5: NaN, 60: Infinity, 130: -Infinity}}),
  conv({inH: 6, inW: 7, inC: 20, outC: 17}, {special: {5: NaN, 160: Infinity, 430: -Infinity}, packed: 'gemmF32'}),
  conv({inH: 6, inW: 7, inC: 20, outC: 17}, {specialFilter: {7: NaN, 300: Infinity}}),
];

const winograds: OpCase[] = (['winograd4F32', 'winograd2F32'] as const).flatMap((packed) => [
  // Every remainder of tiles, channels and columns.
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13].flatMap((size) => [
    conv({inH: size, inW: size + 1, inC: 16, outC: 16, padTop: 1, padLeft: 1}, {packed, bias: true}),
    conv({inH: size + 2, inW: 5, inC: 4, outC: 3}, {packed}),
  ]),
  ...tails.flatMap((channels) => [
    conv({inC: channels, outC: 8, padTop: 1, padLeft: 1}, {packed}),
    conv({inC: 9, outC: channels, padTop: 1, padLeft: 1}, {packed, bias: true}),
  ]),
  conv({inH: 9, inW: 10, inC: 5, outC: 7, padTop: 2, padLeft: 0, outH: 11, outW: 7}, {packed}),
  conv({inH: 9, inW: 10, inC: 5, outC: 7, padTop: 7, padLeft: 9, outH: 20, outW: 25}, {packed}),
  // Several blocks of tiles; columns on threads; the depth in parts.
  conv({batch: 3, inH: 30, inW: 31, inC: 40, outC: 50, padTop: 1, padLeft: 1}, {packed, bias: true, fusion: relu}),
  conv({batch: 2, inH: 7, inW: 7, inC: 100, outC: 300, padTop: 1, padLeft: 1}, {packed, bias: true}),
  conv({inH: 5, inW: 5, inC: 800, outC: 20, padTop: 1, padLeft: 1}, {packed}),
  ...[clamp, relu6, abs, add, residual].map((fusion) =>
    conv({batch: 2, inH: 9, inW: 10, inC: 20, outC: 70, padTop: 1, padLeft: 1}, {packed, bias: true, fusion}),
  ),
  conv({batch: 2, inC: 20, outC: 5, xCol: 22, xRow: 150, xBatch: 0, yRow: 5, yCol: 20}, {packed}),
  ...sizes0.filter((size) => !('filterH' in size)).map((size) => conv(size, {packed, bias: true})),
  // What is not finite, or overflows on the way, is computed directly.
  conv({inH: 9, inW: 9, inC: 20, outC: 17}, {packed, special: {5: NaN, 160: Infinity, 830: -Infinity, 1500: 3e38}}),
  conv({inH: 9, inW: 9, inC: 20, outC: 70, padTop: 1, padLeft: 1}, {packed, special: {800: Infinity}, bias: true, fusion: clamp}),
  conv({inH: 6, inW: 7, inC: 20, outC: 17}, {packed, specialFilter: {7: NaN, 300: Infinity, 1000: -3e38}, fusion: abs}),
]);

const depthwises: OpCase[] = [
  ...tails.flatMap((inC) => [depthwise({inC, padTop: 1, padLeft: 1}), depthwise({inC, filterH: 5, filterW: 5, inH: 7, inW: 7}, {bias: true})]),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 14].flatMap((size) =>
    [1, 2].flatMap((stride) =>
      [3, 5].map((filter) => {
        const pad = (filter - 1) / 2;
        const window = {filterH: filter, filterW: filter, strideH: stride, strideW: stride, padTop: pad, padLeft: pad};
        return depthwise({inH: size, inW: size + 2, inC: 20, ...window}, {bias: true});
      }),
    ),
  ),
  ...strides.flatMap((stride) =>
    pads.flatMap((pad) => dilations.map((dilation) => depthwise({inH: 9, inW: 10, inC: 18, ...stride, ...pad, ...dilation}))),
  ),
  ...[[1, 1], [1, 3], [2, 2], [7, 7], [3, 5]].map(([filterH = 1, filterW = 1]) => depthwise({inH: 9, inW: 10, inC: 9, filterH, filterW, padTop: 1, padLeft: 1})),
  ...[2, 3, 8].flatMap((multiplier) => [1, 3, 10].map((inC) => depthwise({inC, padTop: 1, padLeft: 1}, {multiplier, bias: true, fusion: residual}))),
  depthwise({batch: 2, inH: 30, inW: 31, inC: 40, padTop: 1, padLeft: 1}, {bias: true, fusion: relu}),
  depthwise({batch: 2, inH: 30, inW: 31, inC: 300, padTop: 1, padLeft: 1, strideH: 2, strideW: 2, outH: 15, outW: 16}, {fusion: residual}),
  ...[clamp, relu6, abs, add].flatMap((fusion) =>
    [8, 70, 300].map((inC) => depthwise({batch: 2, inH: 5, inW: 9, inC, padTop: 1, padLeft: 1, dilationW: inC === 70 ? 2 : 1}, {bias: true, fusion})),
  ),
  depthwise({inH: 6, inW: 7, inC: 20}, {special: {5: NaN, 160: Infinity, 430: -Infinity}, fusion: clamp}),
  depthwise({batch: 2, inC: 5, xCol: 7, xRow: 41, xBatch: 300, yRow: 5, yCol: 20}, {fusion: relu}),
  depthwise({batch: 2, inC: 5, xCol: 7, xRow: 41, xBatch: 300, yRow: 10, yCol: 40}, {multiplier: 2}),
  ...sizes0.filter((size) => !('outC' in size)).map((size) => depthwise(size, {bias: true})),
  depthwise({inC: 0, filterH: 2 ** 31 - 1, filterW: 2 ** 31 - 1, outH: 2, outW: 2}),
  depthwise({strideH: 2 ** 31 - 1, strideW: 2 ** 31 - 1, outH: 2, outW: 2}),
  depthwise({inH: 6, inW: 7, inC: 20}, {special: {5: NaN, 160: Infinity, 430: -Infinity}}),
];

const expandDepthwises: OpCase[] = [
  ...tails.map((inC) => expandDepthwise({inC, padTop: 1, padLeft: 1}, {depthK: 5, expansion: relu6})),
  ...tails.map((depthK) => expandDepthwise({inC: 20, padTop: 1, padLeft: 1}, {depthK, biases: false})),
  ...[1, 2, 3, 4, 5, 7, 8, 14].flatMap((size) =>
    [1, 2].flatMap((stride) =>
      [3, 5].map((filter) => {
        const pad = (filter - 1) / 2;
        const window = {filterH: filter, filterW: filter, strideH: stride, strideW: stride, padTop: pad, padLeft: pad};
        return expandDepthwise({batch: 2, inH: size, inW: size + 2, inC: 20, ...window}, {depthK: 4, expansion: clamp, fusion: relu});
      }),
    ),
  ),
  ...strides.flatMap((stride) =>
    pads.flatMap((pad) => dilations.map((dilation) => expandDepthwise({inH: 9, inW: 10, inC: 18, ...stride, ...pad, ...dilation}, {depthK: 3, expansion: abs}))),
  ),
  // Several bands, on all threads; a band of more than its room; what follows reads other tensors.
  expandDepthwise({batch: 2, inH: 30, inW: 31, inC: 200, padTop: 1, padLeft: 1}, {depthK: 24, expansion: relu6, fusion: relu6}),
  expandDepthwise({inH: 40, inW: 41, inC: 144, padTop: 0, padLeft: 0, strideH: 2, strideW: 2}, {depthK: 24, expansion: abs, fusion: residual}),
  expandDepthwise({inH: 7, inW: 60, inC: 500, filterH: 5, filterW: 5, padTop: 2, padLeft: 2}, {depthK: 8, expansion: relu, fusion: add}),
  expandDepthwise({inH: 3, inW: 3, inC: 20, filterH: 3, filterW: 3, strideH: 9, padTop: 4, outH: 4, padLeft: 1}, {depthK: 8, expansion: relu}),
  expandDepthwise({inH: 6, inW: 7, inC: 20}, {depthK: 10, special: {5: NaN, 160: Infinity, 300: -Infinity}, expansion: clamp}),
  expandDepthwise({batch: 2, inC: 20, xCol: 7, xRow: 41, xBatch: 300, yRow: 20, yCol: 80}, {depthK: 5, expansion: relu}),
  ...sizes0.filter((size) => !('outC' in size || 'inC' in size || 'filterH' in size)).map((size) => expandDepthwise(size, {depthK: 2})),
];

const validExpansion: ParamValues<(typeof ExpandDepthwiseConv2D)['params']> = {
  ...image({inC: 8, inH: 5, inW: 5}), xBatch: 100, xRow: 20, xCol: 4, depthK: 4, packedFilter: packLayouts.gemmF32, expansion: [], epilogue: [], epilogueStrides: [],
};
const refusesExpansion = (change: Partial<typeof validExpansion>, fails: RegExp, given: Given = {}): OpCase =>
  opCase({
    name: `ExpandDepthwiseConv2D refuses ${nameOf(change)} ${fails.source}`,
    op: ExpandDepthwiseConv2D,
    inputs: () => {
      const {x, filter, bias}: Given = {x: new Float32Array(100), filter: (runtime) => pack(runtime, new Float32Array(32), 1, 4, 8), bias: new Float32Array(8), ...given};
      return [x, filter, bias, new Float32Array(72), bias];
    },
    outputs: [{dtype: 'float32', elems: 72}],
    params: {...validExpansion, ...change},
    fails,
  });
const expansionRefusals: OpCase[] = [
  ...(['strideH', 'strideW', 'dilationH', 'dilationW'] as const).map((name) => refusesExpansion({[name]: 0}, /ERR_SHAPE.*at least 1/)),
  ...[{inH: 6}, {outH: 4}, {xRow: 21}, {xRow: -15}, {batch: 2}].map((change) => refusesExpansion(change, /ERR_SHAPE.*reach/)),
  ...[{yCol: 0}, {yRow: 2}, {yCol: -8}].map((change) => refusesExpansion(change, /ERR_SHAPE.*(overlap|reach)/)),
  ...[{inC: 7}, {outC: 7}, {filterH: 4}, {filterH: 0, outH: 3}, {filterH: 2 ** 31 - 1, filterW: 2 ** 31 - 1}].map((change) => refusesExpansion(change, /ERR_SHAPE/)),
  refusesExpansion({depthK: 100, xCol: 0, xRow: 0, xBatch: 0}, /ERR_SHAPE.*filter/),
  refusesExpansion({packedFilter: 0}, /ERR_INVALID_STEP.*packed/),
  refusesExpansion({}, /ERR_(SHAPE|INVALID_STEP).*filter/, {filter: new Float32Array(32)}),
  refusesExpansion({}, /ERR_DTYPE/, {x: new Int32Array(100)}),
  refusesExpansion({}, /ERR_SHAPE.*bias/, {bias: new Float32Array(7)}),
  refusesExpansion({expansion: [1, 1, 0, 0xffff, 32]}, /ERR_/),
  refusesExpansion({expansion: encodeProgram(add.expr) ?? []}, /ERR_/),
];

const valid: ParamValues<(typeof Conv2D)['params']> = {...image({inC: 4, outC: 6, inH: 5, inW: 5}), groups: 1, packedFilter: 0, epilogue: [], epilogueStrides: []};
interface Given {
  readonly x?: Input;
  readonly filter?: Input;
  readonly bias?: Input;
  readonly more?: readonly Input[];
}
const refuses = (change: Partial<typeof valid>, fails: RegExp, given: Given = {}): OpCase =>
  opCase({
    name: `Conv2D refuses ${nameOf(change)} ${fails.source}`,
    op: Conv2D,
    inputs: () => {
      const {x, filter, bias, more}: Given = {x: new Float32Array(100), filter: new Float32Array(216), bias: new Float32Array(6), more: [], ...given};
      return [x, filter, bias, ...(more ?? [])];
    },
    outputs: [{dtype: 'float32', elems: 54}],
    params: {...valid, ...change},
    fails,
  });
const refusals: OpCase[] = [
  ...(['strideH', 'strideW', 'dilationH', 'dilationW'] as const).map((name) => refuses({[name]: 0}, /ERR_SHAPE.*at least 1/)),
  ...[{groups: 0}, {groups: 3}, {groups: 4}].map((change) => refuses(change, /ERR_SHAPE.*groups/)),
  ...[{inH: 6}, {outH: 4}, {xRow: 21}, {xRow: -15}, {batch: 2}].map((change) => refuses(change, /ERR_SHAPE.*reach/)),
  ...[{filterH: 4}, {inC: 3, outC: 9, yCol: 6}].map((change) => refuses(change, /ERR_SHAPE/)),
  refuses({filterH: 2 ** 31 - 1, filterW: 2 ** 31 - 1}, /ERR_SHAPE.*too large/),
  ...[{yCol: 0}, {yRow: 2}, {batch: 2, xBatch: 0, yBatch: 0}, {yCol: -6}].map((change) => refuses(change, /ERR_SHAPE.*(overlap|reach)/)),
  refuses({inC: 2 ** 31}, /ERR_SHAPE.*2\^31/),
  refuses({packedFilter: 1}, /ERR_INVALID_STEP.*layout/),
  refuses({packedFilter: 3, filterW: 2}, /ERR_SHAPE|ERR_UNSUPPORTED/, {filter: (runtime) => pack(runtime, new Float32Array(216), 9, 4, 6, 'winograd4F32')}),
  refuses({packedFilter: 4, strideW: 2}, /ERR_UNSUPPORTED.*3x3/, {filter: (runtime) => pack(runtime, new Float32Array(216), 9, 4, 6, 'winograd2F32')}),
  refuses({packedFilter: 3, dilationH: 2, outH: 1}, /ERR_UNSUPPORTED.*3x3/, {filter: (runtime) => pack(runtime, new Float32Array(216), 9, 4, 6, 'winograd4F32')}),
  refuses({packedFilter: 3}, /ERR_INVALID_STEP.*layout/, {filter: (runtime) => pack(runtime, new Float32Array(216), 9, 4, 6, 'winograd2F32')}),
  refuses({packedFilter: 77}, /ERR_INVALID_STEP.*layout/),
  refuses({}, /ERR_INVALID_STEP.*packed/, {filter: (runtime) => pack(runtime, new Float32Array(216), 9, 4, 6)}),
  refuses({packedFilter: 1, groups: 2}, /ERR_UNSUPPORTED.*groups/, {filter: (runtime) => pack(runtime, new Float32Array(216), 9, 4, 6)}),
  refuses({packedFilter: 1}, /ERR_SHAPE.*filter/, {filter: (runtime) => pack(runtime, new Float32Array(72), 3, 4, 6)}),
  refuses({}, /ERR_DTYPE/, {x: new Int32Array(100)}),
  refuses({}, /ERR_DTYPE/, {filter: new Int32Array(216)}),
  refuses({}, /ERR_DTYPE/, {bias: new Int32Array(6)}),
  refuses({}, /ERR_SHAPE.*bias/, {bias: new Float32Array(5)}),
  refuses({}, /ERR_INVALID_STEP.*missing/, {filter: undefined}),
  refuses({epilogue: [1, 1, 0, 0xffff, 32]}, /ERR_/),
  refuses({epilogueStrides: [1, 2, 3, 4]}, /ERR_/),
];

const validDepthwise: ParamValues<(typeof DepthwiseConv2D)['params']> = {...image({inC: 4, outC: 8, inH: 5, inW: 5}), multiplier: 2, epilogue: [], epilogueStrides: []};
const refusesDepthwise = (change: Partial<typeof validDepthwise>, fails: RegExp): OpCase =>
  opCase({
    name: `DepthwiseConv2D refuses ${nameOf(change)}`,
    op: DepthwiseConv2D,
    inputs: () => [new Float32Array(100), new Float32Array(72), new Float32Array(8)],
    outputs: [{dtype: 'float32', elems: 72}],
    params: {...validDepthwise, ...change},
    fails,
  });
const depthwiseRefusals: OpCase[] = [
  ...(['strideH', 'strideW', 'dilationH', 'dilationW'] as const).map((name) => refusesDepthwise({[name]: 0}, /ERR_SHAPE.*at least 1/)),
  ...[{multiplier: 0}, {multiplier: 1}, {outC: 4}, {multiplier: 2 ** 31}].map((change) => refusesDepthwise(change, /ERR_SHAPE.*channels/)),
  ...[{inH: 6}, {outH: 4}, {xRow: 21}, {xRow: -15}, {filterH: 4}, {filterH: 2 ** 31 - 1, filterW: 2 ** 31 - 1}].map((change) => refusesDepthwise(change, /ERR_SHAPE/)),
  ...[{yCol: 0}, {yRow: 2}, {yCol: -8}].map((change) => refusesDepthwise(change, /ERR_SHAPE.*(overlap|reach)/)),
];

export const cases: OpCase[] = [...convs, ...winograds, ...depthwises, ...expandDepthwises, ...refusals, ...depthwiseRefusals, ...expansionRefusals];
