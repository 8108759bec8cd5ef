import {rows} from '../../src/compile/passes/rows';
import {rewrites} from './pass-harness';

describe('pass rows', () => {
  // Four positions: their norm, a product with a residual, and a product of the first position's row alone.
  rewrites('computes the row that is read of products and norms', rows, {
    before: `
      inputs: v0 float32[8], v1 float32[4]
      constants:
      v2 float32[8] = Normalize(v0, -, -) {rows: 4, cols: 2, positions: 1, groups: 1, xRow: 2, yRow: 2, epsilon: 0.1}
      v3 float32[8] = MatMul(v2, v1, -, v0) {batch1: 1, batch2: 1, rowsM: 4, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2, epilogue: Add(x0, x1), epilogueStrides: [0,0,2,1]}
      v4 float32[2] = MatMul(v3@4, v1, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 2, depthK: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      outputs: v4`,
    after: `
      inputs: v0 float32[8], v1 float32[4]
      constants:
      v6 float32[2] = Normalize(v0@4, -, -) {rows: 1, cols: 2, positions: 1, groups: 1, xRow: 8, epsilon: 0.1}
      v5 float32[2] = MatMul(v6, v1, -, v0@4) {batch1: 1, batch2: 1, rowsM: 1, colsN: 2, depthK: 2, aCol: 1, bRow: 2, bCol: 1, epilogue: Add(x0, x1), epilogueStrides: [0,0,8,1]}
      v4 float32[2] = MatMul(v5, v1, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 2, depthK: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      outputs: v4`,
    nodes: [3, 3],
  });

  // [2 batches, 3 positions, 2] → position 1 of each.
  rewrites('computes a row of each batch', rows, {
    before: `
      inputs: v0 float32[12], v1 float32[4], v2 float32[2]
      constants:
      v3 float32[12] = MatMul(v0, v1, v2) {batch1: 1, batch2: 1, rowsM: 6, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v4 float32[12] = Pointwise(v3) {shape: [12], strides: [1,1], program: Exp(x0)}
      v5 float32[4] = StridedCopy(v4@2) {shape: [2,2], srcStrides: [6,1], dstStrides: [2,1]}
      outputs: v5`,
    after: `
      inputs: v0 float32[12], v1 float32[4], v2 float32[2]
      constants:
      v7 float32[4] = MatMul(v0@2, v1, v2) {batch1: 1, batch2: 1, rowsM: 2, colsN: 2, depthK: 2, aRow: 6, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v6 float32[4] = Pointwise(v7) {shape: [4], strides: [1,1], program: Exp(x0)}
      v5 float32[4] = StridedCopy(v6) {shape: [4], srcStrides: [1], dstStrides: [1]}
      outputs: v5`,
    nodes: [3, 3],
  });

  // The heads of one query are merged, and multiplied.
  rewrites('attends for the query that is read', rows, {
    before: `
      inputs: v0 float32[12], v1 float32[12], v2 float32[3], v3 float32[16]
      constants:
      v4 float32[12] = Attention(v0, v1, v1, v2) {batch: 1, heads: 2, queries: 3, keys: 3, depth: 2, valueDepth: 2, scale: 1, queryHead: 2, queryRow: 4, keyHead: 2, keyRow: 4, valueHead: 2, valueRow: 4, maskCol: 1, outHead: 6, outRow: 2}
      v5 float32[12] = StridedCopy(v4) {shape: [3,2,2], srcStrides: [2,6,1], dstStrides: [4,2,1]}
      v6 float32[4] = MatMul(v5@8, v3, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 4, depthK: 4, aCol: 1, bRow: 4, bCol: 1, cRow: 4}
      outputs: v6`,
    after: `
      inputs: v0 float32[12], v1 float32[12], v2 float32[3], v3 float32[16]
      constants:
      v8 float32[4] = Attention(v0@8, v1, v1, v2) {batch: 1, heads: 2, queries: 1, keys: 3, depth: 2, valueDepth: 2, scale: 1, queryHead: 2, queryRow: 12, keyHead: 2, keyRow: 4, valueHead: 2, valueRow: 4, maskCol: 1, outHead: 2}
      v7 float32[4] = StridedCopy(v8) {shape: [4], srcStrides: [1], dstStrides: [1]}
      v6 float32[4] = MatMul(v7, v3, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 4, depthK: 4, aCol: 1, bRow: 4, bCol: 1, cRow: 4}
      outputs: v6`,
    nodes: [3, 3],
    tolerance: 1e-6,
  });

  const product = 'batch1: 1, batch2: 1, rowsM: 3, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2';

  rewrites('leaves what is read in different rows, or as a whole', rows, {
    before: `
      inputs: v0 float32[6], v1 float32[4]
      constants:
      v2 float32[6] = MatMul(v0, v1, -) {${product}}
      v3 float32[2] = Pointwise(v2, v2@4) {shape: [2], strides: [1,1,1], program: Mul(x0, x1)}
      v4 float32[6] = MatMul(v0, v1, -) {${product}}
      v5 float32[6] = Softmax(v4) {rows: 3, cols: 2}
      v6 float32[6] = MatMul(v0, v1, -) {${product}}
      v7 float32[2] = Pointwise(v6) {shape: [2], strides: [1,1], program: Exp(x0)}
      outputs: v3, v5, v6, v7`,
    nodes: [6, 6],
  });

  rewrites('leaves columns, and rows that are computed together', rows, {
    before: `
      inputs: v0 float32[6], v1 float32[4]
      constants:
      v2 float32[6] = MatMul(v0, v1, -) {${product}}
      v3 float32[3] = Pointwise(v2@1) {shape: [3], strides: [2,1], program: Exp(x0)}
      v4 float32[6] = Normalize(v0, -, -) {rows: 3, cols: 2, positions: 3, groups: 2, xRow: 2, yRow: 2, epsilon: 0.1}
      v5 float32[2] = Pointwise(v4) {shape: [2], strides: [1,1], program: Exp(x0)}
      outputs: v3, v5`,
    nodes: [4, 4],
  });
});
