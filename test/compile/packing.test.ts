import {packing} from '../../src/compile/passes/packing';
import {native} from '../../src/native';
import {packLayouts} from '../../src/ops/linear';
import {rewrites} from './pass-harness';

/** Sums of 4 products in another order. */
const tolerance = 1e-6;
const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12];
const product = 'batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, cRow: 3';

describe('pass packing', () => {
  const elems = native().packedElems(packLayouts.gemmF32, 4, 3, 1);

  rewrites('packs the constant weights of a product, once for all that use them', packing, {
    constants: [weights],
    before: `
      inputs: v0 float32[8], v1 float32[8]
      constants: v2 float32[12] = c0
      v3 float32[6] = MatMul(v0, v2, -) {${product}, bRow: 3, bCol: 1}
      v4 float32[6] = MatMul(v1, v2, -) {${product}, bRow: 3, bCol: 1} # Relu
      outputs: v3, v4`,
    after: `
      inputs: v0 float32[8], v1 float32[8]
      constants: v5 float32[${elems}] = c1, v6 float32[${elems}] = c1
      v3 float32[6] = MatMul(v0, v5, -) {${product}, bRow: 3, bCol: 1, packedB: 1} # packed
      v4 float32[6] = MatMul(v1, v6, -) {${product}, bRow: 3, bCol: 1, packedB: 1} # Relu, packed
      outputs: v3, v4`,
    nodes: [2, 2],
    tolerance,
  });

  rewrites('packs weights that are read transposed', packing, {
    constants: [weights],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[12] = c0
      v2 float32[6] = MatMul(v0, v1, -) {${product}, bRow: 1, bCol: 4}
      outputs: v2`,
    after: `
      inputs: v0 float32[8]
      constants: v3 float32[${elems}] = c1
      v2 float32[6] = MatMul(v0, v3, -) {${product}, bRow: 1, bCol: 4, packedB: 1} # packed
      outputs: v2`,
    nodes: [1, 1],
    tolerance,
  });

  rewrites('leaves weights that are an input, and those that differ from batch to batch', packing, {
    constants: [[...weights, ...weights]],
    before: `
      inputs: v0 float32[16], v1 float32[12]
      constants: v2 float32[24] = c0
      v3 float32[6] = MatMul(v0, v1, -) {${product}, bRow: 3, bCol: 1}
      v4 float32[12] = MatMul(v0, v2, -) {batch1: 1, batch2: 2, rowsM: 2, colsN: 3, depthK: 4, aBatch2: 8, aRow: 4, aCol: 1, bBatch2: 12, bRow: 3, bCol: 1, cBatch2: 6, cRow: 3}
      outputs: v3, v4`,
    nodes: [2, 2],
  });

  rewrites('leaves weights that start within a constant', packing, {
    constants: [[0, ...weights]],
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[13] = c0
      v2 float32[6] = MatMul(v0, v1@1, -) {${product}, bRow: 3, bCol: 1}
      outputs: v2`,
    nodes: [1, 1],
  });
});
