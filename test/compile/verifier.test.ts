import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src';
import type {GravitonBackend} from '../../src/backend';
import {differenceOf, errorOf, toleranceOf} from '../../src/compile/difference';
import type {Graph, Node} from '../../src/compile/ir';
import {parseGraph, printGraph} from '../../src/compile/print';
import {unitsOf} from '../../src/compile/units';
import {Verifier} from '../../src/compile/verifier';
import {native} from '../../src/native';
import {broken, withPass} from './broken-pass';
import {makePool} from './pass-harness';

const values = (t: tf.Tensor) => Array.from(t.dataSync());

describe('compile: verification', () => {
  beforeEach(async () => {
    await tf.setBackend('graviton');
    tf.env().set('GRAVITON_VERIFY', true);
  });
  afterEach(() => {
    tf.env().set('GRAVITON_VERIFY', false);
  });

  it('passes right plans, and gives everything back', () => {
    const before = [tf.memory().numTensors, native().stats().tensors, (tf.backend() as GravitonBackend).numDataIds()];
    const w = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const f = compile((x: tf.Tensor2D) => [tf.softmax(tf.relu(tf.matMul(x, w))), tf.argMax(x, 1), x, w]);
    for (let call = 0; call < 3; call++) {
      tf.tidy(() => {
        f(tf.tensor2d([call, 1, -1, 2], [2, 2]));
      });
    }
    expect(f.stats()).to.include({hits: 2, misses: 1});
    f.dispose();
    w.dispose();
    expect([tf.memory().numTensors, native().stats().tensors, (tf.backend() as GravitonBackend).numDataIds()]).to.deep.equal(before);
  });

  it('names the first step that a wrong pass has broken, at the call that is recorded', async () => {
    const w = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    // The softmax of a wrong sum is wrong too, but given the right sum it is right.
    const f = compile((x: tf.Tensor2D) => tf.neg(tf.softmax(tf.add(tf.softmax(tf.matMul(x, w)), tf.sum(x)))));
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const before = [tf.memory().numTensors, native().stats().tensors];
    await withPass(broken, async () => {
      expect(() => tf.tidy(() => f(x))).to.throw(
        /^ERR_VERIFY: step 4 of 6, Pointwise \[6\], differs from eager: element \d of 6 is -9\..*; eager gives 1\d\..*It stands for Pointwise/,
      );
    });
    expect(tf.memory().numTensors).to.equal(before[0]);
    const steps = f.explain().plans[0]?.steps ?? [];
    expect(steps.map((step) => step.diff !== undefined && step.diff.error > step.diff.tolerance)).to.deep.equal([
      false,
      false,
      false,
      true,
      false,
      false,
    ]);
    f.dispose();
    tf.dispose([x, w]);
  });

  it('shows the largest error of every step of the last call', () => {
    const w = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const f = compile((x: tf.Tensor2D) => tf.sum(tf.relu(tf.add(tf.matMul(x, w), 1)), 1));
    tf.dispose(f(tf.tensor2d([1, 2, 3, 4], [2, 2])));
    const line = (label: string) => new RegExp(`^ +\\d\\.\\de[+-]\\d+ of \\d\\.\\de-[56] {2}${label}`, 'm');
    const {text} = f.explain({diff: true});
    expect(text).to.match(line('MatMul.* \\[2x2x2\\]'));
    expect(text).to.match(line('Reduce'));
    expect(f.explain().text).not.to.match(/ of /);
    f.dispose();
    tf.env().set('GRAVITON_VERIFY', false);
    const g = compile((x: tf.Tensor) => tf.neg(x));
    tf.dispose(g(tf.tensor1d([1])));
    expect(g.explain({diff: true}).text).to.match(/not verified: set GRAVITON_VERIFY=1/);
    g.dispose();
    w.dispose();
  });

  it('verifies asynchronous calls', async () => {
    const before = [tf.memory().numTensors, native().stats().tensors];
    const f = compile(async (x: tf.Tensor) => {
      await Promise.resolve();
      return tf.tidy(() => tf.add(tf.exp(x), tf.sum(x)));
    });
    const x = tf.tensor1d([1, 2]);
    tf.dispose(await f(x));
    tf.dispose(await f(x));
    expect(f.stats()).to.include({hits: 1});
    f.dispose();
    const g = compile(async (x: tf.Tensor) => tf.tidy(() => tf.add(x, tf.sum(x))));
    let failure = '';
    await withPass(broken, async () => {
      try {
        await g(x);
      } catch (error) {
        failure = String(error);
      }
    });
    expect(failure).to.match(/ERR_VERIFY: step 2 of 2/);
    g.dispose();
    x.dispose();
    expect(native().stats().tensors).to.equal(before[1]);
  });

  it('tells a function that depends on more than its arguments', () => {
    let factor = 2;
    const f = compile((x: tf.Tensor) => tf.mul(x, factor));
    tf.tidy(() => {
      const x = tf.tensor1d([1, 5]);
      expect(values(f(x))).to.deep.equal([2, 10]);
      factor = 3;
      expect(() => f(x)).to.throw(/ERR_VERIFY.*element 1 of result 0 is 10 instead of 15.*not on other state/);
    });
    f.dispose();
  });

  it('follows variables', () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const f = compile((x: tf.Tensor) => tf.mul(x, v));
    tf.tidy(() => {
      expect(values(f(tf.tensor1d([3, 3])))).to.deep.equal([3, 6]);
      v.assign(tf.tensor1d([10, 20]));
      expect(values(f(tf.tensor1d([3, 3])))).to.deep.equal([30, 60]);
      expect(values(f(tf.tensor1d([4, 4])))).to.deep.equal([40, 80]);
    });
    f.dispose();
    v.dispose();
  });

  it('does not hold against a step what rounding does to its operands', () => {
    // The deviation of rows that hardly vary is the noise of the mean, divided by the root of epsilon.
    const f = compile((x: tf.Tensor) => {
      const mean = tf.mean(x, -1, true);
      const variance = tf.mean(tf.square(tf.sub(x, mean)), -1, true);
      return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-12)));
    });
    tf.tidy(() => {
      f(tf.fill([3, 7], 1000.1));
      expect(f.explain().plans[0]?.steps.map((s) => s.op)).to.deep.equal(['Normalize']);
      f(
        tf.tensor2d(
          Array.from({length: 21}, (_, i) => 777 + i * 1e-4),
          [3, 7],
        ),
      );
    });
    f.dispose();
  });

  describe('finds', () => {
    const recorded = `
      inputs: v0 float32[4], v1 float32[4]
      constants:
      v2 float32[4] = Pointwise(v0, v1) {shape: [4], strides: [1,1,1], program: Add(x0, x1)}
      v3 float32[4] = Pointwise(v2) {shape: [4], strides: [1,1], program: Relu(x0)}
      v4 bool[4] = Pointwise(v3) {shape: [4], strides: [1,1], program: Greater(x0, 0.5)}`;
    const last = 'v4 bool[4] = Pointwise(v3) {shape: [4], strides: [1,1], program: Greater(x0, 0.5)}';

    /** Verifies one call of the optimised graph in place of the recorded one; `results` are those of the recorded one. */
    const verifying = (optimized: string, outputs = 'v3, v4', tamper: (results: tf.Tensor[]) => tf.Tensor[] = (r) => r) => {
      const before = [tf.memory().numTensors, native().stats().tensors];
      const backend = tf.backend() as GravitonBackend;
      const pool = makePool();
      const graph = (text: string, results: string) => parseGraph(`${text}\noutputs: ${results}`);
      const verifier = new Verifier(graph(recorded, 'v3, v4'), graph(optimized, outputs), pool, backend, () => []);
      try {
        tf.tidy(() => {
          const [a, b] = [tf.tensor1d([1, -2, 3, 0.25]), tf.tensor1d([0.5, 1, 1, 0.25])];
          const relu = tf.relu(tf.add(a, b));
          const results = [relu, tf.greater(relu, 0.5)];
          verifier.check([a, b], tamper(results), results);
        });
      } finally {
        verifier.dispose();
        pool.dispose();
        expect([tf.memory().numTensors, native().stats().tensors]).to.deep.equal(before);
      }
    };
    const fused = 'v3 float32[4] = Pointwise(v0, v1) {shape: [4], strides: [1,1,1], program: Relu(Add(x0, x1))}';
    const head = 'inputs: v0 float32[4], v1 float32[4]\nconstants:\n';

    it('nothing where a fused graph is right', () => verifying(`${head}${fused}\n${last}`));

    it('a wrong expression', () => {
      expect(() => verifying(`${head}${fused.replace('Add', 'Sub')}\n${last}`)).to.throw(/ERR_VERIFY: step 1 of 2, Pointwise \[4\]/);
    });

    it('a wrong operand, however small the error is for these values', () => {
      expect(() => verifying(`${head}${fused.replace('x1', 'Mul(x1, 1.0001)')}\n${last}`)).to.throw(/step 1 of 2/);
    });

    it('a wrong int32 or bool', () => {
      expect(() => verifying(`${head}${fused}\n${last.replace('Greater', 'GreaterEqual')}`)).to.throw(
        /step 2 of 2, Pointwise \[4\], differs from eager: element 3 of 4 is 1; eager gives 0/,
      );
    });

    it('a part of a value that is not written where it belongs', () => {
      const parts = `
        v3 float32[4] = Pointwise(v0, v1) {shape: [2], strides: [1,1,1], program: Relu(Add(x0, x1))}
        v3@2 = Pointwise(v0@1, v1@2) {shape: [2], strides: [1,1,1], program: Relu(Add(x0, x1))}`;
      expect(() => verifying(`${head}${parts}\n${last}`)).to.throw(/step 2 of 3/);
      verifying(`${head}${parts.replace('v0@1', 'v0@2')}\n${last}`);
    });

    it('a result for which another value was put', () => {
      expect(() => verifying(`${head}${fused}\n${last}`, 'v0, v4')).to.throw(/ERR_VERIFY: result 0 differs from eager/);
    });

    it('a plan that does not give what its steps give', () => {
      const swapped = (results: tf.Tensor[]) => [tf.reverse(results[0] as tf.Tensor), ...results.slice(1)];
      expect(() => verifying(`${head}${fused}\n${last}`, 'v3, v4', swapped)).to.throw(
        /ERR_VERIFY: every step alone gives what eager gives, but/,
      );
    });
  });

  it('cuts a graph into units at a set of values', () => {
    const graph = parseGraph(`
      inputs: v0 float32[4]
      constants:
      v1 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v2 float32[8] = Pointwise(v1) {shape: [4], strides: [1,1], program: Neg(x0)}
      v3 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Abs(x0)}
      v2@4 = Pointwise(v1, v3) {shape: [4], strides: [1,1,1], program: Add(x0, x1)}
      v4 float32[2], v5 int32[2] = TopK(v2) {rows: 1, cols: 8, k: 2}
      outputs: v4`);
    const text = (units: {graph: Graph}[]) =>
      units.map((u) => `${u.graph.inputs} → ${u.graph.outputs}: ${u.graph.nodes.map((n) => graph.nodes.indexOf(n))}`);
    expect(text(unitsOf(graph, new Set([2, 4])))).to.deep.equal(['0 → 2: 0,1,2,3', '2 → 4: 4']);
    expect(text(unitsOf(graph, new Set([1, 2, 3, 4, 5])))).to.deep.equal(['0 → 1: 0', '0 → 3: 2', '1,3 → 2: 1,3', '2 → 4,5: 4']);
    expect(text(unitsOf(graph, new Set([5])))).to.deep.equal(['0 → 5: 0,1,2,3,4']);
    expect(printGraph(graph)).to.include('TopK');
  });

  it('makes what is read before all of it is written again, as far as it is there', () => {
    const graph = parseGraph(`
      inputs: v0 float32[4]
      constants:
      v1 float32[8] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v2 float32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Neg(x0)}
      v1@4 = Pointwise(v2) {shape: [4], strides: [1,1], program: Abs(x0)}
      v3 float32[8] = Pointwise(v1) {shape: [8], strides: [1,1], program: Neg(x0)}
      outputs: v3`);
    const units = unitsOf(graph, new Set([1, 2, 3])).map(
      (u) => `${u.graph.inputs} → ${u.graph.outputs}: ${u.graph.nodes.map((n) => graph.nodes.indexOf(n))}`,
    );
    expect(units).to.deep.equal(['0 → 2: 0,1', '0,2 → 1: 0,2', '1 → 3: 3']);
  });

  it('measures differences', () => {
    const {NaN: nan, POSITIVE_INFINITY: infinity} = Number;
    expect(differenceOf([1, 2.5, -4], [1, 2, -4])).to.deep.equal({element: 1, got: 2.5, wanted: 2, distance: 0.5, scale: 4});
    expect(errorOf(differenceOf([1, 2.5, -4], [1, 2, -4]))).to.equal(0.125);
    expect(differenceOf([nan, infinity, -0], [nan, infinity, 0]).distance).to.equal(0);
    expect(differenceOf([1, 2], [1, nan])).to.include({element: 1, distance: infinity});
    expect(differenceOf([nan], [3])).to.include({distance: infinity});
    expect(differenceOf([infinity], [-infinity])).to.include({distance: infinity});
    expect(errorOf(differenceOf([1e-30], [0]))).to.equal(infinity);
    expect(errorOf(differenceOf([], []))).to.equal(0);
  });

  it('expects more of short sums than of long ones', () => {
    const [short, long] = [16, 4096].map((k) => {
      const params = `batch1: 1, batch2: 1, rowsM: 1, colsN: 1, depthK: ${k}, aRow: ${k}, aCol: 1, bRow: 1, bCol: 1, cRow: 1`;
      return parseGraph(`inputs: v0 float32[${k}], v1 float32[${k}]\nv2 float32[1] = MatMul(v0, v1, -) {${params}}\noutputs: v2`).nodes;
    }) as [Node[], Node[]];
    expect(toleranceOf(long) / toleranceOf(short)).to.be.within(8, 16);
    expect(toleranceOf(long)).to.be.lessThan(1e-3);
  });
});
