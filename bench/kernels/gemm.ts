/**
 * Times MatMul on bench/problems/gemm.txt; GFLOP/s and the share of this machine's multiply-add peak, measured before.
 *
 *   node build/ts/bench/kernels/gemm.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3]
 */
import {native, type Slot} from '../../src/native';
import {MatMul, PackWeights, packedTypes, packLayouts} from '../../src/ops/linear';
import {call, type Expr, encodeProgram, input} from '../../src/ops/program';
import {configure, constant, type Problem, problems, report} from './measure';
import {type Constant, planOf, stepWords} from './step-plan';

function epilogueOf(p: Problem): Expr | undefined {
  if (p.has('gelu')) return call('GeluErf', input(0));
  if (p.has('relu')) return call('Relu', input(0));
  return p.has('add') ? call('Add', input(0), input(1)) : undefined;
}

const dtypeOf = (p: Problem) => packedTypes[layoutOf(p)] ?? 'float32';
function layoutOf(p: Problem): number {
  if (p.has('bf16')) return packLayouts.gemmBf16;
  if (p.has('int8')) return packLayouts.gemmInt8;
  return p.has('packed') ? packLayouts.gemmF32 : packLayouts.none;
}
function weightsOf(p: Problem, batch: number, k: number, n: number): Constant {
  const plain = constant(batch * k * n);
  const layout = layoutOf(p);
  if (layout === packLayouts.none) return plain;
  const elems = native().packedElems(layout, k, n, 1);
  const words = {layout, rowsK: k, colsN: n, rowStride: n, colStride: 1, taps: 1};
  const [slot] = native().run(PackWeights, [plain.slot], [{dtype: dtypeOf(p), elems}], words) as [Slot];
  native().release(plain.slot);
  return {slot, elems, dtype: dtypeOf(p)};
}

/** A plan of MatMul steps, with each of the weights in turn. */
function measure(p: Problem, peak: number): void {
  const [m, n, k] = p.sizes as [number, number, number];
  const [batch, weights] = [p.count('batch'), p.count('weights')];
  const constants = Array.from({length: weights}, () => weightsOf(p, batch, k, n));
  constants.push(constant(batch * m * k), constant(m * n));
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
    bBatch2: layoutOf(p) === packLayouts.none ? k * n : 0,
    bRow: transposed ? 1 : n,
    bCol: transposed ? k : 1,
    cBatch1: 0,
    cBatch2: m * n,
    cRow: n,
    packedB: layoutOf(p),
    epilogue: epilogue ? (encodeProgram(epilogue) as number[]) : [],
    epilogueStrides: p.has('add') ? [0, 0, n, 1] : [],
  };
  // Some 50 µs a run, so that interruptions hit few of them.
  const steps = Math.max(weights, Math.min(64, Math.ceil(4e6 / (m * n * k * batch))));
  const plan = planOf(
    Array.from({length: steps}, (_, s) =>
      stepWords(MatMul, [a, (s % weights) + 1, 0, ...(p.has('add') ? [residual] : [])], weights + 3, words),
    ),
    constants,
    batch * m * n,
  );
  report(p, plan, 2 * m * n * k * batch, peak, k * n * batch * (p.has('int8') ? 1 : p.has('bf16') ? 2 : 4));
}

const peak = configure();
for (const problem of problems('gemm')) measure(problem, peak);
