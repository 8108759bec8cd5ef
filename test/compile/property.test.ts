import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import fc from 'fast-check';
import {compile} from '../../src';
import {passes} from '../../src/compile/optimize';
import {native} from '../../src/native';
import {randoms} from './pass-harness';
import {inputBound, inputShapes, runProgram, type Step, stepsOf, Weights} from './random-program';
import {seed} from './seed';

const names = [...new Set(passes.map((p) => p.name))];

interface Case {
  readonly steps: readonly Step[];
  readonly shapes: readonly (readonly number[])[];
  readonly disable: readonly string[];
}

/** Runs the program three times, eagerly and compiled, with other values each time. */
function check({steps, shapes, disable}: Case): void {
  const before = [tf.memory().numTensors, native().stats().tensors];
  const weights = new Weights();
  const program = (...inputs: tf.Tensor[]) => runProgram(steps, inputs, weights);
  // Every third result from the last, so that others may be fused away.
  const results = (pool: ReturnType<typeof program>) => pool.filter((_, i) => (pool.length - 1 - i) % 3 === 0);
  const compiled = compile((...inputs: tf.Tensor[]) => results(program(...inputs)).map((r) => r.t), {disable});
  const random = randoms(seed);
  try {
    for (let call = 0; call < 3; call++) {
      tf.tidy(() => {
        const inputs = shapes.map((shape) => {
          const values = Float32Array.from({length: tf.util.sizeFromShape(shape as number[])}, () => inputBound * (2 * random() - 1));
          return tf.tensor(values, shape as number[]);
        });
        const wanted = results(program(...inputs));
        const got = compiled(...inputs);
        expect(got.map((t) => [t.dtype, t.shape])).to.deep.equal(wanted.map(({t}) => [t.dtype, t.shape]));
        wanted.forEach(({t, bound, error}, i) => {
          const reference = t.dataSync();
          const values = (got[i] as tf.Tensor).dataSync();
          reference.forEach((want, at) => {
            const near = Object.is(want, values[at]) || Math.abs((values[at] as number) - want) <= error;
            if (!near) {
              const text = compiled.explain().text;
              expect.fail(`call ${call}, result ${i}, element ${at} is ${values[at]}; eager gives ${want} ± ${error} of ${bound}\n${text}`);
            }
          });
        });
      });
    }
  } finally {
    compiled.dispose();
    weights.dispose();
  }
  expect([tf.memory().numTensors, native().stats().tensors]).to.deep.equal(before);
}

describe(`compile: random programs (seed ${seed})`, () => {
  before(async () => {
    await tf.setBackend('graviton');
  });

  /** As many programs as fit into the time, at most `numRuns`. */
  const hold = (steps: fc.Arbitrary<Step[]>, numRuns: number, milliseconds: number) => {
    const factor = Number(process.env.GRAVITON_TEST_RUNS ?? 1);
    const disable = fc.oneof(fc.constant([]), fc.subarray(names));
    const cases = fc.record({steps, shapes: inputShapes, disable});
    fc.assert(fc.property(cases, check), {
      seed,
      numRuns: numRuns * factor,
      interruptAfterTimeLimit: milliseconds * factor,
      markInterruptAsFailure: false,
    });
  };

  it('pointwise', () => hold(stepsOf(['unary', 'jump', 'binary', 'weighted', 'select', 'integers', 'float']), 150, 1500)).timeout(0);
  it('movement and pointwise', () =>
    hold(stepsOf(['movement', 'movement', 'concat', 'unary', 'binary', 'weighted', 'integers']), 150, 1500)).timeout(0);
  it('products', () => hold(stepsOf(['dense', 'matMul', 'movement', 'unary', 'binary', 'weighted', 'concat']), 150, 1500)).timeout(0);
  it('normalisations', () => hold(stepsOf(['normalize', 'reduce', 'softmax', 'unary', 'binary', 'dense'], 8), 150, 1500)).timeout(0);
  it('attention', () => hold(stepsOf(['attention', 'normalize', 'movement', 'dense', 'binary'], 6), 100, 1500)).timeout(0);
  it('recurrent layers', () => hold(stepsOf(['recurrent', 'recurrent', 'movement', 'dense', 'binary'], 5), 100, 1500)).timeout(0);
  it('convolutions', () => hold(stepsOf(['image', 'image', 'movement', 'unary', 'binary', 'weighted', 'concat'], 10), 100, 1500)).timeout(
    0,
  );
  it('anything', () => hold(stepsOf(), 150, 2000)).timeout(0);
});
