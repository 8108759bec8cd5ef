/** Rows of Cumulative and TopK: every way, tails, ties, special values, and refusals. */
import {Cumulative, cumulativeKinds, TopK} from '../../../src/ops/reduction';
import {type OpCase, opCase} from '../harness';
import {anyInts, every, floats, huge, infinity, ints, listed, rowsOf, type Shape, type Source, sixFloats, sixFloatsOut, sizeOf, specials, unit, wholes} from './sources';

interface Scan {
  readonly kind: keyof typeof cumulativeKinds;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}
function scan({kind, exclusive, reverse}: Scan, shape: Shape, x: ArrayLike<number>, next: (a: number, b: number) => number): number[] {
  const [outer, length, inner] = shape;
  const y: number[] = new Array(sizeOf(shape)).fill(0);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let carry = kind === 'sum' ? 0 : 1;
      for (let r = 0; r < length; r++) {
        const at = (o * length + (reverse ? length - 1 - r : r)) * inner + i;
        const after = next(carry, x[at] as number);
        y[at] = exclusive ? carry : after;
        carry = after;
      }
    }
  }
  return y;
}
function cumulative(how: Scan, shape: Shape, source: Source, note = ''): OpCase {
  const {dtype} = source;
  const int = dtype === 'int32';
  return opCase({
    name: `Cumulative ${how.kind}${how.exclusive ? ', exclusive' : ''}${how.reverse ? ', reverse' : ''} of ${dtype} ${shape.join('x')}${note}`,
    op: Cumulative,
    inputs: () => [source.make(sizeOf(shape))],
    outputs: [{dtype, elems: sizeOf(shape)}],
    params: {...how, kind: cumulativeKinds[how.kind], outer: shape[0], length: shape[1], inner: shape[2]},
    expected: ([x]) => {
      if (int) return [scan(how, shape, x ?? [], how.kind === 'sum' ? (a, b) => (a + b) | 0 : Math.imul)];
      const result = scan(how, shape, x ?? [], how.kind === 'sum' ? (a, b) => a + b : (a, b) => a * b);
      // One rounding of every running value on the way, here against the largest magnitude.
      const magnitudes = scan(how, shape, Array.from(x ?? [], Math.abs), how.kind === 'sum' ? (a, b) => a + b : (a, b) => a * b);
      return [{values: result, bound: magnitudes.map((m) => shape[1] * unit * m)}];
    },
  });
}
const ways: readonly Scan[] = (['sum', 'product'] as const).flatMap((kind) =>
  [false, true].flatMap((exclusive) => [false, true].map((reverse) => ({kind, exclusive, reverse}))),
);
const scanShapes: readonly Shape[] = [
  [1, 1, 1], [2, 0, 3], [0, 2, 3], [3, 7, 1], [2, 16, 1], [2, 33, 1], [2, 100, 1], [3, 5, 3], [2, 20, 16], [2, 9, 37],
];
const cumulatives: OpCase[] = ways.flatMap((how) => [
  ...scanShapes.flatMap((shape) => [
    cumulative(how, shape, how.kind === 'sum' ? floats(-1, 1) : floats(0.7, 1.4)),
    cumulative(how, shape, anyInts, ', wrapping'),
  ]),
  cumulative(how, [1, 40, 1], listed((i) => (i === 20 ? Number.NaN : 1)), ' with NaN'),
  cumulative(how, [1, 40, 1], listed((i) => (i === 20 ? -infinity : 1)), ' with -infinity'),
  cumulative(how, [4, 60_000, 1], ints(-1000, 1000)),
  cumulative(how, [1, 1000, 200], ints(-1000, 1000)),
]);

function topK(rows: number, cols: number, k: number, source: Source, note = ''): OpCase {
  const {dtype} = source;
  return opCase({
    name: `TopK ${k} of ${dtype} ${rows}x${cols}${note}`,
    op: TopK,
    inputs: () => [source.make(rows * cols)],
    outputs: [{dtype, elems: rows * k}, {dtype: 'int32', elems: rows * k}],
    params: {rows, cols, k},
    expected: ([x]) => {
      const order = rowsOf(rows, cols, x ?? []).map((row) => {
        const below = (i: number, j: number) => {
          const [a, b] = [row[i] as number, row[j] as number];
          if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - j;
          return a === b ? i - j : b > a ? 1 : -1;
        };
        return Array.from(row.keys()).sort(below).slice(0, k);
      });
      return [order.flatMap((indices, r) => indices.map((i) => x?.[r * cols + i] as number)), order.flat()];
    },
  });
}
const topKs: OpCase[] = [
  ...([[0, 5, 2], [3, 5, 0], [1, 1, 1], [3, 7, 2], [2, 63, 5], [2, 64, 64], [3, 100, 99], [2, 1500, 3], [1, 5000, 700], [1, 9000, 9000]] as const)
    .flatMap(([rows, cols, k]) => [
      topK(rows, cols, k, floats(-1, 1)),
      topK(rows, cols, k, wholes(-3, 3), ', with ties'),
      topK(rows, cols, k, specials(0.2), ', special values'),
      topK(rows, cols, k, anyInts),
    ]),
  topK(1, 300_000, 10, floats(-1, 1)),
  topK(1, 300_000, 10, listed((i) => i), ', rising'),
  topK(1, 300_000, 2000, every(0), ', all equal'),
  topK(40, 3000, 20, floats(-1, 1)),
  topK(1, 3000, 20, every(Number.NaN), ' of NaN'),
];

const scanRefusals: OpCase[] = [
  ...([[7, 1, 1], [2, 4, 1], [huge, huge, huge], [huge, 1, 1], [1, huge, 1], [1, 1, huge], [huge, huge, 1]] as const).flatMap(([outer, length, inner]) => [
    opCase({name: `Cumulative refuses ${outer}x${length}x${inner}`, op: Cumulative, inputs: sixFloats, outputs: sixFloatsOut, params: {kind: 0, outer, length, inner, exclusive: false, reverse: false}, fails: /ERR_SHAPE/}),
  ]),
  opCase({name: `Cumulative refuses an unknown kind`, op: Cumulative, inputs: sixFloats, outputs: sixFloatsOut, params: {kind: 2, outer: 1, length: 6, inner: 1, exclusive: false, reverse: false}, fails: /ERR_INVALID_STEP/}),
  opCase({name: `Cumulative refuses bool`, op: Cumulative, inputs: () => [new Uint8Array(6)], outputs: [{dtype: 'bool', elems: 6}], params: {kind: 0, outer: 1, length: 6, inner: 1, exclusive: false, reverse: false}, fails: /ERR_DTYPE/}),
];
const topKRefusals: OpCase[] = [
  ...([[7, 1], [1, 7], [huge, 1], [1, huge], [huge, huge]] as const).flatMap(([rows, cols]) => [
    opCase({name: `TopK refuses ${rows}x${cols}`, op: TopK, inputs: sixFloats, outputs: [...sixFloatsOut, {dtype: 'int32', elems: 6}], params: {rows, cols, k: 1}, fails: /ERR_SHAPE/}),
  ]),
  opCase({name: `TopK refuses k beyond the row`, op: TopK, inputs: sixFloats, outputs: [...sixFloatsOut, {dtype: 'int32', elems: 6}], params: {rows: 1, cols: 3, k: 4}, fails: /ERR_SHAPE/}),
  opCase({name: `TopK refuses bool`, op: TopK, inputs: () => [new Uint8Array(6)], outputs: [{dtype: 'bool', elems: 6}, {dtype: 'int32', elems: 6}], params: {rows: 1, cols: 6, k: 6}, fails: /ERR_DTYPE/}),
];

export const cases: readonly OpCase[] = [...cumulatives, ...topKs, ...scanRefusals, ...topKRefusals];
