import {recurrence} from '../../src/compile/passes/recurrence';
import {rewrites} from './pass-harness';

const u = [0.5, -0.25, 0.75, 0.1, -0.3, 0.2, 0.4, -0.6];
/** A state of two units times weights of two gates, plus what the step's input gives. */
const product = 'batch1: 1, batch2: 1, rowsM: 1, colsN: 4, depthK: 2, aRow: 2, aCol: 1, bRow: 4, bCol: 1, cRow: 4';
const plus = `{${product}, epilogue: Add(x0, x1), epilogueStrides: [0,0,4,1]}`;
const cell = '{shape: [2], strides: [1,1,1,1], program: Add(Mul(Sigmoid(x1), x0), Tanh(x2))}';
const hidden = '{shape: [2], strides: [1,1,1], program: Mul(Sigmoid(x0), Tanh(x1))}';
const programs = (cellText: string, hiddenText: string) => `cell: ${cellText}, hidden: ${hiddenText}`;
/** x0 and x1: parts of the product; x2: the state; x3: the cell; x4 and on: parts of the input. */
const withCell = programs('Add(Mul(Sigmoid(Add(x0, x4)), x3), Tanh(Add(x1, x5)))', 'Mul(Sigmoid(Add(x0, x4)), Tanh(x3))');
const steps = (count: number, strides: string) =>
  `steps: ${count}, batch: 1, units: 2, gates: 2, bRow: 4, bCol: 1, outStep: 2, outRow: 2`.concat(`, ${withCell}, strides: ${strides}`);

describe('pass recurrence', () => {
  rewrites('makes one node of the steps of a layer with a cell, the last of which keeps none', recurrence, {
    constants: [u],
    before: `
      inputs: v0 float32[2], v1 float32[2], v2 float32[12]
      constants: v3 float32[8] = c0
      v4 float32[4] = MatMul(v0, v3, -, v2) ${plus}
      v5 float32[2] = Pointwise(v1, v4, v4@2) ${cell}
      v6 float32[2] = Pointwise(v4, v5) ${hidden}
      v7 float32[4] = MatMul(v6, v3, -, v2@4) ${plus}
      v8 float32[2] = Pointwise(v5, v7, v7@2) ${cell}
      v9 float32[2] = Pointwise(v7, v8) ${hidden}
      v10 float32[4] = MatMul(v9, v3, -, v2@8) ${plus}
      v11 float32[2] = Pointwise(v10, v8, v10@2) {shape: [2], strides: [1,1,1,1], program: Mul(t0: Sigmoid(x0), Tanh(Add(Mul(t0, x1), Tanh(x2))))}
      v12 float32[6] = Concat(v6, v9, v11) {outer: 1, inner: [2,2,2]}
      v13 float32[6] = Pointwise(v12) {shape: [6], strides: [1,1], program: Neg(x0)}
      outputs: v13`,
    after: `
      inputs: v0 float32[2], v1 float32[2], v2 float32[12]
      constants: v3 float32[8] = c0
      v14 float32[6], v15 float32[2] = Recurrence(v0, v3, v1, v2, v2@2) {${steps(3, '[4,0,1,4,0,1]')}} # 2 gates, cell
      v13 float32[6] = Pointwise(v14) {shape: [6], strides: [1,1], program: Neg(x0)}
      outputs: v13`,
    nodes: [10, 2],
    tolerance: 1e-6,
  });

  rewrites('starts before the first product where the state was zero, and leaves states that are results in place', recurrence, {
    constants: [u],
    before: `
      inputs: v1 float32[2], v2 float32[8]
      constants: v3 float32[8] = c0
      v5 float32[2] = Pointwise(v1, v2, v2@2) ${cell}
      v6 float32[2] = Pointwise(v2, v5) ${hidden}
      v7 float32[4] = MatMul(v6, v3, -, v2@4) ${plus}
      v8 float32[2] = Pointwise(v5, v7, v7@2) ${cell}
      v9 float32[2] = Pointwise(v7, v8) ${hidden}
      outputs: v6, v9, v8`,
    after: `
      inputs: v1 float32[2], v2 float32[8]
      constants: v3 float32[8] = c0, v11 float32[2] = c1
      v10 float32[4], v8 float32[2] = Recurrence(v11, v3, v1, v2, v2@2) {${steps(2, '[4,0,1,4,0,1]')}} # 2 gates, cell
      v6 float32[2] = StridedCopy(v10) {shape: [2], srcStrides: [1], dstStrides: [1]}
      v9 float32[2] = StridedCopy(v10@2) {shape: [2], srcStrides: [1], dstStrides: [1]}
      outputs: v6, v9, v8`,
    nodes: [5, 3],
    tolerance: 1e-6,
  });

  rewrites('takes a layer without a cell, in batches, with a bias', recurrence, {
    constants: [u, [1, 2, 3, 4]],
    before: `
      inputs: v0 float32[6], v1 float32[12]
      constants: v2 float32[8] = c0, v3 float32[4] = c1
      v4 float32[12] = MatMul(v0, v2, v3) {batch1: 1, batch2: 1, rowsM: 3, colsN: 4, depthK: 2, aRow: 2, aCol: 1, bRow: 4, bCol: 1, cRow: 4}
      v5 float32[6] = Pointwise(v0, v4, v4@2, v1) {shape: [3,2], strides: [2,1,4,1,4,1,4,1,2,1], program: Add(Mul(Sigmoid(x1), x0), Tanh(Add(x2, x3)))}
      outputs: v5`,
    after: `
      inputs: v0 float32[6], v1 float32[12]
      constants: v2 float32[8] = c0, v3 float32[4] = c1
      v5 float32[6], v6 float32[0] = Recurrence(v0, v2, -, v3, v3@2, v1) {steps: 1, batch: 3, units: 2, gates: 2, bRow: 4, bCol: 1, outStep: 6, outRow: 2, hidden: Add(Mul(Sigmoid(Add(x0, x4)), x2), Tanh(Add(Add(x1, x5), x6))), strides: [0,0,1,0,0,1,0,4,1]} # 2 gates
      outputs: v5`,
    nodes: [2, 1],
    tolerance: 1e-6,
  });

  rewrites('leaves gates of a layer that is not recurrent, and products that others read', recurrence, {
    constants: [u],
    before: `
      inputs: v0 float32[2], v1 float32[2]
      constants: v2 float32[8] = c0
      v3 float32[4] = MatMul(v0, v2, -) {${product}}
      v4 float32[2] = Pointwise(v3, v3@2) {shape: [2], strides: [1,1,1], program: Mul(Sigmoid(x0), x1)}
      v5 float32[4] = MatMul(v1, v2, -) {${product}}
      v6 float32[2] = Pointwise(v1, v5, v5@2) ${cell}
      v7 float32[4] = Concat(v5) {outer: 1, inner: [4]}
      outputs: v4, v6, v7`,
    nodes: [5, 5],
  });

  rewrites('leaves a state that reads the cell through another node', recurrence, {
    constants: [u],
    before: `
      inputs: v0 float32[2], v1 float32[2]
      constants: v2 float32[8] = c0
      v3 float32[4] = MatMul(v0, v2, -) {${product}}
      v4 float32[2] = Pointwise(v1, v3, v3@2) ${cell}
      v5 float32[2] = Softmax(v4) {rows: 1, cols: 2}
      v6 float32[2] = Pointwise(v3, v4, v5) {shape: [2], strides: [1,1,1,1], program: Mul(Sigmoid(x0), Add(Tanh(x1), x2))}
      outputs: v6`,
    nodes: [4, 4],
  });

  rewrites('begins again where inputs do not lie evenly, and says so', recurrence, {
    constants: [u],
    before: `
      inputs: v0 float32[2], v1 float32[2], v2 float32[4], v12 float32[4]
      constants: v3 float32[8] = c0
      v4 float32[4] = MatMul(v0, v3, -, v2) ${plus}
      v5 float32[2] = Pointwise(v1, v4, v4@2) ${cell}
      v6 float32[2] = Pointwise(v4, v5) ${hidden}
      v7 float32[4] = MatMul(v6, v3, -, v12) ${plus}
      v8 float32[2] = Pointwise(v5, v7, v7@2) ${cell}
      v9 float32[2] = Pointwise(v7, v8) ${hidden}
      outputs: v9`,
    after: `
      inputs: v0 float32[2], v1 float32[2], v2 float32[4], v12 float32[4]
      constants: v3 float32[8] = c0
      v6 float32[2], v5 float32[2] = Recurrence(v0, v3, v1, v2, v2@2) {${steps(1, '[0,0,1,0,0,1]')}} # 2 gates, cell
      v9 float32[2], v8 float32[2] = Recurrence(v6, v3, v5, v12, v12@2) {${steps(1, '[0,0,1,0,0,1]')}} # 2 gates, cell
      outputs: v9`,
    nodes: [6, 2],
    tolerance: 1e-6,
    reasons: [/do not lie as/],
  });
});
