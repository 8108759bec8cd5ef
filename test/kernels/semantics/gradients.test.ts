/**
 * The gradient of every differentiable kernel against differences: for scalar f and a random direction v, <∇f(x), v> is
 * (f(x + h v) − f(x − h v)) / 2h up to h² and the rounding of f over h. f is a weighted sum of the kernel's results, added in double
 * precision; functions with kinks are tried where none is within reach.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers tfjs-core's gradients, which are in no file of its own that Node can load
import {expect} from 'chai';
import '../../../src';
import {floats} from '../compare';

type Composed = (...xs: readonly tf.Tensor[]) => tf.Tensor;
interface Case {
  readonly f: Composed;
  readonly shapes: readonly (readonly number[])[];
  readonly range?: readonly [number, number];
  /** Elements that lie further apart than a step reaches: maxima stay where they are. */
  readonly distinct?: boolean;
}

const step = 2 ** -7;

/** Numbers in the range, in no order, at equal distances. */
function distinctFloats(shape: readonly number[], [low, high]: readonly [number, number], salt: number): tf.Tensor {
  const size = tf.util.sizeFromShape([...shape]);
  const order = Array.from(floats([size], [0, 1], salt).dataSync()).map((key, i) => [key, i] as const);
  order.sort((a, b) => a[0] - b[0]);
  return tf.tensor(
    order.map(([, i]) => low + ((high - low) * i) / Math.max(1, size - 1)),
    [...shape],
  );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

function differentiates(name: string, {f, shapes, range = [-2, 2], distinct = false}: Case): void {
  it(name, async () => {
    await tf.setBackend('graviton');
    tf.tidy(() => {
      const xs = shapes.map((shape, i) => (distinct ? distinctFloats(shape, range, i + 1) : floats([...shape], range, i + 1)));
      const weights = floats([...f(...xs).shape], [-1, 1], 77);
      const gradients = tf.grads((...ts) => tf.sum(tf.mul(f(...ts), weights)))(xs);
      xs.forEach((x, i) => {
        const direction = floats([...x.shape], [-1, 1], 33 + i);
        const at = (h: number): number => {
          const moved = xs.map((t, j) => (j === i ? tf.add(t, tf.mul(direction, h)) : t));
          return dot(f(...moved).dataSync(), weights.dataSync());
        };
        const wanted = (at(step) - at(-step)) / (2 * step);
        const got = dot((gradients[i] as tf.Tensor).dataSync(), direction.dataSync());
        const scale = Math.max(1, Math.abs(wanted), dot(tf.abs(gradients[i] as tf.Tensor).dataSync(), tf.abs(direction).dataSync()));
        expect(Math.abs(got - wanted) / scale, `operand ${i}: ${got}, by differences ${wanted}`).to.be.below(2e-3);
      });
    });
  });
}

const t4 = (x: tf.Tensor): tf.Tensor4D => x as tf.Tensor4D;
const t5 = (x: tf.Tensor): tf.Tensor5D => x as tf.Tensor5D;

const positive = [0.25, 2] as const;
const inside = [-0.75, 0.75] as const;
const unary: Readonly<Record<string, readonly [(x: tf.Tensor) => tf.Tensor, (readonly [number, number])?]>> = {
  abs: [tf.abs, positive],
  acos: [tf.acos, inside],
  acosh: [tf.acosh, [1.5, 3]],
  asin: [tf.asin, inside],
  asinh: [tf.asinh],
  atan: [tf.atan],
  atanh: [tf.atanh, inside],
  cos: [tf.cos],
  cosh: [tf.cosh],
  elu: [tf.elu, positive],
  erf: [tf.erf],
  exp: [tf.exp],
  expm1: [tf.expm1],
  leakyRelu: [(x) => tf.leakyRelu(x), positive],
  log: [tf.log, positive],
  log1p: [tf.log1p, positive],
  logSigmoid: [tf.logSigmoid],
  neg: [tf.neg],
  reciprocal: [tf.reciprocal, positive],
  relu: [tf.relu, positive],
  relu6: [tf.relu6, [0.5, 5]],
  rsqrt: [tf.rsqrt, positive],
  selu: [tf.selu, positive],
  sigmoid: [tf.sigmoid],
  sin: [tf.sin],
  sinh: [tf.sinh],
  softplus: [tf.softplus],
  sqrt: [tf.sqrt, positive],
  square: [tf.square],
  tan: [tf.tan, inside],
  tanh: [tf.tanh],
};
const apart = {range: [-3, 3], distinct: true} as const;

const cases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries(unary).map(([name, [f, range = [-2, 2]]]) => [name, {f: (x: tf.Tensor) => f(x), shapes: [[3, 7]], range}]),
  ),
  'elu below 0': {f: (x) => tf.elu(x), shapes: [[9]], range: [-2, -0.25]},
  'selu below 0': {f: (x) => tf.selu(x), shapes: [[9]], range: [-2, -0.25]},
  'leakyRelu below 0': {f: (x) => tf.leakyRelu(x, 0.3), shapes: [[9]], range: [-2, -0.25]},
  prelu: {f: (x, a) => tf.prelu(x, a), shapes: [[4, 5], [5]], range: [-2, -0.25]},
  clipByValue: {f: (x) => tf.clipByValue(x, -1.5, 1.5), shapes: [[9]], range: [-1, 1]},
  add: {
    f: (a, b) => tf.add(a, b),
    shapes: [
      [4, 1, 3],
      [2, 3],
    ],
  },
  sub: {f: (a, b) => tf.sub(a, b), shapes: [[4, 3], [3]]},
  mul: {
    f: (a, b) => tf.mul(a, b),
    shapes: [
      [4, 1, 3],
      [2, 1],
    ],
  },
  div: {f: (a, b) => tf.div(a, b), shapes: [[4, 3], [3]], range: positive},
  pow: {f: (a, b) => tf.pow(a, b), shapes: [[4, 3], [3]], range: positive},
  atan2: {
    f: (a, b) => tf.atan2(a, b),
    shapes: [
      [4, 3],
      [4, 3],
    ],
    range: positive,
  },
  squaredDifference: {
    f: (a, b) => tf.squaredDifference(a, b),
    shapes: [
      [4, 3],
      [4, 3],
    ],
  },
  maximum: {
    f: (a, b) => tf.maximum(a, tf.add(b, 4)),
    shapes: [
      [4, 3],
      [4, 3],
    ],
    range: [-1, 1],
  },
  minimum: {
    f: (a, b) => tf.minimum(a, tf.add(b, 4)),
    shapes: [
      [4, 3],
      [4, 3],
    ],
    range: [-1, 1],
  },
  addN: {f: (a, b) => tf.addN([a, b]), shapes: [[3], [3]]},
  where: {f: (a, b) => tf.where(tf.tensor1d([1, 0, 1], 'bool'), a, b), shapes: [[3], [3]]},
  matMul: {
    f: (a, b) => tf.matMul(a, b),
    shapes: [
      [5, 7],
      [7, 3],
    ],
  },
  'matMul of transposes in batches': {
    f: (a, b) => tf.matMul(a, b, true, true),
    shapes: [
      [2, 7, 5],
      [2, 3, 7],
    ],
  },
  sum: {f: (x) => tf.sum(x, [0, 2]), shapes: [[3, 4, 5]]},
  mean: {f: (x) => tf.mean(x, 1), shapes: [[3, 4]]},
  prod: {f: (x) => tf.prod(x, 1), shapes: [[3, 4]], range: positive},
  max: {f: (x) => tf.max(x, 1), shapes: [[3, 6]], ...apart},
  min: {f: (x) => tf.min(x, 0), shapes: [[3, 6]], ...apart},
  cumsum: {f: (x) => tf.cumsum(x, 1, true, true), shapes: [[3, 6]]},
  softmax: {f: (x) => tf.softmax(x), shapes: [[3, 6]]},
  logSoftmax: {f: (x) => tf.logSoftmax(x), shapes: [[3, 6]]},
  logSumExp: {f: (x) => tf.logSumExp(x, 1), shapes: [[3, 6]]},
  batchNorm: {
    f: (x, mean, variance, offset, scale) =>
      tf.batchNorm(t4(x), mean as tf.Tensor1D, tf.add(variance, 3) as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D),
    shapes: [[2, 3, 3, 4], [4], [4], [4], [4]],
  },
  localResponseNormalization: {f: (x) => tf.localResponseNormalization(t4(x), 2, 1.5, 0.3, 0.75), shapes: [[1, 2, 3, 7]]},
  transpose: {f: (x) => tf.transpose(x, [2, 0, 1]), shapes: [[2, 3, 4]]},
  reshape: {f: (x) => tf.reshape(x, [6, 4]), shapes: [[2, 3, 4]]},
  slice: {f: (x) => tf.slice(x, [0, 1], [2, 2]), shapes: [[3, 4]]},
  stridedSlice: {f: (x) => tf.reverse(tf.tile(x, [2, 1]), 0), shapes: [[3, 4]]},
  concat: {
    f: (a, b) => tf.concat([a, b], 1),
    shapes: [
      [3, 4],
      [3, 2],
    ],
  },
  split: {f: (x) => tf.split(x, [1, 3], 1)[1] as tf.Tensor, shapes: [[3, 4]]},
  stack: {f: (a, b) => tf.stack([a, b], 1), shapes: [[3], [3]]},
  unstack: {f: (x) => tf.unstack(x)[1] as tf.Tensor, shapes: [[3, 4]]},
  pad: {
    f: (x) =>
      tf.pad(x, [
        [1, 2],
        [0, 1],
      ]),
    shapes: [[3, 4]],
  },
  'batchToSpaceND and back': {
    f: (x) =>
      tf.spaceToBatchND(
        tf.batchToSpaceND(
          x,
          [2, 1],
          [
            [0, 0],
            [0, 0],
          ],
        ),
        [2, 1],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    shapes: [[4, 3, 2, 1]],
  },
  gather: {f: (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 0), shapes: [[3, 4]]},
  'gather along the last axis': {f: (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 3], 'int32'), 1), shapes: [[3, 4]]},
  unsortedSegmentSum: {f: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1], 'int32'), 3), shapes: [[3, 4]]},
  broadcastTo: {f: (x) => tf.broadcastTo(x, [2, 3, 4]), shapes: [[3, 1]]},
  conv2d: {
    f: (x, w) => tf.conv2d(t4(x), t4(w), 1, 'same'),
    shapes: [
      [2, 6, 5, 3],
      [3, 3, 3, 4],
    ],
  },
  'conv2d with steps': {
    f: (x, w) => tf.conv2d(t4(x), t4(w), [2, 3], 'same'),
    shapes: [
      [2, 7, 8, 3],
      [3, 2, 3, 4],
    ],
  },
  'conv2d, valid': {
    f: (x, w) => tf.conv2d(t4(x), t4(w), 2, 'valid'),
    shapes: [
      [1, 7, 8, 2],
      [2, 3, 2, 5],
    ],
  },
  'conv2d, explicit padding': {
    f: (x, w) =>
      tf.conv2d(t4(x), t4(w), 1, [
        [0, 0],
        [3, 1],
        [0, 2],
        [0, 0],
      ]),
    shapes: [
      [1, 4, 5, 2],
      [2, 3, 2, 3],
    ],
  },
  'conv2d, pixelwise': {
    f: (x, w) => tf.conv2d(t4(x), t4(w), 1, 'same'),
    shapes: [
      [2, 4, 5, 3],
      [1, 1, 3, 6],
    ],
  },
  conv2dTranspose: {
    f: (x, w) => tf.conv2dTranspose(t4(x), t4(w), [2, 8, 6, 3], 2, 'same'),
    shapes: [
      [2, 4, 3, 4],
      [3, 3, 3, 4],
    ],
  },
  conv1d: {
    f: (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 2, 'same'),
    shapes: [
      [2, 9, 3],
      [3, 3, 4],
    ],
  },
  depthwiseConv2d: {
    f: (x, w) => tf.depthwiseConv2d(t4(x), t4(w), 1, 'same'),
    shapes: [
      [2, 6, 5, 3],
      [3, 3, 3, 1],
    ],
  },
  'depthwiseConv2d with steps and a multiplier': {
    f: (x, w) => tf.depthwiseConv2d(t4(x), t4(w), 2, 'same'),
    shapes: [
      [2, 6, 5, 3],
      [3, 2, 3, 2],
    ],
  },
  separableConv2d: {
    f: (x, d, p) => tf.separableConv2d(t4(x), t4(d), t4(p), 1, 'same'),
    shapes: [
      [1, 5, 5, 2],
      [3, 3, 2, 2],
      [1, 1, 4, 3],
    ],
  },
  conv3d: {
    f: (x, w) => tf.conv3d(t5(x), t5(w), 1, 'same'),
    shapes: [
      [2, 3, 4, 4, 2],
      [2, 3, 2, 2, 3],
    ],
  },
  'conv3d, valid': {
    f: (x, w) => tf.conv3d(t5(x), t5(w), 1, 'valid'),
    shapes: [
      [2, 3, 4, 5, 3],
      [2, 3, 2, 3, 2],
    ],
  },
  'conv3d to many channels': {
    f: (x, w) => tf.conv3d(t5(x), t5(w), 1, 'same'),
    shapes: [
      [1, 3, 2, 3, 1],
      [2, 3, 2, 1, 5],
    ],
  },
  'conv3d with steps': {
    f: (x, w) => tf.conv3d(t5(x), t5(w), 2, 'valid'),
    shapes: [
      [1, 5, 4, 5, 2],
      [2, 2, 3, 2, 3],
    ],
  },
  maxPool: {f: (x) => tf.maxPool(t4(x), 3, 2, 'same'), shapes: [[2, 6, 5, 2]], ...apart},
  avgPool: {f: (x) => tf.avgPool(t4(x), 3, 2, 'valid'), shapes: [[2, 7, 7, 2]]},
  // tfjs-backend-cpu's gradient divides by whole windows at the edges; what avgPool computes does not.
  'avgPool, same': {f: (x) => tf.avgPool(t4(x), 3, 2, 'same'), shapes: [[2, 6, 5, 2]]},
  maxPool3d: {f: (x) => tf.maxPool3d(t5(x), 2, 2, 'same'), shapes: [[1, 3, 5, 4, 2]], range: [-8, 8], distinct: true},
  avgPool3d: {f: (x) => tf.avgPool3d(t5(x), [2, 3, 2], [1, 2, 2], 'same'), shapes: [[1, 3, 5, 4, 2]]},
  dilation2d: {
    f: (x, w) => tf.dilation2d(t4(x), w as tf.Tensor3D, 1, 'same'),
    shapes: [
      [1, 4, 5, 2],
      [2, 2, 2],
    ],
    range: [-9, 9],
    distinct: true,
  },
  resizeBilinear: {f: (x) => tf.image.resizeBilinear(t4(x), [7, 9]), shapes: [[2, 4, 5, 2]]},
  'resizeBilinear, smaller': {f: (x) => tf.image.resizeBilinear(t4(x), [3, 2], true), shapes: [[2, 4, 5, 2]]},
  // tfjs-backend-cpu's gradient knows nothing of half-pixel centres.
  'resizeBilinear, half-pixel centres': {f: (x) => tf.image.resizeBilinear(t4(x), [7, 9], false, true), shapes: [[2, 4, 5, 2]]},
  resizeNearestNeighbor: {f: (x) => tf.image.resizeNearestNeighbor(t4(x), [7, 9]), shapes: [[2, 4, 5, 2]]},
  'fused matMul': {
    f: (a, b, bias) => tf.fused.matMul({a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'relu'}),
    shapes: [[4, 3], [3, 5], [5]],
    range: positive,
  },
  'fused conv2d': {
    f: (x, w, bias) => tf.fused.conv2d({x: t4(x), filter: t4(w), strides: 1, pad: 'same', bias, activation: 'relu'}),
    shapes: [[1, 4, 4, 2], [3, 3, 2, 3], [3]],
    range: positive,
  },
};

describe('semantics: gradients are those of differences', () => {
  // The gradient of Prod is written with a chained op, which is for users of the union package.
  before(() => {
    Object.assign(tf.Tensor.prototype, {
      reshape(this: tf.Tensor, shape: number[]) {
        return tf.reshape(this, shape);
      },
    });
  });
  after(() => {
    delete (tf.Tensor.prototype as {reshape?: unknown}).reshape;
  });
  for (const [name, made] of Object.entries(cases)) differentiates(name, made);
});
