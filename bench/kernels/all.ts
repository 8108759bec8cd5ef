/**
 * npm run bench:kernels [-- --only=Add,Sum --sizes=1024,65536,1048576 --threads=N --seconds=160 --peers=wasm,cpu,onnxruntime]: every kernel,
 * eager, in turns with TensorFlow.js' own backends and, where it is installed and has the op, ONNX Runtime. Prints a row for each size, the
 * geometric means, the ten worst, and the share of the memory's bandwidth that kernels which only stream reach at the largest size.
 */
import * as tf from '@tensorflow/tfjs-core';
import '../../src';
import {nativeKernels} from '../../src/kernels/registry';
import {native} from '../../src/native';
import type {Session} from '../onnxruntime-types';
import {geometricMean, median} from '../statistics';
import {type Contestant, takeTurns} from '../turns';
import {calls, type KernelCall} from './calls';
import {onnxModel, onnxName} from './onnx-model';
import {onnxNodeOf} from './onnx-nodes';
import {option} from './step-plan';

const threads = Number(option('threads', String(native().info.cpus)));
/** Of all rows; making operands and single calls of slow peers come on top. */
const seconds = Number(option('seconds', '160'));
const sizes = option('sizes', '1024,65536,1048576').split(',').map(Number);
const asked = option('peers', 'wasm,cpu,onnxruntime').split(',').filter(Boolean);
const only = option('only', '').split(',').filter(Boolean);

/** ONNX Runtime is no dependency: whoever compares installs it (bench/peers/README.md). */
function isInstalled(peer: string): boolean {
  try {
    require.resolve(peer === 'onnxruntime' ? 'onnxruntime-node' : `@tensorflow/tfjs-backend-${peer}`);
    return true;
  } catch {
    return false;
  }
}
const peers = asked.filter(isInstalled);

/** Beyond the share of a last-level cache that one process gets; larger results would come from new pages each time (memory/block_cache.h). */
const streamedElems = 2 ** 25;
const streamedRounds = 15;
const streamedReadBytes = 2 ** 28;
/** A run is so many calls that reading the clock does not count. */
const runMs = 0.2;
/** Short calls are repeated for so long before they are measured: engines compile a function after some thousand calls. */
const warmMs = 15;
/** What takes a peer longer is measured by one call alone. */
const slowMs = 100;

interface Row {
  readonly kernel: string;
  readonly elems: number;
  readonly ms: Readonly<Record<string, number>>;
  /** GB/s of operands and results, each counted once. */
  readonly rate: number | undefined;
}

const bytesOf = (tensors: readonly {readonly size: number; readonly dtype: tf.DataType}[]): number =>
  tensors.reduce((sum, {size, dtype}) => sum + size * (dtype === 'bool' ? 1 : dtype === 'complex64' ? 8 : 4), 0);

/** One kernel on one runtime, as takeTurns() wants it. */
abstract class Run implements Contestant {
  readonly ms: number[] = [];
  peakKiB = 0;
  private repeat = 1;

  protected constructor(readonly name: string) {}

  readonly process = {burst: (runs: number) => this.burst(runs)};

  protected abstract call(): void | Promise<void>;
  /** Before calls, and before dispose(). */
  async ready(): Promise<void> {}
  abstract dispose(): Promise<void>;

  /** How long `calls` calls take, each. */
  private async time(calls: number): Promise<number> {
    const begin = performance.now();
    for (let i = 0; i < calls; i++) {
      const pending = this.call();
      if (pending !== undefined) await pending; // awaiting nothing takes longer than a small call
    }
    return (performance.now() - begin) / calls;
  }

  /** The first call and, where it is short, more, from the last of which to see how many make a run. Returns what the first took. */
  async start(): Promise<number> {
    const first = await this.time(1);
    if (first >= 50 * runMs) return first;
    const end = performance.now() + warmMs;
    let last = await this.time(1);
    while (performance.now() < end) last = await this.time(this.repeatOf(last));
    this.repeat = this.repeatOf(last);
    return first;
  }

  /** How many calls of `ms` make a run. */
  private repeatOf(ms: number): number {
    return Math.max(1, Math.min(1000, Math.round(runMs / ms)));
  }

  private async burst(runs: number): Promise<{ms: number[]; peakKiB: number}> {
    await this.ready();
    const ms: number[] = [];
    for (let i = 0; i < runs; i++) ms.push(await this.time(this.repeat));
    return {ms, peakKiB: 0};
  }
}

class BackendRun extends Run {
  bytes = 0;

  private constructor(
    name: string,
    private readonly kernel: string,
    private readonly given: tf.NamedTensorMap | tf.Tensor[],
    private readonly attrs: tf.NamedAttrMap,
  ) {
    super(name);
  }

  static async of(name: string, kernel: string, {inputs, attrs = {}}: KernelCall): Promise<BackendRun> {
    await tf.setBackend(name);
    return new BackendRun(name, kernel, inputs(), attrs as tf.NamedAttrMap);
  }

  protected call(): void {
    const results = [tf.engine().runKernel(this.kernel, this.given as tf.NamedTensorMap, this.attrs) as tf.Tensor | tf.Tensor[]].flat();
    if (this.bytes === 0) this.bytes = bytesOf(Object.values(this.given)) + bytesOf(results);
    for (const result of results) result.dispose();
  }

  override async ready(): Promise<void> {
    await tf.setBackend(this.name);
  }

  async dispose(): Promise<void> {
    tf.dispose(this.given);
  }
}

/** A session of ONNX Runtime for a model of this one node. */
class OnnxRun extends Run {
  private constructor(
    private readonly session: Session,
    private readonly feeds: Record<string, unknown>,
  ) {
    super('onnxruntime');
  }

  /** Undefined where ONNX has no such node. */
  static async of(kernel: string, {inputs, attrs = {}}: KernelCall): Promise<OnnxRun | undefined> {
    const {InferenceSession, Tensor} = require('onnxruntime-node') as typeof import('../onnxruntime-types');
    const given = inputs();
    const node = onnxNodeOf(kernel, Object.values(given), attrs);
    tf.dispose(given);
    if (node === undefined) return undefined;
    const session = await InferenceSession.create(onnxModel(node), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      extra: {session: {force_spinning_stop: '1'}}, // its idle threads would slow down whose turn is next
    });
    const fed = node.inputs.flatMap(({constant, type, shape, data}, i) =>
      constant ? [] : [[onnxName('in', i), new Tensor(type, data, shape)]],
    );
    return new OnnxRun(session, Object.fromEntries(fed));
  }

  protected async call(): Promise<void> {
    await this.session.run(this.feeds);
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

async function contestant(peer: string, kernel: string, call: KernelCall): Promise<Run | undefined> {
  if (peer === 'onnxruntime') return OnnxRun.of(kernel, call);
  return tf.getKernel(kernel, peer) === undefined ? undefined : BackendRun.of(peer, kernel, call);
}

/** `budget`: seconds. */
async function measure(kernel: string, elems: number, peers: readonly string[], budget: number): Promise<Row> {
  const call = (calls[kernel] as (typeof calls)[string])(elems);
  const own = await BackendRun.of('graviton', kernel, call);
  await own.start();
  const ms: Record<string, number> = {};
  const turns: Run[] = [own];
  for (const peer of peers) {
    const run = await contestant(peer, kernel, call);
    if (run === undefined) continue;
    await run.ready();
    ms[run.name] = await run.start();
    if ((ms[run.name] as number) < slowMs) turns.push(run);
    else await run.dispose();
  }
  await takeTurns(turns, {runs: 40, seconds: budget, turnMs: 4, restMs: 1});
  for (const run of turns) {
    ms[run.name] = median(run.ms);
    await run.ready();
    await run.dispose();
  }
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

/** What kernels that only stream reach of the rate at which memory is read: both in turns, since others on the machine use the memory as well. */
async function streams(kernels: readonly string[]): Promise<void> {
  const shares: string[] = [];
  const reads: number[] = [];
  for (const kernel of kernels) {
    const call = calls[kernel]?.(streamedElems);
    if (!call?.streams) continue;
    const run = await BackendRun.of('graviton', kernel, call);
    await run.start();
    const ofRound: number[] = [];
    for (let round = 0; round < streamedRounds; round++) {
      const read = native().readRate(threads, streamedReadBytes) / 1e9;
      const {ms} = await run.process.burst(2);
      reads.push(read);
      ofRound.push(run.bytes / median(ms) / 1e6 / read);
    }
    await run.dispose();
    shares.push(`${kernel} ${(100 * median(ofRound)).toFixed(0)} %`);
  }
  if (shares.length === 0) return;
  console.log(`\nmemory is read at ${median(reads).toFixed(1)} GB/s; what only streams ${streamedElems} elements reaches of that:`);
  console.log(shares.join(', '));
}

async function main(): Promise<void> {
  const absent = asked.filter((peer) => !peers.includes(peer));
  if (absent.length > 0) console.log(`not installed: ${absent.join(', ')}`);
  for (const peer of peers) {
    if (peer === 'onnxruntime') continue;
    await import(`@tensorflow/tfjs-backend-${peer}`);
    if (!(await tf.setBackend(peer))) throw new Error(`backend ${peer} did not start`);
  }
  await tf.setBackend('graviton');
  tf.env().set('GRAVITON_THREADS', threads);
  tf.env().set('GRAVITON_FALLBACK', 'error');
  const kernels = Object.keys(calls).filter((name) => only.length === 0 || only.includes(name));
  const missing = Object.keys(nativeKernels).filter((name) => calls[name] === undefined);
  if (missing.length > 0) console.log(`not measured: ${missing.join(', ')}`);
  console.log(`graviton at ${threads} threads; times of a call, and how many times as long the others take`);
  // Else the first row would show what all kernels go through before engines have compiled it.
  await measure(kernels[0] as string, sizes[0] as number, peers, 1);
  const rows: Row[] = [];
  const end = performance.now() + 1000 * seconds;
  let left = kernels.length * sizes.length;
  for (const size of sizes) {
    for (const kernel of kernels) {
      const row = await measure(kernel, size, peers, Math.max(0.02, (end - performance.now()) / 1000 / left--));
      rows.push(row);
      print(row);
    }
  }
  summary(rows);
  await streams(kernels);
}
void main();
