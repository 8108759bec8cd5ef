/**
 * What a small eager call costs, in turns with tfjs-backend-cpu:
 *
 *   npm run bench:overhead [-- --seconds=2]
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '../src';
import {option} from './kernels/step-plan';

const seconds = Number(option('seconds', '2'));
const calls = 2000;

const [a, b, m] = [() => tf.scalar(1), () => tf.scalar(2), () => tf.tensor2d([1, 2, 3, 4], [2, 2])];
const problems: Readonly<Record<string, (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => tf.Tensor>> = {
  'add of two scalars': (x, y) => tf.add(x, y),
  'relu of a scalar': (x) => tf.relu(x),
  'add of 2x2 and a scalar': (x, _, z) => tf.add(z, x),
  'reshape of 2x2': (_, __, z) => tf.reshape(z, [4]),
  'sum of 2x2': (_, __, z) => tf.sum(z),
  'matMul of 2x2': (_, __, z) => tf.matMul(z as tf.Tensor2D, z as tf.Tensor2D),
};

/** Nanoseconds of a call; what it makes is disposed of within them. */
function time(run: () => tf.Tensor): number {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run().dispose();
  return Number(process.hrtime.bigint() - begin) / calls;
}
const median = (times: number[]): number => times.sort((x, y) => x - y)[times.length >> 1] as number;

async function main(): Promise<void> {
  for (const [name, run] of Object.entries(problems)) {
    const runs = new Map<string, () => tf.Tensor>();
    for (const backend of ['cpu', 'graviton']) {
      await tf.setBackend(backend);
      const [x, y, z] = [a, b, m].map((make) => (make as () => tf.Tensor)()) as [tf.Tensor, tf.Tensor, tf.Tensor];
      runs.set(backend, () => run(x, y, z));
    }
    const times = new Map([...runs.keys()].map((backend) => [backend, [] as number[]]));
    const end = performance.now() + (1000 * seconds) / Object.keys(problems).length;
    for (let round = 0; performance.now() < end || round < 5; round++) {
      for (const [backend, call] of runs) {
        await tf.setBackend(backend);
        const took = time(call);
        if (round > 1) times.get(backend)?.push(took); // the first rounds compile
      }
    }
    const [cpu, own] = ['cpu', 'graviton'].map((backend) => median(times.get(backend) as number[])) as [number, number];
    console.log(
      `${name.padEnd(26)} graviton ${own.toFixed(0).padStart(6)} ns, cpu ${cpu.toFixed(0).padStart(6)} ns, ratio ${(own / cpu).toFixed(3)}`,
    );
  }
}
void main();
