import {commonSubexpressions} from '../../src/compile/passes/common-subexpressions';
import {rewrites} from './pass-harness';

describe('pass common-subexpressions', () => {
  rewrites('computes equal nodes once, and what then becomes equal', commonSubexpressions, {
    before: `
      inputs: v0 float32[4]
      constants:
      v1 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v3 float32[1] = Reduce(v1) {outer: 1, reduce: 4, inner: 1}
      v4 float32[1] = Reduce(v2) {outer: 1, reduce: 4, inner: 1}
      v5 float32[1] = Pointwise(v3, v4) {shape: [1], strides: [1,1,1], program: Mul(x0, x1)}
      outputs: v5, v4`,
    after: `
      inputs: v0 float32[4]
      constants:
      v1 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v3 float32[1] = Reduce(v1) {outer: 1, reduce: 4, inner: 1}
      v5 float32[1] = Pointwise(v3, v3) {shape: [1], strides: [1,1,1], program: Mul(x0, x1)}
      outputs: v5, v3`,
    nodes: [5, 3],
  });

  rewrites('joins both results of a node with two', commonSubexpressions, {
    before: `
      inputs: v0 float32[4]
      constants:
      v1 float32[2], v2 int32[2] = TopK(v0) {rows: 1, cols: 4, k: 2}
      v3 float32[2], v4 int32[2] = TopK(v0) {rows: 1, cols: 4, k: 2}
      outputs: v1, v4`,
    after: `
      inputs: v0 float32[4]
      constants:
      v1 float32[2], v2 int32[2] = TopK(v0) {rows: 1, cols: 4, k: 2}
      outputs: v1, v2`,
    nodes: [2, 1],
  });

  rewrites('tells parameters, offsets, -0 from 0, and results of another type apart', commonSubexpressions, {
    before: `
      inputs: v0 float32[8], v1 bool[4]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Add(x0, 0)}
      v3 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Add(x0, -0)}
      v4 float32[4] = Pointwise(v0@4) {shape: [4], strides: [1,1], program: Add(x0, 0)}
      v5 bool[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Not(x0)}
      v6 int32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Not(x0)}
      outputs: v2, v3, v4, v5, v6`,
    nodes: [5, 5],
  });

  rewrites('leaves values that several nodes write', commonSubexpressions, {
    before: `
      inputs: v0 float32[2]
      constants:
      v1 float32[4] = StridedCopy(v0) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v1@2 = StridedCopy(v0) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v2 float32[4] = StridedCopy(v0) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v2@2 = StridedCopy(v0) {shape: [2], srcStrides: [1], dstStrides: [1]}
      outputs: v1, v2`,
    nodes: [4, 4],
  });
});
