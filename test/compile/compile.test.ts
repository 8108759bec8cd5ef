import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src';
import {native} from '../../src/native';

const values = (t: tf.Tensor) => Array.from(t.dataSync());

describe('compile: functions', () => {
  beforeEach(async () => {
    await tf.setBackend('graviton');
  });

  /** Runs `body` and checks that it leaves tensors as it found them. */
  const leakless = (body: () => void) => () => {
    const before = tf.memory().numTensors;
    const nativeBefore = native().stats().tensors;
    body();
    expect(tf.memory().numTensors).to.equal(before);
    expect(native().stats().tensors).to.equal(nativeBefore);
  };

  it(
    'replays with other values',
    leakless(() => {
      const f = compile((x: tf.Tensor, y: tf.Tensor) => tf.add(tf.mul(x, 2), y));
      const call = (a: number[], b: number[]) => tf.tidy(() => values(f(tf.tensor1d(a), tf.tensor1d(b))));
      expect(call([1, 2, 3], [10, 20, 30])).to.deep.equal([12, 24, 36]);
      expect(call([4, 5, 6], [1, 1, 1])).to.deep.equal([9, 11, 13]);
      expect(f.stats()).to.include({plans: 1, hits: 1, misses: 1});
      expect(f.explain().plans[0]?.steps).to.have.length(1);
      f.dispose();
    }),
  );

  it(
    'tells f(a, a) from f(a, b)',
    leakless(() => {
      const f = compile((x: tf.Tensor, y: tf.Tensor) => tf.sub(tf.mul(x, x), y));
      tf.tidy(() => {
        const [a, b] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
        expect(values(f(a, a))).to.deep.equal([2, 6]);
        expect(values(f(a, b))).to.deep.equal([-1, 2]);
        expect(f.stats().plans).to.equal(1);
      });
      f.dispose();
    }),
  );

  it(
    'keeps an input that is also captured apart',
    leakless(() => {
      const captured = tf.tensor1d([1, 2]);
      const f = compile((x: tf.Tensor) => tf.add(tf.mul(x, 10), captured));
      expect(tf.tidy(() => values(f(captured)))).to.deep.equal([11, 22]);
      expect(tf.tidy(() => values(f(tf.tensor1d([5, 6]))))).to.deep.equal([51, 62]);
      f.dispose();
      captured.dispose();
    }),
  );

  it(
    'gives distinct tensors for results that are inputs, constants or given twice',
    leakless(() => {
      const weight = tf.tensor1d([7, 8]);
      const f = compile((x: tf.Tensor) => {
        const y = tf.neg(x);
        return [x, weight, y, y];
      });
      for (let round = 0; round < 3; round++) {
        const x = tf.tensor1d([round, 1]);
        const results = f(x);
        expect(results.map(values)).to.deep.equal([
          [round, 1],
          [7, 8],
          [-round, -1],
          [-round, -1],
        ]);
        expect(new Set([x, weight, ...results].map((t) => t.id))).to.have.property('size', 6);
        tf.dispose(results);
        expect(values(x)).to.deep.equal([round, 1]);
        expect(values(weight)).to.deep.equal([7, 8]);
        x.dispose();
      }
      f.dispose();
      weight.dispose();
    }),
  );

  it('keeps two interleaved asynchronous traces and foreign calls apart', async () => {
    const before = tf.memory().numTensors;
    const foreign: number[][] = [];
    const f = compile(async (x: tf.Tensor) => {
      const a = tf.square(x);
      await Promise.resolve();
      foreign.push(tf.tidy(() => values(tf.add(tf.tensor1d([1]), 1))));
      const b = tf.add(a, x);
      await Promise.resolve();
      const c = tf.neg(b);
      tf.dispose([a, b]);
      return c;
    });
    const inputs = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4, 5])];
    const both = await Promise.all(inputs.map((x) => f(x)));
    expect(both.map(values)).to.deep.equal([
      [-2, -6],
      [-12, -20, -30],
    ]);
    const again = await Promise.all(inputs.map((x) => f(x)));
    expect(again.map(values)).to.deep.equal([
      [-2, -6],
      [-12, -20, -30],
    ]);
    expect(foreign).to.deep.equal([[2], [2]]);
    expect(f.stats()).to.include({plans: 2, hits: 2, misses: 2});
    tf.dispose([...inputs, ...both, ...again]);
    f.dispose();
    expect(tf.memory().numTensors).to.equal(before);
  });

  it(
    'reads a captured variable at each call',
    leakless(() => {
      const v = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
      const f = compile((x: tf.Tensor) => tf.mul(x, v));
      expect(tf.tidy(() => values(f(tf.tensor1d([3, 3]))))).to.deep.equal([3, 6]);
      tf.tidy(() => v.assign(tf.tensor1d([10, 20])));
      expect(tf.tidy(() => values(f(tf.tensor1d([3, 3]))))).to.deep.equal([30, 60]);
      f.dispose();
      v.dispose();
    }),
  );

  it(
    'returns the result itself, not a clone, of a call that cannot be replayed',
    leakless(() => {
      const f = compile((x: tf.Tensor) =>
        tf.tidy(() => {
          const y = tf.neg(x);
          y.dataSync();
          return tf.exp(y);
        }),
      );
      const x = tf.tensor1d([0, 0]);
      for (let round = 0; round < 2; round++) f(x).dispose();
      x.dispose();
      f.dispose();
    }),
  );

  it(
    'differentiates as the function itself',
    leakless(() => {
      // tfjs-core leaves gradients to the union package; one is enough here.
      tf.registerGradient({
        kernelName: 'Square',
        inputsToSave: ['x'],
        gradFunc: (dy, [x]) => ({x: () => tf.mul(dy as tf.Tensor, tf.mul(x as tf.Tensor, 2))}),
      });
      const f = compile((x: tf.Tensor) => tf.square(x));
      tf.tidy(() => {
        f(tf.tensor1d([1, 2]));
        const g = tf.grad((x: tf.Tensor) => f(x));
        expect(values(g(tf.tensor1d([1, 2])))).to.deep.equal([2, 4]);
      });
      f.dispose();
    }),
  );

  it(
    'is part of the function that calls it',
    leakless(() => {
      const inner = compile((x: tf.Tensor) => tf.add(x, 1));
      const outer = compile((x: tf.Tensor) => tf.mul(inner(x), 3));
      expect(tf.tidy(() => values(outer(tf.tensor1d([1]))))).to.deep.equal([6]);
      expect(tf.tidy(() => values(outer(tf.tensor1d([2]))))).to.deep.equal([9]);
      expect(inner.stats().plans).to.equal(0);
      outer.dispose();
      inner.dispose();
    }),
  );

  it('refuses after dispose, and under another backend', async () => {
    const f = compile((x: tf.Tensor) => tf.neg(x));
    const x = tf.tensor1d([1]);
    await tf.setBackend('cpu');
    expect(() => f(x)).to.throw(/ERR_BACKEND.*'cpu' is active/);
    await tf.setBackend('graviton');
    f.dispose();
    expect(() => f(x)).to.throw(/ERR_DISPOSED/);
    x.dispose();
  });

  it('throws for a captured tensor that is gone', () => {
    const w = tf.tensor1d([1]);
    const f = compile((x: tf.Tensor) => tf.add(x, w));
    const x = tf.tensor1d([1]);
    f(x).dispose();
    w.dispose();
    expect(() => f(x)).to.throw(/ERR_DISPOSED/);
    f.dispose();
    x.dispose();
  });
});
