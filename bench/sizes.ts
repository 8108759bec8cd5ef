/**
 * npm run bench:sizes [-- MODEL…]: the models of test/models with batches and other free sizes that differ, compiled beside eager: how many
 * calls agree, and how many traces they took. Sizes beside the batch grow together, as masks and the past of a decoder do.
 */
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {compile, loadGraphModel} from '../src';
import {type Entry, Fixture, modelNames, relativeError} from '../test/models/fixture';

const batches = [1, 2, 3, 5];
const growth = [0, 1, 3, 8, 17, 32];

type Shape = readonly number[];
type Loaded = Awaited<ReturnType<typeof loadGraphModel>>;

/** The tensor in another shape: its elements again and again. */
function filled(x: tf.Tensor, shape: Shape): tf.Tensor {
  const values = x.dataSync();
  const count = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({length: count}, (_, i) => values[i % values.length] as number),
    [...shape],
    x.dtype,
  );
}

/** The shape with another batch, and with all other sizes that the model leaves free larger by `more`. */
function resized(shape: Shape, declared: Shape | undefined, batch: number, more: number): number[] {
  return shape.map((size, axis) => (declared?.[axis] !== -1 ? size : axis === 0 ? batch : size + more));
}

function* feedsOf(model: Loaded, feed: tf.NamedTensorMap): Generator<tf.NamedTensorMap> {
  const seen = new Set<string>();
  for (const more of growth) {
    for (const batch of batches) {
      const shapes = Object.entries(feed).map(([name, x]): [string, number[]] => {
        const declared = model.inputs.find((input) => input.name === name.replace(/:0$/, ''))?.shape;
        return [name, resized(x.shape, declared, batch, more)];
      });
      const key = JSON.stringify(shapes);
      if (seen.has(key)) continue;
      seen.add(key);
      yield Object.fromEntries(shapes.map(([name, shape]) => [name, filled(feed[name] as tf.Tensor, shape)]));
    }
  }
}

function errorOf(got: readonly tf.Tensor[], wanted: readonly tf.Tensor[]): number {
  const errors = wanted.map((tensor, i) => {
    const other = got[i];
    if (`${other?.shape}` !== `${tensor.shape}`) return Number.POSITIVE_INFINITY;
    const entry = {name: `result ${i}`, dtype: tensor.dtype as Entry['dtype'], shape: tensor.shape};
    return relativeError(other?.dataSync() ?? [], tensor.dataSync(), entry);
  });
  return Math.max(0, ...errors);
}

async function sweep(name: string): Promise<(string | number)[] | undefined> {
  const fixture = new Fixture(name);
  const model = await loadGraphModel(fixture.handler());
  const [set] = fixture.sets;
  if (set === undefined) return undefined;
  const feed = fixture.feed(set);
  const outputs = fixture.outputNodes(set);
  if (Object.values(feed).some((x) => x.dtype === 'string')) return undefined;
  const fast = compile(model);
  let [calls, refused, wrong, worst] = [0, 0, 0, 0];
  for (const inputs of feedsOf(model, feed)) {
    let wanted: tf.Tensor[];
    try {
      wanted = [await model.executeAsync(inputs, outputs)].flat();
    } catch {
      refused++;
      tf.dispose(inputs);
      continue;
    }
    calls++;
    try {
      const got = [await fast.executeAsync(inputs, outputs)].flat();
      const error = errorOf(got, wanted);
      worst = Math.max(worst, error);
      if (!(error <= fixture.tolerance)) wrong++;
      tf.dispose(got);
    } catch {
      wrong++;
    }
    tf.dispose([inputs, wanted]);
  }
  const {traces} = fast.stats();
  fast.dispose();
  model.dispose();
  tf.dispose(feed);
  return [name, calls, refused, wrong, worst.toExponential(1), traces];
}

async function main(): Promise<void> {
  await tf.setBackend('graviton');
  const head = ['model', 'calls', 'refused by eager', 'wrong', 'worst error', 'traces'];
  const table = new Table({head, style: {head: []}});
  const names = process.argv.slice(2);
  for (const name of names.length > 0 ? names : modelNames) {
    const row = await sweep(name);
    if (row !== undefined) table.push(row);
  }
  console.log(table.toString());
}

void main();
