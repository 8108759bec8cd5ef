/**
 * Times Attention on bench/problems/attention.txt; GFLOP/s of its two products (all of them, also where causal skips half).
 *
 *   node build/ts/bench/kernels/attention.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3]
 */
import {Attention} from '../../src/ops/linear';
import {configure, constant, type Problem, problems, report} from './measure';
import {repeatedStep, stepWords} from './step-plan';

function measure(p: Problem, peak: number): void {
  const [queries, keys, depth] = p.sizes as [number, number, number];
  const heads = p.count('heads');
  const [head, row] = p.has('interleaved') ? [() => depth, 3 * heads * depth] : [(rows: number) => rows * depth, depth];
  const elems = (rows: number) => (p.has('interleaved') ? rows * row : heads * rows * depth);
  const constants = [...[queries, keys, keys].map((rows) => constant(elems(rows))), constant(keys)];
  const words = {
    batch: 1,
    heads,
    queries,
    keys,
    depth,
    valueDepth: depth,
    scale: depth ** -0.5,
    causal: p.has('causal'),
    causalOffset: keys - queries,
    queryBatch: 0,
    queryHead: head(queries),
    queryRow: row,
    keyBatch: 0,
    keyHead: head(keys),
    keyRow: row,
    valueBatch: 0,
    valueHead: head(keys),
    valueRow: row,
    maskBatch: 0,
    maskHead: 0,
    maskRow: 0,
    maskCol: 1,
    outBatch: 0,
    outHead: head(queries),
    outRow: row,
    epilogue: [],
    epilogueStrides: [],
  };
  const flops = 4 * heads * queries * keys * depth;
  const steps = Math.min(64, Math.ceil(8e6 / flops));
  const step = stepWords(Attention, [1, 2, 3, p.has('mask') ? 4 : 0], 5, words);
  report(p, repeatedStep(step, constants, elems(queries), steps), flops, peak);
}

const peak = configure();
for (const problem of problems('attention')) measure(problem, peak);
