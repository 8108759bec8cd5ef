/**
 * node build/ts/test/topologies/run.js [--models a,b] [--fpmath fp32,bf16]: no fall to slow paths. Compiles every topology of bench/models at its
 * full size and expects each product and convolution to take the inner loop that is meant for it on this processor (explain()'s microKernel).
 * Nothing is computed: the plan that a first call makes is not run, unless the model reads elements on its way to it.
 * `npm run test:arm64 -- n1 v1 v2 -- topologies` does it as Graviton2, 3 and 4; test/models/micro-kernels.test.ts, for the tiny models, is part of
 * every run of the tests.
 */
import {appendFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {asStream, feedOf, inputsOf, modelNames} from '../../bench/topology';
import {type CompiledModel, compile, type ExplainedStep, loadGraphModel} from '../../src/index';
import {native} from '../../src/native';
import {isProduct, slowPathOf} from '../models/slow-path';

class NotRun extends Error {}

/** The steps of the plan for the model's own inputs. */
async function stepsOf(fast: CompiledModel, feed: tf.NamedTensorMap, outputs: string[]): Promise<readonly ExplainedStep[]> {
  const addon = native();
  const {runPlan} = addon;
  const steps = () => fast.explain().plans.flatMap((plan) => plan.steps);
  addon.runPlan = () => {
    throw new NotRun();
  };
  try {
    tf.dispose(fast.execute(feed, outputs));
  } catch {
    // Of a model that is planned as a whole nothing else was left to do.
  } finally {
    addon.runPlan = runPlan;
  }
  if (steps().length === 0) tf.dispose(await fast.executeAsync(feed, outputs));
  return steps();
}

interface Judged {
  /** By micro-kernel. */
  readonly counts: ReadonlyMap<string, number>;
  readonly slow: readonly string[];
}

async function judge(model: string, fpmath: 'fp32' | 'bf16'): Promise<Judged> {
  const loaded = await loadGraphModel(asStream(model));
  const fast = compile(loaded, {fpmath});
  const feed = feedOf(inputsOf(model));
  const products = (await stepsOf(fast, feed, loaded.outputNodes)).filter(isProduct);
  fast.dispose();
  loaded.dispose();
  tf.dispose(feed);
  const counts = new Map<string, number>();
  for (const {microKernel = 'none'} of products) counts.set(microKernel, (counts.get(microKernel) ?? 0) + 1);
  const slow = products.map((step) => slowPathOf(step, fpmath)).filter((text) => text !== undefined);
  return {counts, slow: products.length === 0 ? ['no product or convolution in a plan'] : slow};
}

async function main(): Promise<void> {
  const {values} = parseArgs({options: {models: {type: 'string'}, fpmath: {type: 'string'}}});
  await tf.setBackend('graviton');
  console.warn = () => undefined; // tfjs' own about missing shapes
  const {isa, isaNames} = native().info;
  const level = isaNames[isa] as string;
  const modes = (['fp32', 'bf16'] as const).filter(
    (mode) => values.fpmath?.split(',').includes(mode) ?? (mode === 'fp32' || level.includes('bf16')),
  );
  let failed = 0;
  let passed = 0;
  for (const model of values.models?.split(',') ?? modelNames()) {
    for (const fpmath of modes) {
      const started = performance.now();
      const {counts, slow} = await judge(model, fpmath);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(
        `${model} on ${level}, ${fpmath}: ${[...counts].map(([kernel, count]) => `${count} x ${kernel}`).join(', ')} (${seconds} s)`,
      );
      for (const fault of slow) console.log(`  FAIL ${fault}`);
      if (slow.length > 0) failed++;
      else passed++;
    }
  }
  const line = `${passed} passed, ${failed} failed`;
  console.log(`topologies: ${line}`);
  if (process.env.TEST_COUNTS) appendFileSync(process.env.TEST_COUNTS, `${line}\n`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

void main();
