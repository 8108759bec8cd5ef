import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src';
import {pointwise} from '../../src/compile/passes/pointwise';
import {rewrites} from './pass-harness';

/** A merged multiplication and addition may round once instead of twice. */
const fused = 2 ** -22;

describe('pass pointwise', () => {
  rewrites('merges a chain, and keeps the order of operands', pointwise, {
    before: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[6] = Pointwise(v0, v1) {shape: [6], strides: [1,1,1], program: Sub(x0, x1)}
      v3 float32[6] = Pointwise(v2) {shape: [6], strides: [1,1], program: Exp(x0)}
      v4 float32[6] = Pointwise(v0, v3) {shape: [6], strides: [1,1,1], program: Mul(x0, x1)}
      outputs: v4`,
    after: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v4 float32[6] = Pointwise(v0, v1) {shape: [6], strides: [1,1,1], program: Mul(x0, Exp(Sub(x0, x1)))} # Sub, Exp, Mul
      outputs: v4`,
    nodes: [3, 1],
    tolerance: fused,
  });

  rewrites('walks a row and a column of the same block together', pointwise, {
    before: `
      inputs: v0 float32[6], v1 float32[3], v2 float32[2]
      constants:
      v3 float32[6] = Pointwise(v0, v1) {shape: [2,3], strides: [3,1,0,1,3,1], program: Mul(x0, x1)}
      v4 float32[6] = Pointwise(v3, v2) {shape: [2,3], strides: [3,1,1,0,3,1], program: Maximum(x0, x1)}
      outputs: v4`,
    after: `
      inputs: v0 float32[6], v1 float32[3], v2 float32[2]
      constants:
      v4 float32[6] = Pointwise(v2, v0, v1) {shape: [2,3], strides: [1,0,3,1,0,1,3,1], program: Maximum(Mul(x1, x2), x0)} # Mul, Maximum
      outputs: v4`,
    nodes: [2, 1],
  });

  rewrites('cuts axes where the reader has fewer than the writer', pointwise, {
    before: `
      inputs: v0 float32[12], v1 float32[3]
      constants:
      v2 float32[12] = Pointwise(v0, v1) {shape: [4,3], strides: [3,1,0,1,3,1], program: Mul(x0, x1)}
      v3 float32[12] = Pointwise(v2) {shape: [12], strides: [1,1], program: Neg(x0)}
      outputs: v3`,
    after: `
      inputs: v0 float32[12], v1 float32[3]
      constants:
      v3 float32[12] = Pointwise(v0, v1) {shape: [4,3], strides: [3,1,0,1,3,1], program: Neg(Mul(x0, x1))} # Mul, Neg
      outputs: v3`,
    nodes: [2, 1],
  });

  rewrites('makes one function of an activation that is spelled out', pointwise, {
    before: `
      inputs: v0 float32[6]
      constants:
      v1 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Sigmoid(x0)}
      v2 float32[6] = Pointwise(v0, v1) {shape: [6], strides: [1,1,1], program: Mul(x0, x1)}
      outputs: v2`,
    after: `
      inputs: v0 float32[6]
      constants:
      v2 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Silu(x0)} # Silu
      outputs: v2`,
    nodes: [2, 1],
    tolerance: 1e-6,
  });

  rewrites('keeps a value that others need', pointwise, {
    before: `
      inputs: v0 float32[6]
      constants:
      v1 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Exp(x0)}
      v2 float32[6] = Pointwise(v1) {shape: [6], strides: [1,1], program: Neg(x0)}
      v3 float32[6] = Pointwise(v1) {shape: [6], strides: [1,1], program: Sqrt(x0)}
      v4 float32[6] = Pointwise(v3) {shape: [6], strides: [1,1], program: Neg(x0)}
      outputs: v2, v3, v4`,
    nodes: [4, 4],
    reasons: [/^2 readers$/, /^an output$/],
  });

  // The row would be computed anew for each of the two rows of the result.
  rewrites('does not compute a broadcast value twice', pointwise, {
    before: `
      inputs: v0 float32[6], v1 float32[3]
      constants:
      v2 float32[3] = Pointwise(v1) {shape: [3], strides: [1,1], program: Exp(x0)}
      v3 float32[6] = Pointwise(v0, v2) {shape: [2,3], strides: [3,1,0,1,3,1], program: Mul(x0, x1)}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^its reader repeats it$/],
  });

  rewrites('keeps a value that is read in two ways', pointwise, {
    before: `
      inputs: v0 float32[9]
      constants:
      v1 float32[9] = Pointwise(v0) {shape: [9], strides: [1,1], program: Exp(x0)}
      v2 float32[9] = Pointwise(v1, v1) {shape: [3,3], strides: [3,1,1,3,3,1], program: Mul(x0, x1)}
      outputs: v2`,
    nodes: [2, 2],
    reasons: [/^its reader walks it in two ways$/],
  });

  it('computes mish to a few units in the last place, and at the ends of its range as eager mode does', async () => {
    await tf.setBackend('graviton');
    const {POSITIVE_INFINITY: infinity, NaN: nan} = Number;
    const x = tf.tensor1d([
      ...Array.from({length: 400}, (_, i) => (i - 200) / 8),
      1e-30,
      -0,
      0,
      88,
      1e30,
      -87,
      -110,
      -1e30,
      infinity,
      -infinity,
      nan,
    ]);
    const mish = compile((a: tf.Tensor) => tf.mul(a, tf.tanh(tf.softplus(a))));
    const [compiled, eager] = [mish(x), tf.mul(x, tf.tanh(tf.softplus(x)))] as [tf.Tensor, tf.Tensor];
    const [got, reference, elems] = [compiled.dataSync(), eager.dataSync(), x.dataSync()];
    for (const [i, a] of elems.entries()) {
      // tanh(log1p(e)) = e(e + 2) / (e(e + 2) + 2), without cancellation; the exponential's own error is up to 2 ULP, four roundings follow.
      const e = Math.exp(Math.min(a, 20));
      const wanted = a * ((e * (e + 2)) / (e * (e + 2) + 2));
      const isExact = Math.abs((got[i] as number) - wanted) <= 8 * 2 ** -24 * Math.abs(wanted) + 2 ** -126 * Math.abs(a);
      expect(isExact || Object.is(got[i], reference[i]), `mish(${a}) is ${got[i]}; wanted ${wanted}`).to.equal(true);
    }
    mish.dispose();
    tf.dispose([x, compiled, eager]);
  });
});
