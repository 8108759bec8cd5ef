/** `tfjs-backend-graviton bench`: the report of `info`, and sample models in eager and compiled mode. */
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {compile} from '../compiler';
import {native} from '../native';
import {systemInfo} from '../system-info';
import {type InfoReport, info, infoText} from './info';
import {makeSample, type Sample} from './samples';

export interface BenchRow {
  readonly model: string;
  readonly about: string;
  readonly threads: number;
  readonly eagerMs: number;
  readonly compiledMs: number;
  /** First compiled call: record, optimise, pack. */
  readonly firstMs: number;
  /** Largest difference between the modes' results, as a part of the largest magnitude. */
  readonly difference: number;
  readonly gflops: number;
  /** Of the multiply-add peak at so many threads. */
  readonly shareOfPeak: number;
  /** Weights read a second, were each read once. */
  readonly weightGBs: number;
}

export interface BenchReport extends InfoReport {
  readonly rows: readonly BenchRow[];
}

export interface BenchOptions {
  readonly models: readonly string[];
  /** Default: the setting in effect. */
  readonly threads?: readonly number[];
  readonly seconds: number;
  readonly onProgress: (text: string) => void;
}

/** Milliseconds: the median of runs for so long, after two to warm up; every result is read, as a caller would. */
function medianMs(run: () => tf.Tensor, seconds: number): number {
  const once = () => {
    const begin = performance.now();
    const y = run();
    y.dataSync();
    const ms = performance.now() - begin;
    y.dispose();
    return ms;
  };
  once();
  once();
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < 3 || performance.now() < end) times.push(once());
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

function differenceOf(a: tf.Tensor, b: tf.Tensor): number {
  const [x, y] = [Array.from(a.dataSync()), b.dataSync()];
  const most = x.reduce((largest, value) => Math.max(largest, Math.abs(value)), Number.MIN_VALUE);
  return x.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (y[i] as number)) / most), 0);
}

function rowOf(model: string, sample: Sample, threads: number, seconds: number): BenchRow {
  tf.env().set('GRAVITON_THREADS', threads);
  const eager = () => tf.tidy(() => sample.run(sample.input));
  const fast = compile(sample.run);
  const begin = performance.now();
  const first = fast(sample.input);
  const firstMs = performance.now() - begin;
  const compiled = () => fast(sample.input);
  const later = compiled();
  const difference = differenceOf(first, later);
  tf.dispose([first, later]);
  const compiledMs = medianMs(compiled, seconds);
  const eagerMs = medianMs(eager, seconds);
  fast.dispose();
  const gflops = sample.flops / compiledMs / 1e6;
  return {
    model,
    about: sample.about,
    ...{threads, eagerMs, compiledMs, firstMs, difference, gflops},
    shareOfPeak: (gflops * 1e9) / native().multiplyAddRate(threads),
    weightGBs: sample.weightBytes / compiledMs / 1e6,
  };
}

export async function bench(options: BenchOptions): Promise<BenchReport> {
  const {models, threads = [systemInfo().threads], seconds, onProgress} = options;
  const rows: BenchRow[] = [];
  const report = await info();
  for (const model of models) {
    const sample = makeSample(model);
    for (const count of threads) {
      onProgress(`${model}, ${count} threads …`);
      rows.push(rowOf(model, sample, count, seconds));
    }
    sample.dispose();
  }
  onProgress('');
  return {...report, rows};
}

export function benchText(report: BenchReport): string {
  const table = new Table({
    head: [
      'model',
      'threads',
      'eager, ms',
      'compiled, ms',
      'eager ÷ compiled',
      'GFLOP/s',
      'of the peak',
      'weights, GB/s',
      'first call, ms',
    ],
    colAligns: ['left', ...Array.from({length: 8}, () => 'right' as const)],
    style: {head: [], border: []},
  });
  for (const row of report.rows) {
    table.push([
      row.about,
      row.threads,
      row.eagerMs.toPrecision(4),
      row.compiledMs.toPrecision(4),
      (row.eagerMs / row.compiledMs).toFixed(2),
      row.gflops.toFixed(1),
      `${(100 * row.shareOfPeak).toFixed(0)} %`,
      row.weightGBs.toFixed(1),
      row.firstMs.toFixed(0),
    ]);
  }
  return `${infoText(report)}\nModels with made-up weights, batch 1, medians:\n${table.toString()}`;
}
