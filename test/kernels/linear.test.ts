import * as tf from '@tensorflow/tfjs-core';
import {fails, floats, ints, row} from './compare';

/** c·ε·Σ|a||b| of sums of up to 64 products of numbers below 4. */
const close = {abs: 64 * 16 * 2 ** -23, ulp: 4};

describe('matMul', () => {
  const sizes: readonly (readonly [number, number, number])[] = [
    [1, 1, 1],
    [3, 4, 5],
    [17, 9, 33],
    [1, 64, 7],
    [64, 1, 3],
    [5, 0, 4],
    [0, 3, 4],
    [4, 3, 0],
  ];
  for (const [m, k, n] of sizes) {
    for (const [ta, tb] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      row(
        `[${m}, ${k}, ${n}]${ta ? ' a transposed' : ''}${tb ? ' b transposed' : ''}`,
        () => tf.matMul(floats(ta ? [k, m] : [m, k]), floats(tb ? [n, k] : [k, n], [-4, 4], 2), ta, tb),
        close,
      );
    }
  }
  const batches: readonly (readonly [number[], number[]])[] = [
    [[3], [3]],
    [[3], [1]],
    [[1], [3]],
    [
      [2, 3],
      [2, 3],
    ],
    [[0], [0]],
  ];
  for (const [a, b] of batches)
    row(`batches [${a}] and [${b}]`, () => tf.matMul(floats([...a, 4, 5]), floats([...b, 5, 6], [-4, 4], 2)), close);
  row('batch and matrix', () => tf.matMul(floats([3, 4, 5]), floats([5, 6], [-4, 4], 2)), close);
  row('batches that broadcast both ways', () => tf.matMul(floats([2, 1, 3, 4]), floats([5, 4, 2], [-1, 1], 2)), {
    expected: {values: broadcastProduct([2, 1], [1, 5], 3, 4, 2), dtype: 'float32', why: 'cpu repeats batches in their order'},
    ...close,
  });
  row('batches that alternate', () => tf.matMul(floats([2, 1, 2, 1, 3, 4]), floats([1, 3, 1, 2, 4, 2], [-1, 1], 2)), {
    expected: {values: broadcastProduct([2, 1, 2, 1], [1, 3, 1, 2], 3, 4, 2), dtype: 'float32', why: 'as above'},
    ...close,
  });
  row('int32 falls back', () => tf.matMul(ints([3, 4]), ints([4, 5], [-9, 9], 2)), {fallsBack: true});
  row(
    'dot',
    () => [
      tf.dot(floats([7]), floats([7], [-4, 4], 2)),
      tf.dot(floats([3, 7]), floats([7], [-4, 4], 2)),
      tf.outerProduct(tf.tensor1d([1, 2, 3]), tf.tensor1d([4, 5])),
    ],
    close,
  );
  fails(
    'inner sizes that differ',
    () => tf.matMul(floats([3, 4]), floats([5, 6])),
    /ERR_SHAPE: MatMul: the inner sizes of a \[3, 4\] and b \[5, 6\] are 4 and 5/,
  );
});

/** In double precision. a is [batchA…, m, k], b [batchB…, k, n]. */
function broadcastProduct(batchA: number[], batchB: number[], m: number, k: number, n: number): number[] {
  const batch = batchA.map((size, i) => Math.max(size, batchB[i] as number));
  const [a, b] = [floats([...batchA, m, k]).dataSync(), floats([...batchB, k, n], [-1, 1], 2).dataSync()];
  const flat = (of: number[], index: number[]) => of.reduce((sum, size, i) => sum * size + (size === 1 ? 0 : (index[i] as number)), 0);
  const indices = batch.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({length: size}, (_, i) => [...index, i])),
    [[]],
  );
  return indices.flatMap((index) =>
    Array.from({length: m * n}, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      const [fromA, fromB] = [flat(batchA, index) * m * k, flat(batchB, index) * k * n];
      return Array.from({length: k}, (_, d) => (a[fromA + i * k + d] as number) * (b[fromB + d * n + j] as number)).reduce(
        (x, y) => x + y,
        0,
      );
    }),
  );
}

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

describe('fused matMul', () => {
  for (const activation of activations) {
    const prelu = activation === 'prelu' ? {preluActivationWeights: () => floats([6], [0.1, 0.5], 4)} : undefined;
    const fused =
      (bias: (() => tf.Tensor) | undefined, transposeB = false) =>
      () =>
        tf.fused.matMul({
          a: floats([4, 5]),
          b: floats(transposeB ? [6, 5] : [5, 6], [-4, 4], 2),
          transposeB,
          activation,
          leakyreluAlpha: 0.3,
          ...(bias === undefined ? {} : {bias: bias()}),
          ...(prelu === undefined ? {} : {preluActivationWeights: prelu.preluActivationWeights()}),
        });
    row(activation, fused(undefined), close);
    row(
      `${activation} with a bias`,
      fused(() => floats([6], [-9, 9], 3)),
      close,
    );
    row(
      `${activation} with a bias of its own for each element`,
      fused(() => floats([4, 6], [-9, 9], 3), true),
      close,
    );
    row(
      `${activation} with a scalar bias`,
      fused(() => floats([], [-9, 9], 3)),
      close,
    );
    row(
      `${activation} with a bias for each row`,
      fused(() => floats([4, 1], [-9, 9], 3)),
      close,
    );
  }
  row(
    'of batches with a bias',
    () => tf.fused.matMul({a: floats([3, 4, 5]), b: floats([3, 5, 6], [-1, 1], 2), bias: floats([3, 1, 6]), activation: 'relu'}),
    close,
  );
  row('of nothing with a bias', () => tf.fused.matMul({a: floats([4, 0]), b: floats([0, 6]), bias: floats([6]), activation: 'relu'}));
  fails(
    'an unknown activation',
    () => tf.fused.matMul({a: floats([2, 2]), b: floats([2, 2]), activation: 'swish' as 'relu'}),
    /ERR_INPUT: a fused kernel: the activation 'swish'/,
  );
});

describe('einsum', () => {
  const equations: readonly (readonly [string, ...number[][]])[] = [
    ['ij,jk->ik', [3, 4], [4, 5]],
    ['ij,jk->ki', [3, 4], [4, 5]],
    ['ij,kj->ik', [3, 4], [5, 4]],
    ['abc,cd->abd', [2, 3, 4], [4, 5]],
    ['abc,cde->abde', [2, 3, 4], [4, 5, 6]],
    ['abde,cde->abc', [2, 3, 4, 5], [6, 4, 5]],
    ['aecd,abcd->acbe', [2, 7, 3, 4], [2, 5, 3, 4]],
    ['acbe,aecd->abcd', [2, 3, 5, 7], [2, 7, 3, 4]],
    ['bhqd,bhkd->bhqk', [2, 3, 4, 5], [2, 3, 6, 5]],
    ['bhqk,bhkd->bhqd', [2, 3, 4, 6], [2, 3, 6, 5]],
    ['ij,ij->ij', [3, 4], [3, 4]],
    ['ij,ji->ij', [3, 4], [4, 3]],
    ['ij,ij->i', [3, 4], [3, 4]],
    ['ij,ij->', [3, 4], [3, 4]],
    ['i,j->ij', [3], [4]],
    ['i,j->ji', [3], [4]],
    ['i,i->', [5], [5]],
    ['ij->ji', [3, 4]],
    ['ijk->ki', [3, 4, 5]],
    ['ij->', [3, 4]],
    ['ijk,jil->kl', [3, 4, 5], [4, 3, 6]],
    ['abcd,dcef->abef', [2, 3, 4, 5], [5, 4, 2, 3]],
    ['ij,k->ijk', [3, 4], [5]],
    ['ij,jk->ik', [3, 0], [0, 5]],
  ];
  for (const [equation, ...shapes] of equations) {
    row(equation, () => tf.einsum(equation, ...shapes.map((shape, i) => floats(shape, [-1, 1], i + 1))), {abs: 1e-5});
  }
  row('ijk,kl->il', () => tf.einsum('ijk,kl->il', tf.tensor3d([1, 2, 3, 4], [1, 2, 2]), tf.tensor2d([1, 0, 2, 1], [2, 2])), {
    expected: {values: [16, 6], dtype: 'float32', why: 'cpu cannot sum a label of one operand'},
  });
  row('int32 falls back', () => tf.einsum('ij,jk->ik', ints([3, 4]), ints([4, 5])), {fallsBack: true});
  fails('sizes that differ', () => tf.einsum('ij,jk->ik', floats([3, 4]), floats([5, 6])), /Expected dimension/);
});
