/** NaN passes through what TensorFlow lets it through, and never turns into a number; -0 and 0 compare equal. */
import * as tf from '@tensorflow/tfjs-core';
import {f32, gives, inf, minusInf, nan} from './elements';

describe('semantics: NaN and signed zeros', () => {
  gives('relu', () => tf.relu(f32(nan, -1, 2, inf, minusInf)), 'float32', [nan, 0, 2, inf, 0]);
  gives('relu6', () => tf.relu6(f32(nan, -1, 7, inf)), 'float32', [nan, 0, 6, 6]);
  gives('elu', () => tf.elu(f32(nan, 2, minusInf)), 'float32', [nan, 2, -1]);
  gives('leakyRelu', () => tf.leakyRelu(f32(nan, -2, minusInf), 0.5), 'float32', [nan, -1, minusInf]);
  gives('clipByValue', () => tf.clipByValue(f32(nan, -5, 5, inf, minusInf), -1, 1), 'float32', [nan, -1, 1, 1, -1]);
  gives('maximum', () => tf.maximum(f32(nan, 1, minusInf), f32(1, nan, inf)), 'float32', [nan, nan, inf]);
  gives('minimum', () => tf.minimum(f32(nan, 1, minusInf), f32(1, nan, inf)), 'float32', [nan, nan, minusInf]);
  gives('max', () => tf.max(tf.tensor2d([1, nan, 3, minusInf, minusInf, minusInf], [2, 3]), 1), 'float32', [nan, minusInf]);
  gives('min', () => tf.min(tf.tensor2d([1, nan, 3, inf, inf, inf], [2, 3]), 1), 'float32', [nan, inf]);
  gives('max of a long row with one NaN', () => tf.max(tf.concat([tf.zeros([1000]), f32(nan), tf.ones([77])])), 'float32', [nan]);
  gives('sum and mean', () => tf.stack([tf.sum(f32(1, nan)), tf.mean(f32(inf, minusInf)), tf.sum(f32(inf, 1))]), 'float32', [
    nan,
    nan,
    inf,
  ]);
  // tfjs-core's suite asks for 0; TensorFlow keeps the NaN.
  gives('sign', () => tf.sign(f32(nan, -3, 0, 2)), 'float32', [0, -1, 0, 1]);
  gives('step', () => tf.step(f32(nan, -3, 0, 2), 0.5), 'float32', [nan, 0.5, 0.5, 1]);
  gives(
    'comparisons with NaN are false',
    () => tf.concat([tf.equal(f32(nan), f32(nan)), tf.less(f32(nan), f32(1)), tf.greaterEqual(f32(nan), f32(nan))]),
    'bool',
    [0, 0, 0],
  );
  gives('notEqual to NaN is true', () => tf.notEqual(f32(nan, 1), f32(nan, 1)), 'bool', [1, 0]);
  gives('zeros compare equal', () => tf.concat([tf.equal(f32(0), f32(-0)), tf.less(f32(-0), f32(0))]), 'bool', [1, 0]);
  gives('argMax passes over NaN', () => tf.argMax(f32(nan, 1, 3, nan, 2)), 'int32', [2]);
  gives('argMin passes over NaN', () => tf.argMin(f32(nan, 3, 1, nan, 2)), 'int32', [2]);
  gives('argMax takes the first of equals, zeros of both signs among them', () => tf.argMax(f32(-0, 0, -1)), 'int32', [0]);
  gives('topk has NaN last', () => tf.topk(f32(nan, 1, inf, minusInf), 4).indices, 'int32', [2, 1, 3, 0]);
  gives('where takes whole elements', () => tf.where(tf.tensor1d([1, 0], 'bool'), f32(nan, nan), f32(-0, -0)), 'float32', [nan, -0]);
  gives('maxPool passes over NaN', () => tf.maxPool(tf.tensor4d([nan, 1, 2, 0], [1, 2, 2, 1]), 2, 1, 'valid'), 'float32', [2]);
  gives('avgPool does not', () => tf.avgPool(tf.tensor4d([nan, 1, 2, 0], [1, 2, 2, 1]), 2, 1, 'valid'), 'float32', [nan]);
  gives('maxPool of minus infinities', () => tf.maxPool(tf.fill([1, 2, 2, 1], minusInf) as tf.Tensor4D, 2, 1, 'valid'), 'float32', [
    minusInf,
  ]);
  gives('matMul of nothing is 0', () => tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])), 'float32', [0, 0, 0, 0]);
  gives('matMul lets 0 times infinity be NaN', () => tf.matMul(tf.tensor2d([0], [1, 1]), tf.tensor2d([inf], [1, 1])), 'float32', [nan]);
  gives('softmax of a row of minus infinity', () => tf.softmax(f32(minusInf, minusInf)), 'float32', [nan, nan]);
  gives(
    'isNaN, isInf, isFinite',
    () => tf.concat([tf.isNaN(f32(nan, 1)), tf.isInf(f32(minusInf, 1)), tf.isFinite(f32(nan, inf))]),
    'bool',
    [1, 0, 1, 0, 0, 0],
  );
  gives('neg and abs of zeros', () => tf.concat([tf.neg(f32(0, -0)), tf.abs(f32(-0))]), 'float32', [-0, 0, 0]);
  gives('unique takes NaN for one value and zeros for another', () => tf.unique(f32(nan, 0, nan, -0)).indices, 'int32', [0, 1, 0, 1]);
  // tfjs-backend-cpu gives NaN where one part of complex numbers broadcasts.
  gives('complex products broadcast', () => tf.real(tf.mul(tf.complex([1, 2], [1, -1]), tf.complex(3, 1))), 'float32', [2, 7]);
});
