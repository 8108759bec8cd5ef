/** Results with many more threads than processors: every way that work is shared out, beside one thread. */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '../../src';
import {native} from '../../src/native';

const filled = (shape: number[], seed: number) => tf.randomUniform(shape, -1, 1, 'float32', seed);

/** Each large enough that 64 parts and more are worth their threads. */
const works: Readonly<Record<string, () => tf.Tensor>> = {
  'MatMul of one row': () => tf.matMul(filled([1, 1500], 1), filled([1500, 3000], 2) as tf.Tensor2D),
  'MatMul of 3 rows': () => tf.matMul(filled([3, 1500], 1), filled([1500, 2000], 2) as tf.Tensor2D),
  'MatMul of 777 rows and 65 columns': () => tf.matMul(filled([777, 300], 1), filled([300, 65], 2) as tf.Tensor2D),
  'MatMul of a batch': () => tf.matMul(filled([70, 20, 64], 1), filled([70, 64, 50], 2)),
  Conv2D: () => tf.conv2d(filled([1, 29, 31, 16], 1) as tf.Tensor4D, filled([3, 3, 16, 40], 2) as tf.Tensor4D, 1, 'same'),
  'Conv2D with strides': () => tf.conv2d(filled([1, 57, 57, 32], 1) as tf.Tensor4D, filled([3, 3, 32, 70], 2) as tf.Tensor4D, 2, 'valid'),
  DepthwiseConv2D: () => tf.depthwiseConv2d(filled([1, 57, 61, 70], 1) as tf.Tensor4D, filled([3, 3, 70, 1], 2) as tf.Tensor4D, 1, 'same'),
  MaxPool: () => tf.maxPool(filled([2, 99, 97, 37], 1) as tf.Tensor4D, 3, 1, 'same'),
  MaxPoolWithArgmax: () => tf.maxPoolWithArgmax(filled([2, 99, 97, 37], 1) as tf.Tensor4D, 3, 1, 'same').indexes as tf.Tensor,
  'gradient of a depthwise filter': () => {
    const attrs = {strides: [1, 1], dilations: [1, 1], pad: 'same', filterShape: [3, 3, 70, 1]};
    return tf
      .engine()
      .runKernel('DepthwiseConv2dNativeBackpropFilter', {x: filled([1, 57, 61, 70], 1), dy: filled([1, 57, 61, 70], 2)}, attrs);
  },
  'Sum of everything': () => tf.sum(filled([3_000_000], 1)),
  'Sum of few long columns': () => tf.sum(filled([300_000, 7], 1), 0),
  'ArgMax of one row': () => tf.argMax(filled([3_000_000], 1)),
  'Softmax of 3 long rows': () => tf.softmax(filled([3, 300_000], 1)),
  'Softmax of many rows': () => tf.softmax(filled([3000, 301], 1)),
  'TopK of one row': () => tf.topk(filled([1_000_000], 1), 20).values,
  Cumsum: () => tf.cumsum(filled([70, 9001], 1), 1),
  Exp: () => tf.exp(filled([1_000_003], 1)),
  Transpose: () => tf.transpose(filled([301, 67, 53], 1), [2, 0, 1]),
  ResizeBilinear: () => tf.image.resizeBilinear(filled([1, 61, 63, 33], 1) as tf.Tensor4D, [203, 199]),
};

describe('work shared out among many threads', () => {
  before(() => tf.setBackend('graviton'));
  after(() => {
    native().configure({threads: native().info.cpus});
    native().freeArenas();
  });

  for (const [name, work] of Object.entries(works)) {
    it(`${name}: 2, 63, 64, 65 and 256 threads give what one gives`, () => {
      const by = (threads: number): tf.TypedArray => {
        native().configure({threads});
        const result = tf.tidy(work);
        const elements = result.dataSync();
        result.dispose();
        return elements;
      };
      const one = by(1);
      const largest = Array.from(one).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      for (const threads of [2, 63, 64, 65, 256]) {
        const many = by(threads);
        let worst = 0;
        for (let i = 0; i < one.length; i++) {
          const difference = Math.abs((one[i] as number) - (many[i] as number));
          if (!(difference <= worst)) worst = difference;
        }
        // Sums in another order, of at most 3·10⁶ terms by trees: some tens of ε of the largest, and of a sum that cancels more of it.
        const allowed = one instanceof Int32Array ? 0 : 1e-4 * Math.max(1, largest);
        expect(worst, `${threads} threads`).to.be.at.most(allowed);
      }
    });
  }
});
