/**
 * npm run bench:kernels [-- --only=Add,Sum --sizes=1024,65536,1048576 --threads=N --seconds=300 --peers=wasm,cpu]: every kernel, eager, in
 * turns with TensorFlow.js' own backends. Prints a row for each size, the geometric means, the ten worst, and the share of the memory's
 * bandwidth that kernels which only stream reach at the largest size.
 */
import * as tf from '@tensorflow/tfjs-core';
import '../../src';
import {nativeKernels} from '../../src/kernels/registry';
import {native} from '../../src/native';
import {geometricMean, median} from '../statistics';
import {type Contestant, takeTurns} from '../turns';
import {calls, type KernelCall} from './calls';
import {option} from './step-plan';

const threads = Number(option('threads', String(native().info.cpus)));
const seconds = Number(option('seconds', '300'));
const sizes = option('sizes', '1024,65536,1048576').split(',').map(Number);
const peers = option('peers', 'wasm,cpu').split(',').filter(Boolean);
const only = option('only', '').split(',').filter(Boolean);

const backends = ['graviton', ...peers];
/** Beyond the last-level cache: 32 MiB an operand. */
const streamedElems = 2 ** 23;
/** A run is so many calls that reading the clock does not count. */
const runMs = 0.2;

interface Row {
  readonly kernel: string;
  readonly elems: number;
  readonly ms: Readonly<Record<string, number>>;
  /** GB/s of operands and results, each counted once. */
  readonly rate: number | undefined;
}

const bytesOf = (tensors: readonly {readonly size: number; readonly dtype: tf.DataType}[]): number =>
  tensors.reduce((sum, {size, dtype}) => sum + size * (dtype === 'bool' ? 1 : dtype === 'complex64' ? 8 : 4), 0);

/** One kernel on one backend, as takeTurns() wants it. */
class KernelRun implements Contestant {
  readonly ms: number[] = [];
  peakKiB = 0;
  private repeat = 1;
  bytes = 0;

  private constructor(
    readonly name: string,
    private readonly kernel: string,
    private readonly given: tf.NamedTensorMap | tf.Tensor[],
    private readonly attrs: tf.NamedAttrMap,
  ) {}

  readonly process = {burst: (runs: number) => this.burst(runs)};

  static async of(name: string, kernel: string, {inputs, attrs = {}}: KernelCall): Promise<KernelRun> {
    await tf.setBackend(name);
    const made = new KernelRun(name, kernel, inputs(), attrs as tf.NamedAttrMap);
    const once = () => {
      const begin = performance.now();
      made.call();
      return performance.now() - begin;
    };
    const first = once();
    if (first < 50 * runMs) made.repeat = Math.max(1, Math.min(1000, Math.round(runMs / once())));
    return made;
  }

  private call(): void {
    const results = [tf.engine().runKernel(this.kernel, this.given as tf.NamedTensorMap, this.attrs) as tf.Tensor | tf.Tensor[]].flat();
    if (this.bytes === 0) this.bytes = bytesOf(Object.values(this.given)) + bytesOf(results);
    for (const result of results) result.dispose();
  }

  private async burst(runs: number): Promise<{ms: number[]; peakKiB: number}> {
    await tf.setBackend(this.name);
    const ms = Array.from({length: runs}, () => {
      const begin = performance.now();
      for (let i = 0; i < this.repeat; i++) this.call();
      return (performance.now() - begin) / this.repeat;
    });
    return {ms, peakKiB: 0};
  }

  async dispose(): Promise<void> {
    await tf.setBackend(this.name);
    tf.dispose(this.given);
  }
}

async function measure(kernel: string, elems: number, among: readonly string[], budget: number): Promise<Row> {
  const call = (calls[kernel] as (typeof calls)[string])(elems);
  const contestants: KernelRun[] = [];
  for (const backend of among) {
    if (backend === 'graviton' || tf.getKernel(kernel, backend) !== undefined) contestants.push(await KernelRun.of(backend, kernel, call));
  }
  await takeTurns(contestants, {runs: 40, seconds: budget, turnMs: 4, restMs: 1});
  const ms = Object.fromEntries(contestants.map(({name, ms}) => [name, median(ms)]));
  const own = contestants[0] as KernelRun;
  for (const contestant of contestants) await contestant.dispose();
  return {kernel, elems, ms, rate: call.streams ? own.bytes / (ms.graviton as number) / 1e6 : undefined};
}

const time = (ms: number): string => (ms < 1 ? `${(1000 * ms).toFixed(1)} us` : `${ms.toFixed(2)} ms`);
const ratioTo = (peer: string, {ms}: Row): number => (ms[peer] as number) / (ms.graviton as number);

function print(row: Row): void {
  const cells = peers.map((peer) => (row.ms[peer] === undefined ? '' : `${peer} ${time(row.ms[peer])} ${ratioTo(peer, row).toFixed(2)}x`));
  const rate = row.rate === undefined ? '' : `${row.rate.toFixed(1)} GB/s`;
  console.log(
    row.kernel.padEnd(36),
    String(row.elems).padStart(8),
    time(row.ms.graviton as number).padStart(10),
    ...cells.map((cell) => cell.padStart(26)),
    rate.padStart(11),
  );
}

function summary(rows: readonly Row[]): void {
  for (const peer of peers) {
    const compared = rows.filter(({ms}) => ms[peer] !== undefined).sort((a, b) => ratioTo(peer, a) - ratioTo(peer, b));
    if (compared.length === 0) continue;
    const mean = (some: readonly Row[]) => geometricMean(some.map((row) => ratioTo(peer, row))).toFixed(2);
    const bySize = sizes.map((size) => `${size}: ${mean(compared.filter(({elems}) => elems === size))}`).join(', ');
    console.log(
      `\n${peer}: ${mean(compared)} times as fast (${bySize}); slower in ${compared.filter((r) => ratioTo(peer, r) < 1).length} of ${compared.length}; the worst:`,
    );
    for (const row of compared.slice(0, 10)) console.log(`  ${row.kernel} ${row.elems}: ${ratioTo(peer, row).toFixed(2)}`);
  }
}

/** What kernels that only stream reach of the rate at which memory is read. */
async function streams(kernels: readonly string[]): Promise<void> {
  const read = native().readRate(threads, 2 ** 28) / 1e9;
  console.log(`\nmemory is read at ${read.toFixed(1)} GB/s; what only streams ${streamedElems} elements reaches of that:`);
  const shares: string[] = [];
  for (const kernel of kernels) {
    if (!calls[kernel]?.(1024).streams) continue;
    const {rate = 0} = await measure(kernel, streamedElems, ['graviton'], 0.3);
    shares.push(`${kernel} ${((100 * rate) / read).toFixed(0)} %`);
  }
  console.log(shares.join(', '));
}

async function main(): Promise<void> {
  for (const peer of peers) await import(`@tensorflow/tfjs-backend-${peer}`);
  for (const backend of backends) if (!(await tf.setBackend(backend))) throw new Error(`backend ${backend} did not start`);
  await tf.setBackend('graviton');
  tf.env().set('GRAVITON_THREADS', threads);
  tf.env().set('GRAVITON_FALLBACK', 'error');
  const kernels = Object.keys(calls).filter((name) => only.length === 0 || only.includes(name));
  const missing = Object.keys(nativeKernels).filter((name) => calls[name] === undefined);
  if (missing.length > 0) console.log(`not measured: ${missing.join(', ')}`);
  console.log(`graviton at ${threads} threads; times of a call, and how many times as long the others take`);
  const rows: Row[] = [];
  const end = performance.now() + 1000 * seconds;
  let left = kernels.length * sizes.length;
  for (const size of sizes) {
    for (const kernel of kernels) {
      const row = await measure(kernel, size, backends, Math.max(0.02, (end - performance.now()) / 1000 / left--));
      rows.push(row);
      print(row);
    }
  }
  summary(rows);
  await streams(kernels);
}
void main();
