import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '../../src';

describe('fewer elements than a vector', () => {
  before(async () => {
    await tf.setBackend('graviton');
  });

  // Trigonometric functions of large arguments go another way, the whole vector with them.
  it('gives the same bits whatever ran before', () => {
    tf.tidy(() => {
      const functions = [tf.sin, tf.cos, tf.tan, tf.tanh, tf.erf, tf.exp, tf.log];
      const large = tf.fill([15], 1e30);
      const small = tf.fill([15], 0.5);
      for (let round = 0; round < 60; round++) {
        const x = tf.tensor1d(Array.from({length: 3}, (_, i) => 0.1 + ((7 * round + 3 * i) % 61) / 30));
        for (const f of functions) {
          const following = (earlier: tf.Tensor) => {
            tf.neg(earlier);
            return [...f(x).dataSync()];
          };
          expect(following(large), f.name).to.deep.equal(following(small));
        }
      }
    });
  });
});
