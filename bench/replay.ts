/**
 * npm run bench:replay [-- --calls 10000]: what a replay costs beside its native steps, and whether memory stays flat.
 * Model: a BERT of two layers (test/models/bert-model-tiny), 8 tokens.
 */
import * as tf from '@tensorflow/tfjs-core';
import {Command} from 'commander';
import {compile, loadGraphModel} from '../src';
import {native} from '../src/native';
import {Fixture} from '../test/models/fixture';

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function main(): Promise<void> {
  const {calls} = new Command('replay').option('--calls <n>', 'predictions for the memory check', '10000').parse().opts<{calls: string}>();
  await tf.setBackend('graviton');
  const model = await loadGraphModel(new Fixture('bert-model-tiny').handler());
  const feed = Object.fromEntries(model.inputs.map(({name}) => [name, tf.ones([1, 8], 'int32')]));
  const fast = compile(model);
  const call = () => tf.dispose(fast.predict(feed));
  for (let i = 0; i < 2000; i++) call();

  native().configure({logging: true});
  const walls: number[] = [];
  const overheads: number[] = [];
  for (let i = 0; i < 2000; i++) {
    native().takeEvents();
    const begin = process.hrtime.bigint();
    const results = fast.predict(feed);
    const wall = Number(process.hrtime.bigint() - begin) / 1e3;
    const steps = native()
      .takeEvents()
      .events.reduce((sum, e) => sum + (e.endNs - e.beginNs) / 1e3, 0);
    tf.dispose(results);
    walls.push(wall);
    overheads.push(wall - steps);
  }
  native().configure({logging: false});
  console.log(
    `steps ${fast.explain().plans[0]?.steps.length}; predict ${median(walls).toFixed(1)} µs, of which beside its steps ${median(overheads).toFixed(1)} µs (median), ${Math.min(...overheads).toFixed(1)} (least)`,
  );

  const state = () => ({
    tensors: tf.memory().numTensors,
    bytes: tf.memory().numBytes,
    native: native().stats().allocatedBytes,
    rssMB: Math.round(process.memoryUsage().rss / 2 ** 20),
  });
  console.log('before', state());
  for (let i = 1; i <= Number(calls); i++) {
    call();
    if (i % (Number(calls) / 4) === 0) console.log(`after ${i}`, state());
  }
  for (let i = 0; i < 1000; i++) tf.dispose(await fast.predictAsync(feed));
  console.log('after 1000 predictAsync', state());
  fast.dispose();
  model.dispose();
  tf.dispose(feed);
  console.log('after dispose', state());
}

void main();
