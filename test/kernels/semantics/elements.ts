/** What the files of this folder share: results as plain arrays, told apart where tfjs-core's own comparison does not (NaN, ±Inf, -0). */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '../../../src';

export const {NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf} = Number;
export const least = -(2 ** 31);
export const most = 2 ** 31 - 1;

export const f32 = (...values: readonly number[]): tf.Tensor1D => tf.tensor1d([...values], 'float32');
export const i32 = (...values: readonly number[]): tf.Tensor1D => tf.tensor1d([...values], 'int32');
export const bool = (...values: readonly number[]): tf.Tensor1D => tf.tensor1d([...values], 'bool');

/** The call gives these elements of this type, NaN for NaN and -0 for -0. */
export function gives(name: string, run: () => tf.Tensor, dtype: tf.DataType, values: readonly number[]): void {
  it(name, async () => {
    await tf.setBackend('graviton');
    tf.tidy(() => {
      const result = run();
      const got = Array.from(result.dataSync());
      expect(result.dtype, 'type').to.equal(dtype);
      const text = (xs: readonly number[]) => xs.map((x) => (Object.is(x, -0) ? '-0' : String(x))).join(', ');
      expect(text(got)).to.equal(text(dtype === 'float32' ? values.map(Math.fround) : values));
    });
  });
}
