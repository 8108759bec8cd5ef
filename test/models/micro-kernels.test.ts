/**
 * No fall to slow paths: every product and convolution of every converted model takes the inner loop that is meant for it on this
 * processor; `npm run test:arm64` runs it as Graviton2, 3 and 4. The models are the bench topologies at small sizes.
 */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile, type ExplainedStep, loadGraphModel} from '../../src/index';
import {native} from '../../src/native';
import {Fixture, modelNames} from './fixture';
import * as known from './known';

/** Products with a constant that is no one matrix for all batches, so that B is read where it lies: Reformer's hashes have one for each head. */
const plain: Readonly<Record<string, RegExp>> = {'reformer-tiny': /^MatMul \[4x48x12x6\]$/};

const isProduct = ({op}: ExplainedStep) => op === 'MatMul' || op === 'Conv2D';

describe('micro-kernels of converted models', function () {
  this.timeout(120_000);
  const {isa, isaNames} = native().info;
  const level = isaNames[isa];
  const counts = new Map<string, number>();
  const {warn} = console;
  before(() => {
    console.warn = () => undefined;
    return tf.setBackend('graviton');
  });
  after(() => {
    console.warn = warn;
    console.log(`      ${level}: ${[...counts].map(([kernel, count]) => `${count} x ${kernel}`).join(', ')}`);
  });

  async function stepsOf(name: string, fpmath: 'fp32' | 'bf16'): Promise<readonly ExplainedStep[]> {
    const fixture = new Fixture(name);
    const model = await loadGraphModel(fixture.handler());
    const fast = compile(model, {fpmath});
    const set = fixture.sets[0];
    if (set === undefined) return [];
    const feed = fixture.feed(set);
    const results = [await fast.executeAsync(feed, fixture.outputNodes(set))].flat();
    const steps = fast.explain().plans.flatMap((plan) => plan.steps);
    tf.dispose([results, feed]);
    fast.dispose();
    model.dispose();
    return steps;
  }

  const models = modelNames.filter((model) => !(model in known.eager));
  for (const name of models) {
    it(`${name} on ${level}`, async () => {
      for (const {label, size, fallback, microKernel = 'none'} of (await stepsOf(name, 'fp32')).filter(isProduct)) {
        counts.set(microKernel, (counts.get(microKernel) ?? 0) + 1);
        expect(fallback, `${label} [${size}]`).to.equal(undefined);
        if (!plain[name]?.test(`${label} [${size}]`)) expect(microKernel, `${label} [${size}]`).not.to.be.oneOf(['plain', 'none']);
      }
    });
  }

  if (!level?.includes('bf16')) return;
  for (const name of models) {
    it(`${name} with fpmath bf16: no product of packed weights stays in fp32`, async () => {
      for (const {label, size, microKernel} of (await stepsOf(name, 'bf16')).filter(isProduct)) {
        counts.set(`${microKernel}, fpmath bf16`, (counts.get(`${microKernel}, fpmath bf16`) ?? 0) + 1);
        expect(microKernel, `${label} [${size}]`).not.to.equal('packed fp32');
      }
    });
  }
});
