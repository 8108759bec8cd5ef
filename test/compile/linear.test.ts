import {linear} from '../../src/compile/passes/linear';
import {rewrites} from './pass-harness';

/** Sums of 4 products, rounded in another order at most: 4 · 2⁻²⁴, and the epilogue's roundings. */
const tolerance = 1e-6;
const product = 'batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3';
const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12];
const bias = [0.5, -1, 2];

describe('pass linear', () => {
  rewrites('takes in bias, residual and activation', linear, {
    constants: [weights, bias],
    before: `
      inputs: v0 float32[8], v1 float32[6]
      constants: v2 float32[12] = c0, v3 float32[3] = c1
      v4 float32[6] = MatMul(v0, v2, -) {${product}}
      v5 float32[6] = Pointwise(v4, v3) {shape: [2,3], strides: [3,1,0,1,3,1], program: Add(x0, x1)}
      v6 float32[6] = Pointwise(v5, v1) {shape: [6], strides: [1,1,1], program: Add(x0, x1)}
      v7 float32[6] = Pointwise(v6) {shape: [6], strides: [1,1], program: Relu(x0)}
      outputs: v7`,
    after: `
      inputs: v0 float32[8], v1 float32[6]
      constants: v2 float32[12] = c0, v3 float32[3] = c1
      v7 float32[6] = MatMul(v0, v2, v3, v1) {${product}, epilogue: Relu(Add(x0, x1)), epilogueStrides: [0,0,3,1]} # bias, Add, Relu
      outputs: v7`,
    nodes: [4, 1],
    tolerance,
  });

  rewrites('takes a GELU that is spelled out, of product and bias', linear, {
    constants: [weights, bias],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1
      v3 float32[6] = MatMul(v0, v1, -) {${product}}
      v4 float32[6] = Pointwise(v3, v2) {shape: [2,3], strides: [3,1,0,1,3,1], program: Mul(Mul(t0: Add(x0, x1), 0.5), Add(1, Erf(Mul(t0, 0.70710677))))}
      outputs: v4`,
    after: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1
      v4 float32[6] = MatMul(v0, v1, v2) {${product}, epilogue: GeluErf(x0)} # bias, GeluErf
      outputs: v4`,
    nodes: [2, 1],
    tolerance,
  });

  rewrites('cuts the batch axes as an operand needs', linear, {
    before: `
      inputs: v0 float32[24], v1 float32[24], v2 float32[6]
      constants:
      v3 float32[24] = MatMul(v0, v1, -) {batch1: 1, batch2: 6, rowsM: 2, colsN: 2, depthK: 2, aBatch2: 4, bBatch2: 4, cBatch2: 4, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v4 float32[24] = Pointwise(v3, v2) {shape: [3,2,2,2], strides: [8,4,2,1,2,0,0,1,8,4,2,1], program: Mul(x0, x1)}
      outputs: v4`,
    after: `
      inputs: v0 float32[24], v1 float32[24], v2 float32[6]
      constants:
      v4 float32[24] = MatMul(v0, v1, -, v2) {batch1: 3, batch2: 2, rowsM: 2, colsN: 2, depthK: 2, aBatch1: 8, aBatch2: 4, aRow: 2, aCol: 1, bBatch1: 8, bBatch2: 4, bRow: 2, bCol: 1, cBatch1: 8, cBatch2: 4, cRow: 2, epilogue: Mul(x0, x1), epilogueStrides: [2,0,0,1]} # Mul
      outputs: v4`,
    nodes: [2, 1],
    tolerance,
  });

  // A row vector that varies along the columns is a bias only where it is added to the bare product.
  rewrites('keeps a factor and a vector added later out of the bias', linear, {
    constants: [weights, bias],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1
      v3 float32[6] = MatMul(v0, v1, -) {${product}}
      v4 float32[6] = Pointwise(v3, v2) {shape: [2,3], strides: [3,1,0,1,3,1], program: Add(Mul(x0, 0.5), x1)}
      outputs: v4`,
    after: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1
      v4 float32[6] = MatMul(v0, v1, -, v2) {${product}, epilogue: Add(Mul(x0, 0.5), x1), epilogueStrides: [0,0,0,1]} # Mul, Add
      outputs: v4`,
    nodes: [2, 1],
    tolerance,
  });

  rewrites('leaves a product with two users', linear, {
    before: `
      inputs: v0 float32[8], v1 float32[12]
      constants:
      v2 float32[6] = MatMul(v0, v1, -) {${product}}
      v3 float32[6] = Pointwise(v2) {shape: [6], strides: [1,1], program: Relu(x0)}
      outputs: v3, v2`,
    nodes: [2, 2],
    reasons: [/^its product is an output$/],
  });

  rewrites('leaves a product that is read in two ways', linear, {
    before: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[9] = MatMul(v0, v1, -) {batch1: 1, batch2: 1, rowsM: 3, colsN: 3, depthK: 2, aRow: 2, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      v3 float32[9] = Pointwise(v2, v2) {shape: [3,3], strides: [3,1,1,3,3,1], program: Add(x0, x1)}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^it reads its product in two ways$/],
  });

  rewrites('leaves a product that is repeated', linear, {
    before: `
      inputs: v0 float32[8], v1 float32[12], v2 float32[12]
      constants:
      v3 float32[6] = MatMul(v0, v1, -) {${product}}
      v4 float32[12] = Pointwise(v2, v3) {shape: [2,6], strides: [6,1,0,1,6,1], program: Add(x0, x1)}
      outputs: v4`,
    nodes: [2, 2],
    reasons: [/^it is of another size than its product$/],
  });

  rewrites('leaves a comparison, whose result is no float32', linear, {
    before: `
      inputs: v0 float32[8], v1 float32[12]
      constants:
      v2 float32[6] = MatMul(v0, v1, -) {${product}}
      v3 bool[6] = Pointwise(v2) {shape: [6], strides: [1,1], program: Greater(x0, 0)}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^it is not float32$/],
  });

  rewrites('leaves what reads the product transposed', linear, {
    before: `
      inputs: v0 float32[6], v1 float32[6]
      constants:
      v2 float32[9] = MatMul(v0, v1, -) {batch1: 1, batch2: 1, rowsM: 3, colsN: 3, depthK: 2, aRow: 2, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      v3 float32[9] = Pointwise(v2) {shape: [3,3], strides: [1,3,3,1], program: Relu(x0)}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^it reads its product in another order$/],
  });
});
