/** One model in one runtime, in a process of its own: answers {runs, mode} with the milliseconds of each run. Forked by ./run.ts. */
import {resourceUsage} from 'node:process';
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {compile, loadGraphModel} from '../src';
import {inputsFor, plainInputs, synthesised, urlOf} from './topology';

export interface Job {
  readonly root: string;
  readonly runtime: 'graviton' | 'onnxruntime';
  readonly model: string;
  readonly threads: number;
  readonly sequence?: number;
  /** For onnxruntime: the file. */
  readonly onnx?: string;
}

export interface Ready {
  readonly loadMs: number;
  readonly firstMs: number;
  readonly warmEagerMs?: number;
  readonly explain?: string;
}

export type Mode = 'eager' | 'compile';
type Run = (mode: Mode) => Promise<void>;

/** Reads every result, as a caller would, and gives it back. */
function settle(results: tf.Tensor | tf.Tensor[] | tf.NamedTensorMap): void {
  const tensors = results instanceof tf.Tensor ? [results] : Object.values(results as object as Record<string, tf.Tensor>);
  for (const tensor of tensors) {
    tensor.dataSync();
    tensor.dispose();
  }
}

async function openGraviton({root, model: name, threads, sequence}: Job): Promise<{run: Run; ready: Ready}> {
  tf.env().set('GRAVITON_THREADS', String(threads));
  await tf.setBackend('graviton');
  const start = performance.now();
  const url = urlOf(root, name);
  const model: GraphModel = await loadGraphModel(url ?? synthesised(root, name));
  const feed = url === undefined ? inputsFor(root, name, model, sequence) : plainInputs(model, sequence ?? 128);
  const fast = compile(model);
  const loadMs = performance.now() - start;
  const timed = async (work: () => Promise<void>) => {
    const begin = performance.now();
    await work();
    return performance.now() - begin;
  };
  let synchronous = true;
  const run: Run = async (mode) => {
    const target = mode === 'eager' ? model : fast;
    if (!synchronous) return settle(await target.executeAsync(feed, model.outputNodes));
    settle(target.execute(feed, model.outputNodes));
  };
  try {
    await run('eager');
  } catch {
    synchronous = false;
    await run('eager');
  }
  const warmEagerMs = await timed(() => run('eager'));
  const firstMs = await timed(() => run('compile'));
  return {run, ready: {loadMs, firstMs, warmEagerMs, explain: fast.explain().text}};
}

async function openOnnxRuntime({onnx, threads}: Job): Promise<{run: Run; ready: Ready}> {
  // Not a dependency: whoever compares installs it (bench/peers/README.md).
  const ort = require('onnxruntime-node') as typeof import('./onnxruntime-types');
  const start = performance.now();
  const session = await ort.InferenceSession.create(onnx as string, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const feeds: Record<string, unknown> = {};
  for (const {name, type, shape} of session.inputMetadata) {
    const count = shape.reduce((a, b) => a * b, 1);
    feeds[name] =
      type === 'int64'
        ? new ort.Tensor(
            'int64',
            BigInt64Array.from({length: count}, (_, i) => (/mask/.test(name) ? 1n : BigInt((i * 7919) % 30000))),
            shape,
          )
        : new ort.Tensor('float32', new Float32Array(count).fill(0.5), shape);
  }
  const loadMs = performance.now() - start;
  const begin = performance.now();
  const run = async () => void (await session.run(feeds));
  await run();
  return {run, ready: {loadMs, firstMs: performance.now() - begin}};
}

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] as string) as Job;
  const {run, ready} = await (job.runtime === 'graviton' ? openGraviton(job) : openOnnxRuntime(job));
  process.on('message', async ({runs, mode}: {runs: number; mode: Mode}) => {
    const ms: number[] = [];
    for (let i = 0; i < runs; i++) {
      const begin = performance.now();
      await run(mode);
      ms.push(performance.now() - begin);
    }
    process.send?.({ms, peakKiB: resourceUsage().maxRSS});
  });
  process.send?.(ready);
}

if (require.main === module) void main();
