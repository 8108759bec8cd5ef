import {sharedInput} from '../../src/compile/passes/shared-input';
import {rewrites} from './pass-harness';

/** Other widths may be summed in another order: sums of 4 products. */
const tolerance = 1e-6;
const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12];
const narrow = [0.5, -1, 2, 3, 0.25, -2, 1, 4];
const wide = (row: number) => `batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: ${row}, aCol: 1, bRow: 3, bCol: 1, cRow: 3`;
const slim = 'batch1: 1, batch2: 1, rowsM: 2, colsN: 2, depthK: 4, aRow: 4, aCol: 1, bRow: 2, bCol: 1, cRow: 2';

describe('pass shared-input', () => {
  rewrites('makes one product of two with the same input', sharedInput, {
    constants: [weights, narrow, [1, -2]],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[8] = c1, v3 float32[2] = c2
      v4 float32[6] = MatMul(v0, v1, -) {${wide(4)}}
      v5 float32[4] = MatMul(v0, v2, v3) {${slim}}
      v6 float32[6] = Pointwise(v4) {shape: [6], strides: [1,1], program: Exp(x0)}
      v7 float32[4] = Pointwise(v5) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v6, v7`,
    after: `
      inputs: v0 float32[8]
      constants: v9 float32[20] = c3, v10 float32[5] = c4
      v8 float32[10] = MatMul(v0, v9, v10) {batch1: 1, batch2: 1, rowsM: 2, colsN: 5, depthK: 4, aRow: 4, aCol: 1, bRow: 5, bCol: 1, cRow: 5} # bias, 2 merged
      v6 float32[6] = Pointwise(v8) {shape: [2,3], strides: [5,1,3,1], program: Exp(x0)}
      v7 float32[4] = Pointwise(v8@3) {shape: [2,2], strides: [5,1,2,1], program: Neg(x0)}
      outputs: v6, v7`,
    nodes: [4, 3],
    tolerance,
  });

  rewrites('follows a reader that takes a result in several parts', sharedInput, {
    constants: [weights, weights.map((v) => v / 2)],
    before: `
      inputs: v0 float32[4]
      constants: v1 float32[12] = c0, v2 float32[12] = c1
      v3 float32[3] = MatMul(v0, v1, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      v4 float32[3] = MatMul(v0, v2, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3}
      v5 float32[1] = Pointwise(v3@2, v4@1, v3, v4@2) {shape: [1], strides: [1,1,1,1,1], program: Mul(Add(x0, x1), Sub(x2, x3))}
      outputs: v5`,
    after: `
      inputs: v0 float32[4]
      constants: v7 float32[24] = c2
      v6 float32[6] = MatMul(v0, v7, -) {batch1: 1, batch2: 1, rowsM: 1, colsN: 6, depthK: 4, aRow: 4, aCol: 1, bRow: 6, bCol: 1, cRow: 6} # 2 merged
      v5 float32[1] = Pointwise(v6@2, v6, v6@4, v6@5) {shape: [1], strides: [1,1,1,1,1], program: Mul(Add(x0, x2), Sub(x1, x3))}
      outputs: v5`,
    nodes: [3, 2],
    tolerance,
  });

  // The second pair reads the first one's results: by then they are parts of the merged block.
  rewrites('merges products that read merged ones', sharedInput, {
    constants: [weights, narrow, [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, -1]],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[8] = c1, v3 float32[6] = c2, v4 float32[6] = c3
      v5 float32[6] = MatMul(v0, v1, -) {${wide(4)}}
      v6 float32[4] = MatMul(v0, v2, -) {${slim}}
      v7 float32[4] = MatMul(v5, v3, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 2, depthK: 3, aRow: 3, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v8 float32[4] = MatMul(v5, v4, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 2, depthK: 3, aRow: 3, aCol: 1, bRow: 2, bCol: 1, cRow: 2}
      v9 float32[4] = Pointwise(v6, v7, v8) {shape: [4], strides: [1,1,1,1], program: Add(Add(x0, x1), x2)}
      outputs: v9`,
    after: `
      inputs: v0 float32[8]
      constants: v11 float32[20] = c4, v13 float32[12] = c5
      v10 float32[10] = MatMul(v0, v11, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 5, depthK: 4, aRow: 4, aCol: 1, bRow: 5, bCol: 1, cRow: 5} # 2 merged
      v12 float32[8] = MatMul(v10, v13, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 4, depthK: 3, aRow: 5, aCol: 1, bRow: 4, bCol: 1, cRow: 4} # 2 merged
      v9 float32[4] = Pointwise(v10@3, v12, v12@2) {shape: [2,2], strides: [5,1,4,1,4,1,2,1], program: Add(Add(x0, x1), x2)}
      outputs: v9`,
    nodes: [5, 3],
    tolerance,
  });

  rewrites('leaves products of other inputs, other rows of one, and with an epilogue', sharedInput, {
    constants: [weights],
    before: `
      inputs: v0 float32[8], v1 float32[12]
      constants: v2 float32[12] = c0
      v3 float32[6] = MatMul(v0, v2, -) {${wide(4)}}
      v4 float32[6] = MatMul(v1, v2, -) {${wide(4)}}
      v5 float32[6] = MatMul(v1, v2, -) {${wide(8)}}
      v6 float32[6] = MatMul(v1@4, v2, -) {${wide(4)}}
      v7 float32[6] = MatMul(v0, v2, -) {${wide(4)}, epilogue: Relu(x0)}
      v8 float32[6] = Pointwise(v3, v4, v5, v6, v7) {shape: [6], strides: [1,1,1,1,1,1], program: Add(Add(Add(x0, x1), Add(x2, x3)), x4)}
      outputs: v8`,
    nodes: [6, 6],
  });

  rewrites('leaves products with a result that is an output, or that no strides can take', sharedInput, {
    constants: [weights, narrow],
    before: `
      inputs: v0 float32[8], v1 float32[8]
      constants: v2 float32[12] = c0, v3 float32[8] = c1
      v4 float32[6] = MatMul(v0, v2, -) {${wide(4)}}
      v5 float32[4] = MatMul(v0, v3, -) {${slim}}
      v6 float32[4] = Pointwise(v5) {shape: [4], strides: [1,1], program: Neg(x0)}
      v7 float32[6] = MatMul(v1, v2, -) {${wide(4)}}
      v8 float32[4] = MatMul(v1, v3, -) {${slim}}
      v9 float32[6] = Softmax(v7) {rows: 2, cols: 3}
      v10 float32[4] = Pointwise(v8) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v4, v6, v9, v10`,
    nodes: [7, 7],
    reasons: [/^shared-input: a reader of one of the results cannot read it with strides$/, /^shared-input: a reader/],
  });
});
