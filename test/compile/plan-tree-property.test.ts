import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import fc from 'fast-check';
import {compile} from '../../src';
import type {GravitonBackend} from '../../src/backend';
import {native} from '../../src/native';
import {holds} from './seed';

const shape: [number, number] = [4, 6];

/** What a statement does with two values that there are, of shape [4, 6]; `c` in [0, 1). Some read elements. */
type Statement = (p: tf.Tensor2D, q: tf.Tensor2D, c: number, w: tf.Tensor2D) => tf.Tensor;

const plain: Readonly<Record<string, Statement>> = {
  add: (p, q) => tf.add(p, q),
  product: (p, _, __, w) => tf.matMul(p, w),
  softmax: (p) => tf.softmax(p),
  centred: (p) => tf.sub(p, tf.mean(p, 1, true)),
  maximum: (p, q) => tf.maximum(p, q),
  constant: (p, _, c) => tf.add(p, tf.fill(shape, c)),
};

const reading: Readonly<Record<string, Statement>> = {
  condition: (p, q, c) => (tf.greater(tf.mean(p), c - 0.5).dataSync()[0] ? tf.neg(p) : tf.relu(q)),
  loop: (p, _, c) => {
    let y: tf.Tensor = p;
    for (let n = 0; n < 4 && tf.less(tf.max(tf.abs(y)), 2 * c + 0.5).dataSync()[0]; n++) y = tf.mul(y, 1.7);
    return y;
  },
  count: (p) => tf.mul(p, (tf.sum(tf.cast(tf.greater(p, 0.3), 'int32')).dataSync()[0] as number) / 5),
  elements: (p) => tf.add(p, p.dataSync()[3] as number),
};

const statement = (kinds: Readonly<Record<string, Statement>>) =>
  fc.record({
    kind: fc.constantFrom(...Object.keys(kinds)),
    p: fc.nat(30),
    q: fc.nat(30),
    c: fc.integer({min: 0, max: 99}),
    isResult: fc.boolean(),
  });

const program = fc.array(fc.oneof({weight: 3, arbitrary: statement(plain)}, {weight: 2, arbitrary: statement(reading)}), {
  minLength: 2,
  maxLength: 12,
});

describe('compile: random programs that read elements', () => {
  before(() => tf.setBackend('graviton'));

  it('give what they give eagerly, whichever way calls go, and leave nothing behind', () => {
    const w = tf.randomNormal(shape.map(() => 6) as [number, number], 0, 0.4, 'float32', 1);
    const counts = () => [tf.memory().numTensors, native().stats().tensors, (tf.backend() as GravitonBackend).numDataIds()];
    const before = counts();
    holds(
      fc.property(program, fc.nat(1000), (statements, salt) => {
        const run = (x: tf.Tensor) => {
          const values = [x];
          const results: tf.Tensor[] = [];
          for (const {kind, p, q, c, isResult} of statements) {
            const at = (i: number) => values[i % values.length] as tf.Tensor2D;
            const make = (plain[kind] ?? reading[kind]) as Statement;
            const value = make(at(p), at(q), c / 100, w as tf.Tensor2D);
            values.push(value);
            if (isResult) results.push(value);
          }
          return [...results, values.at(-1) as tf.Tensor];
        };
        const compiled = compile(run);
        for (let call = 0; call < 6; call++) {
          tf.tidy(() => {
            const x = tf.randomUniform(shape, -2, 2, 'float32', salt + call);
            const [got, wanted] = [compiled(x), run(x)];
            for (const [i, t] of wanted.entries()) {
              const elements = got[i]?.dataSync() ?? [];
              for (const [k, value] of t.dataSync().entries())
                expect(elements[k]).to.be.closeTo(value, 1e-4 * (1 + Math.abs(value)), `call ${call}, result ${i}`);
            }
          });
        }
        compiled.dispose();
        expect(counts()).to.deep.equal(before);
      }),
      60,
    );
    w.dispose();
  });
});
