/** Plans of one op's steps, for timing it without the cost of JavaScript calls. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {native, opNumber, type Slot} from '../../src/native';
import {dtypes, type NativeDType, type OpSpec, type Params, type ParamValues} from '../../src/ops/schema';

export const root = join(__dirname, '../../../..');

/** The value of --name=value on the command line. */
export const option = (name: string, otherwise: string): string =>
  process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;

const bits = new Float32Array(1);
const word = new Int32Array(bits.buffer);

/** One step's words; operands are storages, 0 for one that is not given. */
export function stepWords<P extends Params>(op: OpSpec<P>, inputs: readonly number[], output: number, params: ParamValues<P>): number[] {
  const words = Object.entries(op.params).flatMap(([name, kind]) => {
    const value = params[name];
    if (kind === 'list') return [(value as readonly number[]).length, ...(value as readonly number[])];
    bits[0] = Number(value);
    return [kind === 'f32' ? (word[0] as number) : Number(value)];
  });
  return [opNumber(op), inputs.length, 1, words.length, ...inputs.flatMap((s) => [s, 0]), output, 0, ...words];
}

export interface StepPlan {
  readonly steps: number;
  run(): void;
  free(): void;
}

export interface Constant {
  readonly slot: Slot;
  readonly elems: number;
  /** Left out: float32. */
  readonly dtype?: NativeDType;
}

/** Storages 1… are the constants, then one of `arena` floats for the output. */
export function planOf(steps: readonly (readonly number[])[], constants: readonly Constant[], arena: number): StepPlan {
  const storages = [...constants.map(({elems, dtype = 'float32'}, i) => [3, dtypes.indexOf(dtype), i, elems]), [0, 0, 0, arena]].flat();
  const words = Int32Array.from([0, 0, 0, constants.length + 1, steps.length, 0, 0, ...storages, ...steps.flat()]);
  const plan = native().makePlan(
    words,
    constants.map(({slot}) => slot),
  );
  return {
    steps: steps.length,
    run: () => {
      native().runPlan(plan, [], [], []);
    },
    free: () => {
      native().dropPlan(plan);
      for (const {slot} of constants) native().release(slot);
    },
  };
}

export function repeatedStep(step: readonly number[], constants: readonly Constant[], arena: number, steps: number): StepPlan {
  return planOf(
    Array.from({length: steps}, () => step),
    constants,
    arena,
  );
}

/** Seconds a step: least and median. Of one thread, the processor's time, which other processes cannot stretch. */
export function timeSteps(plan: StepPlan, seconds: number, threads: number): {least: number; median: number} {
  const now = () => (threads === 1 ? (process.cpuUsage().user + process.cpuUsage().system) / 1e6 : Number(process.hrtime.bigint()) / 1e9);
  const times: number[] = [];
  const end = now() + seconds;
  while (times.length < 5 || now() < end) {
    const begin = now();
    plan.run();
    times.push((now() - begin) / plan.steps);
  }
  times.sort((x, y) => x - y);
  return {least: times[0] as number, median: times[times.length >> 1] as number};
}

/** GFLOP/s of multiply-adds that this machine reaches at the level in use. */
export function peakOf(threads: number): number {
  return Math.round(native().multiplyAddRate(threads) / 1e8) / 10;
}

/** Measures the lines of bench/problems/`file` that --only asks for, at --isa and with --threads. */
export function measureProblems(file: string, isa: number, threads: number, measure: (line: string) => void): void {
  native().setHugePages(true);
  native().configure({isa, threads});
  console.log(`${native().info.isaNames[isa]}, ${threads} thread(s)`);
  for (const line of readFileSync(join(root, 'bench/problems', file), 'utf8').split('\n')) {
    if (!line.startsWith('#') && line.trim() !== '' && line.includes(option('only', ''))) measure(line);
  }
}

/** One line of results: times in seconds, the bytes that a step moves, and the elements by which its time is divided. */
export function printTimes(line: string, {least, median}: {least: number; median: number}, bytes: number, elements: number): void {
  console.log(
    `${line.padEnd(26)} ${(least * 1e6).toFixed(2).padStart(9)} us (median ${(median * 1e6).toFixed(2)})`.padEnd(62),
    `${(bytes / least / 1e9).toFixed(1).padStart(6)} GB/s ${((least * 1e9) / elements).toFixed(3).padStart(7)} ns/element`,
  );
}
