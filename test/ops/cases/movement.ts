/** Rows of the ops that move elements: exact, whatever the type. */
import {floatBits} from '../../../src/ops/bits';
import {rowMajorStrides, sizeOf} from '../../../src/ops/geometry';
import {Concat, Diag, Fill, Gather, GatherNd, OneHot, Pad, padModes, Ramp, StridedCopy} from '../../../src/ops/movement';
import type {NativeDType} from '../../../src/ops/schema';
import {integers, type OpCase, opCase, uniform, type Values} from '../harness';

const infinity = Number.POSITIVE_INFINITY;
const types = ['float32', 'int32', 'bool'] as const;
type Type = (typeof types)[number];
/** Distinct values where the type has enough. */
function counting(type: Type, n: number): Values {
  if (type === 'float32') return Float32Array.from({length: n}, (_, i) => i - 0.5);
  if (type === 'int32') return Int32Array.from({length: n}, (_, i) => 7 * i - 100);
  return Uint8Array.from({length: n}, (_, i) => (i * i) % 251);
}
const output = (dtype: NativeDType, elems: number) => [{dtype, elems}];

/** Offsets of all indices of a walk, in its order. */
function offsets(shape: readonly number[], strides: readonly number[], from: number): number[] {
  let all = [from];
  shape.forEach((size, axis) => {
    all = all.flatMap((at) => Array.from({length: size}, (_, i) => at + i * (strides[axis] as number)));
  });
  return all;
}

interface Copy {
  readonly shape: readonly number[];
  readonly src: readonly number[];
  readonly dst?: readonly number[];
  readonly from?: number;
  readonly elems: number;
}
function copies(name: string, {shape, src, dst = rowMajorStrides(shape), from = 0, elems}: Copy): OpCase[] {
  return types.map((type) =>
    opCase({
      name: `StridedCopy ${name}, ${type}`,
      op: StridedCopy,
      inputs: () => [{values: counting(type, elems), from}],
      outputs: output(type, sizeOf(shape)),
      params: {shape, srcStrides: src, dstStrides: dst},
      expected: ([x]) => {
        const result = new Array<number>(sizeOf(shape));
        const to = offsets(shape, dst, 0);
        offsets(shape, src, from).forEach((at, i) => {
          result[to[i] as number] = x?.[at] as number;
        });
        return [result];
      },
    }),
  );
}
/** The tensor `shape` with its axes in the order `perm`. */
function transposed(shape: readonly number[], perm: readonly number[]): OpCase[] {
  const strides = rowMajorStrides(shape);
  const pick = (list: readonly number[]) => perm.map((axis) => list[axis] as number);
  return copies(`[${shape}] to axes ${perm}`, {shape: pick(shape), src: pick(strides), elems: sizeOf(shape)});
}
const stridedCopies: readonly OpCase[] = [
  ...transposed([5, 7], [1, 0]),
  ...transposed([64, 64], [1, 0]),
  ...transposed([131, 70], [1, 0]),
  ...transposed([600, 401], [1, 0]),
  ...transposed([3, 33, 17], [0, 2, 1]),
  ...transposed([9, 10, 3], [2, 0, 1]),
  ...transposed([3, 9, 10], [1, 2, 0]),
  ...transposed([2, 30, 4, 32], [0, 2, 1, 3]),
  ...transposed([2, 30, 4, 32], [0, 2, 3, 1]),
  ...transposed([20, 30, 2], [1, 0, 2]),
  ...transposed([20, 30, 4], [1, 0, 2]),
  ...transposed([20, 30, 3], [1, 0, 2]),
  ...transposed([6, 5, 4, 3, 2], [4, 3, 2, 1, 0]),
  ...transposed([2, 2, 2, 2, 2, 2, 2, 3], [7, 0, 6, 1, 5, 2, 4, 3]),
  ...copies('dense', {shape: [1000], src: [1], elems: 1000}),
  ...copies('one element', {shape: [], src: [], elems: 1}),
  ...copies('no element', {shape: [4, 0], src: [1, 1], elems: 0}),
  ...copies('slice', {shape: [30, 20], src: [50, 1], from: 7, elems: 1600}),
  ...copies('every third', {shape: [30, 20], src: [60, 3], elems: 1800}),
  ...copies('reversed', {shape: [30, 20], src: [-20, -1], from: 599, elems: 600}),
  ...copies('reversed rows', {shape: [300, 200], src: [-200, 1], from: 59_800, elems: 60_000}),
  ...copies('reversed pixels of 16', {shape: [9, 11, 16], src: [176, -16, 1], from: 160, elems: 1584}),
  ...copies('reversed pixels of 8', {shape: [9, 11, 8], src: [88, -8, 1], from: 80, elems: 792}),
  ...copies('reversed pixels of 64', {shape: [9, 11, 64], src: [704, -64, 1], from: 640, elems: 6336}),
  // Units begin where their tensor's elements do, which is no multiple of a vector.
  ...copies('transposed pixels of 8, one element on', {shape: [3, 11, 8], src: [8, 24, 1], from: 1, elems: 265}),
  ...copies('transposed pixels of 16, one element on', {shape: [3, 11, 16], src: [16, 48, 1], from: 1, elems: 529}),
  ...copies('repeated pixels of 16', {shape: [9, 11, 16], src: [16, 0, 1], elems: 144}),
  ...copies('tiled', {shape: [5, 30, 3, 20], src: [0, 20, 0, 1], elems: 600}),
  ...copies('broadcast over the last axis', {shape: [700, 90], src: [1, 0], elems: 700}),
  ...copies('broadcast scalar', {shape: [70_000], src: [0], elems: 1}),
  ...copies('written transposed', {shape: [40, 50], src: [50, 1], dst: [1, 40], elems: 2000}),
  opCase({
    name: 'StridedCopy beyond its source', op: StridedCopy, inputs: () => [new Float32Array(5)], outputs: output('float32', 6),
    params: {shape: [2, 3], srcStrides: [3, 1], dstStrides: [3, 1]}, fails: /ERR_SHAPE.*src/,
  }),
  opCase({
    name: 'StridedCopy beyond its destination', op: StridedCopy, inputs: () => [new Float32Array(6)], outputs: output('float32', 5),
    params: {shape: [2, 3], srcStrides: [3, 1], dstStrides: [3, 1]}, fails: /ERR_SHAPE.*dst/,
  }),
  opCase({
    name: 'StridedCopy of another type', op: StridedCopy, inputs: () => [new Float32Array(6)], outputs: output('int32', 6),
    params: {shape: [6], srcStrides: [1], dstStrides: [1]}, fails: /ERR_DTYPE/,
  }),
  opCase({
    name: 'StridedCopy to one place many times', op: StridedCopy, inputs: () => [new Float32Array(6)], outputs: output('float32', 6),
    params: {shape: [65_536, 65_536, 65_536, 65_536], srcStrides: [0, 0, 0, 0], dstStrides: [0, 0, 0, 0]}, fails: /ERR_SHAPE.*more indices/,
  }),
];

function concats(outer: number, inner: readonly number[]): OpCase[] {
  const width = inner.reduce((a, b) => a + b, 0);
  return types.map((type) =>
    opCase({
      name: `Concat ${outer} rows of ${inner.join(' + ')}, ${type}`,
      op: Concat,
      inputs: () => inner.map((size) => counting(type, outer * size)),
      outputs: output(type, outer * width),
      params: {outer, inner},
      expected: (inputs) => [
        Array.from({length: outer}, (_, row) => inputs.flatMap((x, j) => Array.from(x).slice(row * (inner[j] as number), (row + 1) * (inner[j] as number)))).flat(),
      ],
    }),
  );
}
const concatenations: readonly OpCase[] = [
  ...concats(1, [3]),
  ...concats(1, [30_000, 1, 70_001]),
  ...concats(700, [3, 0, 4, 1]),
  ...concats(300, [64, 65, 200]),
  ...concats(0, [3, 4]),
  ...concats(4, [0, 0]),
  opCase({name: 'Concat with a size missing', op: Concat, inputs: () => [new Float32Array(1), new Float32Array(1)], outputs: output('float32', 2), params: {outer: 1, inner: [1]}, fails: /ERR_INVALID_STEP/}),
  opCase({name: 'Concat of two types', op: Concat, inputs: () => [new Float32Array(1), new Int32Array(1)], outputs: output('float32', 2), params: {outer: 1, inner: [1, 1]}, fails: /ERR_DTYPE/}),
  opCase({name: 'Concat beyond an input', op: Concat, inputs: () => [new Float32Array(1), new Float32Array(1)], outputs: output('float32', 3), params: {outer: 1, inner: [1, 2]}, fails: /ERR_SHAPE/}),
  opCase({name: 'Concat beyond its output', op: Concat, inputs: () => [new Float32Array(1), new Float32Array(1)], outputs: output('float32', 1), params: {outer: 1, inner: [1, 1]}, fails: /ERR_SHAPE.*output/}),
  opCase({name: 'Concat of a negative size', op: Concat, inputs: () => [new Float32Array(1), new Float32Array(1)], outputs: output('float32', 1), params: {outer: 1, inner: [2, -1]}, fails: /ERR_SHAPE/}),
];

type Mode = keyof typeof padModes;
function padded(mode: Mode, shape: readonly number[], before: readonly number[], after: readonly number[]): OpCase[] {
  const out = shape.map((size, axis) => (before[axis] as number) + size + (after[axis] as number));
  const source = (index: number, axis: number): number => {
    const [at, size] = [index - (before[axis] as number), shape[axis] as number];
    if (at >= 0 && at < size) return at;
    if (mode === 'constant') return Number.NaN;
    return at < 0 ? (mode === 'reflect' ? -at : -at - 1) : mode === 'reflect' ? 2 * size - 2 - at : 2 * size - 1 - at;
  };
  const strides = rowMajorStrides(shape);
  const filler = {float32: floatBits(-2.5), int32: -7, bool: 1};
  const fillers = {float32: -2.5, int32: -7, bool: 1};
  return types.map((type) =>
    opCase({
      name: `Pad ${mode} [${shape}] by [${before}] and [${after}], ${type}`,
      op: Pad,
      inputs: () => [counting(type, sizeOf(shape))],
      outputs: output(type, sizeOf(out)),
      params: {mode: padModes[mode], value: filler[type], shape, before, after},
      expected: ([x]) => {
        let from = [0];
        out.forEach((size, axis) => {
          from = from.flatMap((at) => Array.from({length: size}, (_, i) => at + source(i, axis) * (strides[axis] as number)));
        });
        return [from.map((at) => (Number.isNaN(at) ? fillers[type] : (x?.[at] as number)))];
      },
    }),
  );
}
const pad = (mode: number, shape: readonly number[], before: readonly number[], after: readonly number[], fails: RegExp): OpCase =>
  opCase({name: `Pad refuses mode ${mode}, [${shape}], [${before}], [${after}]`, op: Pad, inputs: () => [new Float32Array(4)], outputs: output('float32', 64), params: {mode, value: 0, shape, before, after}, fails});
const pads: readonly OpCase[] = [
  ...(['constant', 'reflect', 'symmetric'] as const).flatMap((mode) => [
    ...padded(mode, [9], [3], [2]),
    ...padded(mode, [4, 5], [1, 2], [3, 0]),
    ...padded(mode, [2, 6, 7, 3], [0, 1, 2, 0], [0, 1, 3, 0]),
    ...padded(mode, [70, 90, 8], [3, 3, 0], [3, 3, 0]),
    ...padded(mode, [3, 4], [0, 0], [0, 0]),
    ...padded(mode, [3, 0], [1, 0], [1, 0]),
    ...padded(mode, [], [], []),
  ]),
  ...padded('constant', [0, 2], [2, 1], [1, 1]),
  ...padded('symmetric', [2, 2], [2, 2], [2, 2]),
  pad(0, [2, 2], [-1, 0], [0, 0], /ERR_SHAPE/),
  pad(1, [2, 2], [2, 0], [0, 0], /ERR_SHAPE.*not possible/),
  pad(2, [2, 2], [0, 0], [0, 3], /ERR_SHAPE.*not possible/),
  pad(1, [0], [0], [1], /ERR_SHAPE/),
  pad(3, [2, 2], [0, 0], [0, 0], /ERR_INVALID_STEP/),
  pad(0, [2, 2], [0], [0, 0], /ERR_INVALID_STEP/),
  pad(0, [2, 2], [9, 9], [9, 9], /ERR_SHAPE.*output/),
  pad(0, [2, 3], [0, 0], [0, 0], /ERR_SHAPE/),
  pad(0, [2, 2, 1, 1, 1, 1, 1, 1], new Array(8).fill(2 ** 31 - 1), new Array(8).fill(2 ** 31 - 1), /ERR_SHAPE.*larger/),
];

const fill = (dtype: NativeDType, count: number, bits: number, value: number): OpCase =>
  opCase({name: `Fill ${count} of ${dtype}`, op: Fill, inputs: () => [], outputs: output(dtype, count), params: {count, value: bits}, expected: () => [new Array(count).fill(value)]});
const fills: readonly OpCase[] = [
  fill('float32', 1001, floatBits(0.1), Math.fround(0.1)),
  fill('float32', 0, 0, 0),
  fill('float32', 200_003, floatBits(Number.NaN), Number.NaN),
  fill('int32', 17, -3, -3),
  fill('bool', 100_001, 1, 1),
  fill('int32', 70_001, 0x01010101, 0x01010101),
  fill('int32', 70_001, 0x01010102, 0x01010102),
  fill('float32', 5000, floatBits(-0), -0),
  fill('bfloat16', 33, 0x3f80, 1),
  fill('bfloat16', 9001, 0x3f80, 1),
  opCase({name: 'Fill beyond its output', op: Fill, inputs: () => [], outputs: output('int32', 3), params: {count: 4, value: 0}, fails: /ERR_SHAPE/}),
];

function ramp(dtype: 'float32' | 'int32', count: number, start: number, step: number): OpCase {
  const at = (i: number) => (i === 0 ? start : start + i * step);
  return opCase({
    name: `Ramp of ${count} ${dtype} from ${start} by ${step}`,
    op: Ramp,
    inputs: () => [],
    outputs: output(dtype, count),
    params: {count, start, step},
    expected: () => {
      const values = Array.from({length: count}, (_, i) => at(i));
      return [dtype === 'int32' ? Int32Array.from(values) : values];
    },
    // start + i · step may be rounded once or twice in double precision.
    ...(dtype === 'float32' ? {tolerance: {ulp: 1}} : {}),
  });
}
const ramps: readonly OpCase[] = [
  ...[0, 1, 2, 3, 5, 8, 17, 65].map((count) => ramp('float32', count, -1.3, 0.1)),
  ramp('float32', 200_003, 0, 1 / 200_002),
  ramp('float32', 70_001, 16_777_217, -1),
  ramp('float32', 4, 5, infinity),
  ramp('float32', 1, 5, Number.NaN),
  ramp('float32', 3, Number.NaN, 1),
  ramp('int32', 70_001, 2 ** 31 - 70_001, 1),
  ramp('int32', 1001, 10, -0.3),
  ramp('int32', 5, 2 ** 31 - 2, 1),
  ramp('int32', 5, 2 ** 70, 2 ** 20),
  ramp('int32', 2, 2 ** 53 - 1, -(2 ** 33)),
  ramp('int32', 3, -infinity, 1),
  opCase({name: 'Ramp beyond its output', op: Ramp, inputs: () => [], outputs: output('int32', 3), params: {count: 4, start: 0, step: 1}, fails: /ERR_SHAPE/}),
  opCase({name: 'Ramp of bool', op: Ramp, inputs: () => [], outputs: output('bool', 3), params: {count: 3, start: 0, step: 1}, fails: /ERR_DTYPE/}),
];

const diag = (type: Type, count: number): OpCase =>
  opCase({
    name: `Diag ${count} of ${type}`, op: Diag, inputs: () => [counting(type, count)], outputs: output(type, count * count), params: {count},
    expected: ([x]) => [Array.from({length: count * count}, (_, i) => (i % (count + 1) === 0 ? (x?.[i / (count + 1)] as number) : 0))],
  });
const diags: readonly OpCase[] = [
  ...types.flatMap((type) => [0, 1, 2, 3, 33, 700].map((count) => diag(type, count))),
  opCase({name: 'Diag beyond its source', op: Diag, inputs: () => [new Float32Array(2)], outputs: output('float32', 9), params: {count: 3}, fails: /ERR_SHAPE.*Diag x/}),
  opCase({name: 'Diag beyond its output', op: Diag, inputs: () => [new Float32Array(3)], outputs: output('float32', 8), params: {count: 3}, fails: /ERR_SHAPE.*output/}),
  opCase({name: 'Diag of another type', op: Diag, inputs: () => [new Float32Array(3)], outputs: output('int32', 9), params: {count: 3}, fails: /ERR_DTYPE/}),
];

interface GatherSizes {
  readonly batch: number;
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
  readonly count: number;
}
function gathers(sizes: GatherSizes): OpCase[] {
  const {batch, outer, axis, inner, count} = sizes;
  return types.map((type) =>
    opCase({
      name: `Gather ${count} of ${axis}, ${batch} x ${outer} x ${inner}, ${type}`,
      op: Gather,
      inputs: () => [counting(type, batch * outer * axis * inner), integers([0, axis - 1], batch * count)],
      outputs: output(type, batch * outer * count * inner),
      params: {batch, outer, axis, inner, count},
      expected: ([table, indices]) => [
        Array.from({length: batch * outer * count * inner}, (_, at) => {
          const [j, i, slice] = [at % inner, Math.floor(at / inner) % count, Math.floor(at / inner / count)];
          const index = indices?.[Math.floor(slice / outer) * count + i] as number;
          return table?.[(slice * axis + index) * inner + j] as number;
        }),
      ],
    }),
  );
}
const gatherOf = (name: string, indices: Int32Array, sizes: GatherSizes, fails: RegExp): OpCase =>
  opCase({name: `Gather ${name}`, op: Gather, inputs: () => [new Float32Array(12), indices], outputs: output('float32', 12), params: {...sizes}, fails});
const plain = {batch: 1, outer: 1, axis: 4, inner: 3, count: 3};
const gatherRows: readonly OpCase[] = [
  ...[1, 2, 3, 4, 8, 16, 17, 64].flatMap((inner) => gathers({batch: 1, outer: 1, axis: 50, inner, count: 33})),
  ...gathers({batch: 3, outer: 4, axis: 5, inner: 6, count: 7}),
  ...gathers({batch: 2, outer: 300, axis: 9, inner: 1, count: 40}),
  ...gathers({batch: 1, outer: 1, axis: 1000, inner: 48, count: 3000}),
  ...gathers({batch: 1, outer: 2, axis: 3, inner: 4, count: 0}),
  ...gathers({batch: 0, outer: 2, axis: 3, inner: 4, count: 5}),
  ...gathers({batch: 1, outer: 2, axis: 3, inner: 0, count: 5}),
  gatherOf('index 4 of 4', Int32Array.of(0, 4, 1), plain, /ERR_INDEX.*index value 4 is not in \[0, 3\] .*position 1/),
  gatherOf('index -1', Int32Array.of(0, 3, -1), plain, /ERR_INDEX.*index value -1 is not in \[0, 3\] .*position 2/),
  gatherOf('of an axis of size 0', Int32Array.of(0, 0, 0), {...plain, axis: 0}, /ERR_INDEX.*is not in \[0, -1\]/),
  gatherOf('with too few indices', Int32Array.of(0, 0), plain, /ERR_SHAPE.*indices/),
  gatherOf('of too small a table', Int32Array.of(0, 0, 0), {...plain, axis: 5}, /ERR_SHAPE.*table/),
  gatherOf('with sizes that overflow', Int32Array.of(0, 0, 0), {batch: -1, outer: -1, axis: -1, inner: -1, count: -1}, /ERR_SHAPE.*larger/),
];

function gatherNds(dims: readonly number[], inner: number, slices: number): OpCase {
  const indices = () => Int32Array.from({length: slices * dims.length}, (_, i) => (i * 31 + 7 * Math.floor(i / 5)) % (dims[i % dims.length] as number));
  return opCase({
    name: `GatherNd ${slices} of [${dims}] x ${inner}`,
    op: GatherNd,
    inputs: () => [uniform([0, 1], sizeOf(dims) * inner), indices()],
    outputs: output('float32', slices * inner),
    params: {slices, inner, dims},
    expected: ([table, index]) => [
      Array.from({length: slices * inner}, (_, at) => {
        const s = Math.floor(at / inner);
        const row = dims.reduce((sum, size, d) => sum * size + (index?.[s * dims.length + d] as number), 0);
        return table?.[row * inner + (at % inner)] as number;
      }),
    ],
  });
}
const gatherNdOf = (name: string, indices: Int32Array, params: {slices: number; inner: number; dims: readonly number[]}, fails: RegExp): OpCase =>
  opCase({name: `GatherNd ${name}`, op: GatherNd, inputs: () => [new Float32Array(12), indices], outputs: output('float32', 12), params, fails});
const gatherNdRows: readonly OpCase[] = [
  gatherNds([5, 6, 7], 1, 100),
  gatherNds([5, 6], 9, 5000),
  gatherNds([], 4, 3),
  gatherNds([3, 4], 5, 0),
  gatherNdOf('index 3 of 3', Int32Array.of(0, 1, 3, 0), {slices: 2, inner: 1, dims: [3, 4]}, /ERR_INDEX.*index value 3 is not in \[0, 2\] .*position 2/),
  gatherNdOf('index -1', Int32Array.of(0, -1), {slices: 1, inner: 1, dims: [3, 4]}, /ERR_INDEX.*index value -1/),
  gatherNdOf('with a negative size', Int32Array.of(0, 0), {slices: 1, inner: 1, dims: [3, -4]}, /ERR_SHAPE/),
  gatherNdOf('of nine axes', new Int32Array(9), {slices: 1, inner: 1, dims: new Array(9).fill(1)}, /ERR_INVALID_STEP/),
];

function oneHot(dtype: NativeDType, indices: readonly number[], depth: number, [on, off]: readonly [number, number], bits: readonly [number, number]): OpCase {
  return opCase({
    name: `OneHot ${indices.length} x ${depth}, ${dtype}`, op: OneHot, inputs: () => [Int32Array.from(indices)], outputs: output(dtype, indices.length * depth),
    params: {count: indices.length, depth, on: bits[0], off: bits[1]},
    expected: () => [indices.flatMap((index) => Array.from({length: depth}, (_, j) => (j === index ? on : off)))],
  });
}
const oneHots: readonly OpCase[] = [
  oneHot('float32', [0, 2, -1, 5, 4], 5, [1, 0], [floatBits(1), floatBits(0)]),
  oneHot('int32', [1, 0], 2, [7, -7], [7, -7]),
  oneHot('bool', [1, 0], 3, [1, 0], [1, 0]),
  oneHot('float32', [], 3, [1, 0], [0, 0]),
  oneHot('float32', [1, 2], 0, [1, 0], [0, 0]),
  oneHot('float32', Array.from({length: 500}, (_, i) => i % 200), 200, [2, 3], [floatBits(2), floatBits(3)]),
];

export const cases: readonly OpCase[] = [...stridedCopies, ...concatenations, ...pads, ...fills, ...ramps, ...diags, ...gatherRows, ...gatherNdRows, ...oneHots];
