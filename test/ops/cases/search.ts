/** Rows of SearchSorted, Unique, NonMaxSuppression and BroadcastArgs. tfjs-core's own non-max suppression is the specification. */
import {kernel_impls} from '@tensorflow/tfjs-core';
import {BroadcastArgs, NonMaxSuppression, SearchSorted, Unique} from '../../../src/ops/search';
import {integers, type OpCase, opCase, random, uniform, type Values} from '../harness';
import {huge} from './sources';

function searchSorted(rows: number, cols: number, values: number, right: boolean, dtype: 'float32' | 'int32' = 'float32'): OpCase {
  const sorted = (): Values => {
    const all = integers([-9, 9], rows * cols, 3);
    for (let r = 0; r < rows; r++) all.subarray(r * cols, (r + 1) * cols).sort();
    return dtype === 'int32' ? all : Float32Array.from(all);
  };
  const sought = (): Values => (dtype === 'int32' ? integers([-11, 11], rows * values, 4) : uniform([-11, 11], rows * values, 4).map(Math.round));
  return opCase({
    name: `SearchSorted ${rows}x${values} in ${cols} ${dtype}${right ? ', right' : ''}`,
    op: SearchSorted,
    inputs: () => [sorted(), sought()],
    outputs: [{dtype: 'int32', elems: rows * values}],
    params: {rows, cols, values, right},
    expected: ([inOrder = [], x = []]) => [
      Array.from({length: rows * values}, (_, i) => {
        const row = Array.from(inOrder).slice(Math.floor(i / values) * cols, (Math.floor(i / values) + 1) * cols);
        return row.filter((y) => (right ? y <= (x[i] as number) : y < (x[i] as number))).length;
      }),
    ],
  });
}

function unique(rows: number, cols: number, make: (elems: number) => Values): OpCase {
  const sample = make(1);
  const dtype = sample instanceof Float32Array ? 'float32' : sample instanceof Int32Array ? 'int32' : 'bool';
  return opCase({
    name: `Unique ${rows}x${cols} ${dtype}`,
    op: Unique,
    inputs: () => [make(rows * cols)],
    outputs: [
      {dtype: 'int32', elems: rows},
      {dtype: 'int32', elems: rows},
      {dtype: 'int32', elems: 1},
    ],
    params: {rows, cols},
    expected: ([x = []]) => {
      const numbers = new Map<string, number>();
      const firsts = new Array<number>(rows).fill(0);
      const found = Array.from({length: rows}, (_, r) => {
        // As text, -0 is 0 and NaN is NaN.
        const key = Array.from({length: cols}, (_x, c) => String(x[r * cols + c])).join();
        const known = numbers.get(key);
        if (known !== undefined) return known;
        firsts[numbers.size] = r;
        numbers.set(key, numbers.size);
        return numbers.size - 1;
      });
      return [found, firsts, [numbers.size]];
    },
  });
}

function suppression(count: number, most: number, [iou, score, sigma]: readonly [number, number, number], grid = false): OpCase {
  return opCase({
    name: `NonMaxSuppression ${most} of ${count}, iou ${iou}, score ${score}, sigma ${sigma}${grid ? ', ties' : ''}`,
    op: NonMaxSuppression,
    inputs: () => {
      const draw = random(11);
      const boxes = Float32Array.from({length: count * 4}, () => (grid ? Math.floor(draw() * 4) : draw()));
      return [boxes, Float32Array.from({length: count}, () => (grid ? Math.floor(draw() * 3) / 4 : draw()))];
    },
    outputs: [
      {dtype: 'int32', elems: most},
      {dtype: 'float32', elems: most},
      {dtype: 'int32', elems: 1},
    ],
    params: {count, most, iou, score, sigma},
    expected: ([boxes = [], scores = []]) => {
      const {selectedIndices, selectedScores = []} = kernel_impls.nonMaxSuppressionV5Impl(
        Float32Array.from(boxes),
        Float32Array.from(scores),
        most,
        Math.fround(iou),
        Math.fround(score),
        Math.fround(sigma),
      );
      const padded = (values: readonly number[]) => Array.from({length: most}, (_, i) => values[i] ?? 0);
      return [padded(selectedIndices), padded(selectedScores), [selectedIndices.length]];
    },
    tolerance: {ulp: 1},
  });
}

const broadcastArgs = (a: readonly number[], b: readonly number[], out: readonly number[]): OpCase =>
  opCase({
    name: `BroadcastArgs [${a}] and [${b}]`,
    op: BroadcastArgs,
    inputs: () => [Int32Array.from(a), Int32Array.from(b)],
    outputs: [{dtype: 'int32', elems: out.length}],
    params: {first: a.length, second: b.length},
    expected: () => [out],
  });

const six = () => [new Float32Array(6), new Float32Array(6)];
const ints = (...elems: readonly number[]) => elems.map((n) => ({dtype: 'int32', elems: n}) as const);

export const cases: readonly OpCase[] = [
  ...[false, true].flatMap((right) => [
    ...[0, 1, 2, 7, 100].map((cols) => searchSorted(3, cols, 20, right)),
    searchSorted(2, 15, 9, right, 'int32'),
    searchSorted(2, 2000, 3000, right),
    ...[[0, 3, 4] as const, [2, 3, 0] as const].map(([rows, cols, values]) => searchSorted(rows, cols, values, right)),
  ]),
  opCase({
    name: 'SearchSorted of NaN',
    op: SearchSorted,
    inputs: () => [Float32Array.of(1, 2, 3), Float32Array.of(NaN, Infinity, -Infinity)],
    outputs: ints(3),
    params: {rows: 1, cols: 3, values: 3, right: false},
    expected: () => [[0, 3, 0]],
  }),
  opCase({
    name: 'SearchSorted refuses more values than there are',
    op: SearchSorted,
    inputs: six,
    outputs: ints(6),
    params: {rows: huge, cols: huge, values: huge, right: false},
    fails: /ERR_SHAPE/,
  }),
  opCase({
    name: 'SearchSorted refuses booleans',
    op: SearchSorted,
    inputs: () => [new Uint8Array(2), new Uint8Array(2)],
    outputs: ints(2),
    params: {rows: 1, cols: 2, values: 2, right: false},
    fails: /ERR_DTYPE/,
  }),

  ...[0, 1, 2, 7, 500, 5000].map((rows) => unique(rows, 1, (elems) => integers([-40, 40], elems))),
  ...[2, 3].map((cols) => unique(300, cols, (elems) => integers([0, 4], elems))),
  unique(400, 1, (elems) => uniform([-8, 8], elems).map(Math.round)),
  unique(50, 2, (elems) => Uint8Array.from(integers([0, 1], elems))),
  unique(9, 1, (elems) => Float32Array.from({length: elems}, (_, i) => [NaN, 0, -0, Infinity, NaN, -Infinity, 1e-45, -1e-45, 0][i] ?? 0)),
  unique(4, 0, (elems) => new Float32Array(elems)),
  opCase({
    name: 'Unique refuses more rows than there are',
    op: Unique,
    inputs: () => [new Float32Array(6)],
    outputs: ints(7, 7, 1),
    params: {rows: 7, cols: 1},
    fails: /ERR_SHAPE: Unique x/,
  }),
  opCase({
    name: 'Unique refuses sizes that overflow',
    op: Unique,
    inputs: () => [new Float32Array(6)],
    outputs: ints(6, 6, 1),
    params: {rows: huge, cols: huge},
    fails: /ERR_SHAPE/,
  }),

  ...[0, 1, 2, 50, 300].flatMap((count) => [
    suppression(count, 20, [0.5, 0, 0]),
    suppression(count, 20, [0.3, 0.5, 0]),
    suppression(count, 300, [1, 0.1, 0.5]),
  ]),
  suppression(100, 100, [0.25, 0, 0], true),
  suppression(100, 0, [0.5, 0, 0]),
  suppression(60, 60, [0.5, Number.NEGATIVE_INFINITY, 0.25]),
  opCase({
    name: 'NonMaxSuppression passes over NaN',
    op: NonMaxSuppression,
    inputs: () => [Float32Array.of(0, 0, 1, 1, 2, 2, 3, 3, NaN, 0, 1, 1), Float32Array.of(NaN, 0.5, 0.75)],
    outputs: [
      {dtype: 'int32', elems: 3},
      {dtype: 'float32', elems: 3},
      {dtype: 'int32', elems: 1},
    ],
    params: {count: 3, most: 3, iou: 0.5, score: 0, sigma: 0},
    expected: () => [[2, 0, 0], [0.75, 0, 0], [1]],
  }),
  opCase({
    name: 'NonMaxSuppression refuses more boxes than there are',
    op: NonMaxSuppression,
    inputs: six,
    outputs: [{dtype: 'int32', elems: 2}, {dtype: 'float32', elems: 2}, {dtype: 'int32', elems: 1}],
    params: {count: 2, most: 2, iou: 0.5, score: 0, sigma: 0},
    fails: /ERR_SHAPE: NonMaxSuppression boxes/,
  }),

  broadcastArgs([], [], []),
  broadcastArgs([3], [], [3]),
  broadcastArgs([2, 1, 5], [4, 1], [2, 4, 5]),
  broadcastArgs([1], [0], [0]),
  opCase({
    name: 'BroadcastArgs refuses sizes that do not fit',
    op: BroadcastArgs,
    inputs: () => [Int32Array.of(2), Int32Array.of(3)],
    outputs: ints(1),
    params: {first: 1, second: 1},
    fails: /ERR_SHAPE: BroadcastArgs: the sizes 2 and 3/,
  }),
];
