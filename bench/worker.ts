/**
 * One model in one runtime, in a process of its own; started by ./runtime-process.ts.
 * Reads lines {"runs": N} from stdin and answers each on file descriptor 3 with {"ms": […], "peakKiB": N}; the first line there is Ready.
 */
import {writeSync} from 'node:fs';
import {join} from 'node:path';
import {resourceUsage} from 'node:process';
import {createInterface} from 'node:readline';
import {loadGraphModel as loadStock} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {compile, loadGraphModel} from '../src';
import type {OnnxSession} from './onnxruntime-types';
import {feedOf, type Input, inMemory, inputsOf, onDisk, sizeOf, weightIds} from './topology';
import {type Work, workOf} from './work';

export const runtimes = ['eager', 'compile', 'onnxruntime', 'onnxruntime-plain', 'wasm', 'cpu', 'work'] as const;

export interface Job {
  /** 'work' counts what the model does instead of running it. */
  readonly runtime: (typeof runtimes)[number];
  readonly model: string;
  readonly threads: number;
  readonly set?: string;
  readonly sequence?: number;
  readonly fpmath?: string;
  /** For onnxruntime: the file. */
  readonly onnx?: string;
}

export interface Ready {
  /** From files on disk to the first result; JavaScript and libraries are loaded before. */
  readonly coldMs: number;
  readonly work?: Work;
  /** Why the compiled model runs eagerly, where it does. */
  readonly eagerReason?: string;
}

type Run = () => Promise<void>;
interface Opened {
  readonly run: Run;
  readonly work?: Work;
  eagerReason?(): string | undefined;
}

interface Runner {
  readonly outputNodes?: string[];
  execute(feed: tf.NamedTensorMap, outputs: string[]): tf.Tensor | tf.Tensor[];
  executeAsync(feed: tf.NamedTensorMap, outputs: string[]): Promise<tf.Tensor | tf.Tensor[]>;
}

/** Reads every result, as a caller would, and gives it back. */
async function runnerOf(target: Runner, feed: tf.NamedTensorMap, outputs: string[], kept: ReadonlySet<number>): Promise<Run> {
  const given = new Set(Object.values(feed).map(({id}) => id));
  const settle = (results: tf.Tensor | tf.Tensor[]) => {
    for (const tensor of new Set([results].flat())) {
      tensor.dataSync();
      if (!kept.has(tensor.id) && !given.has(tensor.id)) tensor.dispose();
    }
  };
  const synchronous = async () => settle(target.execute(feed, outputs));
  try {
    await synchronous();
    return synchronous;
  } catch {
    const asynchronous = async () => settle(await target.executeAsync(feed, outputs));
    await asynchronous();
    return asynchronous;
  }
}

async function openTfjs(job: Job, inputs: readonly Input[]): Promise<Opened> {
  const own = ['eager', 'compile', 'work'].includes(job.runtime);
  if (own) {
    tf.env().set('GRAVITON_THREADS', job.threads);
    if (job.fpmath !== undefined) tf.env().set('GRAVITON_FPMATH', job.fpmath);
  } else await import(`@tensorflow/tfjs-backend-${job.runtime}`);
  await tf.setBackend(own ? 'graviton' : job.runtime);
  const model = await (own ? loadGraphModel(`file://${join(onDisk(job.model), 'model.json')}`) : loadStock(inMemory(job.model)));
  const feed = feedOf(inputs);
  if (job.runtime === 'work') return {run: async () => undefined, work: await workOf(job.model, model, feed)};
  if (job.runtime !== 'compile') return {run: await runnerOf(model, feed, model.outputNodes, weightIds(model))};
  const fast = compile(model);
  const run = await runnerOf(fast, feed, model.outputNodes, new Set());
  return {run, eagerReason: () => fast.explain().plans[0]?.eager};
}

/** ONNX files that were not made from our topologies name their inputs as they like: then the shape tells which one is meant. */
function onnxFeed({inputMetadata, Tensor}: OnnxSession, inputs: readonly Input[]): Record<string, unknown> {
  const plain = (name: string) => name.replace(/:0$/, '');
  const feed: Record<string, unknown> = {};
  for (const {name, type, shape} of inputMetadata) {
    const same = inputs.filter((i) => sizeOf(i.shape) === sizeOf(shape) && (i.dtype === 'float32') === (type === 'float32'));
    const input = same.find((i) => i.name === plain(name) || i.node === plain(name)) ?? same[0];
    if (input === undefined) throw new Error(`the ONNX model's input ${name} (${type}[${shape}]) is none of the benchmark's`);
    const values = type === 'int64' ? BigInt64Array.from(input.values as Int32Array, BigInt) : input.values;
    feed[name] = new Tensor(type, values, shape);
  }
  return feed;
}

async function openOnnxRuntime({onnx, threads, runtime}: Job, inputs: readonly Input[]): Promise<Opened> {
  // Not a dependency: whoever compares installs it (bench/peers/README.md).
  const {InferenceSession, Tensor} = require('onnxruntime-node') as typeof import('./onnxruntime-types');
  const session = await InferenceSession.create(onnx as string, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: runtime === 'onnxruntime' ? 'all' : 'disabled',
  });
  const feed = onnxFeed({inputMetadata: session.inputMetadata, Tensor}, inputs);
  const run = async () => void (await session.run(feed));
  await run();
  return {run};
}

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] as string) as Job;
  const answer = (value: unknown) => writeSync(3, `${JSON.stringify(value)}\n`);
  const inputs = inputsOf(job.model, job);
  const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const begin = performance.now();
    return [await work(), performance.now() - begin];
  };
  const isOnnx = job.runtime.startsWith('onnxruntime');
  if (isOnnx) require('onnxruntime-node');
  const [{run, work, eagerReason}, coldMs] = await timed(() => (isOnnx ? openOnnxRuntime(job, inputs) : openTfjs(job, inputs)));
  const reason = eagerReason?.();
  answer({
    coldMs,
    ...(work === undefined ? {} : {work}),
    ...(reason === undefined ? {} : {eagerReason: reason}),
  } satisfies Ready);
  for await (const line of createInterface(process.stdin)) {
    const {runs} = JSON.parse(line) as {runs: number};
    const ms: number[] = [];
    for (let i = 0; i < runs; i++) ms.push((await timed(run))[1]);
    answer({ms, peakKiB: resourceUsage().maxRSS});
  }
}

if (require.main === module) void main();
