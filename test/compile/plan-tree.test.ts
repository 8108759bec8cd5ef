import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {type Compiled, compile} from '../../src';
import type {GravitonBackend} from '../../src/backend';
import {native} from '../../src/native';

const values = (t: tf.Tensor) => Array.from(t.dataSync());
const held = () => [tf.memory().numTensors, native().stats().tensors, (tf.backend() as GravitonBackend).numDataIds()];

/** Doubles until the sum is large: how often depends on the elements. */
function untilLarge(x: tf.Tensor): tf.Tensor {
  let y = tf.relu(x);
  while (tf.less(tf.sum(y), 100).dataSync()[0] && tf.any(tf.greater(y, 0)).dataSync()[0]) y = tf.add(tf.mul(y, 1.5), 0.25);
  return y;
}

const planOf = (f: Compiled) => f.explain().plans[0];

describe('compile: plan trees', () => {
  let before: number[];
  beforeEach(async () => {
    await tf.setBackend('graviton');
    before = held();
  });
  afterEach(() => {
    tf.env().set('GRAVITON_VERIFY', false);
    expect(held()).to.deep.equal(before);
  });

  /** Calls both with the same elements, and compares. */
  function agree(f: (x: tf.Tensor) => tf.Tensor, g: (x: tf.Tensor) => tf.Tensor, elements: number[]): void {
    tf.tidy(() => {
      const [got, wanted] = [values(f(tf.tensor1d(elements))), values(g(tf.tensor1d(elements)))];
      for (const [i, value] of wanted.entries()) expect(got[i]).to.be.closeTo(value, 1e-6 * Math.abs(value));
    });
  }

  it('follows conditions, and goes back to JavaScript where a call goes on as none before', () => {
    const f = compile((x: tf.Tensor) => (tf.greater(tf.sum(x), 0).dataSync()[0] ? tf.neg(tf.exp(x)) : tf.mul(x, 2)));
    const call = (...x: number[]) => tf.tidy(() => values(f(tf.tensor1d(x))));
    expect(call(0, 0)).to.deep.equal([0, 0]);
    expect(call(-1, -2)).to.deep.equal([-2, -4]);
    expect(f.stats()).to.include({plans: 1, hits: 1, misses: 1, eagerSignatures: 0});
    expect(call(2, -1)[1]).to.be.closeTo(-Math.exp(-1), 1e-6);
    expect(f.stats()).to.include({hits: 1, misses: 2});
    expect(call(2, -1)[1]).to.be.closeTo(-Math.exp(-1), 1e-6);
    expect(call(-4, 1)).to.deep.equal([-8, 2]);
    expect(f.stats()).to.include({plans: 1, hits: 3, misses: 2});
    expect(planOf(f)?.guards).to.deep.equal(['bool[1]: 0 | 1']);
    expect(f.explain().text).to.include('read in JavaScript: bool[1]: 0 | 1');
    f.dispose();
  });

  it('runs loops, whose iterations are one plan', () => {
    const f = compile(untilLarge);
    for (const x of [10, 10, 1, 0.5, -1, 60, 0.1, 10, 1]) agree(f, untilLarge, [x, x / 2]);
    const {hits, misses} = f.stats();
    expect(misses).to.be.lessThan(7);
    expect(hits).to.equal(9 - misses);
    // Before the loop, an iteration's two conditions, an iteration: not once for each iteration.
    expect(planOf(f)?.steps).to.have.length.lessThan(16);
    f.dispose();
  });

  it('runs what comes after a large read eagerly, and what comes before as a plan', () => {
    const w = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const g = (x: tf.Tensor) => {
      const y = tf.softmax(tf.matMul(tf.reshape(x, [1, 2]) as tf.Tensor2D, w));
      const z = tf.exp(y);
      const [first] = y.dataSync();
      return tf.sub(tf.mul(z, first as number), y);
    };
    const f = compile(g);
    for (const x of [1, 2, 3, 4]) agree(f, g, [x, -x]);
    expect(f.stats()).to.include({plans: 1, hits: 3, misses: 1, eagerSignatures: 0});
    expect(planOf(f)?.steps.map(({op}) => op)).to.have.members(['MatMul', 'Softmax', 'Pointwise']);
    expect(planOf(f)?.tails).to.deep.equal(['the elements of a derived float32 tensor (2 elements) are read in JavaScript']);
    f.dispose();
    w.dispose();
  });

  it('computes what a tail reads for the first time', () => {
    const g = (x: tf.Tensor) => {
      const [a, b] = [tf.mul(x, 3), tf.exp(x)];
      const y = tf.neg(x);
      return (y.dataSync()[0] as number) > 0 ? tf.add(a, y) : tf.add(b, y);
    };
    const f = compile(g);
    for (const x of [1, -1, 1, -1]) agree(f, g, [x, 2]);
    expect(f.stats()).to.include({hits: 3, misses: 1});
    f.dispose();
  });

  it('runs eagerly from the first elements that take too many values', () => {
    const g = (x: tf.Tensor) => {
      const y = tf.neg(tf.exp(x));
      const count = tf.cast(tf.sum(x), 'int32').dataSync()[0] as number;
      return tf.mul(y, count);
    };
    const f = compile(g);
    for (let x = 0; x < 20; x++) agree(f, g, [x, 0]);
    for (let x = 0; x < 20; x++) agree(f, g, [x, 0]);
    expect(planOf(f)?.tails).to.deep.equal(['the elements of a derived int32 tensor (1 elements) have had more than 16 values']);
    expect(planOf(f)?.guards).to.deep.equal([]);
    expect(f.stats()).to.include({plans: 1, misses: 17, hits: 23});
    f.dispose();
  });

  it('gives inputs, captured tensors and repeated values as tensors of their own', () => {
    const w = tf.tensor1d([1, 2]);
    const f = compile((x: tf.Tensor) => {
      const y = tf.add(x, w);
      return tf.greater(tf.sum(y), 0).dataSync()[0] ? [x, w, y, y] : [y, x, x, w];
    });
    for (const sign of [1, -1, 1, -1, 1]) {
      const x = tf.tensor1d([4 * sign, 5 * sign]);
      const results = f(x);
      x.dispose();
      const [a, b, c, d] = results.map(values);
      if (sign > 0)
        expect([a, b, c, d]).to.deep.equal([
          [4, 5],
          [1, 2],
          [5, 7],
          [5, 7],
        ]);
      else
        expect([a, b, c, d]).to.deep.equal([
          [-3, -3],
          [-4, -5],
          [-4, -5],
          [1, 2],
        ]);
      for (const t of results) t.dispose();
    }
    expect(values(w)).to.deep.equal([1, 2]);
    f.dispose();
    w.dispose();
  });

  it('reads a variable anew that a later way captures', () => {
    const v = tf.variable(tf.tensor1d([1]));
    const f = compile((x: tf.Tensor) => (tf.greater(tf.sum(x), 0).dataSync()[0] ? tf.mul(x, v) : tf.neg(x)));
    const call = (x: number) => tf.tidy(() => values(f(tf.tensor1d([x]))));
    expect([call(-1), call(2), call(2)]).to.deep.equal([[1], [2], [2]]);
    v.assign(tf.tidy(() => tf.tensor1d([5])));
    expect([call(2), call(-1), call(3)]).to.deep.equal([[10], [1], [15]]);
    f.dispose();
    v.dispose();
    tf.disposeVariables();
    before = held();
  });

  it('runs asynchronous functions that overlap and go different ways', async () => {
    const f = compile(async (x: tf.Tensor) => {
      const y = tf.relu(x);
      const sum = tf.sum(y);
      const large = tf.greater(sum, 3);
      const isLarge = (await large.data())[0];
      const result = isLarge ? tf.mul(y, 2) : tf.add(y, 1);
      tf.dispose([y, sum, large]);
      return result;
    });
    for (let round = 0; round < 3; round++) {
      const inputs = [1, 2, 3, 4].map((x) => tf.tensor1d([x, 1]));
      const results = await Promise.all(inputs.map((x) => f(x)));
      expect(results.map(values)).to.deep.equal([
        [2, 2],
        [3, 2],
        [6, 2],
        [8, 2],
      ]);
      tf.dispose([...inputs, ...results]);
    }
    expect(planOf(f)?.guards).to.deep.equal(['bool[1]: 0 | 1']);
    f.dispose();
  });

  it('ends calls that are under way when it is disposed of', async () => {
    const w = tf.tensor1d([2]);
    const g = async (x: tf.Tensor) => {
      const y = tf.mul(x, w);
      const sum = tf.sum(y);
      const isLarge = (await sum.data())[0] as number;
      const z = isLarge > 3 ? tf.exp(y) : tf.add(y, w);
      tf.dispose([y, sum]);
      return z;
    };
    for (const first of [1, 2]) {
      const f = compile(g);
      const x = tf.tensor1d([1], 'int32');
      for (let call = 0; call < first; call++) (await f(x)).dispose();
      const promise = f(x);
      f.dispose();
      const z = await promise;
      expect(values(z)).to.deep.equal([4]);
      tf.dispose([x, z]);
    }
    w.dispose();
  });

  it('draws random numbers anew in each call, and hears of no others', async () => {
    const {random} = Math;
    const f = compile((x: tf.Tensor) => {
      const y = tf.softmax(tf.exp(x));
      return tf.add(y, tf.randomUniform([2]));
    });
    const results = [1, 2, 3].map(() => tf.tidy(() => values(f(tf.tensor1d([0, 0])))));
    expect(new Set(results.flat()).size).to.equal(6);
    for (const value of results.flat()) expect(value).to.be.within(0.5, 1.5);
    expect(planOf(f)?.tails).to.deep.equal(['random numbers are drawn']);
    f.dispose();
    const g = compile(async (x: tf.Tensor) => {
      const y = tf.exp(x);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const z = tf.neg(y);
      y.dispose();
      return z;
    });
    const x = tf.tensor1d([0]);
    const promise = g(x);
    Math.random();
    tf.dispose([await promise, x]);
    expect(planOf(g)).to.deep.include({eager: undefined});
    expect(planOf(g)?.tails).to.equal(undefined);
    g.dispose();
    expect(Math.random).to.equal(random);
  });

  it('gives up where calls with the same inputs take different steps', () => {
    let calls = 0;
    const g = (x: tf.Tensor) => {
      const y = calls++ % 2 === 0 ? tf.exp(x) : tf.neg(x);
      return tf.greater(tf.sum(y), 0).dataSync()[0] ? tf.add(y, 1) : tf.mul(y, 2);
    };
    const f = compile(g);
    const call = (x: number) => tf.tidy(() => values(f(tf.tensor1d([x])))[0] as number);
    expect(call(0)).to.equal(2);
    // The plan is that of the first call; where it goes another way, JavaScript says otherwise.
    expect(call(0)).to.equal(2);
    expect(call(Number.NEGATIVE_INFINITY)).to.equal(Number.POSITIVE_INFINITY);
    expect(planOf(f)?.eager).to.match(/take different steps: the function is not pure/);
    f.dispose();
  });

  it('gives everything back where the function throws on the way', () => {
    const f = compile((x: tf.Tensor) => {
      const y = tf.exp(x);
      if (tf.greater(tf.sum(y), 100).dataSync()[0]) throw new RangeError('too large');
      return tf.neg(y);
    });
    const call = (x: number) => tf.tidy(() => values(f(tf.tensor1d([x]))));
    expect(call(0)).to.deep.equal([-1]);
    for (let i = 0; i < 2; i++) expect(() => call(10)).to.throw(RangeError);
    expect(call(0)).to.deep.equal([-1]);
    f.dispose();
  });

  it('is verified part by part', () => {
    tf.env().set('GRAVITON_VERIFY', true);
    const f = compile(untilLarge);
    for (const x of [10, 1, 10, 1]) agree(f, untilLarge, [x, x]);
    expect(planOf(f)?.steps.some((step) => step.diff !== undefined)).to.equal(true);
    f.dispose();
  });
});
