/** Casts, upcasts and arithmetic of booleans. */
import * as tf from '@tensorflow/tfjs-core';
import {bool, f32, gives, i32, inf, least, minusInf, most, nan} from './elements';

describe('semantics: types', () => {
  gives('float32 to int32 truncates', () => tf.cast(f32(1.9, -1.9, 0.5, -0.5), 'int32'), 'int32', [1, -1, 0, 0]);
  // C++ leaves these open; x86, and with it TensorFlow, gives the least integer.
  gives('float32 beyond int32', () => tf.cast(f32(2 ** 31, -(2 ** 31), 1e20, -1e20, inf, minusInf, nan), 'int32'), 'int32', [
    least,
    least,
    least,
    least,
    least,
    least,
    least,
  ]);
  gives('the largest float32 below 2^31', () => tf.cast(f32(2 ** 31 - 128), 'int32'), 'int32', [2 ** 31 - 128]);
  gives('float32 to bool: all but zeros are true', () => tf.cast(f32(0, -0, 1e-45, nan, inf), 'bool'), 'bool', [0, 0, 1, 1, 1]);
  gives('int32 to bool', () => tf.cast(i32(0, 1, -1, 256, 2 ** 24), 'bool'), 'bool', [0, 1, 1, 1, 1]);
  gives('bool to numbers', () => tf.add(tf.cast(bool(0, 1), 'float32'), tf.cast(bool(1, 1), 'int32')), 'float32', [1, 2]);
  gives('int32 to float32 rounds to even', () => tf.cast(i32(16777217, 16777219, most), 'float32'), 'float32', [
    16777216,
    16777220,
    2 ** 31,
  ]);

  gives('int32 with float32 is float32', () => tf.add(i32(1, 2), f32(0.5, 0.25)), 'float32', [1.5, 2.25]);
  gives('bool with int32 is int32', () => tf.add(bool(1, 0), i32(5, 6)), 'int32', [6, 6]);
  gives('bool with float32 is float32', () => tf.mul(bool(1, 0), f32(5.5, 6.5)), 'float32', [5.5, 0]);
  gives('concat upcasts', () => tf.concat([bool(1), i32(2)] as tf.Tensor1D[]), 'int32', [1, 2]);
  gives('comparisons upcast', () => tf.equal(i32(1, 2), f32(1, 2.5)), 'bool', [1, 0]);
  gives('where upcasts', () => tf.where(bool(1, 0), i32(1, 2), f32(0.5, 0.25)), 'float32', [1, 0.25]);

  // tfjs-backend-cpu stores 2 as a bool; here a bool is 0 or 1.
  gives('bool + bool is true or false', () => tf.add(bool(1, 1, 0), bool(1, 0, 0)), 'bool', [1, 1, 0]);
  gives('bool * bool', () => tf.mul(bool(1, 1, 0), bool(1, 0, 0)), 'bool', [1, 0, 0]);
  gives('max and min of booleans', () => tf.stack([tf.max(bool(0, 1)), tf.min(bool(0, 1))]), 'bool', [1, 0]);
  gives('sum of booleans counts', () => tf.sum(bool(1, 1, 0, 1)), 'int32', [3]);
  gives('mean of booleans', () => tf.mean(bool(1, 1, 0, 1)), 'float32', [0.75]);
  gives(
    'logic',
    () =>
      tf.concat([
        tf.logicalAnd(bool(1, 1), bool(1, 0)),
        tf.logicalOr(bool(0, 1), bool(0, 0)),
        tf.logicalXor(bool(1, 1), bool(1, 0)),
        tf.logicalNot(bool(1, 0)),
      ]),
    'bool',
    [1, 0, 0, 1, 0, 1, 0, 1],
  );
  gives('a bool tensor of other numbers', () => tf.add(tf.cast(bool(3, 0), 'int32'), i32(0, 0)), 'int32', [1, 0]);
});
