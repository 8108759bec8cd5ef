import * as tf from '@tensorflow/tfjs-core';
import {fails, floats, ints, row} from './compare';

const close = {abs: 2e-4, ulp: 4};
type Pad = Parameters<typeof tf.conv2d>[3];
interface Conv {
  readonly x: readonly [number, number, number, number];
  readonly filter: readonly [number, number, number, number];
  readonly strides?: number | [number, number];
  readonly dilations?: number | [number, number];
  readonly pad: Pad;
}
const explicit: Pad = [
  [0, 0],
  [1, 2],
  [0, 3],
  [0, 0],
];
const convs: readonly Conv[] = [
  {x: [1, 5, 6, 3], filter: [3, 3, 3, 4], pad: 'same'},
  {x: [2, 7, 5, 4], filter: [1, 1, 4, 17], pad: 'valid'},
  {x: [2, 9, 8, 3], filter: [3, 2, 3, 8], strides: 2, pad: 'same'},
  {x: [1, 9, 8, 3], filter: [3, 3, 3, 5], strides: [1, 3], pad: 'valid'},
  {x: [1, 9, 9, 2], filter: [3, 3, 2, 3], dilations: 2, pad: 'same'},
  {x: [1, 9, 9, 2], filter: [3, 3, 2, 3], dilations: [2, 3], pad: 'valid'},
  {x: [1, 6, 6, 2], filter: [3, 3, 2, 3], pad: explicit},
  {x: [1, 6, 6, 2], filter: [3, 3, 2, 3], pad: 2},
  {x: [0, 6, 6, 2], filter: [3, 3, 2, 3], pad: 'same'},
  {x: [1, 6, 6, 2], filter: [3, 3, 2, 0], pad: 'same'},
  {x: [1, 3, 3, 2], filter: [3, 3, 2, 4], pad: 'valid'},
  {x: [1, 16, 16, 16], filter: [3, 3, 16, 33], pad: 'same'},
];
const name = ({x, filter, strides = 1, dilations = 1, pad}: Conv) =>
  `[${x}] by [${filter}], stride ${strides}, dilation ${dilations}, pad ${JSON.stringify(pad)}`;
const image = (shape: readonly number[]) => floats([...shape], [-1, 1]) as tf.Tensor4D;
const weights = (shape: readonly number[]) => floats([...shape], [-1, 1], 2) as tf.Tensor4D;

describe('convolutions', () => {
  for (const c of convs) {
    const {x, filter, strides = 1, dilations = 1, pad} = c;
    row(`conv2d ${name(c)}`, () => tf.conv2d(image(x), weights(filter), strides, pad, 'NHWC', dilations), close);
    const first = [x[0], x[3], x[1], x[2]];
    const padFirst = pad === explicit ? ([pad[0], pad[3], pad[1], pad[2]] as Pad) : pad;
    row(`conv2d NCHW ${name(c)}`, () => tf.conv2d(image(first), weights(filter), strides, padFirst, 'NCHW', dilations), close);
    const depthwise = [filter[0], filter[1], x[3], 1 + (filter[3] % 3)];
    row(`depthwiseConv2d ${name(c)}`, () => tf.depthwiseConv2d(image(x), weights(depthwise), strides, pad, 'NHWC', dilations), close);
  }
  row('conv1d', () => tf.conv1d(floats([2, 9, 3]) as tf.Tensor3D, floats([3, 3, 4]) as tf.Tensor3D, 2, 'same'), close);
  row('separableConv2d', () => tf.separableConv2d(image([1, 6, 6, 3]), weights([3, 3, 3, 2]), weights([1, 1, 6, 5]), 1, 'same'), close);
  fails(
    'a filter for other channels',
    () =>
      tf
        .engine()
        .runKernel(
          'Conv2D',
          {x: image([1, 4, 4, 3]), filter: weights([2, 2, 2, 4])},
          {strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1},
        ),
    /ERR_SHAPE: Conv2D: a filter \[2, 2, 2, 4\] does not suit 3 channels/,
  );
  fails(
    'a filter of five axes for a gradient',
    () =>
      tf
        .engine()
        .runKernel(
          'DepthwiseConv2dNativeBackpropInput',
          {dy: floats([1, 1, 1, 2]), filter: floats([1, 1, 2, 1, 2])},
          {strides: [2, 1], dilations: [1, 1], pad: 'same', inputShape: [1, 1, 1, 2]},
        ),
    /ERR_SHAPE: DepthwiseConv2dNativeBackpropInput: a filter \[1, 1, 2, 1, 2\] does not suit 2 channels/,
  );
  fails(
    'a filter larger than the image',
    () => tf.conv2d(image([1, 2, 2, 1]), weights([5, 5, 1, 1]), 1, 'valid'),
    /ERR_SHAPE: Conv2D: a window of 5 x 5/,
  );
});

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

describe('fused convolutions', () => {
  const biases: readonly (readonly number[] | undefined)[] = [undefined, [4], [], [1], [5, 6, 4]];
  for (const activation of activations) {
    for (const bias of biases) {
      const options = (filter: readonly number[]) => ({
        x: image([2, 5, 6, 4]),
        filter: weights(filter),
        strides: 1,
        pad: 'same' as const,
        activation,
        leakyreluAlpha: 0.3,
        ...(bias === undefined ? {} : {bias: floats([...bias], [-2, 2], 3)}),
        ...(activation === 'prelu' ? {preluActivationWeights: floats([4], [0.1, 0.5], 4)} : {}),
      });
      row(`conv2d, ${activation}, bias [${bias}]`, () => tf.fused.conv2d(options([3, 3, 4, 4])), close);
      row(`depthwiseConv2d, ${activation}, bias [${bias}]`, () => tf.fused.depthwiseConv2d(options([3, 3, 4, 1])), close);
      if (bias !== undefined && bias.length > 1) continue;
      row(
        `conv2d NCHW, ${activation}, bias [${bias}]`,
        () => tf.fused.conv2d({...options([3, 3, 5, 4]), x: image([2, 5, 4, 6]), dataFormat: 'NCHW'}),
        close,
      );
    }
  }
  row(
    'prelu weights for each pixel',
    () =>
      tf.fused.conv2d({
        x: image([2, 3, 4, 2]),
        filter: weights([1, 1, 2, 3]),
        strides: 1,
        pad: 'same',
        activation: 'prelu',
        preluActivationWeights: floats([3, 4, 3]),
      }),
    close,
  );
});

describe('pools', () => {
  const windows: readonly {x: number[]; size: number | [number, number]; strides: number | [number, number]; pad: Pad}[] = [
    {x: [2, 6, 6, 5], size: 2, strides: 2, pad: 'valid'},
    {x: [2, 7, 5, 17], size: 3, strides: 2, pad: 'same'},
    {x: [1, 7, 5, 3], size: [2, 3], strides: [1, 2], pad: 'same'},
    {x: [1, 7, 7, 33], size: 7, strides: 1, pad: 'valid'},
    {x: [1, 4, 4, 2], size: 3, strides: 1, pad: 1},
    {x: [1, 4, 4, 2], size: 1, strides: 1, pad: 'same'},
    {x: [0, 4, 4, 2], size: 2, strides: 1, pad: 'same'},
  ];
  for (const {x, size, strides, pad} of windows) {
    const called = `[${x}] by ${size}, stride ${strides}, pad ${pad}`;
    row(`maxPool ${called}`, () => tf.maxPool(image(x), size, strides, pad as 'same'));
    row(`avgPool ${called}`, () => tf.avgPool(image(x), size, strides, pad as 'same'), {abs: 1e-6});
  }
  row('dilated', () => [tf.pool(image([1, 8, 8, 3]), 2, 'max', 'same', 2), tf.pool(image([1, 8, 8, 3]), 2, 'avg', 'valid', 2)], {
    abs: 1e-6,
  });
  row('maxPool passes over NaN', () => tf.maxPool(tf.tensor4d([1, NaN, 3, NaN], [1, 2, 2, 1]), 2, 1, 'valid'));
  row('maxPool of int32 falls back', () => tf.maxPool(ints([1, 4, 4, 2]) as tf.Tensor4D, 2, 2, 'valid'), {fallsBack: true});
});

describe('resize', () => {
  for (const size of [
    [7, 5],
    [3, 4],
    [1, 1],
    [20, 11],
  ] as [number, number][]) {
    for (const [align, half] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      row(`bilinear to [${size}] ${align} ${half}`, () => tf.image.resizeBilinear(image([2, 6, 5, 3]), size, align, half), {abs: 1e-5});
      row(`nearest to [${size}] ${align} ${half}`, () => tf.image.resizeNearestNeighbor(image([2, 6, 5, 3]), size, align, half));
    }
  }
  row('bilinear of int32', () => tf.image.resizeBilinear(ints([1, 3, 3, 2]) as tf.Tensor4D, [5, 5]), {abs: 1e-5});
  fails('a size of zero', () => tf.image.resizeBilinear(image([1, 3, 3, 2]), [0, 5]), /ERR_SHAPE: Resize2D/);
});
