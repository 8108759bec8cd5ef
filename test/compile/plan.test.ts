import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import fc from 'fast-check';
import type {Graph, Node, Value} from '../../src/compile/ir';
import {withDistinctResults} from '../../src/compile/plan';
import {parseGraph, printGraph} from '../../src/compile/print';
import {native} from '../../src/native';
import {Concat, StridedCopy} from '../../src/ops/movement';
import {Pointwise} from '../../src/ops/pointwise';
import {call, encodeProgram, f32, input} from '../../src/ops/program';
import {makePool, runGraph} from './pass-harness';
import {holds, seed} from './seed';

interface NodeChoice {
  readonly kind: number;
  readonly x: number;
  readonly y: number;
}

/** A graph over one input: each node reads values written before; values have all sizes from 0 to a few hundred elements. */
function graphOf(choices: readonly NodeChoice[], elems: number, outputs: (values: number) => number[]): Graph {
  const values: Value[] = [{dtype: 'float32', elems}];
  const nodes: Node[] = [];
  const sizeOf = (id: number) => (values[id] as Value).elems;
  const add = (size: number) => ({value: values.push({dtype: 'float32', elems: size}) - 1, offset: 0});
  for (const {kind, x, y} of choices) {
    const a = {value: x % values.length, offset: 0};
    const b = {value: y % values.length, offset: 0};
    const size = sizeOf(a.value);
    if (kind === 0) {
      const other = sizeOf(b.value);
      if (size + other > 400) continue;
      nodes.push({op: Concat, inputs: [a, b], outputs: [add(size + other)], params: {outer: 1, inner: [size, other]}});
    } else if (kind === 1) {
      const half = Math.floor(size / 2);
      const params = {shape: [half], srcStrides: [1], dstStrides: [1]};
      nodes.push({op: StridedCopy, inputs: [{value: a.value, offset: size - half}], outputs: [add(half)], params});
    } else {
      const same = sizeOf(b.value) === size;
      const program = encodeProgram(call('Add', call('Mul', input(0), f32(0.5)), same ? input(1) : f32(1))) as number[];
      const strides = same ? [1, 1, 1] : [1, 1];
      nodes.push({op: Pointwise, inputs: same ? [a, b] : [a], outputs: [add(size)], params: {shape: [size], strides, program}});
    }
  }
  return {values, nodes, inputs: [0], outputs: outputs(values.length)};
}

const chain = (length: number, elems: number) => {
  const lines = Array.from(
    {length},
    (_, i) => `v${i + 1} float32[${elems}] = Pointwise(v${i}) {shape: [${elems}], strides: [1,1], program: Exp(Neg(x0))}`,
  );
  return `inputs: v0 float32[${elems}]\n${lines.join('\n')}\noutputs: v${length}`;
};

describe(`compile: plans (seed ${seed})`, () => {
  beforeEach(async () => {
    await tf.setBackend('graviton');
    native().freeArenas();
  });

  /** The outputs, and the bytes of the arena that they took. */
  const measure = (graph: Graph) => {
    const pool = makePool();
    const results = runGraph(graph, pool);
    pool.dispose();
    return {results, arenaBytes: native().stats().arenaBytes};
  };

  it('gives every value the memory it needs while it is needed', () => {
    const choice = fc.record({kind: fc.nat({max: 4}), x: fc.nat({max: 12}), y: fc.nat({max: 12})});
    holds(
      fc.property(fc.array(choice, {minLength: 1, maxLength: 16, size: 'max'}), fc.nat({max: 40}), fc.nat(), (choices, elems, which) => {
        // Outputs lie outside the arena: a plan that returns every value shares no memory.
        const every = graphOf(choices, elems, (count) => Array.from({length: count - 1}, (_, i) => i + 1));
        if (every.outputs.length === 0) return;
        const outputs = every.outputs.filter((id) => id === every.values.length - 1 || (which >> id) % 5 === 0);
        const wanted = measure(every).results;
        expect(measure({...every, outputs}).results).to.deep.equal(outputs.map((id) => wanted[every.outputs.indexOf(id)]));
      }),
      200,
    );
  });

  it('computes a chain in place', () => {
    const bytes = 4 * 64 * 16;
    // The last of them is the result, which is a tensor of its own.
    expect(measure(parseGraph(chain(6, bytes / 4))).arenaBytes).to.equal(bytes);
  });

  it('keeps two blocks where it cannot compute in place', () => {
    const swap = (from: number) =>
      `v${from + 1} float32[1024] = StridedCopy(v${from}) {shape: [32,32], srcStrides: [1,32], dstStrides: [32,1]}`;
    const text = `inputs: v0 float32[1024]\n${[0, 1, 2, 3, 4, 5].map(swap).join('\n')}\noutputs: v6`;
    expect(measure(parseGraph(text)).arenaBytes).to.equal(2 * 4 * 1024);
  });

  it('runs where every value is empty', () => {
    expect(measure(parseGraph(chain(3, 0))).results).to.deep.equal([[]]);
  });

  it('makes results that are inputs, constants or given twice tensors of their own', () => {
    const text = `
      inputs: v0 float32[4]
      constants: v1 float32[2] = c0
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v0, v2, v1, v2`;
    const distinct = withDistinctResults(parseGraph(text));
    expect(printGraph(distinct).split('\n').slice(3)).to.deep.equal([
      'v3 float32[4] = StridedCopy(v0) {shape: [4], srcStrides: [1], dstStrides: [1]} # result',
      'v4 float32[2] = StridedCopy(v1) {shape: [2], srcStrides: [1], dstStrides: [1]} # result',
      'v5 float32[4] = StridedCopy(v2) {shape: [4], srcStrides: [1], dstStrides: [1]} # result',
      'outputs: v3, v2, v4, v5',
    ]);
  });
});
