/** int32 arithmetic wraps, as TensorFlow's does; division is floored, and by zero gives 0 instead of the process' end. */
import * as tf from '@tensorflow/tfjs-core';
import {gives, i32, least, most} from './elements';

describe('semantics: int32', () => {
  gives('add wraps', () => tf.add(i32(most, least, most), i32(1, -1, most)), 'int32', [least, most, -2]);
  gives('sub wraps', () => tf.sub(i32(least, most), i32(1, -1)), 'int32', [most, least]);
  // The double 46341² is exact, but 2147483647² is not: products are integers throughout.
  gives('mul wraps', () => tf.mul(i32(46341, most, least, 123456789), i32(46341, most, -1, 987654321)), 'int32', [
    -2147479015,
    1,
    least,
    -67153019,
  ]);
  gives('square wraps', () => tf.square(i32(65536, 46341)), 'int32', [0, -2147479015]);
  gives('squaredDifference wraps', () => tf.squaredDifference(i32(65536, 3), i32(0, 5)), 'int32', [0, 4]);
  gives('neg and abs of the least', () => tf.concat([tf.neg(i32(least, 5)), tf.abs(i32(least, -5))]), 'int32', [least, -5, least, 5]);
  gives('large integers stay exact', () => tf.add(i32(16777217, 2147483646), i32(0, 1)), 'int32', [16777217, most]);
  gives('sum wraps', () => tf.sum(i32(most, 1)), 'int32', [least]);
  gives('prod wraps', () => tf.prod(i32(65536, 65536, 3)), 'int32', [0]);
  gives('cumsum wraps', () => tf.cumsum(i32(most, 1, 1)), 'int32', [most, least, least + 1]);
  gives('sum of large integers is exact', () => tf.sum(i32(16777217, 1, 1)), 'int32', [16777219]);
  gives('max and min', () => tf.stack([tf.max(i32(least, most, 0)), tf.min(i32(least, most, 0))]), 'int32', [most, least]);
  gives('floorDiv is floored', () => tf.floorDiv(i32(7, -7, 7, -7, 6), i32(2, 2, -2, -2, 3)), 'int32', [3, -4, -4, 3, 2]);
  gives('floorDiv by zero', () => tf.floorDiv(i32(7, -7, 0), i32(0, 0, 0)), 'int32', [0, 0, 0]);
  gives('floorDiv of the least by -1', () => tf.floorDiv(i32(least), i32(-1)), 'int32', [least]);
  gives('mod has the sign of the divisor', () => tf.mod(i32(7, -7, 7, -7, 6), i32(3, 3, -3, -3, 3)), 'int32', [1, 2, -2, -1, 0]);
  gives('mod by zero', () => tf.mod(i32(7, -7), i32(0, 0)), 'int32', [0, 0]);
  gives('mod of the least by -1', () => tf.mod(i32(least), i32(-1)), 'int32', [0]);
  gives('div of integers is floorDiv in tfjs', () => tf.div(i32(7, -7), i32(2, 2)), 'int32', [3, -4]);
  gives('comparisons of neighbours beyond 2^24', () => tf.greater(i32(16777217, most), i32(16777216, most - 1)), 'bool', [1, 1]);
  gives('argMax of neighbours beyond 2^24', () => tf.argMax(i32(16777216, 16777217)), 'int32', [1]);
  gives('topk of neighbours beyond 2^24', () => tf.topk(i32(16777216, 16777217, least), 2).values, 'int32', [16777217, 16777216]);
  gives('segment sums wrap', () => tf.unsortedSegmentSum(i32(most, 1, 5), i32(0, 0, 1), 2), 'int32', [least, 5]);
  gives('scatter adds wrap', () => tf.scatterND(tf.tensor2d([0, 0], [2, 1], 'int32'), i32(most, 1), [1]), 'int32', [least]);
});
