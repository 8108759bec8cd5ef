/**
 * Times pointwise and movement ops on the problems of bench/problems/pointwise.txt and prints GB/s, each operand and the result counted
 * once, and nanoseconds per element.
 *
 *   node build/ts/bench/kernels/pointwise.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3]
 */
import {native} from '../../src/native';
import {Concat, Fill, Gather, StridedCopy} from '../../src/ops/movement';
import {Pointwise} from '../../src/ops/pointwise';
import {call, type Expr, encodeProgram, input} from '../../src/ops/program';
import {type Constant, measureProblems, option, printTimes, repeatedStep, stepWords, timeSteps} from './step-plan';

const {isaNames, isa: highest, cpus} = native().info;
const isa = isaNames.indexOf(option('isa', isaNames[highest] as string));
const threads = Number(option('threads', String(cpus)));
const seconds = Number(option('seconds', '0.3'));

interface Problem {
  readonly words: number[];
  /** Elements of the constants, then of the output. */
  readonly reads: readonly number[];
  readonly writes: number;
  /** Values of a constant that are not random floats. */
  readonly indices?: Int32Array;
}

function pointwise(expr: Expr, shape: readonly number[], strides: readonly (readonly number[])[], reads: readonly number[]): Problem {
  const elems = shape.reduce((a, b) => a * b);
  const dense = shape.length === 1 ? [1] : [shape[1] as number, 1];
  const params = {shape, strides: [...strides.flat(), ...dense], program: encodeProgram(expr) as number[]};
  const storages = reads.map((_, i) => i + 1);
  return {words: stepWords(Pointwise, storages, reads.length + 1, params), reads, writes: elems};
}
function copy(shape: readonly number[], srcStrides: readonly number[]): Problem {
  const elems = shape.reduce((a, b) => a * b);
  const dstStrides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return {words: stepWords(StridedCopy, [1], 2, {shape, srcStrides, dstStrides}), reads: [elems], writes: elems};
}
const [a, b] = [input(0), input(1)];

const problems: Record<string, (rows: number, cols: number, depth: number) => Problem> = {
  copy: (n) => copy([n], [1]),
  add: (n) => pointwise(call('Add', a, b), [n], [[1], [1]], [n, n]),
  relu: (n) => pointwise(call('Relu', a), [n], [[1]], [n]),
  gelu: (n) => pointwise(call('GeluErf', a), [n], [[1]], [n]),
  exp: (n) => pointwise(call('Exp', a), [n], [[1]], [n]),
  'silu-mul': (n) => pointwise(call('Mul', call('Silu', a), b), [n], [[1], [1]], [n, n]),
  less: (n) => pointwise(call('ToFloat', call('Less', a, b)), [n], [[1], [1]], [n, n]),
  bias: (m, n) =>
    pointwise(
      call('Add', a, b),
      [m, n],
      [
        [n, 1],
        [0, 1],
      ],
      [m * n, n],
    ),
  'scale-rows': (m, n) =>
    pointwise(
      call('Mul', a, b),
      [m, n],
      [
        [n, 1],
        [1, 0],
      ],
      [m * n, m],
    ),
  'add-transposed': (m, n) =>
    pointwise(
      call('Add', a, b),
      [m, n],
      [
        [n, 1],
        [1, m],
      ],
      [m * n, m * n],
    ),
  transpose: (m, n) => copy([n, m], [1, n]),
  'nhwc-to-nchw': (m, n) => copy([n, m], [1, n]),
  'nchw-to-nhwc': (m, n) => copy([n, m], [1, n]),
  heads: (m, h, n) => copy([h, m, n], [n, h * n, 1]),
  concat: (m, n) => ({words: stepWords(Concat, [1, 2], 3, {outer: m, inner: [n, n]}), reads: [m * n, m * n], writes: 2 * m * n}),
  gather: (m, n) => ({
    words: stepWords(Gather, [1, 2], 3, {batch: 1, outer: 1, axis: 30_000, inner: n, count: m}),
    reads: [30_000 * n, m],
    writes: m * n,
    indices: Int32Array.from({length: m}, () => Math.floor(30_000 * Math.random())),
  }),
  fill: (n) => ({words: stepWords(Fill, [], 1, {count: n, value: 0}), reads: [], writes: n}),
};

const randoms = (count: number) => Float32Array.from({length: count}, () => 4 * Math.random() - 2);

function measure(line: string): void {
  const [name = '', sizes = ''] = line.trim().split(/\s+/);
  const [rows = 1, cols = 1, depth = 1] = sizes.split('x').map(Number);
  const problem = problems[name]?.(rows, cols, depth);
  if (problem === undefined) throw new Error(`bench/problems/pointwise.txt: ${line}`);
  const {words, reads, writes, indices} = problem;
  const constants = reads.map(
    (elems, i): Constant =>
      i === 1 && indices
        ? {slot: native().store(indices, 'int32'), elems, dtype: 'int32'}
        : {slot: native().store(randoms(elems), 'float32'), elems},
  );
  const plan = repeatedStep(words, constants, writes, Math.max(1, Math.min(1000, Math.ceil(1e6 / writes))));
  const times = timeSteps(plan, seconds, threads);
  plan.free();
  const bytes = 4 * (indices ? 2 * writes : reads.reduce((x, y) => x + y, 0) + writes);
  printTimes(line, times, bytes, writes);
}

measureProblems('pointwise.txt', isa, threads, measure);
