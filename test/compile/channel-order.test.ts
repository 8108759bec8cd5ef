import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src';
import {channelOrder} from '../../src/compile/passes/channel-order';
import {expectClose, randoms, rewrites} from './pass-harness';

/** A convolution of 2x2 pixels, 1x1 unless it has more taps. */
function convolution(inC: number, outC: number, {taps = 1, groups = 1} = {}): string {
  const window = `filterH: ${taps}, filterW: ${taps}, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1`;
  const pads = taps === 3 ? 'padTop: 1, padLeft: 1, ' : '';
  const strides = `xBatch: ${4 * inC}, xRow: ${2 * inC}, xCol: ${inC}, yBatch: ${4 * outC}, yRow: ${2 * outC}, yCol: ${outC}`;
  const image = `batch: 1, inH: 2, inW: 2, inC: ${inC}, outH: 2, outW: 2, outC: ${outC}`;
  return `{${image}, ${window}, ${pads}${strides}${groups === 0 ? ', multiplier: 1' : `, groups: ${groups}`}}`;
}

describe('pass channel-order', () => {
  const random = randoms(7);
  const constant = (elems: number) => Array.from({length: elems}, () => random() - 0.5);
  const constants = [constant(8), constant(4), constant(8), constant(16), constant(16), constant(72)];
  const declared =
    'v1 float32[8] = c0, v2 float32[4] = c1, v3 float32[8] = c2, v4 float32[16] = c3, v5 float32[16] = c4, v6 float32[72] = c5';
  // A unit of ShuffleNet v2: of two images side by side, shuffled, one half goes on and the other through a convolution, and so again.
  const unit = `
      v10 float32[16] = Conv2D(v0, v1, v2) ${convolution(2, 4)}
      v11 float32[16] = Conv2D(v0, v3, -) ${convolution(2, 4)}
      v12 float32[32] = Concat(v10, v11) {outer: 4, inner: [4,4]}
      v13 float32[16] = StridedCopy(v12) {shape: [4,2,2], srcStrides: [8,1,4], dstStrides: [4,2,1]}
      v14 float32[16] = StridedCopy(v12@2) {shape: [4,2,2], srcStrides: [8,1,4], dstStrides: [4,2,1]}
      v15 float32[16] = Conv2D(v14, v4, -) ${convolution(4, 4)}
      v16 float32[32] = Concat(v13, v15) {outer: 4, inner: [4,4]}
      v17 float32[32] = StridedCopy(v16) {shape: [4,4,2], srcStrides: [8,1,4], dstStrides: [8,2,1]}`;

  rewrites('computes what a half of shuffled channels needs side by side, and copies the rest in runs', channelOrder, {
    constants,
    before: `
      inputs: v0 float32[8]
      constants: ${declared}
      ${unit}
      v18 float32[32] = DepthwiseConv2D(v17, v6, -) ${convolution(8, 8, {taps: 3, groups: 0})}
      v19 float32[8] = Conv2D(v18, v5, -) ${convolution(8, 2)}
      v20 float32[8] = Conv2D(v17, v5, -) ${convolution(8, 2)}
      outputs: v19, v20`,
    after: `
      inputs: v0 float32[8]
      constants: v3 float32[8] = c2, v21 float32[8] = c7, v22 float32[4] = c8, v26 float32[16] = c10, v30 float32[72] = c12, v32 float32[16] = c13, v33 float32[16] = c13
      v23 float32[16] = Conv2D(v0, v21, v22) ${convolution(2, 4)} # channel order
      v11 float32[16] = Conv2D(v0, v3, -) ${convolution(2, 4)}
      v24 float32[32] = Concat(v11, v23) {outer: 4, inner: [4,4]}
      v25 float32[16] = StridedCopy(v24@2) {shape: [4,4], srcStrides: [8,1], dstStrides: [4,1]}
      v15 float32[16] = Conv2D(v25, v26, -) ${convolution(4, 4)} # channel order
      v27 float32[8] = StridedCopy(v23@2) {shape: [4,2], srcStrides: [4,1], dstStrides: [2,1]}
      v28 float32[8] = StridedCopy(v11) {shape: [4,2], srcStrides: [4,1], dstStrides: [2,1]}
      v29 float32[32] = Concat(v27, v15, v28) {outer: 4, inner: [2,4,2]}
      v31 float32[32] = DepthwiseConv2D(v29, v30, -) ${convolution(8, 8, {taps: 3, groups: 0})} # channel order
      v19 float32[8] = Conv2D(v31, v32, -) ${convolution(8, 2)} # channel order
      v20 float32[8] = Conv2D(v29, v33, -) ${convolution(8, 2)} # channel order
      outputs: v19, v20`,
    nodes: [11, 11],
    tolerance: 1e-6,
  });

  const leaves = (title: string, rest: string, nodes: number) => {
    const before = `
      inputs: v0 float32[8]
      constants: ${declared}
      ${unit}
      ${rest}`;
    rewrites(`leaves ${title}`, channelOrder, {constants, before, nodes: [nodes, nodes]});
  };

  leaves(
    'channels that are an output',
    `v20 float32[8] = Conv2D(v17, v5, -) ${convolution(8, 2)}
      outputs: v17, v20`,
    9,
  );
  leaves(
    'channels of which groups are formed',
    `v20 float32[16] = Conv2D(v17, v5, -) ${convolution(8, 4, {groups: 2})}
      outputs: v20`,
    9,
  );
  leaves(
    'channels that something else reads',
    `v20 float32[8] = Conv2D(v17, v5, -) ${convolution(8, 2)}
      v21 float32[32] = Pointwise(v17) {shape: [32], strides: [1,1], program: Exp(x0)}
      outputs: v20, v21`,
    10,
  );
  leaves(
    'numbers of which others are channels',
    `v20 float32[32] = Conv2D(v17, v4, -) {batch: 1, inH: 2, inW: 4, inC: 4, outH: 2, outW: 4, outC: 4, filterH: 1, filterW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, xBatch: 32, xRow: 16, xCol: 4, yBatch: 32, yRow: 16, yCol: 4, groups: 1}
      outputs: v20`,
    9,
  );

  rewrites('leaves slices and concatenations that move nothing', channelOrder, {
    constants,
    before: `
      inputs: v0 float32[8]
      constants: ${declared}
      v10 float32[16] = Conv2D(v0, v1, v2) ${convolution(2, 4)}
      v11 float32[16] = Conv2D(v0, v3, -) ${convolution(2, 4)}
      v12 float32[32] = Concat(v10, v11) {outer: 4, inner: [4,4]}
      v13 float32[16] = StridedCopy(v12@2) {shape: [4,4], srcStrides: [8,1], dstStrides: [4,1]}
      v14 float32[16] = Conv2D(v13, v4, -) ${convolution(4, 4)}
      v15 float32[8] = Conv2D(v12, v5, -) ${convolution(8, 2)}
      outputs: v14, v15`,
    nodes: [6, 6],
  });

  // Whole networks of ShuffleNet's kind, at several sizes: every channel comes to the convolution that it was for.
  for (const [channels, units, ending] of [
    [3, 1, 'convolution'],
    [4, 2, 'pool'],
    [5, 3, 'depthwise'],
    [7, 4, 'convolution'],
    [10, 5, 'depthwise'],
    [6, 3, 'observed'],
  ] as const) {
    it(`computes ${units} units of ${channels} channels before a ${ending}`, async () => {
      await tf.setBackend('graviton');
      const weights: tf.Tensor4D[] = [];
      const filter = (size: number, inC: number, outC: number) => {
        const values = Float32Array.from({length: size * size * inC * outC}, () => random() - 0.5);
        return weights[weights.push(tf.tensor4d(values, [size, size, inC, outC])) - 1] as tf.Tensor4D;
      };
      const pointwise = (inC: number, outC: number) => {
        const [w, bias] = [filter(1, inC, outC), filter(1, 1, outC)];
        return (x: tf.Tensor4D) => tf.relu(tf.add(tf.conv2d(x, w, 1, 'same'), bias)) as tf.Tensor4D;
      };
      const depthwise = (inC: number) => {
        const w = filter(3, inC, 1);
        return (x: tf.Tensor4D) => tf.depthwiseConv2d(x, w, 1, 'same');
      };
      const shuffle = (x: tf.Tensor4D) => {
        const [n, h, w, c] = x.shape;
        return tf.reshape(tf.transpose(tf.reshape(x, [n * h, w, 2, c / 2]), [0, 1, 3, 2]), [n, h, w, c]) as tf.Tensor4D;
      };
      const [left, right] = [pointwise(2, channels), pointwise(2, channels)];
      const branches = Array.from({length: units}, () => [
        pointwise(channels, channels),
        depthwise(channels),
        pointwise(channels, channels),
      ]);
      const [spread, last, beside] = [depthwise(2 * channels), pointwise(2 * channels, 3), pointwise(2 * channels, 3)];
      const network = (x: tf.Tensor4D) => {
        let joined = shuffle(tf.concat([left(x), right(x)], 3));
        for (const branch of branches) {
          const [kept, other] = tf.split(joined, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
          joined = shuffle(tf.concat([kept, branch.reduce((y, f) => f(y), other)], 3));
        }
        const end = ending === 'depthwise' ? spread(joined) : ending === 'pool' ? tf.maxPool(joined, 2, 1, 'same') : joined;
        return [last(end), beside(joined), ...(ending === 'observed' ? [tf.mean(joined, [1, 2])] : [])];
      };
      const f = compile((x: tf.Tensor) => network(x as tf.Tensor4D));
      for (const size of [4, 6, 5, 7]) {
        tf.tidy(() => {
          const x = tf.tensor4d(
            Float32Array.from({length: 2 * size * size * 2}, () => random() - 0.5),
            [2, size, size, 2],
          );
          const wanted = network(x);
          (f(x) as tf.Tensor[]).forEach((got, i) => {
            expectClose(Array.from(got.dataSync()), Array.from((wanted[i] as tf.Tensor).dataSync()), 1e-5);
          });
        });
      }
      const labels = f.explain().plans.flatMap((plan) => plan.steps.map((step) => step.label));
      expect(labels.some((label) => label.includes('channel order'))).to.equal(ending !== 'observed');
      f.dispose();
      tf.dispose(weights);
    });
  }
});
