import type {_FusedMatMulAttrs, _FusedMatMulInputs, BatchMatMulAttrs, BatchMatMulInputs, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {
  broadcastShape,
  broadcastStrides,
  collapse,
  type IndexSpace,
  rowMajorStrides,
  type Shape,
  type Strides,
  sizeOf,
} from '../ops/geometry';
import {MatMul} from '../ops/linear';
import {type Epilogue, epilogueOf, epilogueParams, operandStrides, plain, withEpilogue} from './epilogue';
import {float32, type KernelTable, kernel} from './kernel';
import {stridedCopy, using} from './steps';

/** c[batch…, m, n] = Σk a[batch…, m, k] · b[batch…, k, n], with a and b read through strides; c dense. */
export interface Product {
  readonly batch: Shape;
  readonly rowsM: number;
  readonly colsN: number;
  readonly depthK: number;
  /** Over batch. */
  readonly aBatch: Strides;
  readonly bBatch: Strides;
  readonly aRow: number;
  readonly aCol: number;
  readonly bRow: number;
  readonly bCol: number;
}

/** MatMul walks two batch axes. */
const batchAxes = 2;
/** What collapse() makes of batch axes that are all 1. */
const oneProduct: IndexSpace = {shape: [1], strides: [[1], [1], [1]]};

export function product(backend: GravitonBackend, a: TensorInfo, b: TensorInfo, p: Product, epilogue: Epilogue = plain): TensorInfo {
  const {batch, rowsM, colsN, depthK, aRow, aCol, bRow, bCol} = p;
  const shape = [...batch, rowsM, colsN];
  const further = operandStrides(epilogue, shape);
  const batchOf = (strides: Strides) => strides.slice(0, batch.length);
  const walk =
    further.length === 0 && sizeOf(batch) === 1
      ? oneProduct
      : collapse(batch, [p.aBatch, p.bBatch, batchOf(rowMajorStrides(shape)), ...further.map(batchOf)]);
  if (walk.shape.length > batchAxes) return expandedProduct(backend, a, b, p, epilogue);
  const missing = batchAxes - walk.shape.length;
  // The walk's axes are the last of the two.
  const at = (list: readonly number[] | undefined, axis: number, absent: number) => list?.[axis - missing] ?? absent;
  const [aBatch, bBatch, cBatch, ...rest] = walk.strides;
  const strides = rest.map((s, i) => [at(s, 0, 0), at(s, 1, 0), further[i]?.at(-2) ?? 0, further[i]?.at(-1) ?? 0]);
  const {epilogue: steps, epilogueStrides} = epilogueParams(epilogue, strides);
  return backend.run(
    MatMul,
    [a, b, epilogue.bias, ...epilogue.operands],
    {shape, dtype: 'float32'},
    {
      batch1: at(walk.shape, 0, 1),
      batch2: at(walk.shape, 1, 1),
      rowsM,
      colsN,
      depthK,
      aBatch1: at(aBatch, 0, 0),
      aBatch2: at(aBatch, 1, 0),
      bBatch1: at(bBatch, 0, 0),
      bBatch2: at(bBatch, 1, 0),
      cBatch1: at(cBatch, 0, 0),
      cBatch2: at(cBatch, 1, 0),
      aRow,
      aCol,
      bRow,
      bCol,
      cRow: colsN,
      packedB: 0,
      epilogue: steps,
      epilogueStrides,
    },
  );
}

/** Where broadcasting takes more batch axes than MatMul walks, the operands are repeated in memory. */
function expandedProduct(backend: GravitonBackend, a: TensorInfo, b: TensorInfo, p: Product, epilogue: Epilogue): TensorInfo {
  const {batch, rowsM, colsN, depthK} = p;
  const flat = sizeOf(batch);
  const wholeA = stridedCopy(backend, a, [...batch, rowsM, depthK], [...p.aBatch, p.aRow, p.aCol]);
  const wholeB = stridedCopy(backend, b, [...batch, depthK, colsN], [...p.bBatch, p.bRow, p.bCol]);
  const shape = [...batch, rowsM, colsN];
  const operands = epilogue.operands.map((x) => stridedCopy(backend, x, shape, broadcastStrides(x.shape, shape)));
  const dense = {aRow: depthK, aCol: 1, bRow: colsN, bCol: 1, aBatch: [rowsM * depthK], bBatch: [depthK * colsN]};
  const flatOperands = operands.map((x) => ({...x, shape: [flat, rowsM, colsN]}));
  const result = using(backend, [wholeA, wholeB, ...operands], () =>
    product(backend, wholeA, wholeB, {batch: [flat], rowsM, colsN, depthK, ...dense}, {...epilogue, operands: flatOperands}),
  );
  return {...result, shape};
}

interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

function matMul(
  backend: GravitonBackend,
  a: TensorInfo,
  b: TensorInfo,
  {transposeA = false, transposeB = false}: Transposes,
  epilogue: (colsN: number) => Epilogue,
): TensorInfo {
  const [rankA, rankB] = [a.shape.length, b.shape.length];
  const named = () =>
    `a [${a.shape.join(', ')}]${transposeA ? ' transposed' : ''} and b [${b.shape.join(', ')}]${transposeB ? ' transposed' : ''}`;
  if (rankA < 2 || rankB < 2) throw errors.shape('MatMul', `${named()} must have two axes or more`);
  const [sizesA, stridesA] = matrix(a.shape, transposeA);
  const [sizesB, stridesB] = matrix(b.shape, transposeB);
  if (sizesA[1] !== sizesB[0])
    throw errors.shape('MatMul', `the inner sizes of ${named()} are ${sizesA[1]} and ${sizesB[0]}, which must be equal`);
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcastShape(outerA, outerB, 'MatMul');
  const scaled = (strides: Strides, elems: number) => strides.map((s) => s * elems);
  const p: Product = {
    batch,
    rowsM: sizesA[0],
    colsN: sizesB[1],
    depthK: sizesA[1],
    aBatch: scaled(broadcastStrides(outerA, batch), sizesA[0] * sizesA[1]),
    bBatch: scaled(broadcastStrides(outerB, batch), sizesB[0] * sizesB[1]),
    aRow: stridesA[0],
    aCol: stridesA[1],
    bRow: stridesB[0],
    bCol: stridesB[1],
  };
  return withEpilogue(backend, 'MatMul', epilogue(p.colsN), [...batch, p.rowsM, p.colsN], (fused) => product(backend, a, b, p, fused));
}

type Pair = readonly [number, number];
/** Sizes and strides of the last two axes. */
function matrix(shape: Shape, transposed: boolean): readonly [sizes: Pair, strides: Pair] {
  const [rows = 0, cols = 0] = shape.slice(-2);
  return transposed
    ? [
        [cols, rows],
        [1, cols],
      ]
    : [
        [rows, cols],
        [cols, 1],
      ];
}

export const linearKernels: KernelTable = {
  BatchMatMul: kernel<BatchMatMulInputs, BatchMatMulAttrs>(float32, ({inputs: {a, b}, attrs, backend}) =>
    matMul(backend, a, b, attrs, () => plain),
  ),
  _FusedMatMul: kernel<_FusedMatMulInputs, _FusedMatMulAttrs>(float32, ({inputs, attrs, backend}) => {
    const {bias, preluActivationWeights}: Partial<typeof inputs> = inputs;
    return matMul(backend, inputs.a, inputs.b, attrs, (colsN) => epilogueOf(colsN, bias, preluActivationWeights, attrs));
  }),
};
