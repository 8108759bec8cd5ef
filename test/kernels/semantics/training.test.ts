/** A small model is trained to the same loss as on tfjs-backend-cpu. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers tfjs-core's gradients, which are in no file of its own that Node can load
import {expect} from 'chai';
import '../../../src';
import {native} from '../../../src/native';
import {floats} from '../compare';

/** Two convolutions, one of them depthwise, pools, batch statistics, a dense layer: ten steps; the losses. */
function train(optimizer: tf.Optimizer): number[] {
  return tf.tidy(() => {
    const variable = (shape: number[], salt: number) => tf.variable(floats(shape, [-0.4, 0.4], salt));
    const conv = variable([3, 3, 1, 4], 1) as tf.Variable<tf.Rank.R4>;
    const depthwise = variable([3, 3, 4, 2], 2) as tf.Variable<tf.Rank.R4>;
    const dense = variable([32, 3], 3) as tf.Variable<tf.Rank.R2>;
    const bias = tf.variable(tf.zeros([3]));
    const [offset, scale] = [tf.variable(tf.zeros([4])), tf.variable(tf.ones([4]))] as const;
    const x = floats([6, 8, 8, 1], [-1, 1], 4) as tf.Tensor4D;
    const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3);
    const loss = (): tf.Scalar => {
      const first = tf.avgPool(tf.elu(tf.conv2d(x, conv, 1, 'same')), 2, 2, 'valid');
      const {mean, variance} = tf.moments(first, [0, 1, 2]);
      const normal = tf.batchNorm(first, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3);
      const second = tf.maxPool(tf.tanh(tf.depthwiseConv2d(normal, depthwise, 1, 'same')), 2, 2, 'same');
      const logits = tf.add(tf.matMul(tf.reshape(second, [6, 32]) as tf.Tensor2D, dense), bias);
      return tf.losses.softmaxCrossEntropy(labels, logits) as tf.Scalar;
    };
    const losses = Array.from({length: 10}, () => (optimizer.minimize(loss, true) as tf.Scalar).dataSync()[0] as number);
    tf.dispose([conv, depthwise, dense, bias, offset, scale]);
    optimizer.dispose();
    return losses as unknown as tf.TensorContainer;
  }) as unknown as number[];
}

const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.2),
  momentum: () => tf.train.momentum(0.1, 0.9),
  adam: () => tf.train.adam(0.02),
  rmsprop: () => tf.train.rmsprop(0.01),
  adagrad: () => tf.train.adagrad(0.1),
};

describe('semantics: training', () => {
  after(() => tf.env().set('GRAVITON_FALLBACK', 'allow'));
  for (const [name, make] of Object.entries(optimizers)) {
    it(`${name} goes down as on tfjs-backend-cpu`, async () => {
      await tf.setBackend('cpu');
      const numTensors = tf.memory().numTensors;
      const wanted = train(make());
      const kept = tf.memory().numTensors - numTensors; // the momentum optimizer's dispose() forgets a scalar
      await tf.setBackend('graviton');
      tf.env().set('GRAVITON_FALLBACK', 'error');
      const before = native().stats().tensors;
      const losses = train(make());
      expect(native().stats().tensors, 'tensors').to.equal(before + kept);
      expect(losses[9]).to.be.below((losses[0] as number) * 0.9);
      // Rounding grows from step to step, by little in ten.
      expect(losses[0]).to.be.closeTo(wanted[0] as number, 1e-5);
      losses.forEach((loss, i) => {
        expect(loss, `step ${i}`).to.be.closeTo(wanted[i] as number, 1e-3 * (wanted[0] as number));
      });
    });
  }
});
