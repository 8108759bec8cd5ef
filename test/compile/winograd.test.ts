import {winograd} from '../../src/compile/passes/winograd';
import {native} from '../../src/native';
import {packLayouts} from '../../src/ops/linear';
import {randoms, rewrites} from './pass-harness';

/** Some hundred random layers showed 73 and 17 roundings of 2⁻²⁴ of the largest sum of magnitudes; here results are at least a tenth of it. */
const tolerance = 1e-4;

const filter = (elems: number): number[] => {
  const random = randoms(7);
  return Array.from({length: elems}, () => 2 * random() - 1);
};
/** The parameters of a 3x3 convolution of one square image, as text. */
function conv(size: number, inC: number, outC: number, more = ''): string {
  const out = more.includes('strideH: 2') ? size / 2 : size;
  const strides = `xBatch: ${size * size * inC}, xRow: ${size * inC}, xCol: ${inC}, yBatch: ${out * out * outC}, yRow: ${out * outC}, yCol: ${outC}`;
  const sizes = `batch: 1, inH: ${size}, inW: ${size}, inC: ${inC}, outH: ${out}, outW: ${out}, outC: ${outC}`;
  const steps = more.includes('strideH') ? '' : 'strideH: 1, strideW: 1, ';
  return `${sizes}, filterH: 3, filterW: 3, ${steps}padTop: 1, padLeft: 1, dilationH: 1, dilationW: 1, ${strides}, groups: 1${more}`;
}

describe('pass winograd', () => {
  const elems4 = native().packedElems(packLayouts.winograd4F32, 16, 16, 9);
  rewrites('takes tiles of 4 x 4 pixels where there are many', winograd, {
    constants: [filter(2304)],
    before: `
      inputs: v0 float32[4096]
      constants: v1 float32[2304] = c0
      v2 float32[4096] = Conv2D(v0, v1, -) {${conv(16, 16, 16)}} # Relu
      outputs: v2`,
    after: `
      inputs: v0 float32[4096]
      constants: v3 float32[${elems4}] = c1
      v2 float32[4096] = Conv2D(v0, v3, -) {${conv(16, 16, 16, ', packedFilter: 3')}} # Relu, Winograd F(4x4, 3x3)
      outputs: v2`,
    nodes: [1, 1],
    tolerance,
  });

  const elems2 = native().packedElems(packLayouts.winograd2F32, 32, 32, 9);
  rewrites('takes tiles of 2 x 2 pixels where 4 x 4 would leave most of them outside', winograd, {
    constants: [filter(9216)],
    before: `
      inputs: v0 float32[1568]
      constants: v1 float32[9216] = c0
      v2 float32[1568] = Conv2D(v0, v1, -) {${conv(7, 32, 32)}}
      outputs: v2`,
    after: `
      inputs: v0 float32[1568]
      constants: v3 float32[${elems2}] = c1
      v2 float32[1568] = Conv2D(v0, v3, -) {${conv(7, 32, 32, ', packedFilter: 4')}} # Winograd F(2x2, 3x3)
      outputs: v2`,
    nodes: [1, 1],
    tolerance,
  });

  rewrites('leaves small images and few channels, and says so', winograd, {
    constants: [filter(2304), filter(432)],
    before: `
      inputs: v0 float32[144], v1 float32[12288]
      constants: v2 float32[2304] = c0, v3 float32[432] = c1
      v4 float32[144] = Conv2D(v0, v2, -) {${conv(3, 16, 16)}}
      v5 float32[65536] = Conv2D(v1, v3, -) {${conv(64, 3, 16)}}
      outputs: v4, v5`,
    nodes: [2, 2],
    reasons: [/too few/, /too few/],
  });

  rewrites('leaves filters with steps, filters that are inputs and those that are packed', winograd, {
    constants: [filter(2304)],
    before: `
      inputs: v0 float32[4096], v1 float32[2304]
      constants: v2 float32[2304] = c0
      v3 float32[1024] = Conv2D(v0, v2, -) {${conv(16, 16, 16, ', strideH: 2, strideW: 2')}}
      v4 float32[4096] = Conv2D(v0, v1, -) {${conv(16, 16, 16)}}
      outputs: v3, v4`,
    nodes: [2, 2],
  });
});
