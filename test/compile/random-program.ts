/**
 * Random programs of tf calls for property tests. A program is a list of steps, each of which takes operands from a pool and puts its
 * result there; a step that does not fit its operands is left out, so that every list is a program and any part of it still is one when a
 * failure is made smaller.
 *
 * Beside each tensor runs an error analysis: `bound`, the largest magnitude that it can have, and `error`, how far two correct float32
 * evaluations of it can lie apart (Higham 2002, chapter 3: gain of the function times the operands' error, plus roundings of the result).
 * An error of 0 means that any two evaluations agree in every bit; functions with jumps take no other operands.
 */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {randoms} from './pass-harness';

export interface Item {
  readonly t: tf.Tensor;
  readonly bound: number;
  readonly error: number;
}

export interface Step {
  readonly kind: string;
  /** Operands, by number in the pool. */
  readonly x: number;
  readonly y: number;
  /** What else the step needs to choose. */
  readonly n: readonly number[];
}

const eps = 2 ** -23;
/** Larger values and errors are left out: the comparison would say little. */
const maxBound = 1e4;
const maxError = 1e-2;
const maxElems = 2048;

/** Constants that programs capture: the same tensor for equal arguments, until dispose(). */
export class Weights {
  private readonly made = new Map<string, tf.Tensor>();

  /** Elements in [−1, 1). */
  get(shape: readonly number[], salt: number): tf.Tensor {
    const key = `${shape} ${salt}`;
    let tensor = this.made.get(key);
    if (tensor === undefined) {
      const random = randoms(salt + 7919 * shape.length);
      const values = Float32Array.from({length: tf.util.sizeFromShape(shape as number[])}, () => 2 * random() - 1);
      tensor = tf.keep(tf.tensor(values, shape as number[]));
      this.made.set(key, tensor);
    }
    return tensor;
  }

  dispose(): void {
    tf.dispose([...this.made.values()]);
  }
}

interface Choices {
  readonly n: readonly number[];
  readonly weights: Weights;
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
const item = (t: tf.Tensor, bound: number, error: number, roundings = 4): Item => ({
  t,
  bound,
  error: error + (t.dtype === 'float32' ? roundings * eps * bound : 0),
});
/** Moves elements only. */
const moved = (t: tf.Tensor, x: Item): Item => ({t, bound: x.bound, error: x.error});

interface Unary {
  readonly f: (x: tf.Tensor) => tf.Tensor;
  readonly bound: (b: number) => number;
  /** Largest slope for arguments up to b. */
  readonly gain: (b: number) => number;
}

const one = () => 1;
const unary: Readonly<Record<string, Unary>> = {
  relu: {f: tf.relu, bound: (b) => b, gain: one},
  relu6: {f: tf.relu6, bound: (b) => Math.min(b, 6), gain: one},
  neg: {f: tf.neg, bound: (b) => b, gain: one},
  abs: {f: tf.abs, bound: (b) => b, gain: one},
  tanh: {f: tf.tanh, bound: one, gain: one},
  sigmoid: {f: tf.sigmoid, bound: one, gain: one},
  erf: {f: tf.erf, bound: one, gain: () => 1.2},
  sin: {f: tf.sin, bound: one, gain: one},
  square: {f: tf.square, bound: (b) => b * b, gain: (b) => 2 * b},
  cube: {f: (x) => tf.pow(x, 3), bound: (b) => b ** 3, gain: (b) => 3 * b * b},
  exp: {f: (x) => tf.exp(tf.minimum(x, 2)), bound: () => 8, gain: () => 8},
  elu: {f: tf.elu, bound: (b) => Math.max(b, 1), gain: one},
  softplus: {f: tf.softplus, bound: (b) => b + 1, gain: one},
  leakyRelu: {f: (x) => tf.leakyRelu(x, 0.1), bound: (b) => b, gain: one},
  root: {f: (x) => tf.sqrt(tf.add(tf.square(x), 1)), bound: (b) => b + 1, gain: (b) => 1 + b},
  inverse: {f: (x) => tf.rsqrt(tf.add(tf.square(x), 1)), bound: one, gain: (b) => 1 + b},
  reciprocal: {f: (x) => tf.div(1, tf.add(1, tf.abs(x))), bound: one, gain: one},
  scale: {f: (x) => tf.mul(x, 0.25), bound: (b) => b / 4, gain: () => 0.25},
  shift: {f: (x) => tf.sub(3, x), bound: (b) => b + 3, gain: one},
  neutral: {f: (x) => tf.div(tf.sub(tf.mul(x, 1), 0), 1), bound: (b) => b, gain: one},
  geluErf: {f: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1)), bound: (b) => b + 1, gain: () => 2},
  geluTanh: {
    f: (x) => {
      const inner = tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    },
    bound: (b) => b + 1,
    gain: () => 2,
  },
  silu: {f: (x) => tf.mul(x, tf.sigmoid(x)), bound: (b) => b + 1, gain: () => 2},
  hardSwish: {f: (x) => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)), bound: (b) => b + 1, gain: () => 2},
  mish: {f: (x) => tf.mul(x, tf.tanh(tf.softplus(x))), bound: (b) => b + 1, gain: () => 2},
};

/** Functions with jumps, of operands that are exact. */
const jumps: readonly ((x: tf.Tensor) => tf.Tensor)[] = [tf.floor, tf.ceil, tf.round, (x) => tf.cast(tf.greater(x, 0), 'float32')];

interface Binary {
  readonly f: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;
  readonly bound: (a: number, b: number) => number;
  /** Gains of both operands. */
  readonly gain: (a: number, b: number) => readonly [number, number];
}

const both = () => [1, 1] as const;
const binary: readonly Binary[] = [
  {f: tf.add, bound: (a, b) => a + b, gain: both},
  {f: tf.sub, bound: (a, b) => a + b, gain: both},
  {f: tf.mul, bound: (a, b) => a * b, gain: (a, b) => [b, a]},
  {f: tf.maximum, bound: Math.max, gain: both},
  {f: tf.minimum, bound: Math.max, gain: both},
  {f: tf.squaredDifference, bound: (a, b) => (a + b) ** 2, gain: (a, b) => [2 * (a + b), 2 * (a + b)]},
  {f: (x, y) => tf.div(x, tf.add(1, tf.abs(y))), bound: (a) => a, gain: (a) => [1, a]},
  {f: (x, y) => tf.prelu(x, y), bound: (a, b) => a * Math.max(1, b), gain: (a, b) => [Math.max(1, b), a]},
];

const combine = ({f, bound, gain}: Binary, x: Item, y: Item): Item => {
  const [gainX, gainY] = gain(x.bound, y.bound);
  return item(f(x.t, y.t), bound(x.bound, y.bound), gainX * x.error + gainY * y.error, 6);
};

const broadcasts = (a: readonly number[], b: readonly number[]) =>
  a.every((size, i) => {
    const other = b[b.length - a.length + i];
    return other === undefined || other === size || size === 1 || other === 1;
  });

/** A weight that broadcasts to the shape: some axes 1, some leading axes missing. */
function partner(shape: readonly number[], n: readonly number[], weights: Weights): Item {
  const axes = shape.map((size, axis) => ((n[0] as number) & (1 << axis) ? 1 : size));
  return {t: weights.get(axes.slice((n[1] as number) % (axes.length + 1)), (n[2] as number) % 3), bound: 1, error: 0};
}

/** The tensor in `rank` axes: leading axes of 1 added, or leading axes joined. */
function asRank(t: tf.Tensor, rank: number): tf.Tensor {
  if (t.rank < rank) return tf.reshape(t, [...Array(rank - t.rank).fill(1), ...t.shape]);
  const extra = t.rank - rank + 1;
  return t.rank === rank ? t : tf.reshape(t, [tf.util.sizeFromShape(t.shape.slice(0, extra)), ...t.shape.slice(extra)]);
}

function product(x: Item, y: Item, depth: number, result: tf.Tensor): Item {
  const bound = depth * x.bound * y.bound;
  return item(result, bound, depth * (x.error * y.bound + y.error * x.bound), depth + 4);
}

/** x · w + bias, then an activation, over the last axis; weights of ±1/depth keep the bound. */
function dense(x: Item, width: number, {n, weights}: Choices, activation = ''): Item {
  const depth = x.t.shape.at(-1) as number;
  const w = {t: tf.div(weights.get([depth, width], n[0] as number), depth), bound: 1 / depth, error: eps};
  const flat = asRank(x.t, 2);
  let y = product(x, w, depth, tf.reshape(tf.matMul(flat, w.t as tf.Tensor2D), [...x.t.shape.slice(0, -1), width]));
  if ((n[1] as number) % 2 === 0) y = combine(binary[0] as Binary, y, {t: weights.get([width], 5), bound: 1, error: 0});
  const f = unary[activation];
  return f === undefined ? y : applyUnary(f, y);
}

const applyUnary = ({f, bound, gain}: Unary, x: Item): Item => item(f(x.t), bound(x.bound), gain(x.bound) * x.error, 12);

/** Layer norm or RMS norm over the last axis, as different converters leave it. */
function normalized(x: Item, {n, weights}: Choices): Item {
  const epsilon = pick([1e-3, 1e-5, 1e-2], n[0] as number);
  const cols = x.t.shape.at(-1) as number;
  const gamma = weights.get([cols], 1);
  const beta = weights.get([cols], 2);
  const variant = (n[1] as number) % 5;
  const root = (v: tf.Tensor) => tf.add(v, epsilon);
  const mean = tf.mean(x.t, -1, true);
  const difference = tf.sub(x.t, mean);
  const variance = tf.mean(variant === 1 ? tf.squaredDifference(x.t, mean) : tf.square(difference), -1, true);
  const inverse = tf.rsqrt(root(variance));
  const scaled = tf.mul(inverse, gamma);
  const result = [
    () => tf.add(tf.mul(tf.mul(difference, inverse), gamma), beta),
    () => tf.add(tf.mul(x.t, scaled), tf.sub(beta, tf.mul(mean, scaled))),
    () => tf.div(difference, tf.sqrt(root(variance))),
    () => tf.mul(x.t, tf.mul(tf.rsqrt(root(tf.mean(tf.square(x.t), -1, true))), gamma)),
    // A near miss: epsilon beside the root.
    () => tf.div(difference, tf.add(tf.sqrt(tf.add(variance, 1e-4)), epsilon)),
  ][variant] as () => tf.Tensor;
  // A root of at least √epsilon divides everything; 1e-4 stands under the root of the last.
  const gain = 4 / Math.sqrt(Math.min(epsilon, 1e-4));
  return {t: result(), bound: Math.sqrt(cols) + 1, error: gain * (x.error + 8 * eps * x.bound)};
}

/** Self-attention over [batch, positions, width] with heads, mask and scale. */
function attention(x: Item, choices: Choices): Item | undefined {
  const {n, weights} = choices;
  const source = {...x, t: asRank(x.t, 3)};
  const [batch, positions, width] = source.t.shape as [number, number, number];
  const heads = width % 2 === 0 ? 2 : 1;
  const depth = width / heads;
  const project = (salt: number): Item => {
    const y = dense(source, width, {...choices, n: [salt, n[1] as number]});
    return moved(tf.transpose(tf.reshape(y.t, [batch, positions, heads, depth]), [0, 2, 1, 3]), y);
  };
  const [q, k, v] = [project(11), project(12), project(13)];
  const raw = product(q, k, depth, tf.matMul(q.t, k.t, false, true));
  const scale = 1 / Math.sqrt(depth);
  let scores = item(tf.mul(raw.t, scale), raw.bound * scale, raw.error * scale);
  const masks = [undefined, [batch, 1, 1, positions], [1, 1, positions, positions], [positions], [batch, heads, positions, positions]];
  const shape = pick(masks, n[2] as number);
  if (shape !== undefined) scores = combine(binary[0] as Binary, scores, {t: weights.get(shape, 3), bound: 1, error: 0});
  const kinds = [scores, {...scores, t: tf.transpose(scores.t, [0, 1, 3, 2])}, applyUnary(unary.relu as Unary, scores)];
  scores = pick([kinds[0], kinds[0], kinds[0], ...kinds], n[3] as number) as Item;
  const weighted = item(tf.softmax(scores.t), 1, 2 * scores.error, 8 + positions);
  // The weights of one query sum to 1.
  const context = tf.matMul(weighted.t, v.t);
  const joined = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch, positions, width]);
  const result = item(joined, v.bound, v.error + positions * weighted.error * v.bound, positions + 4);
  return (n[4] as number) % 2 === 0 ? result : dense(result, width, {...choices, n: [14, n[1] as number]});
}

/** An LSTM or GRU layer over [batch, steps, width], unrolled as the recorder leaves loops; masked, backwards, or with its states joined. */
function recurrent(x: Item, {n, weights}: Choices): Item | undefined {
  const source = asRank(x.t, 3) as tf.Tensor3D;
  const [batch, steps, width] = source.shape;
  const units = pick([1, 3, 4, 16], n[0] as number);
  const lstm = (n[1] as number) % 2 === 0;
  const gates = lstm ? 4 : 3;
  const [w, u] = [tf.div(weights.get([width, gates * units], 21), width), tf.div(weights.get([units, gates * units], 22), units)];
  const [bias, other] = [weights.get([gates * units], 23), weights.get([gates * units], 24)];
  const zeros = (n[2] as number) % 2 === 0;
  let h = zeros ? tf.zeros([batch, units]) : weights.get([batch, units], 25);
  let c = zeros ? tf.zeros([batch, units]) : weights.get([batch, units], 26);
  const states: tf.Tensor[] = [];
  const order = Array.from({length: steps}, (_, t) => ((n[3] as number) % 3 === 0 ? steps - 1 - t : t));
  for (const t of order) {
    const input = tf.add(tf.matMul(tf.reshape(tf.slice(source, [0, t, 0], [batch, 1, width]), [batch, width]), w as tf.Tensor2D), bias);
    const product = tf.matMul(h as tf.Tensor2D, u as tf.Tensor2D);
    if (lstm) {
      const [i, f, g, o] = tf.split(tf.add(product, input), 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const next = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      c = (n[4] as number) % 5 === 0 ? tf.where(tf.greater(h, 0), next, c) : next;
      h = tf.mul(tf.sigmoid(o), tf.tanh(next));
    } else {
      const [zx, rx, hx] = tf.split(input, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const [zh, rh, hh] = tf.split(tf.add(product, other), 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const update = tf.sigmoid(tf.add(zx, zh));
      h = tf.add(tf.mul(update, h), tf.mul(tf.sub(1, update), tf.tanh(tf.add(hx, tf.mul(tf.sigmoid(tf.add(rx, rh)), hh)))));
    }
    states.push(h);
  }
  // Gates are steeper than 1 nowhere, and there are at most three of them in a state; a choice by the state's sign has a jump.
  if (lstm && (n[4] as number) % 5 === 0 && steps > 1) return undefined;
  const single = x.error + (width + units + 20) * eps * (x.bound + 2);
  const t = pick([() => tf.stack(states, 1), () => tf.stack(states, 0), () => h], n[5] as number)();
  return {t, bound: 1, error: single * 4 ** (steps + 1)};
}

/** A convolution with bias and activation, or a pool, of [batch, height, width, channels]. */
function image(x: Item, {n, weights}: Choices): Item | undefined {
  const source = asRank(x.t, 4) as tf.Tensor4D;
  const [, height, width, channels] = source.shape;
  const [h, w] = [1 + ((n[0] as number) % 3), 1 + ((n[1] as number) % 3)];
  const pad = (n[2] as number) % 2 === 0 ? 'same' : 'valid';
  if (pad === 'valid' && (h > height || w > width)) return undefined;
  const strides = 1 + ((n[3] as number) % 2);
  const kind = (n[4] as number) % 5;
  if (kind === 3) return moved(tf.maxPool(source, [h, w], strides, pad), x);
  if (kind === 4) return item(tf.avgPool(source, [h, w], strides, pad), x.bound, x.error, h * w);
  const depthwise = kind === 2;
  const outputs = depthwise ? channels * 2 : 5;
  const depth = h * w * (depthwise ? 1 : channels);
  const filter = {t: tf.div(weights.get([h, w, channels, depthwise ? 2 : 5], 4), depth), bound: 1 / depth, error: eps};
  const convolve = depthwise ? tf.depthwiseConv2d<tf.Tensor4D> : tf.conv2d<tf.Tensor4D>;
  const bias = combine(binary[0] as Binary, product(x, filter, depth, convolve(source, filter.t as tf.Tensor4D, strides, pad)), {
    t: weights.get([outputs], 5),
    bound: 1,
    error: 0,
  });
  return applyUnary(pick([unary.relu6, unary.hardSwish, unary.neutral] as Unary[], n[5] as number), bias);
}

const permutation = (rank: number, n: number): number[] => {
  const axes = Array.from({length: rank}, (_, i) => i);
  const result: number[] = [];
  for (let left = n; axes.length > 0; left = Math.floor(left / 5)) result.push(...axes.splice(left % axes.length, 1));
  return result;
};

const movements: readonly ((t: tf.Tensor, n: readonly number[]) => tf.Tensor)[] = [
  (t, n) => tf.transpose(t, permutation(t.rank, n[0] as number)),
  (t) => tf.reshape(t, [-1]),
  (t) => (t.rank < 2 ? tf.expandDims(t, 0) : tf.reshape(t, [(t.shape[0] as number) * (t.shape[1] as number), ...t.shape.slice(2)])),
  (t, n) => {
    const axis = (n[0] as number) % t.rank;
    const size = t.shape[axis] as number;
    const factor = [2, 3, 5].find((f) => size % f === 0) ?? 1;
    return tf.reshape(t, [...t.shape.slice(0, axis), size / factor, factor, ...t.shape.slice(axis + 1)]);
  },
  (t, n) => {
    const begin = t.shape.map((size, axis) => Math.min((n[axis % n.length] as number) % 2, Math.max(0, size - 1)));
    return tf.slice(
      t,
      begin,
      t.shape.map((size, axis) => Math.max(0, size - (begin[axis] as number) - ((n[0] as number) % 2 && size > 2 ? 1 : 0))),
    );
  },
  (t, n) => tf.reverse(t, (n[0] as number) % t.rank),
  (t, n) =>
    tf.stridedSlice(
      t,
      t.shape.map(() => 0),
      t.shape,
      t.shape.map((_, axis) => (axis === (n[0] as number) % t.rank ? 2 : 1)),
    ),
  (t, n) =>
    tf.tile(
      t,
      t.shape.map((_, axis) => (axis === (n[0] as number) % t.rank ? 2 : 1)),
    ),
  (t, n) =>
    tf.pad(
      t,
      t.shape.map((_, axis) => [(n[axis % n.length] as number) % 2, (n[0] as number) % 2] as [number, number]),
      n[1] as number,
    ),
  (t, n) => {
    const axis = (n[0] as number) % t.rank;
    const size = t.shape[axis] as number;
    return size === 0 ? t : tf.gather(t, tf.tensor1d([0, size - 1, (n[1] as number) % size], 'int32'), axis);
  },
  (t, n) => tf.stack([t, tf.neg(t)], (n[0] as number) % (t.rank + 1)),
  (t, n) => {
    const axis = (n[0] as number) % t.rank;
    return (t.shape[axis] as number) % 2 === 0 ? (tf.split(t, 2, axis)[1] as tf.Tensor) : t;
  },
  (t, n) => tf.concat([t, tf.relu(t), t], (n[0] as number) % t.rank),
];

const reductions: readonly ((t: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor)[] = [tf.sum, tf.mean, tf.max, tf.min];

type StepFunction = (x: Item, y: Item, choices: Choices) => Item | undefined;
const isFloat = (x: Item) => x.t.dtype === 'float32';
const isExact = (x: Item) => x.error === 0;

const kinds: Readonly<Record<string, StepFunction>> = {
  unary: (x, _, {n}) => (isFloat(x) ? applyUnary(pick(Object.values(unary), n[0] as number), x) : undefined),
  jump: (x, _, {n}) => (isFloat(x) && isExact(x) ? {t: pick(jumps, n[0] as number)(x.t), bound: x.bound + 1, error: 0} : undefined),
  binary: (x, y, {n}) => (isFloat(x) && isFloat(y) && fits(x, y) ? combine(pick(binary, n[0] as number), x, y) : undefined),
  weighted: (x, _, {n, weights}) => {
    if (!isFloat(x)) return undefined;
    const other = partner(x.t.shape, n.slice(1), weights);
    return (n[4] as number) % 2 ? combine(pick(binary, n[0] as number), other, x) : combine(pick(binary, n[0] as number), x, other);
  },
  select: (x, y, {n}) => {
    if (!isFloat(x) || !isFloat(y) || !isExact(x) || !fits(x, y)) return undefined;
    const condition = pick([tf.greater, tf.lessEqual, tf.notEqual], n[0] as number)(x.t, 0);
    return {t: tf.where(condition, y.t, tf.mul(x.t, 2)), bound: Math.max(2 * x.bound, y.bound), error: y.error};
  },
  integers: (x, y, {n}) => {
    const ints = [x, y].map((i) => (i.t.dtype === 'int32' ? i.t : isExact(i) ? tf.cast(i.t, 'int32') : undefined));
    const [a, b] = ints;
    if (a === undefined || b === undefined || !fits(x, y)) return undefined;
    const functions = [tf.add, tf.mul, tf.maximum, (p: tf.Tensor, q: tf.Tensor) => tf.cast(tf.less(p, q), 'int32')];
    return {t: pick(functions, n[0] as number)(a, b), bound: Math.max(x.bound + y.bound, x.bound * y.bound, 1), error: 0};
  },
  float: (x) => (x.t.dtype === 'int32' ? {t: tf.cast(x.t, 'float32'), bound: x.bound, error: 0} : undefined),
  movement: (x, _, {n}) =>
    x.t.rank > 0 ? {...moved(pick(movements, n[0] as number)(x.t, n.slice(1)), x), bound: Math.max(x.bound, n[2] as number)} : undefined,
  concat: (x, y, {n}) => {
    if (x.t.rank === 0 || x.t.rank !== y.t.rank || x.t.dtype !== y.t.dtype) return undefined;
    const axis = (n[0] as number) % x.t.rank;
    if (x.t.shape.some((size, i) => i !== axis && size !== y.t.shape[i])) return undefined;
    return {t: tf.concat([x.t, y.t], axis), bound: Math.max(x.bound, y.bound), error: Math.max(x.error, y.error)};
  },
  reduce: (x, _, {n}) => {
    if (!isFloat(x) || x.t.rank === 0) return undefined;
    const axes = x.t.shape.flatMap((_, axis) => ((n[1] as number) & (1 << axis) ? [axis] : []));
    const count = tf.util.sizeFromShape(axes.map((axis) => x.t.shape[axis] as number));
    const kind = (n[0] as number) % reductions.length;
    const t = (reductions[kind] as (typeof reductions)[number])(x.t, axes, (n[2] as number) % 2 === 0);
    // Largest and smallest round nothing.
    if (kind > 1) return moved(t, x);
    const terms = kind === 0 ? Math.max(1, count) : 1;
    return item(t, terms * x.bound, terms * x.error, count + 2);
  },
  softmax: (x, _, {n}) => {
    if (!isFloat(x) || x.t.rank === 0) return undefined;
    const cols = x.t.shape.at(-1) as number;
    const logarithm = (n[0] as number) % 3 === 0;
    const t = logarithm ? tf.logSoftmax(x.t) : tf.softmax(x.t);
    return item(t, logarithm ? 2 * x.bound + Math.log(cols + 1) : 1, 2 * (x.error + eps * x.bound), cols + 8);
  },
  dense: (x, _, choices) =>
    isFloat(x) && x.t.rank > 0 && x.t.shape.at(-1) !== 0
      ? dense(
          x,
          pick([1, 3, 4, 17], choices.n[2] as number),
          choices,
          pick(['', 'relu', 'geluErf', 'silu', 'relu6', 'tanh', 'geluTanh'], choices.n[3] as number),
        )
      : undefined,
  matMul: (x, y) => {
    if (!isFloat(x) || !isFloat(y) || x.t.rank < 2 || x.t.rank !== y.t.rank) return undefined;
    const [a, b] = [x.t.shape, y.t.shape];
    const batches = a.slice(0, -2).every((size, axis) => size === b[axis]);
    if (!batches) return undefined;
    const depth = a.at(-1) as number;
    for (const [transposeA, transposeB] of [
      [false, false],
      [false, true],
      [true, false],
    ] as const) {
      if (a.at(transposeA ? -2 : -1) !== b.at(transposeB ? -1 : -2)) continue;
      return product(x, y, transposeA ? (a.at(-2) as number) : depth, tf.matMul(x.t, y.t, transposeA, transposeB));
    }
    return undefined;
  },
  normalize: (x, _, choices) => (isFloat(x) && x.t.rank > 0 && x.t.shape.at(-1) !== 0 ? normalized(x, choices) : undefined),
  attention: (x, _, choices) => (isFloat(x) && x.t.rank > 0 && x.t.size > 0 ? attention(x, choices) : undefined),
  recurrent: (x, _, choices) => (isFloat(x) && x.t.rank > 0 && x.t.size > 0 ? recurrent(x, choices) : undefined),
  image: (x, _, choices) => (isFloat(x) && x.t.rank > 1 && x.t.size > 0 ? image(x, choices) : undefined),
};

const fits = (x: Item, y: Item) => {
  const [short, long] = x.t.rank <= y.t.rank ? [x.t.shape, y.t.shape] : [y.t.shape, x.t.shape];
  return broadcasts(short, long);
};

/** The largest magnitude of the elements of inputs. */
export const inputBound = 2;

/** The pool after all steps: the inputs first. Call it inside tf.tidy or a compiled function. */
export function runProgram(steps: readonly Step[], inputs: readonly tf.Tensor[], weights: Weights): Item[] {
  const pool = inputs.map((t): Item => ({t, bound: inputBound, error: 0}));
  for (const {kind, x, y, n} of steps) {
    const result = (kinds[kind] as StepFunction)(fromEnd(pool, x), fromEnd(pool, y), {n, weights});
    if (result === undefined || result.t.size > maxElems || result.t.rank > 5) continue;
    if (result.bound <= maxBound && result.error <= maxError) pool.push(result);
  }
  return pool;
}

/** Small numbers take recent results, so that chains are common. */
const fromEnd = (pool: readonly Item[], n: number): Item => pool[pool.length - 1 - (n % pool.length)] as Item;

const choices = fc.array(fc.nat({max: 59}), {minLength: 6, maxLength: 6});

export function stepsOf(names: readonly string[] = Object.keys(kinds), maxLength = 14): fc.Arbitrary<Step[]> {
  const operand = fc.oneof({arbitrary: fc.nat({max: 1}), weight: 2}, fc.nat({max: 7}));
  return fc.array(fc.record({kind: fc.constantFrom(...names), x: operand, y: operand, n: choices}), {minLength: 1, maxLength, size: 'max'});
}

export const inputShapes = fc.array(
  fc.oneof(
    {arbitrary: fc.array(fc.integer({min: 1, max: 6}), {minLength: 1, maxLength: 4, size: 'max'}), weight: 12},
    {arbitrary: fc.constantFrom([], [0], [2, 0], [3, 0, 2]), weight: 1},
    {arbitrary: fc.constantFrom([4, 4], [2, 4, 4], [1, 5, 8], [2, 6, 6, 3], [33, 2], [3, 3, 3]), weight: 6},
  ),
  {minLength: 1, maxLength: 3},
);
