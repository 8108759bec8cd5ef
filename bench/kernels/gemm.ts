/**
 * Times MatMul on bench/problems/gemm.txt; GFLOP/s and the share of this machine's multiply-add peak (build/fma_peak, made
 * as bench/native/fma_peak.cc says).
 *
 *   node build/ts/bench/kernels/gemm.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3]
 */
import {native, type Slot} from '../../src/native';
import {MatMul, PackWeights, packLayouts} from '../../src/ops/linear';
import {call, type Expr, encodeProgram, input} from '../../src/ops/program';
import {configure, makePlan, type Problem, problems, report, stepWords, time, values} from './measure';

function epilogueOf(p: Problem): Expr | undefined {
  if (p.has('gelu')) return call('GeluErf', input(0));
  return p.has('add') ? call('Add', input(0), input(1)) : undefined;
}

function packed(plain: Slot, k: number, n: number): {slot: Slot; elems: number} {
  const elems = native().packedElems(packLayouts.gemmF32, k, n, 1);
  const words = {layout: packLayouts.gemmF32, rowsK: k, colsN: n, rowStride: n, colStride: 1, taps: 1};
  const [slot] = native().run(PackWeights, [plain], [{dtype: 'float32', elems}], words) as [Slot];
  native().release(plain);
  return {slot, elems};
}

/** A plan of MatMul steps, with each of the weights in turn. */
function measure(p: Problem, peak: number): void {
  const [m, n, k] = p.sizes as [number, number, number];
  const [batch, weights] = [p.count('batch'), p.count('weights')];
  const constants = Array.from({length: weights}, () => {
    const plain = native().store(values(batch * k * n), 'float32');
    return p.has('packed') ? packed(plain, k, n) : {slot: plain, elems: batch * k * n};
  });
  constants.push({slot: native().store(values(batch * m * k), 'float32'), elems: batch * m * k});
  constants.push({slot: native().store(values(m * n), 'float32'), elems: m * n});
  const [a, residual] = [weights + 1, weights + 2];
  const epilogue = epilogueOf(p);
  const transposed = p.has('transposedB');
  const words = {
    batch1: 1,
    batch2: batch,
    rowsM: m,
    colsN: n,
    depthK: k,
    aBatch1: 0,
    aBatch2: m * k,
    aRow: k,
    aCol: 1,
    bBatch1: 0,
    bBatch2: p.has('packed') ? 0 : k * n,
    bRow: transposed ? 1 : n,
    bCol: transposed ? k : 1,
    cBatch1: 0,
    cBatch2: m * n,
    cRow: n,
    packedB: p.has('packed') ? packLayouts.gemmF32 : packLayouts.none,
    epilogue: epilogue ? (encodeProgram(epilogue) as number[]) : [],
    epilogueStrides: p.has('add') ? [0, 0, n, 1] : [],
  };
  // Some 50 µs a run, so that interruptions hit few of them.
  const steps = Math.max(weights, Math.min(64, Math.ceil(4e6 / (m * n * k * batch))));
  const plan = makePlan(constants, batch * m * n, (arena) =>
    Array.from({length: steps}, (_, s) => stepWords(MatMul, [a, (s % weights) + 1, 0, ...(p.has('add') ? [residual] : [])], arena, words)),
  );
  const t = time(plan, steps);
  native().dropPlan(plan);
  for (const {slot} of constants) native().release(slot);
  report(p, t, 2 * m * n * k * batch, peak, `${((k * n * batch * 4) / t.least / 1e9).toFixed(0)} GB/s of b`);
}

const peak = configure();
for (const problem of problems('gemm')) measure(problem, peak);
