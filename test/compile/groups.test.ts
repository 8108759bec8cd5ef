import {groups} from '../../src/compile/passes/groups';
import {rewrites} from './pass-harness';

/** One group: 1x2 pixels, two of four channels, to one channel. */
const one =
  'batch: 1, inH: 1, inW: 2, inC: 2, outH: 1, outW: 2, outC: 1, filterH: 1, filterW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, xBatch: 8, xRow: 8, xCol: 4, yBatch: 2, yRow: 2, yCol: 1, groups: 1';
const both = one
  .replace('inC: 2', 'inC: 4')
  .replace('outC: 1', 'outC: 2')
  .replace('yBatch: 2, yRow: 2, yCol: 1, groups: 1', 'yBatch: 4, yRow: 4, yCol: 2, groups: 2');
const constants = [
  [1, 2],
  [3, 4],
];

describe('pass groups', () => {
  rewrites('makes one convolution of groups that stand side by side', groups, {
    constants,
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[2] = c0, v2 float32[2] = c1
      v3 float32[2] = Conv2D(v0, v1, -) {${one}}
      v4 float32[2] = Conv2D(v0@2, v2, -) {${one}}
      v5 float32[4] = Concat(v3, v4) {outer: 2, inner: [1,1]}
      outputs: v5`,
    after: `
      inputs: v0 float32[8]
      constants: v6 float32[4] = c2
      v5 float32[4] = Conv2D(v0, v6, -) {${both}} # 2 groups
      outputs: v5`,
    nodes: [3, 1],
  });

  rewrites('leaves groups in another order, of one image, or whose results others read', groups, {
    constants,
    before: `
      inputs: v0 float32[8]
      constants: v1 float32[2] = c0, v2 float32[2] = c1
      v3 float32[2] = Conv2D(v0@2, v1, -) {${one}}
      v4 float32[2] = Conv2D(v0, v2, -) {${one}}
      v5 float32[4] = Concat(v3, v4) {outer: 2, inner: [1,1]}
      v6 float32[2] = Conv2D(v0, v1, -) {${one}}
      v7 float32[2] = Conv2D(v0, v2, -) {${one}}
      v8 float32[4] = Concat(v6, v7) {outer: 2, inner: [1,1]}
      v9 float32[2] = Conv2D(v0, v1, -) {${one}}
      v10 float32[2] = Conv2D(v0@2, v2, -) {${one}}
      v11 float32[4] = Concat(v9, v10) {outer: 2, inner: [1,1]}
      outputs: v5, v8, v11, v9`,
    nodes: [9, 9],
  });
});
