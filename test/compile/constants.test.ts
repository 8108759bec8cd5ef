import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src';
import type {GravitonBackend} from '../../src/backend';
import {ConstantPool} from '../../src/compile/constants';
import {native} from '../../src/native';
import type {TensorData} from '../../src/tensor-data';

const dataOf = (x: tf.Tensor): TensorData => (tf.backend() as GravitonBackend).data(x.dataId);
const ramp = (elems: number, last = elems - 1): Float32Array => Float32Array.from({length: elems}, (_, i) => (i === elems - 1 ? last : i));

describe('constants with the same elements', () => {
  before(() => tf.setBackend('graviton'));

  it('are one constant and one buffer', () => {
    const pool = new ConstantPool();
    const tensors = [tf.tensor1d(ramp(2048)), tf.tensor1d(ramp(2048)), tf.tensor2d(ramp(2048), [32, 64])];
    const [a, b, c] = tensors.map((x) => pool.capture(dataOf(x)));
    expect([b, c]).to.deep.equal([a, a]);
    expect(pool.sharedBytes()).to.equal(2 * 2048 * 4);
    tensors[0]?.dispose();
    pool.dispose();
    expect(tensors[1]?.dataSync()).to.deep.equal(ramp(2048));
    tf.dispose(tensors);
  });

  it('are two where one element, the type or the size differs, or where they are short', () => {
    const pool = new ConstantPool();
    const different = [
      tf.tensor1d(ramp(2048)),
      tf.tensor1d(ramp(2048, -1)),
      tf.tensor1d(ramp(2049)),
      tf.tensor1d([...ramp(2048)], 'int32'),
    ];
    const almost = ramp(2048);
    almost[5] = -5;
    const short = [tf.tensor1d(ramp(8)), tf.tensor1d(ramp(8))];
    const all = [...different, tf.tensor1d(almost), ...short];
    expect(new Set(all.map((x) => pool.capture(dataOf(x)))).size).to.equal(all.length);
    expect(pool.sharedBytes()).to.equal(0);
    tf.dispose(all);
    pool.dispose();
  });

  it('are not looked for in tensors that are gone and were packed', () => {
    const w = tf.randomUniform([3, 3, 16, 16], -1, 1, 'float32', 2) as tf.Tensor4D;
    // A filter turned for each call is equal to the last call's, of which only the packed form is left.
    const g = (x: tf.Tensor) => tf.conv2dTranspose(x as tf.Tensor4D, w, [x.shape[0] as number, 6, 6, 16], 1, 'same');
    const f = compile(g, {freeze: true});
    for (const batch of [1, 2, 3, 5]) {
      tf.tidy(() => {
        const x = tf.randomUniform([batch, 6, 6, 16], -1, 1, 'float32', 3);
        const error = tf.max(tf.abs(tf.sub(f(x), g(x)))).dataSync()[0] as number;
        expect(error).to.be.at.most(1e-4);
      });
    }
    f.dispose();
    w.dispose();
  });

  it('are packed once, frozen and thawed together', () => {
    const random = tf.randomUniform([64, 64]);
    const weights = [random, tf.tensor(random.dataSync(), [64, 64]), tf.tensor(random.dataSync(), [64, 64])];
    const x = tf.randomUniform([4, 64]);
    const f = compile((y: tf.Tensor) => weights.reduce((sum, w) => tf.relu(tf.matMul(sum, w)), y), {freeze: true});
    const wanted = tf.tidy(() => weights.reduce((sum: tf.Tensor, w) => tf.relu(tf.matMul(sum, w)), x)).dataSync();
    const near = (got: tf.Tensor) => {
      got.dataSync().forEach((v, i) => {
        expect(v).to.be.closeTo(wanted[i] as number, 1e-4 * (wanted[i] as number));
      });
      got.dispose();
    };
    for (let call = 0; call < 2; call++) near(f(x) as tf.Tensor);
    // 64 x 64, and at most a panel's padding.
    expect(f.stats().constantBytes).to.be.below(2 * 64 * 64 * 4);
    expect(f.stats().sharedBytes).to.equal(2 * 64 * 64 * 4);
    near(tf.tidy(() => weights.reduce((sum: tf.Tensor, w) => tf.relu(tf.matMul(sum, w)), x)));
    f.dispose();
    for (const w of weights) expect(w.dataSync()).to.deep.equal(weights[0]?.dataSync());
    tf.dispose([weights, x]);
  });

  it('are packed once where some are stored as transposes, frozen and thawed each for itself', () => {
    const table = tf.randomUniform([96, 64], -1, 1, 'float32', 5) as tf.Tensor2D;
    const transposed = tf.tidy(() => tf.tensor2d(tf.transpose(table).dataSync(), [64, 96]));
    const another = tf.tidy(() => tf.add(transposed, tf.oneHot(tf.tensor1d(new Int32Array(64), 'int32'), 96))) as tf.Tensor2D;
    const x = tf.randomUniform([4, 64], -1, 1, 'float32', 6) as tf.Tensor2D;
    const plain = [table, transposed, another].map((w) => w.dataSync());
    const products = (y: tf.Tensor2D) => [tf.matMul(y, table, false, true), tf.matMul(y, transposed), tf.matMul(tf.relu(y), another)];
    const f = compile((y: tf.Tensor) => products(y as tf.Tensor2D), {freeze: true, disable: ['shared-input']});
    for (const rows of [4, 4, 2]) {
      tf.tidy(() => {
        const part = tf.slice(x, 0, rows) as tf.Tensor2D;
        const wanted = products(part);
        (f(part) as tf.Tensor[]).forEach((got, i) => {
          const error = tf.max(tf.abs(tf.sub(got, wanted[i] as tf.Tensor))).dataSync()[0];
          expect(error).to.be.at.most(1e-5);
        });
      });
    }
    const {sharedBytes, constantBytes} = f.stats();
    // 64 x 96, and at most a panel's padding.
    expect(sharedBytes).to.be.within(64 * 96 * 4, 1.5 * 64 * 96 * 4);
    expect(constantBytes).to.be.below(2.9 * 64 * 96 * 4);
    [table, transposed, another].forEach((w, i) => {
      expect(w.dataSync()).to.deep.equal(plain[i]);
    });
    f.dispose();
    tf.dispose([table, transposed, another, x]);
  });

  it('are in memory once, packed, and once more while they are packed', () => {
    const [count, bytes] = [8, 512 * 512 * 4];
    const weights = Array.from({length: count}, (_, i) => tf.randomUniform([512, 512], -1, 1, 'float32', i));
    const x = tf.randomUniform([4, 512]);
    const allocated = () => native().stats().allocatedBytes;
    const before = allocated();
    const f = compile((y: tf.Tensor) => weights.reduce((sum, w) => tf.matMul(sum, w), y), {freeze: true});
    tf.dispose(f(x));
    const {constantBytes, arenaBytes, residentBytes, peakBytes} = f.stats();
    expect(constantBytes).to.equal(count * bytes);
    expect(allocated() - before).to.be.below(bytes / 2 + arenaBytes);
    expect(residentBytes).to.be.at.least(allocated());
    expect(peakBytes).to.be.at.least(before + bytes);
    f.dispose();
    tf.dispose([weights, x]);
  });

  it('are in memory packed alone where a pass has computed them', () => {
    const [weights, scale, x] = [tf.randomUniform([256, 256]), tf.randomUniform([256]), tf.randomUniform([4, 256])];
    const f = compile((y: tf.Tensor) => tf.mul(tf.matMul(y, weights), scale), {freeze: true});
    tf.dispose(f(x));
    expect(f.explain().text).to.contain('batch norm');
    expect(f.stats().constantBytes).to.be.below(1.1 * 256 * 256 * 4);
    f.dispose();
    tf.dispose([weights, scale, x]);
  });

  for (const ending of ['read', 'disposed of']) {
    it(`that are frozen stay so where memory is short at dispose(), until they are ${ending}`, () => {
      const before = native().stats();
      const weights = tf.randomUniform([128, 96]) as tf.Tensor2D;
      const x = tf.ones([4, 128]) as tf.Tensor2D;
      const wanted = weights.dataSync();
      const f = compile((y: tf.Tensor) => tf.matMul(y as tf.Tensor2D, weights), {freeze: true});
      for (let call = 0; call < 2; call++) tf.dispose(f(x));
      native().failAllocation(1);
      f.dispose();
      expect(native().failAllocation(0), 'the failure has happened').to.equal(0);
      if (ending === 'read') expect(weights.dataSync()).to.deep.equal(wanted);
      tf.dispose([weights, x]);
      native().freeArenas();
      const {tensors, tensorBytes} = native().stats();
      expect({tensors, tensorBytes}).to.deep.equal({tensors: before.tensors, tensorBytes: before.tensorBytes});
    });
  }
});
