/**
 * npm run bench:first-call [-- MODEL…]: what the first call of a compiled model takes beside an eager call, and what of it the passes and
 * packing take. The bound that it is held to: an eager call, 30 ms, and twice the time that reading the weights takes.
 */
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {compile, loadGraphModel, systemInfo} from '../src';
import {machineLimits} from './limits';
import {feedOf, inMemory, inputsOf} from './topology';

const rounds = 5;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  await tf.setBackend('graviton');
  const rate = machineLimits(systemInfo().threads).bandwidth.at(-1)?.gbPerS as number;
  const head = ['model', 'weights MB', 'eager ms', 'first call ms', 'of it passes', 'packing', 'compiled ms', 'bound ms'];
  const table = new Table({head, style: {head: []}});
  for (const name of names.length > 0 ? names : ['mobilenet-v2', 'resnet50', 'bert-base-qa']) {
    const model = await loadGraphModel(inMemory(name));
    const feed = feedOf(inputsOf(name));
    const timed = (run: () => unknown) => {
      const start = performance.now();
      tf.dispose(run() as tf.Tensor);
      return performance.now() - start;
    };
    const bytes = Object.values(model.weights)
      .flat()
      .reduce((sum, t) => sum + 4 * t.size, 0);
    timed(() => model.execute(feed));
    const eager: number[] = [];
    const first: number[] = [];
    const steady: number[] = [];
    let passes = 0;
    let packing = 0;
    for (let round = 0; round < rounds; round++) {
      eager.push(timed(() => model.execute(feed)));
      const fast = compile(model, {freeze: false});
      first.push(timed(() => fast.predict(feed)));
      for (const {name: pass, ms} of fast.explain().plans[0]?.passes ?? []) {
        if (pass === 'packing' || pass === 'winograd') packing += ms / rounds;
        else passes += ms / rounds;
      }
      steady.push(timed(() => fast.predict(feed)));
      fast.dispose();
    }
    const bound = median(eager) + 30 + (2 * bytes) / rate / 1e6;
    const cells = [bytes / 1e6, median(eager), median(first), passes, packing, median(steady), bound];
    table.push([name, ...cells.map((value) => value.toFixed(1))]);
    tf.dispose(feed);
    model.dispose();
  }
  console.log(table.toString());
}

void main();
