import {padding} from '../../src/compile/passes/padding';
import {rewrites} from './pass-harness';

/** A 2x2 window over an image of 3x2 with two channels, padded to 4x4. */
const window =
  'batch: 1, inH: 4, inW: 4, inC: 2, outH: 3, outW: 3, outC: 2, filterH: 2, filterW: 2, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, xBatch: 32, xRow: 8, xCol: 2, yBatch: 18, yRow: 6, yCol: 2';
const own = window
  .replace('inH: 4, inW: 4', 'inH: 3, inW: 2')
  .replace('dilationH', 'padTop: 1, padLeft: 1, dilationH')
  .replace('xBatch: 32, xRow: 8', 'xBatch: 12, xRow: 4');
const borders = 'shape: [1,3,2,2], before: [0,1,1,0], after: [0,0,1,0]';
const lowest = -8388608; // the bits of -Infinity

const pooled = (before: string, value: number, node = window) => `
  inputs: v0 float32[12]
  constants:
  ${before}
  v2 float32[32] = Pad(v1) {${value === 0 ? '' : `value: ${value}, `}${borders}}
  v3 float32[18] = Pool2D(v2) {${node}}
  outputs: v3`;
const relu = 'v1 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Relu(x0)}';
const tanh = 'v1 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Tanh(x0)}';
const direct = (text: string) => text.replace(/Pool2D.*/, `Pool2D(v1) {${own}}`);

describe('pass padding', () => {
  rewrites('lets a convolution pad its image itself', padding, {
    before: `
      inputs: v0 float32[12], v1 float32[16]
      constants:
      v2 float32[32] = Pad(v0) {${borders}}
      v3 float32[18] = Conv2D(v2, v1, -) {${window}, groups: 1}
      outputs: v3`,
    after: `
      inputs: v0 float32[12], v1 float32[16]
      constants:
      v2 float32[32] = Pad(v0) {${borders}}
      v3 float32[18] = Conv2D(v0, v1, -) {${own}, groups: 1}
      outputs: v3`,
    nodes: [2, 2],
  });

  rewrites('lets a depthwise convolution pad its image itself', padding, {
    before: `
      inputs: v0 float32[12], v1 float32[8]
      constants:
      v2 float32[32] = Pad(v0) {${borders}}
      v3 float32[18] = DepthwiseConv2D(v2, v1, -) {${window}, multiplier: 1}
      outputs: v3`,
    after: `
      inputs: v0 float32[12], v1 float32[8]
      constants:
      v2 float32[32] = Pad(v0) {${borders}}
      v3 float32[18] = DepthwiseConv2D(v0, v1, -) {${own}, multiplier: 1}
      outputs: v3`,
    nodes: [2, 2],
  });

  rewrites('lets a maximum ignore zeros beside what is not negative', padding, {
    before: pooled(relu, 0),
    after: direct(pooled(relu, 0)),
    nodes: [3, 3],
  });

  rewrites('lets a maximum ignore -Infinity', padding, {
    before: pooled(tanh, lowest),
    after: direct(pooled(tanh, lowest)),
    nodes: [3, 3],
  });

  rewrites('keeps zeros beside what may be negative', padding, {
    before: pooled(tanh, 0),
    nodes: [3, 3],
    reasons: [/^the filler may be a maximum$/],
  });

  rewrites('keeps what an average counts', padding, {
    before: pooled(relu, 0, `kind: 1, ${window}`),
    nodes: [3, 3],
    reasons: [/^an average counts what it is padded with$/],
  });

  rewrites('keeps zeros that are all that a window sees', padding, {
    before: pooled(
      relu,
      0,
      window.replace('filterH: 2', 'filterH: 1').replace('outH: 3', 'outH: 4').replace('yBatch: 18', 'yBatch: 24'),
    ).replaceAll('[18]', '[24]'),
    nodes: [3, 3],
    reasons: [/^a window lies wholly outside of the image$/],
  });

  rewrites('keeps a filler that is not 0 before a convolution', padding, {
    before: `
      inputs: v0 float32[12], v1 float32[16]
      constants:
      v2 float32[32] = Pad(v0) {value: 1065353216, ${borders}}
      v3 float32[18] = Conv2D(v2, v1, -) {${window}, groups: 1}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^the filler is not 0$/],
  });

  rewrites('keeps padded channels', padding, {
    before: `
      inputs: v0 float32[16], v1 float32[16]
      constants:
      v2 float32[32] = Pad(v0) {shape: [1,4,4,1], before: [0,0,0,0], after: [0,0,0,1]}
      v3 float32[18] = Conv2D(v2, v1, -) {${window}, groups: 1}
      outputs: v3`,
    nodes: [2, 2],
    reasons: [/^other axes than height and width are padded$/],
  });
});
