import {channelFactors} from '../../src/compile/passes/channel-factors';
import {rewrites} from './pass-harness';

describe('pass channel-factors', () => {
  const convolution =
    'batch: 1, inH: 4, inW: 4, inC: 3, outH: 4, outW: 4, outC: 2, filterH: 1, filterW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, xBatch: 48, xRow: 12, xCol: 3, yBatch: 32, yRow: 8, yCol: 2, groups: 1';
  const weights = [[0.3, -0.2, 0.7, 0.1, -0.4, 0.5]];
  const scaled = `
      inputs: v0 float32[48], v1 float32[3]
      constants: v2 float32[6] = c0
      v3 float32[48] = Pointwise(v0, v1) {shape: [16,3], strides: [3,1,0,1,3,1], program: Mul(x0, x1)}
      v4 float32[32] = Conv2D(v3, v2, -) {${convolution}}
      outputs: v4`;

  rewrites('multiplies the weights by what each channel of the image is multiplied by', channelFactors, {
    constants: weights,
    before: scaled,
    after: `
      inputs: v0 float32[48], v1 float32[3]
      constants: v2 float32[6] = c0
      v5 float32[6] = Pointwise(v2, v1) {shape: [3,2], strides: [2,1,1,0,2,1], program: Mul(x0, x1)} # Mul, weights
      v4 float32[32] = Conv2D(v0, v5, -) {${convolution}}
      outputs: v4`,
    nodes: [2, 2],
    tolerance: 1e-6,
  });

  rewrites('leaves an image that others need, other expressions and factors of rows', channelFactors, {
    constants: weights,
    before: `
      inputs: v0 float32[48], v1 float32[3], v5 float32[16]
      constants: v2 float32[6] = c0
      v3 float32[48] = Pointwise(v0, v1) {shape: [16,3], strides: [3,1,0,1,3,1], program: Mul(x0, x1)}
      v4 float32[32] = Conv2D(v3, v2, -) {${convolution}}
      v6 float32[48] = Pointwise(v0, v1) {shape: [16,3], strides: [3,1,0,1,3,1], program: Add(x0, x1)}
      v7 float32[32] = Conv2D(v6, v2, -) {${convolution}}
      v8 float32[48] = Pointwise(v0, v5) {shape: [16,3], strides: [3,1,1,0,3,1], program: Mul(x0, x1)}
      v9 float32[32] = Conv2D(v8, v2, -) {${convolution}}
      outputs: v3, v4, v7, v9`,
    nodes: [6, 6],
  });

  // Four pixels, two columns: packing the weights would take longer.
  rewrites('leaves small images', channelFactors, {
    constants: weights,
    before: `
      inputs: v0 float32[12], v1 float32[3]
      constants: v2 float32[6] = c0
      v3 float32[12] = Pointwise(v0, v1) {shape: [4,3], strides: [3,1,0,1,3,1], program: Mul(x0, x1)}
      v4 float32[8] = Conv2D(v3, v2, -) {batch: 1, inH: 2, inW: 2, inC: 3, outH: 2, outW: 2, outC: 2, filterH: 1, filterW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, xBatch: 12, xRow: 6, xCol: 3, yBatch: 8, yRow: 4, yCol: 2, groups: 1}
      outputs: v4`,
    nodes: [2, 2],
  });

  rewrites('leaves weights that are to be rounded', channelFactors, {
    constants: weights,
    precision: {fpmath: 'bf16', weights: 'fp32'},
    before: scaled,
    nodes: [2, 2],
  });
});
