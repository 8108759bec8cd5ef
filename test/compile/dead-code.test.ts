import {deadCode} from '../../src/compile/passes/dead-code';
import {rewrites} from './pass-harness';

describe('pass dead-code', () => {
  rewrites('drops what no output needs, and what only that needs', deadCode, {
    before: `
      inputs: v0 float32[4], v1 float32[4]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Exp(x0)}
      v3 float32[4] = Pointwise(v2) {shape: [4], strides: [1,1], program: Neg(x0)}
      v4 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v4`,
    after: `
      inputs: v0 float32[4], v1 float32[4]
      constants:
      v4 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v4`,
    nodes: [3, 1],
  });

  rewrites('keeps a node of which one of two results is used', deadCode, {
    before: `
      inputs: v0 float32[4]
      constants:
      v1 float32[2], v2 int32[2] = TopK(v0) {rows: 1, cols: 4, k: 2}
      outputs: v2`,
    nodes: [1, 1],
  });

  rewrites('keeps every writer of a value that is used', deadCode, {
    before: `
      inputs: v0 float32[2]
      constants:
      v1 float32[4] = StridedCopy(v0) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v1@2 = StridedCopy(v0) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v2 float32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v2`,
    nodes: [3, 3],
  });
});
