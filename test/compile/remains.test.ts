import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src/index';

/** The steps of a compiled call that nothing was fused with, each with its reason. */
function alone(f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[]): string[] {
  const compiled = compile(f);
  const x = tf.ones([4, 6]);
  tf.dispose([compiled(x), x]);
  const steps = compiled.explain().plans.flatMap((plan) => plan.steps);
  const {text} = compiled.explain();
  for (const {label, size, alone: reason} of steps) {
    if (reason !== undefined) expect(text).to.include(`${label} [${size}] (alone: ${reason})`);
  }
  compiled.dispose();
  return steps.flatMap(({op, alone: reason}) => (reason === undefined ? [] : [`${op}: ${reason}`]));
}

describe('explain(): steps by themselves', () => {
  let weights: tf.Tensor2D;
  before(async () => {
    await tf.setBackend('graviton');
    weights = tf.ones([6, 6]);
  });
  after(() => weights.dispose());

  const product = (x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, weights);

  it('has nothing to say of what is fused', () => {
    expect(alone((x) => tf.relu(product(x)))).to.deep.equal([]);
  });

  it('says what the pass said that left a step', () => {
    expect(alone((x) => tf.relu(x))).to.deep.equal(['Pointwise: no product before it']);
    const shared = (x: tf.Tensor) => {
      const p = product(x);
      return [tf.relu(p), tf.exp(p)];
    };
    expect(alone(shared)).to.deep.equal([
      'MatMul: 2 readers',
      'Pointwise: its product has several readers',
      'Pointwise: its product has several readers',
    ]);
    const repeated = (x: tf.Tensor) => tf.mul(x, tf.exp(tf.slice(x, [0, 0], [1, 6])));
    expect(alone(repeated)).to.deep.equal(['Pointwise: no product before it; its reader repeats it', 'Pointwise: no product before it']);
    expect(alone((x) => tf.transpose(x))).to.deep.equal(['StridedCopy: it copies an input']);
    expect(alone((x) => tf.transpose(product(x)))).to.deep.equal([
      'MatMul: nothing fuses it with StridedCopy',
      'StridedCopy: MatMul cannot write with its strides',
    ]);
  });

  it('says what lies around a step that no pass considers', () => {
    expect(alone((x) => tf.softmax(x))).to.deep.equal(['Softmax: an output']);
    expect(alone((x) => tf.relu(product(tf.cumsum(x, 1))))).to.deep.equal(['Cumulative: nothing fuses it with MatMul']);
    const several = (x: tf.Tensor) => {
      const sums = tf.cumsum(x, 1);
      return [tf.relu(product(sums)), tf.neg(sums)];
    };
    expect(alone(several)).to.include('Cumulative: 2 readers');
  });
});
