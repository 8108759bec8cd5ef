/**
 * npm run bench:predict -- [--models bert-base-qa,…] [--measure]: what each model should take on 1, 4, 16 and 64 cores of Graviton3, from its
 * compiled steps and published figures of the machine; and, with --measure, the same model of this machine beside measurement, so
 * that a reader can judge the prediction. Prints docs/performance.md's tables.
 */
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {compile, type ExplainedStep, loadGraphModel} from '../src';
import {native} from '../src/native';
import {feedOf, inMemory, inputsOf} from './topology';

/** Rates are of one core, or of all where the name says so. */
interface Machine {
  readonly name: string;
  readonly coreGflops: number;
  readonly ghz: number;
  /** What one core reads from the last-level cache and from memory, and what all of them together read. */
  readonly coreL3GBs: number;
  readonly coreMemoryGBs: number;
  readonly allMemoryGBs: number;
  /** Of weights that stay in caches from call to call: last level, and the second level of each core. */
  readonly l3Bytes: number;
  readonly l2Bytes: number;
}

/**
 * WikiChip, "AWS Graviton3": 64 Neoverse V1 at 2.6 GHz, 1 MiB of L2 each, 32 MiB of L3, eight channels of DDR5-4800, 307.2 GB/s. Four 128-bit
 * multiply-adds a cycle (Arm, Neoverse V1 Software Optimization Guide). Assumed, since no figure of Arm's or AWS' is known to us: one core
 * reads 40 GB/s from L3 and 25 GB/s from memory, and all together 80 % of what the channels carry.
 */
const graviton3: Machine = {
  name: 'Graviton3',
  coreGflops: 2.6 * 4 * 4 * 2,
  ghz: 2.6,
  coreL3GBs: 40,
  coreMemoryGBs: 25,
  allMemoryGBs: 0.8 * 307.2,
  l3Bytes: 32 * 2 ** 20,
  l2Bytes: 2 ** 20,
};

function thisMachine(threads: number): Machine {
  const rate = (count: number, bytes: number) => native().readRate(count, bytes) / 1e9;
  const gflops = native().multiplyAddRate(1) / 1e9;
  const {isaNames, isa, l2Bytes} = native().info;
  const lanes = isaNames[isa]?.startsWith('avx512') ? 16 : isaNames[isa] === 'avx2' ? 8 : 4;
  return {
    name: 'this machine',
    coreGflops: gflops,
    ghz: gflops / (2 * lanes * (lanes === 16 ? 1 : 2)),
    coreL3GBs: rate(1, 8 * 2 ** 20),
    coreMemoryGBs: rate(1, 2 ** 29),
    allMemoryGBs: rate(threads, 2 ** 29),
    // Of what a virtual machine is told of the last level only a part is its own.
    l3Bytes: Math.min(native().info.l3Bytes, 32 * 2 ** 20),
    l2Bytes,
  };
}

interface StepWork {
  /** Of products and convolutions. */
  readonly flops: number;
  /** Of the steps that compute on elements. */
  readonly cycles: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
}

/** `size` of explain(), whose leading ones are left out. */
function sizesOf({size}: ExplainedStep, count: number): number[] {
  const given = size.split('x').map(Number);
  return [...Array.from({length: Math.max(0, count - given.length)}, () => 1), ...given];
}

/** Cycles for each element of the loops in docs/performance.md's table of inner loops; of what is not there, a load and a store. */
const elementCycles: Readonly<Record<string, number>> = {Pointwise: 2, Softmax: 2.5, Normalize: 1, Reduce: 0.25};

function workOf(step: ExplainedStep): StepWork {
  if (step.op === 'MatMul') {
    const [b1, b2, m, k, n] = sizesOf(step, 5) as [number, number, number, number, number];
    const batch = b1 * b2;
    const shared = step.microKernel?.startsWith('packed') && step.microKernel !== 'packed at each call';
    return {
      flops: 2 * batch * m * k * n,
      cycles: 0,
      weightBytes: shared ? 4 * k * n : 0,
      activationBytes: 4 * batch * (m * k + m * n + (shared ? 0 : k * n)),
    };
  }
  if (step.op === 'Conv2D') {
    const [batch, h, w, from, to, fh, fw] = sizesOf(step, 7) as [number, number, number, number, number, number, number];
    // F(4x4): 36 products for 144, F(2x2): 16 for 36 (Lavin & Gray 2016); transforms come on top, about a quarter.
    const winograd = step.microKernel === 'Winograd 4x4' ? 36 / 144 : step.microKernel === 'Winograd 2x2' ? 16 / 36 : 1;
    const spread = winograd === 1 ? 1 : winograd === 0.25 ? 4 : 16 / 9;
    return {
      flops: 2 * batch * h * w * from * to * fh * fw * winograd * (winograd === 1 ? 1 : 1.25),
      cycles: 0,
      weightBytes: 4 * from * to * fh * fw * spread,
      activationBytes: 4 * batch * h * w * (from + to),
    };
  }
  if (step.op === 'DepthwiseConv2D') {
    const [batch, h, w, channels, fh, fw] = sizesOf(step, 6) as [number, number, number, number, number, number];
    // The loop reaches half of the peak (table of inner loops).
    return {flops: 2 * 2 * batch * h * w * channels * fh * fw, cycles: 0, weightBytes: 0, activationBytes: 8 * batch * h * w * channels};
  }
  if (step.op === 'ExpandDepthwiseConv2D') {
    const [batch, h, w, from, channels, fh, fw] = sizesOf(step, 7) as [number, number, number, number, number, number, number];
    // As the two steps, without their passes over the expanded image, with a window for each of its pixels: there may be a quarter as many.
    return {
      flops: 2 * batch * h * w * channels * (from + 2 * fh * fw),
      cycles: 0,
      weightBytes: 4 * from * channels,
      activationBytes: 4 * batch * h * w * (from + channels),
    };
  }
  if (step.op === 'Attention') {
    const [batch, heads, queries, keys, depth] = sizesOf(step, 5) as [number, number, number, number, number];
    const rows = batch * heads;
    return {
      flops: 4 * rows * queries * keys * depth,
      cycles: 2.5 * rows * queries * keys,
      weightBytes: 0,
      activationBytes: 4 * rows * depth * (2 * queries + 2 * keys),
    };
  }
  const elements = sizesOf(step, 1).reduce((a, b) => a * b, 1);
  return {flops: 0, cycles: (elementCycles[step.op] ?? 1) * elements, weightBytes: 0, activationBytes: 8 * elements};
}

/** A part of a step must be worth this much (csrc/threads/parts.h); what starting and ending a parallel step costs each participant. */
const leastPartNs = 15_000;
const barrierNs = (threads: number) => (threads === 1 ? 0 : 1_000 + 60 * threads);
/** What edges, packing of rows and first touches leave of the inner loops' share. */
const productShare = 0.9;

function predictMs(steps: readonly ExplainedStep[], machine: Machine, threads: number): number {
  const works = steps.map(workOf);
  const weightBytes = works.reduce((sum, {weightBytes: bytes}) => sum + bytes, 0);
  const kept = weightBytes < 0.8 * (machine.l3Bytes + threads * machine.l2Bytes);
  let ns = 0;
  for (const {flops, cycles, weightBytes: own, activationBytes} of works) {
    const oneCoreNs = flops / (productShare * machine.coreGflops) + cycles / machine.ghz;
    const parts = Math.max(1, Math.min(threads, Math.floor(Math.max(oneCoreNs, own / machine.coreMemoryGBs) / leastPartNs)));
    const weightRate = kept ? parts * machine.coreL3GBs : Math.min(parts * machine.coreMemoryGBs, machine.allMemoryGBs);
    const memoryNs = own / weightRate + activationBytes / (parts * machine.coreL3GBs);
    ns += Math.max(oneCoreNs / parts, memoryNs) + barrierNs(parts);
  }
  return ns / 1e6;
}

interface Studied {
  readonly name: string;
  readonly steps: readonly ExplainedStep[];
  readonly flops: number;
  readonly weightBytes: number;
  /** Median milliseconds by number of threads. */
  readonly measured: ReadonlyMap<number, number>;
}

function medianMs(run: () => void): number {
  run();
  const times: number[] = [];
  const end = performance.now() + 700;
  while (times.length < 5 || performance.now() < end) {
    const begin = performance.now();
    run();
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

async function study(name: string, threadCounts: readonly number[]): Promise<Studied> {
  const model = await loadGraphModel(inMemory(name));
  const fast = compile(model);
  const feed = feedOf(inputsOf(name));
  const run = () => {
    for (const tensor of [fast.execute(feed, model.outputNodes)].flat()) {
      tensor.dataSync();
      tensor.dispose();
    }
  };
  const measured = new Map<number, number>();
  run();
  for (const threads of threadCounts) {
    tf.env().set('GRAVITON_THREADS', threads);
    measured.set(threads, medianMs(run));
  }
  const steps = fast.explain().plans[0]?.steps ?? [];
  const works = steps.map(workOf);
  fast.dispose();
  model.dispose();
  tf.dispose(feed);
  const sum = (of: (work: StepWork) => number) => works.reduce((total, work) => total + of(work), 0);
  return {name, steps, measured, flops: sum((w) => w.flops), weightBytes: sum((w) => w.weightBytes)};
}

const ms = (value: number): string => value.toPrecision(3);
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log([row(head), row(head.map(() => '---')), ...rows.map(row), ''].join('\n'));
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {models: {type: 'string', default: 'bert-base-qa,resnet50'}, measure: {type: 'boolean', default: false}},
  });
  await tf.setBackend('graviton');
  const {cpus} = native().info;
  const threadCounts = values.measure ? [...new Set([1, cpus])] : [];
  const studied: Studied[] = [];
  for (const name of values.models.split(',')) studied.push(await study(name, threadCounts));
  const cores = [1, 4, 16, 64];
  printTable(
    ['model', 'GFLOP', 'weights, MB', ...cores.map((count) => `${count} core${count > 1 ? 's' : ''}, ms`), 'of the peak at 1'],
    studied.map(({name, steps, flops, weightBytes}) => [
      name,
      (flops / 1e9).toFixed(2),
      (weightBytes / 1e6).toFixed(0),
      ...cores.map((count) => ms(predictMs(steps, graviton3, count))),
      `${((100 * flops) / graviton3.coreGflops / 1e6 / predictMs(steps, graviton3, 1)).toFixed(0)} %`,
    ]),
  );
  if (!values.measure) return;
  const here = thisMachine(cpus);
  console.log(JSON.stringify(here));
  printTable(
    ['model', ...threadCounts.flatMap((count) => [`${count}: predicted, ms`, 'measured, ms', 'measured ÷ predicted'])],
    studied.map(({name, steps, measured}) => [
      name,
      ...threadCounts.flatMap((count) => {
        const [predicted, took] = [predictMs(steps, here, count), measured.get(count) as number];
        return [ms(predicted), ms(took), (took / predicted).toFixed(2)];
      }),
    ]),
  );
}

if (require.main === module) void main();
