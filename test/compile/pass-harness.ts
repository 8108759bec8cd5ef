/** Tests of passes: a graph as text becomes another one, and both compute the same. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '../../src';
import type {GravitonBackend} from '../../src/backend';
import {ConstantPool} from '../../src/compile/constants';
import {type Graph, verify} from '../../src/compile/ir';
import type {Pass} from '../../src/compile/pass';
import {Plan, withDistinctResults} from '../../src/compile/plan';
import {exactPrecision, type Precision} from '../../src/compile/precision';
import {parseGraph, printGraph} from '../../src/compile/print';
import type {TensorData} from '../../src/tensor-data';
import {expandAttention} from './expand-attention';

export interface PassCase {
  /** Elements of c0, c1, …: an int32 constant where they are in an Int32Array. */
  readonly constants?: readonly (readonly number[] | Int32Array)[];
  readonly before: string;
  /** Not given: the pass leaves the graph as it is. */
  readonly after?: string;
  /** Nodes before and after. */
  readonly nodes: readonly [before: number, after: number];
  /** What the pass says about what it did not do, each once of steps that it leaves by themselves; it must say nothing else. */
  readonly reasons?: readonly RegExp[];
  /**
   * How far results may move, relative to the largest of them. 0, not given: every bit stays. Rewrites that sum in another order or use
   * another formula round each of a few operations differently: 1e-6 is 16 roundings of 2⁻²⁴.
   */
  readonly tolerance?: number;
  /** What the pass may round; not given: nothing. */
  readonly precision?: Precision;
}

/** Small generator with a seed (mulberry32): the same elements in every run. */
export function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function inputTensor(dtype: string, elems: number, random: () => number): tf.Tensor1D {
  if (dtype === 'bool')
    return tf.tensor1d(
      Array.from({length: elems}, () => (random() < 0.5 ? 0 : 1)),
      'bool',
    );
  if (dtype === 'int32')
    return tf.tensor1d(
      Array.from({length: elems}, () => Math.floor(10 * random()) - 5),
      'int32',
    );
  return tf.tensor1d(Float32Array.from({length: elems}, () => 4 * random() - 2));
}

/** The outputs of a graph for random inputs, which are the same for graphs with equal inputs. */
export function runGraph(graph: Graph, pool: ConstantPool, seed = 1): number[][] {
  const random = randoms(seed);
  const backend = tf.backend() as GravitonBackend;
  const inputs = graph.inputs.map((id) => {
    const {dtype, elems} = graph.values[id] as {dtype: string; elems: number};
    return inputTensor(dtype, elems, random);
  });
  const specs = graph.outputs.map((id) => {
    const {dtype, elems} = graph.values[id] as {dtype: string; elems: number};
    return {dtype: dtype as 'float32', shape: [elems]};
  });
  const plan = new Plan(withDistinctResults(graph), specs, pool, backend);
  try {
    const results = plan.run(
      inputs.map((x) => backend.data(x.dataId) as TensorData),
      () => expect.fail('no graph here has host calls'),
    );
    return results.map((info) => {
      const tensor = tf.engine().makeTensorFromTensorInfo(info, backend);
      const values = Array.from(tensor.dataSync());
      tensor.dispose();
      return values;
    });
  } finally {
    plan.dispose();
    tf.dispose(inputs);
  }
}

export function expectClose(got: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(got).to.have.length(wanted.length);
  const scale = wanted.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);
  wanted.forEach((v, i) => {
    const near = Object.is(got[i], v) || Math.abs((got[i] as number) - v) <= tolerance * scale;
    if (!near) expect.fail(`element ${i} is ${got[i]}; it must be ${v} within ${tolerance} of ${scale}`);
  });
}

export function makePool(constants: PassCase['constants'] = []): ConstantPool {
  const pool = new ConstantPool();
  for (const values of constants) {
    if (values instanceof Int32Array) pool.make(values, 'int32');
    else pool.make(Float32Array.from(values), 'float32');
  }
  return pool;
}

/** Declares a test that `pass` makes of one graph the other. */
export function rewrites(title: string, pass: Pass, test: PassCase): void {
  it(title, async () => {
    await tf.setBackend('graviton');
    const pool = makePool(test.constants);
    const before = parseGraph(test.before);
    const textBefore = printGraph(before);
    verify(before, 'the test');
    const reasons: string[] = [];
    const after = pass.run(before, {
      pool,
      precision: test.precision ?? exactPrecision,
      refuse: (_, reason) => reasons.push(reason),
      leave: (_, reason) => {
        if (!reasons.includes(reason)) reasons.push(reason);
      },
      inherit: () => {},
      remember: (_, make) => make(),
      choose: (make) => make(),
    });
    verify(after, pass.name);
    expect(printGraph(after)).to.equal(test.after === undefined ? textBefore : printGraph(parseGraph(test.after)));
    expect(printGraph(before), 'the graph that the pass was given').to.equal(textBefore);
    expect([before.nodes.length, after.nodes.length]).to.deep.equal(test.nodes);
    const wanted = test.reasons ?? [];
    expect(reasons, reasons.join('; ')).to.have.length(wanted.length);
    for (const [i, pattern] of wanted.entries()) expect(reasons[i]).to.match(pattern);
    const results = runGraph(before, pool);
    runGraph(expandAttention(after), pool).forEach((got, i) => {
      expectClose(got, results[i] as number[], test.tolerance ?? 0);
    });
    pool.dispose();
  });
}
