/** Rows of Reduce and ArgReduce: every kind and type, tails, strips, what threads share, and refusals. */
import {ArgReduce, argReduceKinds, Reduce, reduceKinds} from '../../../src/ops/reduction';
import type {NativeDType} from '../../../src/ops/schema';
import {type Expected, type OpCase, opCase} from '../harness';
import {
  anyInts, every, flags, floats, huge, infinity, ints, listed, type Shape, type Source, sixFloats, sixFloatsOut, sizeOf, specials, sum, these, unit, wholes,
} from './sources';

/** The columns along the middle axis, in the order of the results. */
function columns([outer, length, inner]: Shape, x: ArrayLike<number>): number[][] {
  const result: number[][] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      result.push(Array.from({length}, (_, r) => x[(o * length + r) * inner + i] as number));
    }
  }
  return result;
}

type ReduceKind = keyof typeof reduceKinds;
/** NaN as soon as there is one. */
const extreme = (better: (a: number, b: number) => boolean, first: number) => (c: readonly number[]) =>
  c.reduce((a, b) => (Number.isNaN(b) || better(b, a) ? b : a), first);
const folds: Record<ReduceKind, (c: readonly number[]) => number> = {
  sum,
  mean: (c) => sum(c) / c.length,
  product: (c) => c.reduce((a, b) => a * b, 1),
  max: extreme((a, b) => a > b, -infinity),
  min: extreme((a, b) => a < b, infinity),
  any: (c) => c.reduce((a, b) => a | b, 0),
  all: (c) => c.reduce((a, b) => a & b, 1),
};
const intFolds: Partial<Record<ReduceKind, (c: readonly number[]) => number>> = {
  sum: (c) => c.reduce((a, b) => (a + b) | 0, 0),
  product: (c) => c.reduce((a, b) => Math.imul(a, b), 1),
  max: extreme((a, b) => a > b, -(2 ** 31)),
  min: extreme((a, b) => a < b, 2 ** 31 - 1),
};

/** Blocks of at most 128 terms, in chains of at most 17, and a tree: an element takes part in so many additions. */
const additions = (length: number): number => 24 + Math.ceil(Math.log2(length + 1));

function expectedOf(kind: ReduceKind, dtype: NativeDType, shape: Shape, x: ArrayLike<number>): Expected {
  const cols = columns(shape, x);
  if (dtype !== 'float32') return cols.map((dtype === 'int32' ? intFolds[kind] : folds[kind]) ?? folds[kind]);
  const values = cols.map(folds[kind]);
  if (kind === 'max' || kind === 'min') return values;
  if (kind === 'product') return {values, bound: values.map((v) => shape[1] * unit * Math.abs(v))};
  const bound = cols.map((c, i) => {
    const magnitude = additions(shape[1]) * unit * sum(c.map(Math.abs));
    return kind === 'sum' ? magnitude : magnitude / c.length + 2 * unit * Math.abs(values[i] as number);
  });
  return {values, bound};
}

function reduce(kind: ReduceKind, shape: Shape, source: Source, note = ''): OpCase {
  const {dtype} = source;
  return opCase({
    name: `Reduce ${kind} of ${dtype} ${shape.join('x')}${note}`,
    op: Reduce,
    inputs: () => [source.make(sizeOf(shape))],
    outputs: [{dtype, elems: shape[0] * shape[2]}],
    params: {kind: reduceKinds[kind], outer: shape[0], reduce: shape[1], inner: shape[2]},
    expected: ([x]) => [expectedOf(kind, dtype, shape, x ?? [])],
  });
}

/** Rows and columns shorter than, equal to and longer than vectors (4 to 64 lanes), blocks (128 rows) and strips (4096 bytes). */
const shapes: readonly Shape[] = [
  [1, 1, 1], [3, 0, 2], [0, 3, 2], [2, 3, 0], [5, 2, 1], [4, 15, 1], [4, 16, 1], [3, 17, 1], [3, 33, 1], [2, 63, 1], [2, 65, 1], [3, 131, 1],
  [2, 1000, 1], [1, 2049, 1], [1, 4199, 1], [4, 5, 3], [2, 70, 3], [2, 200, 7], [1, 131, 15], [2, 9, 16], [2, 16, 17], [3, 7, 31],
  [1, 129, 64], [2, 300, 65], [1, 5, 1025], [1, 140, 1100], [2, 3, 4160],
];
/** Long enough for threads to share: rows, columns, strips of columns, and the axis itself. */
const largeShapes: readonly Shape[] = [[160, 1500, 1], [1, 240_001, 1], [3, 80_000, 1], [1, 12_001, 20], [1, 100, 2500], [50, 60, 80]];

const reductions: OpCase[] = [
  ...shapes.flatMap((shape) => [
    reduce('sum', shape, floats(-1, 1)),
    reduce('mean', shape, floats(0, 100)),
    reduce('max', shape, floats(-1, 1)),
    reduce('min', shape, specials(), ', special values'),
    reduce('max', shape, specials(), ', special values'),
    reduce('sum', shape, anyInts, ', wrapping'),
    reduce('product', shape, anyInts, ', wrapping'),
    reduce('max', shape, anyInts),
    reduce('min', shape, anyInts),
    reduce('any', shape, flags(0.02)),
    reduce('all', shape, flags(0.98)),
  ]),
  ...shapes.filter(([, length]) => length <= 150).map((shape) => reduce('product', shape, floats(0.5, 1.5))),
  ...largeShapes.flatMap((shape) => [
    reduce('sum', shape, floats(-1, 1)),
    reduce('mean', shape, floats(0, 1)),
    reduce('max', shape, specials(1e-6)),
    reduce('sum', shape, ints(-1000, 1000)),
  ]),
  reduce('any', [1, 700_000, 1], flags(1e-6)),
  reduce('all', [1, 7000, 100], flags(1 - 1e-4)),
  reduce('sum', [1, 4, 1], these(-0, -0, -0, -0), ', of -0'),
  reduce('sum', [1, 3, 1], these(infinity, 1, -infinity), ', of opposite infinities'),
  reduce('product', [1, 2, 1], these(infinity, 0), ', of infinity and 0'),
  reduce('max', [1, 40, 1], every(Number.NaN), ', of NaN'),
  reduce('max', [1, 40, 1], every(-infinity), ', of -infinity'),
  opCase({
    name: 'Reduce any and all take every byte but 0 for true',
    op: Reduce,
    inputs: () => [Uint8Array.of(0, 4, 2, 255, 128)],
    outputs: [{dtype: 'bool', elems: 5}],
    params: {kind: reduceKinds.all, outer: 5, reduce: 1, inner: 1},
    expected: () => [[0, 1, 1, 1, 1]],
  }),
];

/** A long sum of equal terms, whose error in a chain of additions would be thousands of ulp. */
const longSum = opCase({
  name: 'Reduce sum of 4 million tenths is right to 4 ulp',
  op: Reduce,
  inputs: () => [new Float32Array(1 << 22).fill(0.1)],
  outputs: [{dtype: 'float32', elems: 1}],
  params: {kind: reduceKinds.sum, outer: 1, reduce: 1 << 22, inner: 1},
  expected: () => [[Math.fround(0.1) * 2 ** 22]],
  tolerance: {ulp: 4},
});

type ArgKind = keyof typeof argReduceKinds;
function argReduce(kind: ArgKind, shape: Shape, source: Source, note = ''): OpCase {
  const sign = kind === 'max' ? 1 : -1;
  const beats = (a: number, b: number) => sign * a > sign * b || (Number.isNaN(b) && !Number.isNaN(a));
  return opCase({
    name: `ArgReduce ${kind} of ${source.dtype} ${shape.join('x')}${note}`,
    op: ArgReduce,
    inputs: () => [source.make(sizeOf(shape))],
    outputs: [{dtype: 'int32', elems: shape[0] * shape[2]}],
    params: {kind: argReduceKinds[kind], outer: shape[0], reduce: shape[1], inner: shape[2]},
    expected: ([x]) => [columns(shape, x ?? []).map((c) => c.reduce((at, v, r) => (beats(v, c[at] as number) ? r : at), 0))],
  });
}
const argReductions: OpCase[] = [
  ...shapes
    .filter((shape) => shape[1] > 0)
    .flatMap((shape) =>
      (['max', 'min'] as const).flatMap((kind) => [
        argReduce(kind, shape, specials(), ', special values'),
        argReduce(kind, shape, wholes(-3, 3), ', with ties'),
        argReduce(kind, shape, anyInts),
        argReduce(kind, shape, flags(kind === 'max' ? 0.02 : 0.98)),
      ]),
    ),
  ...largeShapes.flatMap((shape) => [
    argReduce('max', shape, floats(-1, 1)),
    argReduce('min', shape, wholes(-300, 300), ', with ties'),
    argReduce('min', shape, ints(-1000, 1000)),
    argReduce('max', shape, flags(1e-5)),
  ]),
  argReduce('max', [1, 40, 1], every(Number.NaN), ', of NaN'),
  argReduce('max', [1, 2, 20], listed((i) => (i < 20 ? Number.NaN : -infinity)), ', of NaN and -infinity'),
  ...[1000, 5001].flatMap((n) => [
    argReduce('max', [3, n, 1], every(Number.NaN), ', of NaN'),
    argReduce('max', [1, n, 1], listed((i) => (i < n - 1 ? Number.NaN : -infinity)), ', of NaN and a last -infinity'),
    argReduce('min', [1, n, 1], listed((i) => (i % 7 === 3 ? Number.NaN : i < n - 20 ? infinity : 5)), ', with the least at the end'),
    argReduce('max', [1, n, 1], every(-infinity), ', of -infinity'),
  ]),
  argReduce('min', [1, 50, 1], listed((i) => (i < 30 ? -0 : 0)), ', of zeros'),
  opCase({
    name: 'ArgReduce refuses an empty axis',
    op: ArgReduce, inputs: () => [new Float32Array(0)], outputs: [{dtype: 'int32', elems: 2}],
    params: {kind: 0, outer: 2, reduce: 0, inner: 1}, fails: /ERR_SHAPE.*size 0/,
  }),
];

const refusals: OpCase[] = [
  ...([[7, 1, 1], [2, 4, 1], [huge, huge, huge], [huge, 1, 1], [1, huge, 1], [1, 1, huge], [huge, huge, 1]] as const).flatMap(([outer, length, inner]) => [
    opCase({name: `Reduce refuses ${outer}x${length}x${inner}`, op: Reduce, inputs: sixFloats, outputs: sixFloatsOut, params: {kind: 0, outer, reduce: length, inner}, fails: /ERR_SHAPE/}),
    opCase({name: `ArgReduce refuses ${outer}x${length}x${inner}`, op: ArgReduce, inputs: sixFloats, outputs: [{dtype: 'int32', elems: 6}], params: {kind: 0, outer, reduce: length, inner}, fails: /ERR_SHAPE/}),
  ]),
  opCase({name: `Reduce refuses any of float32`, op: Reduce, inputs: sixFloats, outputs: sixFloatsOut, params: {kind: reduceKinds.any, outer: 1, reduce: 6, inner: 1}, fails: /ERR_DTYPE/}),
  opCase({name: `Reduce refuses mean of int32`, op: Reduce, inputs: () => [new Int32Array(6)], outputs: [{dtype: 'int32', elems: 1}], params: {kind: reduceKinds.mean, outer: 1, reduce: 6, inner: 1}, fails: /ERR_DTYPE/}),
  opCase({name: `Reduce refuses a result of another type`, op: Reduce, inputs: sixFloats, outputs: [{dtype: 'int32', elems: 1}], params: {kind: 0, outer: 1, reduce: 6, inner: 1}, fails: /ERR_DTYPE/}),
  opCase({name: `Reduce refuses a missing operand`, op: Reduce, inputs: () => [undefined], outputs: sixFloatsOut, params: {kind: 0, outer: 1, reduce: 6, inner: 1}, fails: /ERR_INVALID_STEP/}),
  opCase({name: `Reduce refuses an unknown kind`, op: Reduce, inputs: sixFloats, outputs: sixFloatsOut, params: {kind: 7, outer: 1, reduce: 6, inner: 1}, fails: /ERR_INVALID_STEP/}),
  opCase({name: `ArgReduce refuses an unknown kind`, op: ArgReduce, inputs: sixFloats, outputs: [{dtype: 'int32', elems: 1}], params: {kind: huge, outer: 1, reduce: 6, inner: 1}, fails: /ERR_INVALID_STEP/}),
];

export const cases: readonly OpCase[] = [...reductions, longSum, ...argReductions, ...refusals];
