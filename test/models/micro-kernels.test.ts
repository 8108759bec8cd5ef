/**
 * No fall to slow paths: every product and convolution of every converted model takes the inner loop that is meant for it on this
 * processor; `npm run test:arm64` runs it as Graviton2, 3 and 4. The models are the bench topologies at small sizes: test/topologies has
 * them at full size.
 */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile, type ExplainedStep, loadGraphModel} from '../../src/index';
import {native} from '../../src/native';
import {Fixture, modelNames} from './fixture';
import * as known from './known';
import {isProduct, slowPathOf} from './slow-path';

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
  for (const fpmath of level?.includes('bf16') ? (['fp32', 'bf16'] as const) : (['fp32'] as const)) {
    for (const name of models) {
      it(`${name} on ${level}, fpmath ${fpmath}`, async () => {
        const products = (await stepsOf(name, fpmath)).filter(isProduct);
        for (const {microKernel = 'none'} of products) {
          const key = `${microKernel}, fpmath ${fpmath}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        expect(products.map((step) => slowPathOf(step, fpmath)).filter((text) => text !== undefined)).to.deep.equal([]);
      });
    }
  }
});
