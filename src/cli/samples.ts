/**
 * Models for `tfjs-backend-graviton bench`: the shapes of well-known ones with weights from a seed, written as functions so that an
 * installation needs no model file. Time does not depend on the weights' values.
 */
import * as tf from '@tensorflow/tfjs-core';

export interface Sample {
  readonly about: string;
  readonly input: tf.Tensor;
  readonly run: (x: tf.Tensor) => tf.Tensor;
  /** Operations of the products and convolutions; a multiply-add counts as two. */
  readonly flops: number;
  readonly weightBytes: number;
  /** Disposes of the weights and the input. */
  dispose(): void;
}

/** Makes the weights and counts what is made of them. */
class Maker {
  flops = 0;
  weightBytes = 0;
  readonly tensors: tf.Tensor[] = [];
  private state = 1;

  /** Uniform in ±scale (Numerical Recipes' generator, whose high bits are good enough here). */
  uniform(shape: number[], scale: number): tf.Tensor {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) {
      this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
      values[i] = scale * (this.state / 2 ** 31 - 1);
    }
    return this.keep(tf.tensor(values, shape));
  }

  keep(tensor: tf.Tensor): tf.Tensor {
    this.tensors.push(tensor);
    this.weightBytes += tensor.size * 4;
    return tensor;
  }

  dense(rows: number, from: number, to: number): (x: tf.Tensor) => tf.Tensor {
    const weights = this.uniform([from, to], Math.sqrt(3 / from));
    const bias = this.uniform([to], 0.1);
    this.flops += 2 * rows * from * to;
    return (x) => tf.add(tf.matMul(x, weights), bias);
  }

  conv(size: number, from: number, to: number, filter: number, stride = 1): (x: tf.Tensor) => tf.Tensor {
    const weights = this.uniform([filter, filter, from, to], Math.sqrt(3 / (from * filter * filter))) as tf.Tensor4D;
    const bias = this.uniform([to], 0.1);
    this.flops += 2 * Math.ceil(size / stride) ** 2 * from * to * filter * filter;
    return (x) => tf.add(tf.conv2d(x as tf.Tensor4D, weights, stride, 'same'), bias);
  }

  depthwise(size: number, channels: number, stride: number): (x: tf.Tensor) => tf.Tensor {
    const weights = this.uniform([3, 3, channels, 1], Math.sqrt(3 / 9)) as tf.Tensor4D;
    const bias = this.uniform([channels], 0.1);
    this.flops += 2 * Math.ceil(size / stride) ** 2 * channels * 9;
    return (x) => tf.add(tf.depthwiseConv2d(x as tf.Tensor4D, weights, stride, 'same'), bias);
  }

  norm(width: number): (x: tf.Tensor) => tf.Tensor {
    const gamma = this.uniform([width], 1);
    const beta = this.uniform([width], 0.1);
    return (x) => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gamma), beta);
    };
  }

  sample(about: string, input: tf.Tensor, run: (x: tf.Tensor) => tf.Tensor): Sample {
    const {flops, weightBytes, tensors} = this;
    return {about, input, run, flops, weightBytes, dispose: () => tf.dispose([...tensors, input])};
  }
}

const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

interface Transformer {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly tokens: number;
  /** Keys and values of earlier tokens, held by the model. */
  readonly past: number;
}

function transformerLayer(make: Maker, {width, heads, tokens, past}: Transformer): (x: tf.Tensor) => tf.Tensor {
  const depth = width / heads;
  const [query, key, value, output] = [0, 1, 2, 3].map(() => make.dense(tokens, width, width)) as [
    (x: tf.Tensor) => tf.Tensor,
    (x: tf.Tensor) => tf.Tensor,
    (x: tf.Tensor) => tf.Tensor,
    (x: tf.Tensor) => tf.Tensor,
  ];
  const up = make.dense(tokens, width, 4 * width);
  const down = make.dense(tokens, 4 * width, width);
  const [afterAttention, afterMlp] = [make.norm(width), make.norm(width)];
  const [pastKeys, pastValues] = [make.uniform([heads, past, depth], 1), make.uniform([heads, past, depth], 1)];
  make.flops += 4 * tokens * (tokens + past) * width;
  const split = (x: tf.Tensor) => tf.transpose(tf.reshape(x, [tokens, heads, depth]), [1, 0, 2]);
  const withPast = (before: tf.Tensor, x: tf.Tensor) => (past === 0 ? x : tf.concat([before, x], 1));
  return (x) => {
    const scores = tf.matMul(split(query(x)), withPast(pastKeys, split(key(x))), false, true);
    const weights = tf.softmax(tf.mul(scores, 1 / Math.sqrt(depth)));
    const context = tf.transpose(tf.matMul(weights, withPast(pastValues, split(value(x)))), [1, 0, 2]);
    const attended = afterAttention(tf.add(x, output(tf.reshape(context, [tokens, width]))));
    return afterMlp(tf.add(attended, down(gelu(up(attended)))));
  };
}

function transformer(about: string, sizes: Transformer): Sample {
  const make = new Maker();
  const layers = Array.from({length: sizes.layers}, () => transformerLayer(make, sizes));
  const input = tf.randomUniform([sizes.tokens, sizes.width], -1, 1, 'float32', 7);
  return make.sample(about, input, (x) => layers.reduce((y, layer) => layer(y), x));
}

function resnet50(): Sample {
  const make = new Maker();
  const stem = make.conv(224, 3, 64, 7, 2);
  const blocks: ((x: tf.Tensor) => tf.Tensor)[] = [];
  let [size, channels] = [56, 64];
  for (const [stage, count] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage;
    for (let i = 0; i < count; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const narrow = make.conv(size, channels, width, 1);
      const middle = make.conv(size, width, width, 3, stride);
      const wide = make.conv(size / stride, width, 4 * width, 1);
      const shortcut = i === 0 ? make.conv(size, channels, 4 * width, 1, stride) : tf.clone;
      blocks.push((x) => tf.relu(tf.add(wide(tf.relu(middle(tf.relu(narrow(x))))), shortcut(x))));
      [size, channels] = [size / stride, 4 * width];
    }
  }
  const classes = make.dense(1, 2048, 1000);
  return make.sample('ResNet-50, 224 x 224', tf.randomUniform([1, 224, 224, 3], -1, 1, 'float32', 7), (x) => {
    const start = tf.maxPool(tf.relu(stem(x)) as tf.Tensor4D, 3, 2, 'same');
    return classes(
      tf.mean(
        blocks.reduce((y, block) => block(y), start as tf.Tensor),
        [1, 2],
      ),
    );
  });
}

function mobilenetV2(): Sample {
  const make = new Maker();
  const stem = make.conv(224, 3, 32, 3, 2);
  const blocks: ((x: tf.Tensor) => tf.Tensor)[] = [];
  let [size, channels] = [112, 32];
  // Sandler et al. 2018, table 2: expansion, channels, repeats, first stride.
  const stages = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const;
  for (const [expansion, to, repeats, firstStride] of stages) {
    for (let i = 0; i < repeats; i++) {
      const [stride, from, inner] = [i === 0 ? firstStride : 1, channels, channels * expansion];
      const expand = expansion === 1 ? undefined : make.conv(size, from, inner, 1);
      const spatial = make.depthwise(size, inner, stride);
      size = Math.ceil(size / stride);
      const project = make.conv(size, inner, to, 1);
      blocks.push((x) => {
        const wide = expand === undefined ? x : tf.relu6(expand(x));
        const narrow = project(tf.relu6(spatial(wide)));
        return stride === 1 && from === to ? tf.add(x, narrow) : narrow;
      });
      channels = to;
    }
  }
  const last = make.conv(size, channels, 1280, 1);
  const classes = make.dense(1, 1280, 1000);
  return make.sample('MobileNetV2, 224 x 224', tf.randomUniform([1, 224, 224, 3], -1, 1, 'float32', 7), (x) =>
    classes(tf.mean(tf.relu6(last(blocks.reduce((y, block) => block(y), tf.relu6(stem(x))))), [1, 2])),
  );
}

const makers: Readonly<Record<string, () => Sample>> = {
  minilm: () => transformer('MiniLM-L6: 6 layers of 384, 128 tokens', {layers: 6, width: 384, heads: 12, tokens: 128, past: 0}),
  bert: () => transformer('BERT-base: 12 layers of 768, 128 tokens', {layers: 12, width: 768, heads: 12, tokens: 128, past: 0}),
  decoder: () => transformer('a decoder: 12 layers of 768, 1 token after 128', {layers: 12, width: 768, heads: 12, tokens: 1, past: 128}),
  resnet50,
  mobilenet: mobilenetV2,
};

export const sampleNames: readonly string[] = Object.keys(makers);

export function makeSample(name: string): Sample {
  const make = makers[name];
  if (make === undefined) throw new RangeError(`no sample ${name}`);
  return make();
}
