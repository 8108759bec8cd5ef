import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile, loadGraphModel} from '../../src/index';
import {native} from '../../src/native';
import {Fixture, type InputSet, modelNames, relativeError} from './fixture';
import {goldenTexts, planText} from './golden';
import * as known from './known';

const golden = goldenTexts();

interface Runner {
  executeAsync(inputs: tf.NamedTensorMap, outputs: string[]): Promise<tf.Tensor | tf.Tensor[]>;
}

/** Runs one set and returns the error relative to TensorFlow's results. */
async function errorOf(fixture: Fixture, set: InputSet, runner: Runner, kept: ReadonlySet<number>): Promise<number> {
  const feed = fixture.feed(set);
  const results = [await runner.executeAsync(feed, fixture.outputNodes(set))].flat();
  let worst = 0;
  for (const [i, entry] of set.outputs.entries()) {
    const got = results[i] as tf.Tensor;
    expect(got.shape, `shape of ${entry.name} for ${set.id}`).to.deep.equal(entry.shape);
    const error = relativeError(await got.data<tf.DataType>(), fixture.valuesOf(entry), entry);
    expect(error, `error of ${entry.name} for ${set.id}`).to.be.at.most(fixture.tolerance);
    worst = Math.max(worst, error);
  }
  // tfjs hands out weights and inputs themselves as results.
  tf.dispose([...new Set([...results, ...Object.values(feed)])].filter((t) => !kept.has(t.id) && !t.isDisposed));
  return worst;
}

async function withModel(fixture: Fixture, body: (model: GraphModel, kept: ReadonlySet<number>) => Promise<number>): Promise<number> {
  const model = await loadGraphModel(fixture.handler());
  try {
    return await body(model, new Set(Object.values(model.weights).flatMap((list) => list.map(({id}) => id))));
  } finally {
    model.dispose();
  }
}

function runEager(fixture: Fixture): Promise<number> {
  return withModel(fixture, async (model, kept) => {
    let worst = 0;
    for (const set of fixture.sets) worst = Math.max(worst, await errorOf(fixture, set, model, kept));
    return worst;
  });
}

/** Three rounds over the sets: plans are recorded, replayed and switched. */
function runCompiled(fixture: Fixture): Promise<number> {
  return withModel(fixture, async (model) => {
    const runner = compile(model);
    try {
      let worst = 0;
      for (const [i, set] of [...fixture.sets, ...fixture.sets, ...fixture.sets].entries()) {
        worst = Math.max(worst, await errorOf(fixture, set, runner, new Set()));
        if (i === 0) expect(planText(runner.explain().plans[0]), 'see test/models/golden.ts').to.equal(golden.get(fixture.name));
      }
      const reasons = runner.explain().plans.map((plan) => plan.eager);
      for (const reason of reasons) {
        if (fixture.name in known.eager)
          expect(reason, 'has a plan now: take its line out of test/models/known.ts').to.match(known.eager[fixture.name] as RegExp);
        else expect(reason, 'no plan').to.equal(undefined);
      }
      const tails = runner.explain().plans.flatMap((plan) => plan.tails ?? []);
      if (fixture.name in known.tails)
        expect(tails.join('\n'), 'has whole plans now: take its line out of test/models/known.ts').to.match(
          known.tails[fixture.name] as RegExp,
        );
      else expect(tails).to.deep.equal([]);
      return worst;
    } finally {
      runner.dispose();
    }
  });
}

const counts = () => ({tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers, native: native().stats().tensors});

describe('converted models', () => {
  const worst = {name: '', mode: '', error: 0, tolerance: 1};
  const note = (name: string, mode: string, error: number, tolerance: number) => {
    if (error / tolerance > worst.error / worst.tolerance) Object.assign(worst, {name, mode, error, tolerance});
  };

  // tfjs-converter recommends execute() at each executeAsync() of a model that could do without.
  const {warn} = console;
  before(() => {
    console.warn = () => undefined;
    return tf.setBackend('graviton');
  });
  afterEach(() => tf.env().set('GRAVITON_FALLBACK', 'allow'));
  after(() => {
    console.warn = warn;
    const {name, mode, error, tolerance} = worst;
    console.log(`      nearest to its tolerance: ${name}, ${mode}, ${error.toExponential(1)} of ${tolerance.toExponential(1)}`);
  });

  for (const name of modelNames) {
    describe(name, () => {
      for (const [mode, run] of Object.entries({eager: runEager, compiled: runCompiled})) {
        it(`gives TensorFlow's results, ${mode}`, async () => {
          const fixture = new Fixture(name);
          tf.env().set('GRAVITON_FALLBACK', 'error');
          const before = counts();
          note(name, mode, await run(fixture), fixture.tolerance);
          expect(counts()).to.deep.equal(before);
        });
      }
    });
  }
});
