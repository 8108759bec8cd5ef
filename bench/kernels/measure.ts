/** What the kernel benchmarks share: options, plans of one repeated step, times, and the machine's multiply-add peak. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {native, opNumber, type Slot} from '../../src/native';
import type {OpSpec, Params, ParamValues} from '../../src/ops/schema';

const root = join(__dirname, '../../../..');

export function option(name: string, otherwise: string): string {
  return process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
}
const isaNames = native().info.isaNames;
export const level = option('isa', isaNames[native().info.isa] as string);
export const threads = Number(option('threads', String(native().info.cpus)));
const seconds = Number(option('seconds', '0.3'));

/** `m n k flag name=value …` of a problem file. */
export interface Problem {
  readonly line: string;
  readonly sizes: readonly number[];
  has(flag: string): boolean;
  count(name: string): number;
}

/** The problems of bench/problems/NAME.txt that contain the text of --only. */
export function problems(name: string): Problem[] {
  const lines = readFileSync(join(root, `bench/problems/${name}.txt`), 'utf8').split('\n');
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#') && line.includes(option('only', '')))
    .map((line) => {
      const words = line.trim().split(/\s+/);
      return {
        line,
        sizes: words.filter((w) => /^\d+$/.test(w)).map(Number),
        has: (flag) => words.includes(flag),
        count: (flag) => Number(words.find((w) => w.startsWith(`${flag}=`))?.split('=')[1] ?? 1),
      };
    });
}

/** Numbers that repeat only after 9973. */
export function values(count: number): Float32Array {
  return Float32Array.from({length: count}, (_, i) => ((i * 7919) % 9973) / 9973 - 0.5);
}

const bits = new Float32Array(1);
const word = new Int32Array(bits.buffer);

export function stepWords<P extends Params>(op: OpSpec<P>, inputs: readonly number[], output: number, params: ParamValues<P>): number[] {
  const words = Object.entries(op.params).flatMap(([name, kind]) => {
    const value = params[name];
    if (kind === 'list') return [(value as readonly number[]).length, ...(value as readonly number[])];
    bits[0] = Number(value);
    return [kind === 'f32' ? (word[0] as number) : Number(value)];
  });
  return [opNumber(op), inputs.length, 1, words.length, ...inputs.flatMap((s) => [s, 0]), output, 0, ...words];
}

/** A plan of steps over constants (float32, storages 1, 2, …) and one arena block, whose storage number `steps` is given. */
export function makePlan(
  constants: readonly {slot: Slot; elems: number}[],
  arenaElems: number,
  steps: (arena: number) => number[][],
): number {
  const storages = constants.map(({elems}, i) => [3, 0, i, elems]);
  storages.push([0, 0, 0, arenaElems]);
  const body = steps(storages.length);
  const words = Int32Array.from([0, 0, 0, storages.length, body.length, 0, 0, ...storages.flat(), ...body.flat()]);
  return native().makePlan(
    words,
    constants.map(({slot}) => slot),
  );
}

/** Of one thread, the processor's time: other processes cannot stretch it. */
function now(): number {
  const {user, system} = process.cpuUsage();
  return threads === 1 ? (user + system) / 1e6 : Number(process.hrtime.bigint()) / 1e9;
}

/** Seconds a step of a plan: least and median. */
export function time(plan: number, steps: number): {least: number; median: number} {
  const times: number[] = [];
  const end = now() + seconds;
  while (times.length < 3 || now() < end) {
    const begin = now();
    native().runPlan(plan, [], [], []);
    times.push((now() - begin) / steps);
  }
  times.sort((x, y) => x - y);
  return {least: times[0] as number, median: times[times.length >> 1] as number};
}

/** Sets the level and threads of the options, prints them; returns multiply-adds' peak in GFLOP/s. */
export function configure(): number {
  native().setHugePages(true);
  native().configure({isa: isaNames.indexOf(level), threads});
  const lines = execFileSync(join(root, 'build/fma_peak'), {encoding: 'utf8'}).trim().split('\n');
  const line = lines.map((l) => l.split(' ')).find((l) => l[0] === level && Number(l[1]) === threads);
  const peak = Number(line?.[2]);
  console.log(`${level}, ${threads} thread(s), peak ${peak} GFLOP/s`);
  return peak;
}

export function report(problem: Problem, t: {least: number; median: number}, flops: number, peak: number, more = ''): void {
  const rate = flops / t.least / 1e9;
  console.log(
    `${problem.line.padEnd(46)} ${(t.least * 1e6).toFixed(2).padStart(9)} us (median ${(t.median * 1e6).toFixed(2)})`.padEnd(80),
    `${rate.toFixed(1).padStart(6)} GFLOP/s ${((100 * rate) / peak).toFixed(0).padStart(3)} %`,
    more,
  );
}
