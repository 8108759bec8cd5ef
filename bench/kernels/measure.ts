/** What the benchmarks of matrix products and attention share: problem files, options, and the line that they print. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {native, type Slot} from '../../src/native';
import {option, peakOf, root, type StepPlan, timeSteps} from './step-plan';

const isaNames = native().info.isaNames;
const level = option('isa', isaNames[native().info.isa] as string);
const threads = Number(option('threads', String(native().info.cpus)));
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
export function constant(elems: number): {slot: Slot; elems: number} {
  const values = Float32Array.from({length: elems}, (_, i) => ((i * 7919) % 9973) / 9973 - 0.5);
  return {slot: native().store(values, 'float32'), elems};
}

/** Sets the level and threads of the options, prints them; returns multiply-adds' peak in GFLOP/s. */
export function configure(): number {
  native().setHugePages(true);
  native().configure({isa: isaNames.indexOf(level), threads});
  const peak = peakOf(threads);
  console.log(`${level}, ${threads} thread(s), peak ${peak} GFLOP/s`);
  return peak;
}

/** Times a plan, frees it, prints GFLOP/s and the share of the peak. */
export function report(problem: Problem, plan: StepPlan, flops: number, peak: number, bytes = 0): void {
  const {least, median} = timeSteps(plan, seconds, threads);
  plan.free();
  const rate = flops / least / 1e9;
  console.log(
    `${problem.line.padEnd(46)} ${(least * 1e6).toFixed(2).padStart(9)} us (median ${(median * 1e6).toFixed(2)})`.padEnd(80),
    `${rate.toFixed(1).padStart(6)} GFLOP/s ${((100 * rate) / peak).toFixed(0).padStart(3)} %`,
    bytes > 0 ? `${(bytes / least / 1e9).toFixed(0)} GB/s of b` : '',
  );
}
