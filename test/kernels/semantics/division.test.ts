/** Division and remainders of floats: IEEE 754's, and floored. */
import * as tf from '@tensorflow/tfjs-core';
import {f32, gives, inf, minusInf, nan} from './elements';

describe('semantics: division of floats', () => {
  gives('by zero', () => tf.div(f32(1, -1, 0, 1, -0), f32(0, 0, 0, -0, 5)), 'float32', [inf, minusInf, nan, minusInf, -0]);
  gives('divNoNan by zero', () => tf.divNoNan(f32(1, -1, 0, 6), f32(0, 0, 0, 3)), 'float32', [0, 0, 0, 2]);
  gives('of infinities', () => tf.div(f32(inf, inf, 1), f32(2, inf, inf)), 'float32', [inf, nan, 0]);
  gives('reciprocal', () => tf.reciprocal(f32(0, -0, inf, 4)), 'float32', [inf, minusInf, 0, 0.25]);
  gives('mod has the sign of the divisor', () => tf.mod(f32(5.5, -5.5, 5.5, -5.5), f32(2, 2, -2, -2)), 'float32', [1.5, 0.5, -0.5, -1.5]);
  gives('mod by zero', () => tf.mod(f32(1, -1, 0), f32(0, 0, 0)), 'float32', [nan, nan, nan]);
  gives('mod of what is not finite', () => tf.mod(f32(inf, nan, 1), f32(2, 2, nan)), 'float32', [nan, nan, nan]);
  // tfjs-backend-cpu makes int32 of floats; TensorFlow's floordiv keeps their type.
  gives('floorDiv keeps floats', () => tf.floorDiv(f32(7, -7, 7.5), f32(2, 2, -2)), 'float32', [3, -4, -4]);
  gives('pow of edges', () => tf.pow(f32(0, 0, 1, -8, -8), f32(0, -1, nan, 2, 0.5)), 'float32', [1, inf, 1, 64, nan]);
  gives('sqrt and rsqrt of edges', () => tf.concat([tf.sqrt(f32(-1, -0, inf)), tf.rsqrt(f32(0, inf, -1))]), 'float32', [
    nan,
    -0,
    inf,
    inf,
    0,
    nan,
  ]);
  gives('log of edges', () => tf.log(f32(0, -0, -1, inf, 1)), 'float32', [minusInf, minusInf, nan, inf, 0]);
  gives('round is to even', () => tf.round(f32(0.5, 1.5, 2.5, -0.5, -1.5)), 'float32', [0, 2, 2, -0, -2]);
});
