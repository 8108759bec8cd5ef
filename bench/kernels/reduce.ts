/**
 * Times reductions, softmax, normalization, scans and top k on the problems of bench/problems/reduce.txt and prints GB/s, each operand and
 * the result counted once, and nanoseconds per element of the operand.
 *
 *   node build/ts/bench/kernels/reduce.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3]
 */
import {native} from '../../src/native';
import {ArgReduce, Cumulative, Normalize, Reduce, reduceKinds, Softmax, TopK} from '../../src/ops/reduction';
import type {NativeDType} from '../../src/ops/schema';
import {measureProblems, option, printTimes, type StepPlan, stepWords, timeSteps} from './step-plan';

const {isaNames, isa: highest, cpus} = native().info;
const isa = isaNames.indexOf(option('isa', isaNames[highest] as string));
const threads = Number(option('threads', String(cpus)));
const seconds = Number(option('seconds', '0.3'));

interface Problem {
  /** The words of a step from storages 1… to the storage after. */
  readonly words: number[];
  readonly reads: readonly number[];
  readonly writes: readonly {readonly dtype: NativeDType; readonly elems: number}[];
}

const floats = (elems: number) => [{dtype: 'float32', elems}] as const;
const reduce = (kind: keyof typeof reduceKinds) => (outer: number, length: number, inner: number) => ({
  words: stepWords(Reduce, [1], 2, {kind: reduceKinds[kind], outer, reduce: length, inner}),
  reads: [outer * length * inner],
  writes: floats(outer * inner),
});
const softmax = (logarithm: boolean) => (rows: number, cols: number) => ({
  words: stepWords(Softmax, [1], 2, {rows, cols, logarithm}),
  reads: [rows * cols],
  writes: floats(rows * cols),
});
const normalize = (kind: number, affine: boolean, wholeImage: boolean) => (rows: number, cols: number) => ({
  words: stepWords(Normalize, affine ? [1, 2, 3] : [1, 0, 0], affine ? 4 : 2, {
    kind,
    rows,
    cols,
    positions: wholeImage ? rows : 1,
    groups: wholeImage ? cols : 1,
    xRow: cols,
    yRow: cols,
    correction: 1,
    epsilon: 1e-5,
    spreadEpsilon: 0,
    epilogue: [],
    epilogueStrides: [],
  }),
  reads: affine ? [rows * cols, cols, cols] : [rows * cols],
  writes: floats(rows * cols),
});

const problems: Record<string, (a: number, b: number, c: number) => Problem> = {
  sum: reduce('sum'),
  mean: reduce('mean'),
  max: reduce('max'),
  argmax: (outer, length, inner) => ({
    words: stepWords(ArgReduce, [1], 2, {kind: 0, outer, reduce: length, inner}),
    reads: [outer * length * inner],
    writes: [{dtype: 'int32', elems: outer * inner}],
  }),
  softmax: softmax(false),
  'log-softmax': softmax(true),
  layer: normalize(0, true, false),
  'layer-plain': normalize(0, false, false),
  rms: normalize(1, true, false),
  instance: normalize(0, false, true),
  cumsum: (outer, length, inner) => ({
    words: stepWords(Cumulative, [1], 2, {kind: 0, outer, length, inner, exclusive: false, reverse: false}),
    reads: [outer * length * inner],
    writes: floats(outer * length * inner),
  }),
  'top-k': (rows, cols, k) => {
    const [op, inputs, , params, ...rest] = stepWords(TopK, [1], 2, {rows, cols, k}) as [number, number, number, number, ...number[]];
    // Two results: storages 2 and 3.
    return {
      words: [op, inputs, 2, params, ...rest.slice(0, 4), 3, 0, ...rest.slice(4)],
      reads: [rows * cols],
      writes: [...floats(rows * k), {dtype: 'int32', elems: rows * k}],
    };
  },
};

function planOf({words, reads, writes}: Problem, steps: number): StepPlan {
  const slots = reads.map((elems) =>
    native().store(
      Float32Array.from({length: elems}, () => 4 * Math.random() - 2),
      'float32',
    ),
  );
  const storages = [
    ...reads.map((elems, i) => [3, 0, i, elems]),
    ...writes.map(({dtype, elems}) => [0, dtype === 'float32' ? 0 : 1, 0, elems]),
  ];
  const repeated = Array.from({length: steps}, () => words).flat();
  const plan = native().makePlan(Int32Array.from([0, 0, 0, storages.length, steps, 0, 0, ...storages.flat(), ...repeated]), slots);
  return {
    steps,
    run: () => {
      native().runPlan(plan, [], [], []);
    },
    free: () => {
      native().dropPlan(plan);
      for (const slot of slots) native().release(slot);
    },
  };
}

function measure(line: string): void {
  const [name = '', sizes = ''] = line.trim().split(/\s+/);
  const [a = 1, b = 1, c = 1] = sizes.split('x').map(Number);
  const problem = problems[name]?.(a, b, c);
  if (problem === undefined) throw new Error(`bench/problems/reduce.txt: ${line}`);
  const read = problem.reads[0] as number;
  const plan = planOf(problem, Math.max(1, Math.min(1000, Math.ceil(1e6 / read))));
  const times = timeSteps(plan, seconds, threads);
  plan.free();
  const bytes = 4 * (problem.reads.reduce((x, y) => x + y, 0) + problem.writes.reduce((sum, {elems}) => sum + elems, 0));
  printTimes(line, times, bytes, read);
}

measureProblems('reduce.txt', isa, threads, measure);
