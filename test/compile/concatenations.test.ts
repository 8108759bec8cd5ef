import {concatenations} from '../../src/compile/passes/concatenations';
import {rewrites} from './pass-harness';

describe('pass concatenations', () => {
  rewrites('reads what is taken out of a stack where it was', concatenations, {
    before: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[12] = Concat(v0, v1) {outer: 1, inner: [6,6]}
      v3 float32[6] = StridedCopy(v2) {shape: [6], srcStrides: [1], dstStrides: [1]}
      v4 float32[6] = StridedCopy(v2@6) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v5 float32[6] = Pointwise(v3, v4) {shape: [6], strides: [1,1,1], program: Add(x0, x1)}
      outputs: v5`,
    after: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[12] = Concat(v0, v1) {outer: 1, inner: [6,6]}
      v4 float32[6] = StridedCopy(v1) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v5 float32[6] = Pointwise(v0, v4) {shape: [6], strides: [1,1,1], program: Add(x0, x1)}
      outputs: v5`,
    nodes: [4, 3],
  });

  rewrites('reads columns of one part, and of a concatenation of concatenations', concatenations, {
    before: `
      inputs: v0 float32[4], v1 float32[6], v2 float32[2]
      constants:
      v3 float32[10] = Concat(v0, v1) {outer: 2, inner: [2,3]}
      v4 float32[12] = Concat(v2, v3) {outer: 2, inner: [1,5]}
      v5 float32[4] = StridedCopy(v4@4) {shape: [2,2], srcStrides: [6,1], dstStrides: [2,1]}
      outputs: v5`,
    after: `
      inputs: v0 float32[4], v1 float32[6], v2 float32[2]
      constants:
      v3 float32[10] = Concat(v0, v1) {outer: 2, inner: [2,3]}
      v4 float32[12] = Concat(v2, v3) {outer: 2, inner: [1,5]}
      v5 float32[4] = StridedCopy(v1@1) {shape: [2,2], srcStrides: [3,1], dstStrides: [2,1]}
      outputs: v5`,
    nodes: [3, 3],
  });

  rewrites('leaves what is taken from two parts', concatenations, {
    before: `
      inputs: v0 float32[4], v1 float32[6]
      constants:
      v2 float32[10] = Concat(v0, v1) {outer: 2, inner: [2,3]}
      v3 float32[4] = StridedCopy(v2@1) {shape: [2,2], srcStrides: [5,1], dstStrides: [2,1]}
      outputs: v3`,
    nodes: [2, 2],
  });

  // A class token before the patches of an image, then their positions.
  rewrites('computes what follows a concatenation on its parts', concatenations, {
    constants: [[1, 2, 3, 4, 5, 6]],
    before: `
      inputs: v0 float32[2], v1 float32[4], v2 float32[4]
      constants: v3 float32[6] = c0
      v4 float32[4] = MatMul(v1, v2, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v5 float32[6] = Concat(v0, v4) {outer: 1, inner: [2,4]}
      v6 float32[6] = Pointwise(v5, v3) {shape: [6], strides: [1,1,1], program: Add(x0, x1)}
      outputs: v6`,
    after: `
      inputs: v0 float32[2], v1 float32[4], v2 float32[4]
      constants: v3 float32[6] = c0
      v4 float32[4] = MatMul(v1, v2, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v7 float32[2] = Pointwise(v3, v0) {shape: [2], strides: [1,1,1], program: Add(x1, x0)}
      v8 float32[4] = Pointwise(v3@2, v4) {shape: [4], strides: [1,1,1], program: Add(x1, x0)}
      v6 float32[6] = Concat(v7, v8) {outer: 1, inner: [2,4]}
      outputs: v6`,
    nodes: [3, 4],
  });

  rewrites('leaves a concatenation whose parts could not absorb it, or that others read', concatenations, {
    before: `
      inputs: v0 float32[2], v1 float32[4]
      constants:
      v2 float32[6] = Concat(v0, v1) {outer: 1, inner: [2,4]}
      v3 float32[6] = Pointwise(v2) {shape: [6], strides: [1,1], program: Relu(x0)}
      v4 float32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Exp(x0)}
      v5 float32[6] = Concat(v0, v4) {outer: 1, inner: [2,4]}
      v6 float32[6] = Pointwise(v5) {shape: [6], strides: [1,1], program: Relu(x0)}
      outputs: v3, v6, v5`,
    nodes: [5, 5],
  });
});
