/** Views share memory with what they view; no kernel and no plan may write through one. */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../../src';

const given = [1, -2, 3, -4, 5, -6];
const x = (): tf.Tensor2D => tf.tensor2d(given, [2, 3]);
const unchanged = (t: tf.Tensor): void => {
  expect(Array.from(t.dataSync())).to.deep.equal(given);
};

const functions: Readonly<Record<string, (t: tf.Tensor2D) => tf.Tensor>> = {
  reshape: (t) => tf.relu(tf.reshape(t, [3, 2])),
  expandDims: (t) => tf.neg(tf.expandDims(t, 0)),
  'a slice from the start': (t) => tf.square(tf.slice(t, [0, 0], [1, 3])),
  'a cast to the same type': (t) => tf.abs(tf.cast(t, 'float32')),
  'a transpose that moves nothing': (t) => tf.neg(tf.transpose(tf.reshape(t, [1, 6]), [1, 0])),
  'identity twice': (t) => tf.add(tf.relu(t.clone()), t),
  'an unstack': (t) => tf.relu(tf.unstack(t)[0] as tf.Tensor),
  'a chain that could run in place': (t) => tf.exp(tf.neg(tf.relu(tf.reshape(t, [6])))),
  'a scatter onto it': (t) => tf.tensorScatterUpdate(tf.reshape(t, [6]), tf.tensor2d([0], [1, 1], 'int32'), tf.tensor1d([9])),
  'a pool that is the image': (t) => tf.neg(tf.maxPool(tf.reshape(t, [1, 2, 3, 1]) as tf.Tensor4D, 1, 1, 'valid')),
  'a sum of its parts': (t) => tf.add(tf.slice(t, [0, 0], [1, 3]), tf.slice(t, [1, 0], [1, 3])),
};

describe('semantics: views', () => {
  beforeEach(async () => {
    await tf.setBackend('graviton');
  });
  for (const [name, f] of Object.entries(functions)) {
    it(`${name}: the operand stays as it is, eager and compiled`, () => {
      const compiled = compile((t: tf.Tensor) => f(t as tf.Tensor2D));
      tf.tidy(() => {
        const t = x();
        const eager = Array.from(f(t).dataSync());
        unchanged(t);
        for (let call = 0; call < 3; call++) {
          const y = compiled(t) as tf.Tensor;
          expect(Array.from(y.dataSync())).to.deep.equal(eager);
          unchanged(t);
        }
      });
      compiled.dispose();
    });
  }

  it('a view outlives what it views', () => {
    tf.tidy(() => {
      const t = x();
      const view = tf.reshape(t, [3, 2]);
      t.dispose();
      unchanged(view);
    });
  });

  it('what dataSync gives is a copy', () => {
    tf.tidy(() => {
      const t = x();
      t.dataSync()[0] = 100;
      unchanged(t);
    });
  });

  it('results that are the input, or given twice, are tensors of their own', () => {
    const f = compile((t: tf.Tensor) => [t, tf.reshape(t, [6]), t]);
    const t = x();
    for (let call = 0; call < 2; call++) {
      const [a, b, c] = f(t) as [tf.Tensor, tf.Tensor, tf.Tensor];
      a.dispose();
      unchanged(b);
      b.dispose();
      unchanged(c);
      c.dispose();
      unchanged(t);
    }
    t.dispose();
    f.dispose();
  });

  it('a variable that is assigned does not change what was computed from it', () => {
    const v = tf.variable(x());
    const y = tf.reshape(v, [6]);
    const z = tf.zeros([2, 3]) as tf.Tensor2D;
    v.assign(z);
    unchanged(y);
    tf.dispose([v, y, z]);
  });
});
