/**
 * npm run bisect -- MODELDIR: which compiler pass makes a model's results wrong?
 *
 * Runs the model eagerly and compiled, with all passes and with each of them left out, on the sets of MODELDIR/io.json where there is one,
 * else on random inputs (a size that is free is 2, or what --size=N says). Prints each run's largest error as a part of the largest
 * magnitude, and the passes without which it is gone. Exit code 1 where the compiled model differs. --tolerance=1e-3.
 */
import '@tensorflow/tfjs-backend-cpu';
import {existsSync, readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {compile, loadGraphModel} from '../src';
import {differenceOf, errorOf} from '../src/compile/difference';
import {passes} from '../src/compile/optimize';

type NumericType = 'float32' | 'int32' | 'bool';

interface Entry {
  readonly name: string;
  readonly node?: string;
  readonly dtype: NumericType;
  readonly shape: number[];
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly unused?: boolean;
}

const views = {float32: Float32Array, int32: Int32Array, bool: Uint8Array} as const;

/** The input sets of an io.json, as in test/models. */
function recordedFeeds(folder: string, model: GraphModel): tf.NamedTensorMap[] {
  const {sets} = JSON.parse(readFileSync(join(folder, 'io.json'), 'utf8')) as {sets: {inputs: Entry[]}[]};
  const signature = (model.modelSignature as {inputs?: Record<string, {name?: string}>} | undefined)?.inputs ?? {};
  return sets.map(({inputs}) =>
    Object.fromEntries(
      inputs.flatMap((entry) => {
        if (entry.unused) return [];
        const bytes = Uint8Array.from(readFileSync(join(folder, entry.file)).subarray(entry.offset, entry.offset + entry.bytes));
        const name = (entry.node ?? signature[entry.name]?.name ?? entry.name).replace(/:0$/, '');
        return [[name, tf.tensor(new views[entry.dtype](bytes.buffer), entry.shape, entry.dtype)]];
      }),
    ),
  );
}

/** One random feed: integers are 0 or 1, which every vocabulary and every mask has. */
function randomFeed(model: GraphModel, size: number): tf.NamedTensorMap {
  return Object.fromEntries(
    model.inputs.map(({name, dtype, shape}) => {
      const sizes = (shape ?? []).map((s) => (s > 0 ? s : size));
      if (dtype === 'float32') return [name, tf.randomUniform(sizes, -1, 1, 'float32', 1)];
      return [name, tf.cast(tf.randomUniform(sizes, 0, 2, 'float32', 1), dtype as NumericType)];
    }),
  );
}

/** What `run` gives for each feed, as plain numbers. */
async function resultsOf(
  run: (feed: tf.NamedTensorMap) => Promise<tf.Tensor | tf.Tensor[]>,
  feeds: readonly tf.NamedTensorMap[],
  kept: ReadonlySet<number>,
) {
  const results: ArrayLike<number>[] = [];
  for (const feed of feeds) {
    for (const tensor of [await run(feed)].flat()) {
      results.push(await tensor.data());
      if (!kept.has(tensor.id) && !Object.values(feed).includes(tensor) && !tensor.isDisposed) tensor.dispose();
    }
  }
  return results;
}

interface Runner {
  execute(feed: tf.NamedTensorMap): tf.Tensor | tf.Tensor[];
  executeAsync(feed: tf.NamedTensorMap): Promise<tf.Tensor | tf.Tensor[]>;
}

/** Synchronously where the model can: tfjs warns of every other call that could have been. */
async function execute(runner: Runner, feed: tf.NamedTensorMap): Promise<tf.Tensor | tf.Tensor[]> {
  try {
    return runner.execute(feed);
  } catch {
    return runner.executeAsync(feed);
  }
}

export interface BisectOptions {
  /** Largest error, as a part of the largest magnitude, that counts as right. */
  readonly tolerance: number;
  /** What a free size of random inputs is. */
  readonly size: number;
  log(line: string): void;
}

/** The passes without any one of which the model's compiled results are right; undefined where they are right with all. */
export async function bisect(folder: string, {tolerance, size, log}: BisectOptions): Promise<readonly string[] | undefined> {
  const model = await loadGraphModel(`file://${resolve(folder, 'model.json')}`);
  const kept = new Set(Object.values(model.weights).flatMap((list) => list.map(({id}) => id)));
  const feeds = existsSync(join(folder, 'io.json')) ? recordedFeeds(folder, model) : [randomFeed(model, size)];
  const wanted = await resultsOf((feed) => execute(model, feed), feeds, kept);
  /** Twice: the first call of a signature is recorded, and eager itself. A failure of the plan is as wrong as can be. */
  const errorWithout = async (disable: readonly string[]): Promise<number> => {
    const compiled = compile(model, {disable});
    try {
      const twice = await resultsOf((feed) => execute(compiled, feed), [...feeds, ...feeds], new Set());
      const replayed = twice.slice(twice.length / 2);
      return Math.max(0, ...replayed.map((got, i) => errorOf(differenceOf(got, wanted[i] as ArrayLike<number>))));
    } catch (error) {
      log(`  ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      return Number.POSITIVE_INFINITY;
    } finally {
      compiled.dispose();
    }
  };
  const report = (error: number, what: string) => log(`${error.toExponential(1).padStart(9)}  ${what}`);
  try {
    const all = await errorWithout([]);
    report(all, 'with all passes');
    if (all <= tolerance) return undefined;
    const names = [...new Set(passes.map((pass) => pass.name))];
    report(await errorWithout(names), 'with none');
    const faulty: string[] = [];
    for (const name of names) {
      const error = await errorWithout([name]);
      report(error, `without ${name}`);
      if (error <= tolerance) faulty.push(name);
    }
    return faulty;
  } finally {
    tf.dispose(feeds);
    model.dispose();
  }
}

function verdict(faulty: readonly string[] | undefined): string {
  if (faulty === undefined) return 'Compiled and eager agree: no pass is at fault.';
  if (faulty.length > 0) return `At fault: ${faulty.join(' or ')}. The error is gone without it.`;
  return 'No single pass is at fault: two share the fault, or the plan itself is wrong. GRAVITON_VERIFY=1 names the first step that differs.';
}

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {size: {type: 'string', default: '2'}, tolerance: {type: 'string', default: '1e-3'}},
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error('usage: npm run bisect -- MODELDIR [--size=N] [--tolerance=1e-3]');
  await tf.setBackend('graviton');
  const log = (line: string) => console.log(line);
  const faulty = await bisect(folder, {tolerance: Number(values.tolerance), size: Number(values.size), log});
  log(verdict(faulty));
  process.exitCode = faulty === undefined ? 0 : 1;
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  });
}
