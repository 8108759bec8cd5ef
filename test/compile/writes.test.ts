import {writes} from '../../src/compile/passes/writes';
import {rewrites} from './pass-harness';

describe('pass writes', () => {
  // [position 3, head 2, depth 2] → [head, position, depth], as the heads of attention are merged.
  rewrites('makes a product write transposed', writes, {
    before: `
      inputs: v0 float32[12], v1 float32[8]
      constants:
      v2 float32[12] = MatMul(v0, v1, -) {batch1: 1, batch2: 2, rowsM: 3, colsN: 2, depthK: 2, aBatch2: 6, bBatch2: 4, cBatch2: 6, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v3 float32[12] = StridedCopy(v2) {shape: [3,2,2], srcStrides: [2,6,1], dstStrides: [4,2,1]}
      outputs: v3`,
    after: `
      inputs: v0 float32[12], v1 float32[8]
      constants:
      v3 float32[12] = MatMul(v0, v1, -) {batch1: 1, batch2: 2, rowsM: 3, colsN: 2, depthK: 2, aBatch2: 6, bBatch2: 4, cBatch2: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 4}
      outputs: v3`,
    nodes: [2, 1],
  });

  rewrites('makes a pointwise node write transposed', writes, {
    before: `
      inputs: v0 float32[6]
      constants:
      v1 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Exp(x0)}
      v2 float32[6] = StridedCopy(v1) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      outputs: v2`,
    after: `
      inputs: v0 float32[6]
      constants:
      v2 float32[6] = Pointwise(v0) {shape: [2,3], strides: [3,1,1,2], program: Exp(x0)}
      outputs: v2`,
    nodes: [2, 1],
  });

  rewrites('makes the parts of a concatenation write where they belong', writes, {
    before: `
      inputs: v0 float32[4], v1 float32[6]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v3 float32[6] = Pointwise(v1) {shape: [6], strides: [1,1], program: Neg(x0)}
      v4 float32[10] = Concat(v2, v3) {outer: 2, inner: [2,3]}
      outputs: v4`,
    after: `
      inputs: v0 float32[4], v1 float32[6]
      constants:
      v4 float32[10] = Pointwise(v0) {shape: [2,2], strides: [2,1,5,1], program: Exp(x0)}
      v4@2 = Pointwise(v1) {shape: [2,3], strides: [3,1,5,1], program: Neg(x0)}
      outputs: v4`,
    nodes: [3, 2],
  });

  rewrites('copies the parts of a concatenation that are inputs, or that others need', writes, {
    before: `
      inputs: v0 float32[4], v1 float32[4]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v3 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Neg(x0)}
      v4 float32[12] = Concat(v2, v1, v3) {outer: 2, inner: [2,2,2]}
      outputs: v4, v3`,
    after: `
      inputs: v0 float32[4], v1 float32[4]
      constants:
      v4 float32[12] = Pointwise(v0) {shape: [2,2], strides: [2,1,6,1], program: Exp(x0)}
      v3 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Neg(x0)}
      v4@2 = StridedCopy(v1) {shape: [2,2], srcStrides: [2,1], dstStrides: [6,1]} # concat
      v4@4 = StridedCopy(v3) {shape: [2,2], srcStrides: [2,1], dstStrides: [6,1]} # concat
      outputs: v4, v3`,
    nodes: [3, 4],
    reasons: [/^it copies an input$/, /^what it copies is an output$/],
  });

  rewrites('leaves a concatenation of inputs, and one of the same part twice', writes, {
    before: `
      inputs: v0 float32[4], v1 float32[4]
      constants:
      v2 float32[8] = Concat(v0, v1) {outer: 1, inner: [4,4]}
      v3 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v4 float32[8] = Concat(v3, v3) {outer: 1, inner: [4,4]}
      outputs: v2, v4`,
    nodes: [3, 3],
    reasons: [/^it has a part twice$/, /^it copies an input$/],
  });

  rewrites('leaves a copy of a part, and one whose source others need', writes, {
    before: `
      inputs: v0 float32[6]
      constants:
      v1 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Exp(x0)}
      v2 float32[4] = StridedCopy(v1) {shape: [2,2], srcStrides: [3,1], dstStrides: [2,1]}
      v3 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Neg(x0)}
      v4 float32[6] = StridedCopy(v3) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      outputs: v2, v3, v4`,
    nodes: [4, 4],
    reasons: [/^what it copies is an output$/, /^it copies a part of what a step writes$/],
  });

  // A product's columns are contiguous.
  rewrites('leaves a product whose columns would be strided', writes, {
    before: `
      inputs: v0 float32[8], v1 float32[12]
      constants:
      v2 float32[6] = MatMul(v0, v1, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      v3 float32[6] = StridedCopy(v2) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^MatMul cannot write with its strides$/],
  });

  rewrites('computes in a concatenation what others read too, and reads it there', writes, {
    before: `
      inputs: v0 float32[4], v1 float32[6]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v3 float32[4] = Pointwise(v2) {shape: [4], strides: [1,1], program: Neg(x0)}
      v4 float32[10] = Concat(v2, v1) {outer: 2, inner: [2,3]}
      outputs: v4, v3`,
    after: `
      inputs: v0 float32[4], v1 float32[6]
      constants:
      v4 float32[10] = Pointwise(v0) {shape: [2,2], strides: [2,1,5,1], program: Exp(x0)}
      v3 float32[4] = Pointwise(v4) {shape: [2,2], strides: [5,1,2,1], program: Neg(x0)}
      v4@2 = StridedCopy(v1) {shape: [2,3], srcStrides: [3,1], dstStrides: [5,1]} # concat
      outputs: v4, v3`,
    nodes: [3, 3],
    reasons: [/^it copies an input$/],
  });

  // As in DenseNet: each layer adds its columns to all before it.
  rewrites('computes a concatenation inside of the one that has it as a part', writes, {
    before: `
      inputs: v0 float32[2], v1 float32[4]
      constants:
      v2 float32[2] = Pointwise(v0) {shape: [2], strides: [1,1], program: Exp(x0)}
      v3 float32[6] = Concat(v2, v1) {outer: 2, inner: [1,2]}
      v4 float32[6] = Pointwise(v3) {shape: [6], strides: [1,1], program: Relu(x0)}
      v5 float32[6] = Pointwise(v4) {shape: [6], strides: [1,1], program: Neg(x0)}
      v6 float32[12] = Concat(v3, v5) {outer: 2, inner: [3,3]}
      outputs: v6, v4`,
    after: `
      inputs: v0 float32[2], v1 float32[4]
      constants:
      v6 float32[12] = Pointwise(v0) {shape: [2], strides: [1,6], program: Exp(x0)}
      v6@1 = StridedCopy(v1) {shape: [2,2], srcStrides: [2,1], dstStrides: [6,1]} # concat
      v4 float32[6] = Pointwise(v6) {shape: [2,3], strides: [6,1,3,1], program: Relu(x0)}
      v6@3 = Pointwise(v4) {shape: [2,3], strides: [3,1,6,1], program: Neg(x0)}
      outputs: v6, v4`,
    nodes: [5, 4],
    reasons: [/^it copies an input$/],
  });

  rewrites('copies what would be written by the step that reads it', writes, {
    before: `
      inputs: v0 float32[4]
      constants:
      v1 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v2 float32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Neg(x0)}
      v3 float32[8] = Concat(v1, v2) {outer: 2, inner: [2,2]}
      outputs: v3`,
    after: `
      inputs: v0 float32[4]
      constants:
      v3 float32[8] = Pointwise(v0) {shape: [2,2], strides: [2,1,4,1], program: Exp(x0)}
      v2 float32[4] = Pointwise(v3) {shape: [2,2], strides: [4,1,2,1], program: Neg(x0)}
      v3@2 = StridedCopy(v2) {shape: [2,2], srcStrides: [2,1], dstStrides: [4,1]} # concat
      outputs: v3`,
    nodes: [3, 3],
    reasons: [/^Pointwise would write to what it reads$/],
  });

  // As a decoder joins what it samples up with what an encoder left.
  rewrites('copies what a copy repeats straight into the concatenation', writes, {
    before: `
      inputs: v0 float32[4], v1 float32[8]
      constants:
      v2 float32[8] = StridedCopy(v0) {shape: [2,2,2], srcStrides: [2,0,1], dstStrides: [4,2,1]}
      v3 float32[16] = Concat(v2, v1) {outer: 4, inner: [2,2]}
      outputs: v3`,
    after: `
      inputs: v0 float32[4], v1 float32[8]
      constants:
      v3 float32[16] = StridedCopy(v0) {shape: [2,2,2], srcStrides: [2,0,1], dstStrides: [8,4,1]} # concat
      v3@2 = StridedCopy(v1) {shape: [4,2], srcStrides: [2,1], dstStrides: [4,1]} # concat
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^it copies an input$/],
  });
});
