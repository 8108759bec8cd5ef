import * as tf from '@tensorflow/tfjs-core';
import {bools, fails, floats, ints, row, shapes, special} from './compare';

/** Every set of axes of a rank. */
const axisSets = (rank: number): number[][] =>
  Array.from({length: 2 ** rank}, (_, bits) => Array.from({length: rank}, (_, axis) => axis).filter((axis) => (bits >> axis) & 1));

const sums = {ulp: 8, abs: 1e-5};

describe('reductions', () => {
  for (const shape of shapes.filter((s) => s.length <= 4)) {
    for (const axes of axisSets(shape.length)) {
      const name = `[${shape}] over [${axes}]`;
      row(`sum ${name}`, () => tf.sum(floats([...shape]), axes), sums);
      row(`sum int32 ${name}`, () => tf.sum(ints([...shape]), axes, true));
      if (shape.includes(0)) continue;
      row(`mean ${name}`, () => tf.mean(floats([...shape]), axes, true), sums);
      row(`max ${name}`, () => tf.max(floats([...shape]), axes));
      row(`min int32 ${name}`, () => tf.min(ints([...shape]), axes));
    }
  }
  for (const axes of axisSets(3)) {
    row(`prod over [${axes}]`, () => tf.prod(floats([2, 3, 4], [0.5, 1.5]), axes), {ulp: 16});
    row(`prod int32 over [${axes}]`, () => tf.prod(ints([2, 2, 2]), axes));
    row(`any over [${axes}]`, () => tf.any(bools([2, 3, 4]), axes, true));
    row(`all over [${axes}]`, () => tf.all(bools([2, 3, 4]), axes));
    row(`sum of bool over [${axes}]`, () => tf.sum(bools([2, 3, 4]), axes));
    row(`max of bool over [${axes}]`, () => tf.max(bools([2, 3, 4]), axes));
    row(`mean of int32 over [${axes}]`, () => tf.mean(ints([2, 3, 4]), axes), sums);
  }
  row('rank 6', () => tf.sum(floats([2, 3, 2, 3, 2, 3]), [0, 3, 5]), sums);
  row('axes counted from the end', () => tf.sum(floats([2, 3, 4]), [-1, -3]), sums);
  row('max and min of NaN', () => [
    tf.max(special()),
    tf.min(special()),
    tf.max(tf.tensor1d([1, NaN, 3])),
    tf.min(tf.tensor1d([1, NaN, 3])),
  ]);
  row('max and min of infinities', () => [tf.max(tf.tensor1d([-Infinity, -Infinity])), tf.min(tf.tensor1d([Infinity, 1]))]);
  row('max of nothing', () => tf.max(floats([0])), {
    expected: {values: [-Infinity], dtype: 'float32', why: 'the neutral element; cpu gives 0'},
  });
  row('min of nothing', () => tf.min(floats([2, 0]), 1), {expected: {values: [Infinity, Infinity], dtype: 'float32', why: 'as above'}});
  row('prod of nothing', () => tf.prod(floats([0])));
  row('mean of nothing', () => tf.mean(floats([0])), {expected: {values: [NaN], dtype: 'float32', why: '0 / 0; cpu gives 0'}});
  row('a long sum', () => tf.sum(floats([100003], [-1, 1])), {abs: 2e-3});
  row('moments', () => Object.values(tf.moments(floats([4, 5, 6]), [0, 2])) as tf.Tensor[], sums);
  fails('an axis beyond the rank', () => tf.sum(floats([2, 3]), 2), /axis/);
});

describe('argMax and argMin', () => {
  for (const [name, fn] of Object.entries({argMax: tf.argMax, argMin: tf.argMin})) {
    for (const axis of [0, 1, 2, -1]) {
      row(`${name} along ${axis}`, () => fn(floats([3, 4, 5]), axis));
      row(`${name} int32 along ${axis}`, () => fn(ints([3, 4, 5], [0, 3]), axis));
      row(`${name} bool along ${axis}`, () => fn(bools([3, 4, 5]), axis));
    }
    row(`${name} of a long row`, () => fn(floats([2, 10001]), 1));
    row(`${name} of ties`, () => fn(tf.tensor1d([2, 1, 1, 2])));
    row(`${name} of one`, () => fn(floats([3, 1]), 1));
  }
});

describe('softmax, scans and top k', () => {
  for (const shape of [[1], [7], [3, 5], [2, 3, 33], [0, 4], [2, 1000]]) {
    row(`softmax [${shape}]`, () => tf.softmax(floats(shape, [-20, 20])), {ulp: 16, abs: 1e-7});
    row(`logSoftmax [${shape}]`, () => tf.logSoftmax(floats(shape, [-20, 20])), {ulp: 16, abs: 1e-5});
  }
  row(
    'softmax of masked rows',
    () =>
      tf.softmax(
        tf.tensor2d([
          [1, -Infinity, 2],
          [0, 0, 0],
        ]),
      ),
    {ulp: 8},
  );
  fails(
    'softmax over an inner axis',
    () => tf.engine().runKernel('Softmax', {logits: floats([2, 3])}, {dim: 0}),
    /ERR_SHAPE: Softmax: axis 0/,
  );
  for (const axis of [0, 1, 2]) {
    for (const [exclusive, reverse] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      row(`cumsum along ${axis} ${exclusive} ${reverse}`, () => tf.cumsum(floats([3, 4, 5]), axis, exclusive, reverse), sums);
      row(`cumprod along ${axis} ${exclusive} ${reverse}`, () => tf.cumprod(floats([3, 4, 5], [0.5, 2]), axis, exclusive, reverse), {
        ulp: 16,
      });
      row(`cumsum int32 along ${axis} ${exclusive} ${reverse}`, () => tf.cumsum(ints([3, 4, 5]), axis, exclusive, reverse));
    }
  }
  row('cumsum of bool', () => tf.cumsum(bools([7])));
  row(
    'cumsum along the last axis from the end',
    () =>
      tf.cumsum(
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
        -1,
      ),
    {
      expected: {values: [1, 3, 3, 7], dtype: 'float32', why: 'cpu takes the axis for the first'},
    },
  );
  for (const k of [0, 1, 3, 7]) row(`topk ${k}`, () => Object.values(tf.topk(floats([4, 7]), k)) as tf.Tensor[]);
  row('topk of int32 with ties', () => Object.values(tf.topk(ints([3, 20], [0, 4]), 5)) as tf.Tensor[]);
  row('topk of a long row', () => Object.values(tf.topk(floats([5000]), 50)) as tf.Tensor[]);
  fails('a k beyond the row', () => tf.topk(floats([3]), 4), /must be <= the last dimension/);
});
