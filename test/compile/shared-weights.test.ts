import {sharedWeights} from '../../src/compile/passes/shared-weights';
import {rewrites} from './pass-harness';

const w = [1, 2, 3, -4, 5, 6];
const one = (more = '') => `{batch1: 1, batch2: 1, rowsM: 1, colsN: 3, depthK: 2, aRow: 2, aCol: 1, bRow: 3, bCol: 1, cRow: 3${more}}`;
const two = (row: number) => `{batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 2, aRow: ${row}, aCol: 1, bRow: 3, bCol: 1, cRow: 3}`;
const negative = (elems: number) => `{shape: [${elems}], strides: [1,1], program: Neg(x0)}`;

describe('pass shared-weights', () => {
  rewrites('makes rows of one product of inputs that lie one after the other', sharedWeights, {
    constants: [w, [1, 2, 3]],
    before: `
      inputs: v0 float32[6]
      constants: v1 float32[6] = c0, v2 float32[3] = c1
      v3 float32[3] = MatMul(v0@2, v1, v2) ${one()}
      v4 float32[3] = MatMul(v0@4, v1, v2) ${one()}
      v5 float32[3] = Pointwise(v3) ${negative(3)}
      v6 float32[3] = Pointwise(v4) ${negative(3)}
      outputs: v5, v6`,
    after: `
      inputs: v0 float32[6]
      constants: v1 float32[6] = c0, v2 float32[3] = c1
      v7 float32[6] = MatMul(v0@2, v1, v2) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 2, aRow: 2, aCol: 1, bRow: 3, bCol: 1, cRow: 3} # bias, 2 inputs
      v5 float32[3] = Pointwise(v7) ${negative(3)}
      v6 float32[3] = Pointwise(v7@3) ${negative(3)}
      outputs: v5, v6`,
    nodes: [4, 3],
    tolerance: 1e-6,
  });

  rewrites('takes the time steps of a batch whose sequences lie one after the other', sharedWeights, {
    constants: [w],
    before: `
      inputs: v0 float32[12]
      constants: v1 float32[6] = c0
      v3 float32[6] = MatMul(v0, v1, -) ${two(6)}
      v4 float32[6] = MatMul(v0@2, v1, -) ${two(6)}
      v5 float32[6] = Pointwise(v3) ${negative(6)}
      v6 float32[6] = Pointwise(v4) ${negative(6)}
      outputs: v5, v6`,
    after: `
      inputs: v0 float32[12]
      constants: v1 float32[6] = c0
      v7 float32[12] = MatMul(v0, v1, -) {batch1: 1, batch2: 2, rowsM: 2, colsN: 3, depthK: 2, aBatch2: 6, aRow: 2, aCol: 1, bRow: 3, bCol: 1, cBatch2: 3, cRow: 6} # 2 inputs
      v5 float32[6] = Pointwise(v7) ${negative(6)}
      v6 float32[6] = Pointwise(v7@6) ${negative(6)}
      outputs: v5, v6`,
    nodes: [4, 3],
    tolerance: 1e-6,
  });

  rewrites('puts three inputs side by side, and adds the result to products that were added to it', sharedWeights, {
    constants: [w, [1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 0, 0]],
    before: `
      inputs: v0 float32[2], v1 float32[2], v2 float32[2], v10 float32[3]
      constants: v3 float32[6] = c0, v4 float32[9] = c1, v5 float32[3] = c2
      v6 float32[3] = MatMul(v10, v4, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 3, depthK: 3, aRow: 3, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      v7 float32[3] = MatMul(v0, v3, v6) ${one()}
      v8 float32[3] = MatMul(v1, v3, v5) ${one()}
      v9 float32[3] = MatMul(v2, v3, -) ${one()}
      v11 float32[3] = Pointwise(v7, v8, v9) {shape: [3], strides: [1,1,1,1], program: Add(x0, Mul(x1, x2))}
      outputs: v11`,
    after: `
      inputs: v0 float32[2], v1 float32[2], v2 float32[2], v10 float32[3]
      constants: v3 float32[6] = c0, v4 float32[9] = c1
      v12 float32[6] = Concat(v0, v1, v2) {outer: 1, inner: [2,2,2]}
      v13 float32[9] = MatMul(v12, v3, -) {batch1: 1, batch2: 1, rowsM: 3, colsN: 3, depthK: 2, aRow: 2, aCol: 1, bRow: 3, bCol: 1, cRow: 3} # 3 inputs
      v7 float32[3] = MatMul(v10, v4, -, v13) {batch1: 1, batch2: 1, rowsM: 1, colsN: 3, depthK: 3, aRow: 3, aCol: 1, bRow: 3, bCol: 1, cRow: 3, epilogue: Add(x0, x1), epilogueStrides: [0,0,3,1]} # Add
      v11 float32[3] = Pointwise(v7, v13@3, v13@6) {shape: [3], strides: [1,1,1,1], program: Add(x0, Mul(x1, x2))}
      outputs: v11`,
    nodes: [5, 4],
    tolerance: 1e-6,
  });

  rewrites('leaves products that need each other, two whose inputs lie apart, results, and other biases', sharedWeights, {
    constants: [w, [1, 2, 3, 4], [1, 2, 3], [3, 2, 1]],
    before: `
      inputs: v0 float32[4], v1 float32[2]
      constants: v2 float32[6] = c0, v3 float32[4] = c1, v4 float32[3] = c2, v5 float32[3] = c3
      v6 float32[2] = MatMul(v1, v3, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v7 float32[2] = MatMul(v6, v3, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 2, depthK: 2, aRow: 2, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v8 float32[2] = Pointwise(v7) ${negative(2)}
      v9 float32[3] = MatMul(v0, v2, v4) ${one()}
      v10 float32[3] = MatMul(v0@2, v2, v5) ${one()}
      v11 float32[3] = MatMul(v1, v2, v5) ${one()}
      v12 float32[3] = MatMul(v0, v2, -) ${one()}
      v13 float32[3] = MatMul(v0@2, v2, -) ${one()}
      v14 float32[3] = Pointwise(v9, v10, v11) {shape: [3], strides: [1,1,1,1], program: Add(x0, Mul(x1, x2))}
      outputs: v8, v14, v12, v13`,
    nodes: [9, 9],
  });
});
