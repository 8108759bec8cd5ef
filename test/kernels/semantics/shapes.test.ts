/** Broadcasting of every pair of shapes up to rank 4, ranks 0 to 6, and tensors without elements. */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {row} from '../compare';
import {gives, inf, minusInf, nan} from './elements';

/** All shapes of ranks 0 to 4 with axes of 1 and `size`. */
const shapesOf = (size: number): number[][] =>
  Array.from({length: 5}, (_, rank) =>
    Array.from({length: 2 ** rank}, (_x, bits) => Array.from({length: rank}, (_y, i) => ((bits >> i) & 1 ? size : 1))),
  ).flat();

const numbered = (shape: readonly number[], first: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({length: tf.util.sizeFromShape([...shape])}, (_, i) => first + i),
    [...shape],
  );

/** The element of `x` at the index `at` of a shape that it broadcasts to. */
function elementAt(shape: readonly number[], values: ArrayLike<number>, at: readonly number[]): number {
  let element = 0;
  shape.forEach((size, i) => {
    element = element * size + (size === 1 ? 0 : (at[at.length - shape.length + i] as number));
  });
  return values[element] as number;
}

describe('semantics: shapes', () => {
  // Axes that broadcast in one operand, the other, both or neither, in every order.
  it('broadcasts every pair of shapes up to rank 4', async function () {
    this.timeout(60000);
    await tf.setBackend('graviton');
    for (const a of shapesOf(3)) {
      for (const b of shapesOf(3)) {
        tf.tidy(() => {
          const [x, y] = [numbered(a, 1), numbered(b, 100)];
          const [xs, ys] = [x.dataSync(), y.dataSync()];
          const sub = tf.sub(x, y);
          const rank = Math.max(a.length, b.length);
          const shape = Array.from({length: rank}, (_, i) => Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1));
          expect(sub.shape).to.deep.equal(shape);
          const got = sub.dataSync();
          const steps = tf.util.computeStrides([...shape, 1]);
          for (let i = 0; i < got.length; i++) {
            const at = shape.map((size, axis) => Math.floor(i / (steps[axis] as number)) % size);
            const wanted = elementAt(a, xs, at) - elementAt(b, ys, at);
            if (got[i] !== wanted) expect.fail(`[${a}] - [${b}] at [${at}]: ${got[i]}, not ${wanted}`);
          }
        });
      }
    }
  });
  for (const [a, b] of [
    [[2], [3]],
    [[2, 3], [2]],
    [
      [4, 1, 3],
      [2, 2, 3],
    ],
  ] as const) {
    it(`refuses to broadcast [${a}] and [${b}]`, async () => {
      await tf.setBackend('graviton');
      expect(() => tf.tidy(() => tf.add(tf.zeros([...a]), tf.zeros([...b])))).to.throw();
    });
  }

  for (let rank = 0; rank <= 6; rank++) {
    const shape = [2, 3, 1, 2, 3, 2].slice(0, rank);
    const make = () => tf.div(numbered(shape, -5), 3);
    row(`unary, rank ${rank}`, () => tf.tanh(make()), {ulp: 4});
    row(`binary, rank ${rank}`, () => tf.mul(make(), make()));
    row(`comparison, rank ${rank}`, () => tf.less(make(), tf.scalar(0.5)));
    row(`sum, rank ${rank}`, () => tf.sum(make()), {ulp: 8, abs: 1e-5});
    row(`transpose, rank ${rank}`, () => tf.transpose(make()));
    row(`reshape, rank ${rank}`, () => tf.reshape(make(), [-1]));
    row(`cast, rank ${rank}`, () => tf.cast(make(), 'int32'));
    if (rank === 0) continue;
    row(`slice, rank ${rank}`, () =>
      tf.slice(
        make(),
        shape.map((size) => size - 1),
        shape.map(() => 1),
      ),
    );
    row(`pad, rank ${rank}`, () =>
      tf.pad(
        make(),
        shape.map((_, i) => [i % 2, 1] as [number, number]),
      ),
    );
    row(`tile, rank ${rank}`, () =>
      tf.tile(
        make(),
        shape.map((_, i) => 1 + (i % 2)),
      ),
    );
    row(`reverse, rank ${rank}`, () => tf.reverse(make()));
    row(`concat, rank ${rank}`, () => tf.concat([make(), make()], rank - 1));
    row(`gather, rank ${rank}`, () => tf.gather(make(), tf.tensor1d([1, 0, 1], 'int32'), 0));
  }

  const none = () => tf.zeros([0]);
  gives('sum of nothing', () => tf.sum(none()), 'float32', [0]);
  gives('prod of nothing', () => tf.prod(none()), 'float32', [1]);
  // Neutral elements, as in TensorFlow; tfjs-backend-cpu gives 0 or fails.
  gives('max of nothing', () => tf.max(none()), 'float32', [minusInf]);
  gives('min of nothing', () => tf.min(none()), 'float32', [inf]);
  gives('mean of nothing', () => tf.mean(none()), 'float32', [nan]);
  gives('all and any of nothing', () => tf.stack([tf.all(tf.tensor1d([], 'bool')), tf.any(tf.tensor1d([], 'bool'))]), 'bool', [1, 0]);
  gives('sum over an empty axis', () => tf.sum(tf.zeros([2, 0, 2]), 1), 'float32', [0, 0, 0, 0]);
  gives('products over an empty axis', () => tf.matMul(tf.zeros([1, 0]), tf.zeros([0, 3])), 'float32', [0, 0, 0]);
  gives('padding nothing', () => tf.pad(none(), [[1, 2]], 7), 'float32', [7, 7, 7]);
  gives('segments of nothing', () => tf.unsortedSegmentSum(tf.zeros([0, 2]), tf.tensor1d([], 'int32'), 2), 'float32', [0, 0, 0, 0]);
  gives('counts of nothing', () => tf.bincount(tf.tensor1d([], 'int32'), none() as tf.Tensor1D, 2), 'float32', [0, 0]);
  gives('values of nothing', () => tf.unique(none()).values, 'float32', []);

  const empties: Readonly<Record<string, () => tf.Tensor>> = {
    add: () => tf.add(tf.zeros([0, 3]), tf.zeros([3])),
    relu: () => tf.relu(none()),
    matMul: () => tf.matMul(tf.zeros([0, 3]), tf.zeros([3, 2])),
    conv2d: () => tf.conv2d(tf.zeros<tf.Rank.R4>([0, 4, 4, 2]), tf.zeros([3, 3, 2, 5]), 1, 'same'),
    maxPool: () => tf.maxPool(tf.zeros<tf.Rank.R4>([0, 4, 4, 2]), 2, 2, 'valid'),
    conv3d: () => tf.conv3d(tf.zeros<tf.Rank.R5>([0, 4, 4, 4, 2]), tf.zeros([3, 3, 3, 2, 5]), 1, 'same'),
    concat: () => tf.concat([tf.zeros([0, 2]), tf.zeros([0, 2])]),
    gather: () => tf.gather(tf.ones([3, 2]), tf.tensor1d([], 'int32')),
    slice: () => tf.slice(tf.ones([3, 2]), [3, 0], [0, 2]),
    transpose: () => tf.transpose(tf.zeros([3, 0, 2])),
    softmax: () => tf.softmax(tf.zeros([0, 3])),
    tile: () => tf.tile(tf.ones([2]), [0]),
    cumsum: () => tf.cumsum(tf.zeros([0, 3])),
    oneHot: () => tf.oneHot(tf.tensor1d([], 'int32'), 3),
    argMax: () => tf.argMax(tf.zeros([0, 3]), 1),
    topk: () => tf.topk(tf.zeros([0, 3]), 2).values,
    resizeBilinear: () => tf.image.resizeBilinear(tf.zeros<tf.Rank.R4>([0, 2, 2, 1]), [3, 3]),
    fft: () => tf.real(tf.spectral.fft(tf.complex(tf.zeros([0, 4]), tf.zeros([0, 4])))),
    scatterND: () => tf.scatterND(tf.tensor2d([], [0, 1], 'int32'), tf.zeros([0, 0]), [2, 0]),
  };
  for (const [name, run] of Object.entries(empties)) {
    it(`${name} without elements`, async () => {
      await tf.setBackend('graviton');
      tf.tidy(() => {
        const y = run();
        expect(y.size).to.equal(0);
        expect(Array.from(y.dataSync())).to.deep.equal([]);
      });
    });
  }
});
