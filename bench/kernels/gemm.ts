/**
 * Times MatMul on the problems of bench/problems/gemm.txt and prints GFLOP/s and the share of this machine's
 * multiply-add peak (build/fma_peak, see bench/native/fma_peak.cc).
 *
 *   node build/ts/bench/kernels/gemm.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3]
 */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {native, type Slot} from '../../src/native';
import {opNumber} from '../../src/native';
import {MatMul, PackWeights, packLayouts} from '../../src/ops/linear';
import {call, encodeProgram, input} from '../../src/ops/program';
import type {OpSpec, Params, ParamValues} from '../../src/ops/schema';

const root = join(__dirname, '../../../..');
const option = (name: string, otherwise: string) =>
  process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const isaNames = native().info.isaNames;
const isa = isaNames.indexOf(option('isa', isaNames[native().info.isa] as string));
const threads = Number(option('threads', String(native().info.cpus)));
const seconds = Number(option('seconds', '0.3'));

interface Problem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly weights: number;
  readonly flags: readonly string[];
}

function parse(line: string): Problem {
  const [m, n, k, ...flags] = line.trim().split(/\s+/);
  const count = (name: string) => Number(flags.find((f) => f.startsWith(`${name}=`))?.split('=')[1] ?? 1);
  return {m: Number(m), n: Number(n), k: Number(k), batch: count('batch'), weights: count('weights'), flags};
}

const bits = new Float32Array(1);
const word = new Int32Array(bits.buffer);
function stepWords<P extends Params>(op: OpSpec<P>, inputs: readonly number[], output: number, params: ParamValues<P>): number[] {
  const words = Object.entries(op.params).flatMap(([name, kind]) => {
    const value = params[name];
    if (kind === 'list') return [(value as readonly number[]).length, ...(value as readonly number[])];
    bits[0] = Number(value);
    return [kind === 'f32' ? (word[0] as number) : Number(value)];
  });
  return [opNumber(op), inputs.length, 1, words.length, ...inputs.flatMap((s) => [s, 0]), output, 0, ...words];
}

const randoms = (count: number) => Float32Array.from({length: count}, () => Math.random() - 0.5);

/** A plan of MatMul steps, one for each weight, and how to run it. */
function prepare(p: Problem): {run: () => void; steps: number; free: () => void} {
  const {m, n, k, batch} = p;
  const packed = p.flags.includes('packed');
  const transposed = p.flags.includes('transposedB');
  const epilogue = p.flags.includes('gelu') ? call('GeluErf', input(0)) : p.flags.includes('add') ? call('Add', input(0), input(1)) : undefined;
  const constants: Slot[] = [];
  for (let w = 0; w < p.weights; w++) {
    const plain = native().store(randoms(batch * k * n), 'float32');
    if (!packed) {
      constants.push(plain);
      continue;
    }
    const elems = native().packedElems(packLayouts.gemmF32, k, n, 1);
    const params = {layout: packLayouts.gemmF32, rowsK: k, colsN: n, rowStride: n, colStride: 1, taps: 1};
    constants.push(native().run(PackWeights, [plain], [{dtype: 'float32', elems}], params)[0] as Slot);
    native().release(plain);
  }
  const a = native().store(randoms(batch * m * k), 'float32');
  const residual = native().store(randoms(m * n), 'float32');
  const steps = Math.max(p.weights, Math.min(64, Math.ceil(4e6 / (m * n * k * batch))));
  const storages = [...constants.map((_, i) => [3, 0, i, packed ? native().packedElems(packLayouts.gemmF32, k, n, 1) : batch * k * n])];
  storages.push([1, 0, 0, batch * m * k], [1, 0, 1, m * n], [0, 0, 0, batch * m * n]);
  const base = constants.length;
  const body = Array.from({length: steps}, (_, s) =>
    stepWords(MatMul, [base + 1, (s % p.weights) + 1, 0, ...(p.flags.includes('add') ? [base + 2] : [])], base + 3, {
      batch1: 1, batch2: batch, rowsM: m, colsN: n, depthK: k,
      aBatch1: 0, aBatch2: m * k, aRow: k, aCol: 1,
      bBatch1: 0, bBatch2: packed ? 0 : k * n, bRow: transposed ? 1 : n, bCol: transposed ? k : 1,
      cBatch1: 0, cBatch2: m * n, cRow: n,
      packedB: packed ? packLayouts.gemmF32 : 0,
      epilogue: epilogue ? (encodeProgram(epilogue) as number[]) : [],
      epilogueStrides: p.flags.includes('add') ? [0, 0, n, 1] : [],
    }),
  );
  const words = Int32Array.from([2, 0, 0, storages.length, steps, 0, 0, ...storages.flat(), ...body.flat()]);
  const plan = native().makePlan(words, constants);
  const run = () => {
    native().runPlan(plan, [a, residual], [], []);
  };
  const free = () => {
    native().dropPlan(plan);
    for (const slot of [a, residual, ...constants]) native().release(slot);
  };
  return {run, steps, free};
}

/** Of one thread, the processor's time: other processes cannot stretch it. */
const now = threads === 1 ? () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6 : () => Number(process.hrtime.bigint()) / 1e9;

/** Seconds a step: least and median. */
function time(run: () => void, steps: number): [number, number] {
  const times: number[] = [];
  const end = now() + seconds;
  while (times.length < 3 || now() < end) {
    const begin = now();
    run();
    times.push((now() - begin) / steps);
  }
  times.sort((x, y) => x - y);
  return [times[0] as number, times[times.length >> 1] as number];
}

function peakOf(level: string): number {
  const lines = execFileSync(join(root, 'build/fma_peak'), {encoding: 'utf8'}).trim().split('\n');
  const line = lines.map((l) => l.split(' ')).find((l) => l[0] === level && Number(l[1]) === threads);
  return Number(line?.[2]);
}

native().setHugePages(true);
native().configure({isa, threads});
const level = isaNames[isa] as string;
const peak = peakOf(level);
console.log(`${level}, ${threads} thread(s), peak ${peak} GFLOP/s`);
for (const line of readFileSync(join(root, 'bench/problems/gemm.txt'), 'utf8').split('\n')) {
  if (line.startsWith('#') || line.trim() === '' || !line.includes(option('only', ''))) continue;
  const problem = parse(line);
  const {run, steps, free} = prepare(problem);
  const [least, median] = time(run, steps);
  free();
  const flops = 2 * problem.m * problem.n * problem.k * problem.batch;
  const gigabytes = (problem.k * problem.n * 4) / 1e9;
  console.log(
    `${line.padEnd(44)} ${(least * 1e6).toFixed(2).padStart(9)} us (median ${(median * 1e6).toFixed(2)})`.padEnd(78),
    `${(flops / least / 1e9).toFixed(1).padStart(6)} GFLOP/s ${((100 * flops) / least / 1e9 / peak).toFixed(0).padStart(3)} %`,
    `${(gigabytes / least).toFixed(0).padStart(4)} GB/s of b`,
  );
}
