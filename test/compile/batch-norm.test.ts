import {batchNorm} from '../../src/compile/passes/batch-norm';
import {rewrites} from './pass-harness';

/** Weights and shift are rounded once more each, and a sum of 4 products: some 8 roundings of 2⁻²⁴, more where the shift cancels. */
const tolerance = 2e-6;
const product = 'batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3';
const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12];
const scale = [2, -0.5, 4];
const shift = [1, -3, 8];

describe('pass batch-norm', () => {
  rewrites('puts scale and shift per column into weights and bias', batchNorm, {
    constants: [weights, [0.5, -1, 2], scale, shift],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1, v3 float32[3] = c2, v4 float32[3] = c3
      v5 float32[6] = MatMul(v0, v1, v2, v3, v4) {${product}, epilogue: Relu(Add(Mul(x0, x1), x2)), epilogueStrides: [0,0,0,1,0,0,0,1]} # bias, Mul, Add, Relu
      outputs: v5`,
    after: `
      inputs: v0 float32[8]
      constants: v6 float32[3] = c4, v8 float32[12] = c6
      v5 float32[6] = MatMul(v0, v8, v6) {${product}, epilogue: Relu(x0)} # batch norm, bias, Relu
      outputs: v5`,
    nodes: [1, 1],
    tolerance,
  });

  rewrites('leaves the weights where nothing scales', batchNorm, {
    constants: [weights, shift],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1
      v3 float32[6] = MatMul(v0, v1, -, v2) {${product}, epilogue: Sub(x0, x1), epilogueStrides: [0,0,0,1]} # Sub
      outputs: v3`,
    after: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v4 float32[3] = c2
      v3 float32[6] = MatMul(v0, v1, v4) {${product}} # batch norm, bias
      outputs: v3`,
    nodes: [1, 1],
    tolerance,
  });

  // Product + bias is used twice, and one of its uses is divided: only the sum can go.
  rewrites('takes no part of which the product is also used outside', batchNorm, {
    constants: [weights, shift],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v2 float32[3] = c1
      v3 float32[6] = MatMul(v0, v1, -, v2) {${product}, epilogue: Mul(t0: Add(x0, x1), Erf(Div(t0, 1.4))), epilogueStrides: [0,0,0,1]}
      outputs: v3`,
    after: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0, v4 float32[3] = c2
      v3 float32[6] = MatMul(v0, v1, v4) {${product}, epilogue: Mul(x0, Erf(Div(x0, 1.4)))} # batch norm, bias, Div, Erf, Mul
      outputs: v3`,
    nodes: [1, 1],
    tolerance,
  });

  rewrites('leaves a scale that is an input, one that varies along the rows, and a product that is used twice', batchNorm, {
    constants: [weights, [3, 4]],
    before: `
      inputs: v0 float32[8], v1 float32[3]
      constants: v2 float32[12] = c0, v3 float32[2] = c1
      v4 float32[6] = MatMul(v0, v2, -, v1) {${product}, epilogue: Mul(x0, x1), epilogueStrides: [0,0,0,1]}
      v5 float32[6] = MatMul(v0, v2, -, v3) {${product}, epilogue: Mul(x0, x1), epilogueStrides: [0,0,1,0]}
      v6 float32[6] = MatMul(v0, v2, -) {${product}, epilogue: Mul(Mul(x0, 2), Exp(x0))}
      outputs: v4, v5, v6`,
    nodes: [3, 3],
  });

  rewrites('leaves weights that are no constant, and a scale by which the product divides', batchNorm, {
    constants: [weights, scale],
    before: `
      inputs: v0 float32[8], v1 float32[12]
      constants: v2 float32[12] = c0, v3 float32[3] = c1
      v4 float32[6] = MatMul(v0, v1, -, v3) {${product}, epilogue: Mul(x0, x1), epilogueStrides: [0,0,0,1]}
      v5 float32[6] = MatMul(v0, v2, -, v3) {${product}, epilogue: Div(x1, x0), epilogueStrides: [0,0,0,1]}
      outputs: v4, v5`,
    nodes: [2, 2],
  });
});
