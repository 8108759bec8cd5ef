import {attention} from '../../src/compile/passes/attention';
import {rewrites} from './pass-harness';

/** Sums of up to 5 products and a softmax in another order: 1e-5 is some 80 roundings of 2⁻²⁴. */
const tolerance = 1e-5;

/** Two batches of three heads, five queries and keys, depth four; all dense, as tfjs' batched products leave them. */
const scores =
  'batch1: 1, batch2: 6, rowsM: 5, colsN: 5, depthK: 4, aBatch2: 20, bBatch2: 20, cBatch2: 25, aRow: 4, aCol: 1, bRow: 1, bCol: 4, cRow: 5';
const values =
  'batch1: 1, batch2: 6, rowsM: 5, colsN: 4, depthK: 5, aBatch2: 25, bBatch2: 20, cBatch2: 20, aRow: 5, aCol: 1, bRow: 4, bCol: 1, cRow: 4';
const fused = (batch: number, heads: number) => {
  // Where the batch axis is not cut, its stride is that of the product: none.
  const [outer, inner] = [batch === 1 ? 0 : heads * 20, 20];
  const strides = (name: string) => `${name}Batch: ${outer}, ${name}Head: ${inner}, ${name}Row: 4`;
  return `batch: ${batch}, heads: ${heads}, queries: 5, keys: 5, depth: 4, valueDepth: 4, ${['query', 'key', 'value', 'out'].map(strides).join(', ')}`;
};

describe('pass attention', () => {
  rewrites('fuses scale, a mask for each batch, softmax and both products', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120], v3 float32[10]
      constants:
      v4 float32[150] = MatMul(v0, v1, -) {${scores}}
      v5 float32[150] = Pointwise(v4) {shape: [150], strides: [1,1], program: Mul(x0, 0.5)}
      v6 float32[150] = Pointwise(v5, v3) {shape: [2,15,5], strides: [75,5,1,5,0,1,75,5,1], program: Add(x0, x1)}
      v7 float32[150] = Softmax(v6) {rows: 30, cols: 5}
      v8 float32[120] = MatMul(v7, v2, -) {${values}}
      outputs: v8`,
    after: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120], v3 float32[10]
      constants:
      v4 float32[150] = MatMul(v0, v1, -) {${scores}}
      v5 float32[150] = Pointwise(v4) {shape: [150], strides: [1,1], program: Mul(x0, 0.5)}
      v6 float32[150] = Pointwise(v5, v3) {shape: [2,15,5], strides: [75,5,1,5,0,1,75,5,1], program: Add(x0, x1)}
      v7 float32[150] = Softmax(v6) {rows: 30, cols: 5}
      v8 float32[120] = Attention(v0, v1, v2, v3) {${fused(2, 3)}, scale: 0.5, maskBatch: 5, maskCol: 1} # mask
      outputs: v8`,
    nodes: [5, 5],
    tolerance,
  });

  rewrites('fuses bare scores', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Softmax(v3) {rows: 30, cols: 5}
      v5 float32[120] = MatMul(v4, v2, -) {${values}}
      outputs: v5`,
    after: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Softmax(v3) {rows: 30, cols: 5}
      v5 float32[120] = Attention(v0, v1, v2, -) {${fused(1, 6)}, scale: 1}
      outputs: v5`,
    nodes: [3, 3],
    tolerance,
  });

  rewrites('runs what is no scale and mask as an epilogue of the scores', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120], v3 bool[25]
      constants:
      v4 float32[150] = MatMul(v0, v1, -) {${scores}}
      v5 float32[150] = Pointwise(v3, v4) {shape: [6,25], strides: [0,1,25,1,25,1], program: Select(x0, x1, -10000)}
      v6 float32[150] = Softmax(v5) {rows: 30, cols: 5}
      v7 float32[120] = MatMul(v6, v2, -) {${values}}
      outputs: v7`,
    after: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120], v3 bool[25]
      constants:
      v4 float32[150] = MatMul(v0, v1, -) {${scores}}
      v5 float32[150] = Pointwise(v3, v4) {shape: [6,25], strides: [0,1,25,1,25,1], program: Select(x0, x1, -10000)}
      v6 float32[150] = Softmax(v5) {rows: 30, cols: 5}
      v7 float32[120] = Attention(v0, v1, v2, -, v3) {${fused(1, 6)}, scale: 1, epilogue: Select(x1, x0, -10000), epilogueStrides: [0,0,5,1]} # Select
      outputs: v7`,
    nodes: [4, 4],
    tolerance,
  });

  rewrites('takes factors of queries and keys into its scale, and reads them where they were', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[120] = Pointwise(v0) {shape: [6,5,4], strides: [4,24,1,20,4,1], program: Div(x0, 2)}
      v4 float32[120] = Pointwise(v1) {shape: [120], strides: [1,1], program: Mul(0.25, x0)}
      v5 float32[150] = MatMul(v3, v4, -) {${scores}}
      v6 float32[150] = Softmax(v5) {rows: 30, cols: 5}
      v7 float32[120] = MatMul(v6, v2, -) {${values}}
      outputs: v7`,
    after: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[120] = Pointwise(v0) {shape: [6,5,4], strides: [4,24,1,20,4,1], program: Div(x0, 2)}
      v4 float32[120] = Pointwise(v1) {shape: [120], strides: [1,1], program: Mul(0.25, x0)}
      v5 float32[150] = MatMul(v3, v4, -) {${scores}}
      v6 float32[150] = Softmax(v5) {rows: 30, cols: 5}
      v7 float32[120] = Attention(v0, v1, v2, -) {${fused(1, 6).replace('queryHead: 20, queryRow: 4', 'queryHead: 4, queryRow: 24')}, scale: 0.125}
      outputs: v7`,
    nodes: [5, 5],
    tolerance,
  });

  rewrites('leaves queries that are more than multiplied by a number', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[120] = Pointwise(v0) {shape: [120], strides: [1,1], program: Add(x0, 2)}
      v4 float32[150] = MatMul(v3, v1, -) {${scores}}
      v5 float32[150] = Softmax(v4) {rows: 30, cols: 5}
      v6 float32[120] = MatMul(v5, v2, -) {${values}}
      outputs: v6`,
    after: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[120] = Pointwise(v0) {shape: [120], strides: [1,1], program: Add(x0, 2)}
      v4 float32[150] = MatMul(v3, v1, -) {${scores}}
      v5 float32[150] = Softmax(v4) {rows: 30, cols: 5}
      v6 float32[120] = Attention(v3, v1, v2, -) {${fused(1, 6)}, scale: 1}
      outputs: v6`,
    nodes: [4, 4],
    tolerance,
  });

  rewrites('leaves a logarithm of the softmax', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Softmax(v3) {rows: 30, cols: 5, logarithm: true}
      v5 float32[120] = MatMul(v4, v2, -) {${values}}
      outputs: v5`,
    nodes: [3, 3],
  });

  rewrites('leaves probabilities or scores that others need', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Softmax(v3) {rows: 30, cols: 5}
      v5 float32[120] = MatMul(v4, v2, -) {${values}}
      v6 float32[150] = MatMul(v0, v1, -) {${scores}}
      v7 float32[150] = Softmax(v6) {rows: 30, cols: 5}
      v8 float32[120] = MatMul(v7, v2, -) {${values}}
      outputs: v5, v4, v8, v6`,
    nodes: [6, 6],
    reasons: [/^the scores or their softmax have other readers$/],
  });

  rewrites('leaves a softmax over several rows of keys', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Softmax(v3) {rows: 6, cols: 25}
      v5 float32[120] = MatMul(v4, v2, -) {${values}}
      outputs: v5`,
    nodes: [3, 3],
    reasons: [/^the softmax does not run over the keys$/],
  });

  rewrites('leaves scores that are transposed on the way', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Pointwise(v3) {shape: [6,5,5], strides: [25,1,5,25,5,1], program: Mul(x0, 0.5)}
      v5 float32[150] = Softmax(v4) {rows: 30, cols: 5}
      v6 float32[120] = MatMul(v5, v2, -) {${values}}
      outputs: v6`,
    nodes: [4, 4],
    reasons: [/^the scores are read in another order$/],
  });

  rewrites('leaves probabilities that are read with strides', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {${scores}}
      v4 float32[150] = Softmax(v3) {rows: 30, cols: 5}
      v5 float32[120] = MatMul(v4, v2, -) {batch1: 1, batch2: 6, rowsM: 5, colsN: 4, depthK: 5, aBatch2: 25, bBatch2: 20, cBatch2: 20, aRow: 1, aCol: 5, bRow: 4, bCol: 1, cRow: 4}
      outputs: v5`,
    nodes: [3, 3],
    reasons: [/^the probabilities are read with strides$/],
  });

  rewrites('leaves keys whose depth is not contiguous', attention, {
    before: `
      inputs: v0 float32[120], v1 float32[120], v2 float32[120]
      constants:
      v3 float32[150] = MatMul(v0, v1, -) {batch1: 1, batch2: 6, rowsM: 5, colsN: 5, depthK: 4, aBatch2: 20, bBatch2: 20, cBatch2: 25, aRow: 4, aCol: 1, bRow: 5, bCol: 1, cRow: 5}
      v4 float32[150] = Softmax(v3) {rows: 30, cols: 5}
      v5 float32[120] = MatMul(v4, v2, -) {${values}}
      outputs: v5`,
    nodes: [3, 3],
    reasons: [/^the depth axis of queries, keys or values is not contiguous$/],
  });
});
