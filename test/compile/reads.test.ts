import {reads, slices} from '../../src/compile/passes/reads';
import {rewrites} from './pass-harness';

const refused = /^MatMul cannot read with its strides$/;

describe('pass reads', () => {
  rewrites('makes a transpose the strides of a pointwise operand', reads, {
    before: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[6] = StridedCopy(v0) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v3 float32[6] = Pointwise(v1, v2) {shape: [6], strides: [1,1,1], program: Sub(x0, x1)}
      outputs: v3`,
    after: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[6] = StridedCopy(v0) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v3 float32[6] = Pointwise(v1, v0) {shape: [3,2], strides: [2,1,1,3,2,1], program: Sub(x0, x1)}
      outputs: v3`,
    nodes: [2, 2],
  });

  rewrites('makes a slice, a broadcast of it and a reverse strides of a pointwise operand', reads, {
    before: `
      inputs: v0 float32[12], v1 float32[6]
      constants:
      v2 float32[3] = StridedCopy(v0@4) {shape: [3], srcStrides: [1], dstStrides: [1]}
      v3 float32[6] = StridedCopy(v1@5) {shape: [6], srcStrides: [-1], dstStrides: [1]}
      v4 float32[6] = Pointwise(v2, v3) {shape: [2,3], strides: [0,1,3,1,3,1], program: Sub(x0, x1)}
      outputs: v4`,
    after: `
      inputs: v0 float32[12], v1 float32[6]
      constants:
      v2 float32[3] = StridedCopy(v0@4) {shape: [3], srcStrides: [1], dstStrides: [1]}
      v3 float32[6] = StridedCopy(v1@5) {shape: [6], srcStrides: [-1], dstStrides: [1]}
      v4 float32[6] = Pointwise(v0@4, v1@5) {shape: [2,3], strides: [0,1,-3,-1,3,1], program: Sub(x0, x1)}
      outputs: v4`,
    nodes: [3, 3],
  });

  rewrites('makes a transposed operand the strides of a product', reads, {
    before: `
      inputs: v0 float32[8], v1 float32[12]
      constants:
      v2 float32[12] = StridedCopy(v1) {shape: [4,3], srcStrides: [1,4], dstStrides: [3,1]}
      v3 float32[6] = MatMul(v0, v2, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      outputs: v3`,
    after: `
      inputs: v0 float32[8], v1 float32[12]
      constants:
      v2 float32[12] = StridedCopy(v1) {shape: [4,3], srcStrides: [1,4], dstStrides: [3,1]}
      v3 float32[6] = MatMul(v0, v1, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 1, bCol: 4, cRow: 3}
      outputs: v3`,
    nodes: [2, 2],
    // Another loop for another layout of b: sums of 4 products in another order.
    tolerance: 1e-6,
  });

  // [batch 2, position 3, head 2, depth 2] → [batch, head, position, depth]: one batch axis becomes two.
  rewrites('cuts the batch axis for heads that are transposed', reads, {
    before: `
      inputs: v0 float32[24], v1 float32[16]
      constants:
      v2 float32[24] = StridedCopy(v0) {shape: [2,2,3,2], srcStrides: [12,2,4,1], dstStrides: [12,6,2,1]}
      v3 float32[24] = MatMul(v2, v1, -) {batch1: 1, batch2: 4, rowsM: 3, colsN: 2, depthK: 2, aBatch2: 6, bBatch2: 4, cBatch2: 6, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      outputs: v3`,
    after: `
      inputs: v0 float32[24], v1 float32[16]
      constants:
      v2 float32[24] = StridedCopy(v0) {shape: [2,2,3,2], srcStrides: [12,2,4,1], dstStrides: [12,6,2,1]}
      v3 float32[24] = MatMul(v0, v1, -) {batch1: 2, batch2: 2, rowsM: 3, colsN: 2, depthK: 2, aBatch1: 12, aBatch2: 2, aRow: 4, aCol: 1, bBatch1: 8, bBatch2: 4, bRow: 2, bCol: 1, cBatch1: 12, cBatch2: 6, cRow: 2}
      outputs: v3`,
    nodes: [2, 2],
  });

  rewrites('joins a copy of a copy', reads, {
    before: `
      inputs: v0 float32[24]
      constants:
      v1 float32[24] = StridedCopy(v0) {shape: [4,6], srcStrides: [1,4], dstStrides: [6,1]}
      v2 float32[6] = StridedCopy(v1@7) {shape: [2,3], srcStrides: [6,2], dstStrides: [3,1]}
      outputs: v2`,
    after: `
      inputs: v0 float32[24]
      constants:
      v1 float32[24] = StridedCopy(v0) {shape: [4,6], srcStrides: [1,4], dstStrides: [6,1]}
      v2 float32[6] = StridedCopy(v0@5) {shape: [2,3], srcStrides: [1,8], dstStrides: [3,1]}
      outputs: v2`,
    nodes: [2, 2],
  });

  // Rows of 4 of a transposed [3, 4]: the fourth element of a row lies elsewhere than one more step away.
  rewrites('leaves a product whose rows run over two axes of the transposed source', reads, {
    before: `
      inputs: v0 float32[12], v1 float32[8]
      constants:
      v2 float32[12] = StridedCopy(v0) {shape: [6,2], srcStrides: [1,6], dstStrides: [2,1]}
      v3 float32[6] = MatMul(v2, v1, -) {batch1: 1, batch2: 1, rowsM: 3, colsN: 2, depthK: 4, aRow: 4, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [refused],
  });

  // The length of a sum is bounded by what one of its operands holds: kernels refuse any other.
  rewrites('leaves one of two operands that are repeated along the sum', reads, {
    before: `
      inputs: v0 float32[2], v1 float32[3]
      constants:
      v2 float32[8] = StridedCopy(v0) {shape: [2,4], srcStrides: [1,0], dstStrides: [4,1]}
      v3 float32[12] = StridedCopy(v1) {shape: [4,3], srcStrides: [0,1], dstStrides: [3,1]}
      v4 float32[6] = MatMul(v2, v3, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      outputs: v4`,
    after: `
      inputs: v0 float32[2], v1 float32[3]
      constants:
      v2 float32[8] = StridedCopy(v0) {shape: [2,4], srcStrides: [1,0], dstStrides: [4,1]}
      v3 float32[12] = StridedCopy(v1) {shape: [4,3], srcStrides: [0,1], dstStrides: [3,1]}
      v4 float32[6] = MatMul(v0, v3, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 1, bRow: 3, bCol: 1, cRow: 3}
      outputs: v4`,
    nodes: [3, 3],
    reasons: [refused],
    tolerance: 1e-6,
  });

  rewrites('leaves an op without strides', reads, {
    before: `
      inputs: v0 float32[6]
      constants:
      v1 float32[6] = StridedCopy(v0) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v2 float32[6] = Softmax(v1) {rows: 3, cols: 2}
      outputs: v2`,
    nodes: [2, 2],
    reasons: [/^Softmax cannot read with its strides$/],
  });

  rewrites('leaves a copy that is a part of a value', reads, {
    before: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[12] = StridedCopy(v0) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v2@6 = StridedCopy(v1) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v3 float32[12] = Pointwise(v2) {shape: [12], strides: [1,1], program: Neg(x0)}
      outputs: v3`,
    nodes: [3, 3],
  });
});

describe('pass slices', () => {
  // The new keys of a decoder step, of which there is one row: [1, 12] → columns 4 to 8, as heads.
  rewrites('makes a slice of neighbouring elements an offset', slices, {
    before: `
      inputs: v0 float32[12], v1 float32[8], v2 int32[6]
      constants:
      v3 float32[4] = StridedCopy(v0@4) {shape: [2,1,2], srcStrides: [2,4,1], dstStrides: [2,2,1]}
      v4 float32[12] = Concat(v1, v3) {outer: 2, inner: [4,2]}
      v5 int32[2] = StridedCopy(v2@3) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v6 float32[4] = Softmax(v3) {rows: 2, cols: 2}
      outputs: v4, v5, v6`,
    after: `
      inputs: v0 float32[12], v1 float32[8], v2 int32[6]
      constants:
      v3 float32[4] = StridedCopy(v0@4) {shape: [2,1,2], srcStrides: [2,4,1], dstStrides: [2,2,1]}
      v4 float32[12] = Concat(v1, v0@4) {outer: 2, inner: [4,2]}
      v5 int32[2] = StridedCopy(v2@3) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v6 float32[4] = Softmax(v0@4) {rows: 2, cols: 2}
      outputs: v4, v5, v6`,
    nodes: [4, 4],
  });

  rewrites('leaves columns of several rows', slices, {
    before: `
      inputs: v0 float32[12]
      constants:
      v1 float32[6] = StridedCopy(v0) {shape: [2,3], srcStrides: [6,1], dstStrides: [3,1]}
      v2 float32[6] = Softmax(v1) {rows: 2, cols: 3}
      outputs: v2`,
    nodes: [2, 2],
  });
});
