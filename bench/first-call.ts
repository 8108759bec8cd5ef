/**
 * npm run bench:first-call [-- MODEL…]: what the first call of a compiled model takes beside an eager call, and what of it the passes and
 * packing take. Each first call is that of a model that has just been loaded. The bound that it is held to: an eager call, 30 ms, and twice
 * the time that reading the weights takes.
 */
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {type CompiledModel, compile, loadGraphModel, systemInfo} from '../src';
import {machineLimits} from './limits';
import {feedOf, inMemory, inputsOf} from './topology';

const rounds = 5;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function timed(run: () => unknown): Promise<number> {
  const start = performance.now();
  const tensors = await run();
  const ms = performance.now() - start;
  tf.dispose(tensors as tf.Tensor[]);
  return ms;
}

/** How the model runs: synchronously, unless its control flow waits for data. */
async function callsOf(model: GraphModel, feed: tf.NamedTensorMap) {
  try {
    tf.dispose(model.execute(feed));
    return {eager: (m: GraphModel) => m.execute(feed), compiled: (m: CompiledModel) => m.predict(feed)};
  } catch {
    tf.dispose(await model.executeAsync(feed));
    return {eager: (m: GraphModel) => m.executeAsync(feed), compiled: (m: CompiledModel) => m.predictAsync(feed)};
  }
}

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  await tf.setBackend('graviton');
  const rate = machineLimits(systemInfo().threads).bandwidth.at(-1)?.gbPerS as number;
  const head = ['model', 'weights MB', 'eager ms', 'first call ms', 'of it passes', 'packing', 'compiled ms', 'bound ms'];
  const table = new Table({head, style: {head: []}});
  for (const name of names.length > 0 ? names : ['mobilenet-v2', 'resnet50', 'bert-base-qa']) {
    const artifacts = await inMemory(name).load?.();
    const load = () => loadGraphModel({load: async () => artifacts as tf.io.ModelArtifacts});
    const feed = feedOf(inputsOf(name));
    const model = await load();
    const bytes = Object.values(model.weights)
      .flat()
      .reduce((sum, t) => sum + 4 * t.size, 0);
    const {eager, compiled} = await callsOf(model, feed);
    const eagerMs: number[] = [];
    for (let round = 0; round < rounds; round++) eagerMs.push(await timed(() => eager(model)));
    model.dispose();
    const firstMs: number[] = [];
    const steadyMs: number[] = [];
    let passes = 0;
    let packing = 0;
    for (let round = 0; round < rounds; round++) {
      const loaded = await load();
      const fast = compile(loaded);
      firstMs.push(await timed(() => compiled(fast)));
      for (const {name: pass, ms} of fast.explain().plans.flatMap((plan) => plan.passes)) {
        if (pass === 'packing' || pass === 'winograd') packing += ms / rounds;
        else passes += ms / rounds;
      }
      steadyMs.push(await timed(() => compiled(fast)));
      fast.dispose();
      loaded.dispose();
    }
    const bound = median(eagerMs) + 30 + (2 * bytes) / rate / 1e6;
    const cells = [bytes / 1e6, median(eagerMs), median(firstMs), passes, packing, median(steadyMs), bound];
    table.push([name, ...cells.map((value) => value.toFixed(1))]);
    tf.dispose(feed);
  }
  console.log(table.toString());
}

void main();
