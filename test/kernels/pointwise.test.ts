import * as tf from '@tensorflow/tfjs-core';
import {bools, fails, floats, ints, row, shapes, special} from './compare';

type Unary = (x: tf.Tensor) => tf.Tensor;
interface UnaryRow {
  readonly fn: Unary;
  /** Where the function is defined. */
  readonly range?: readonly [number, number];
  /** Of our own against the exact value: see src/ops/pointwise.ts. The cpu backend rounds a double. */
  readonly ulp?: number;
  /** cpu's own error, where it is larger than ours (erf: Abramowitz & Stegun 7.1.26, 1.5e-7). */
  readonly abs?: number;
  /** tfjs-core refuses integers. */
  readonly floatOnly?: boolean;
}

const unaries: Readonly<Record<string, UnaryRow>> = {
  abs: {fn: tf.abs},
  acos: {fn: tf.acos, range: [-1, 1], ulp: 4},
  acosh: {fn: tf.acosh, range: [1, 50], ulp: 4},
  asin: {fn: tf.asin, range: [-1, 1], ulp: 4},
  asinh: {fn: tf.asinh, ulp: 4},
  atan: {fn: tf.atan, ulp: 4},
  atanh: {fn: tf.atanh, range: [-0.99, 0.99], ulp: 4},
  ceil: {fn: tf.ceil, floatOnly: true},
  clip: {fn: (x) => tf.clipByValue(x, -1.5, 2.5)},
  cos: {fn: tf.cos, ulp: 4, floatOnly: true},
  cosh: {fn: tf.cosh, ulp: 4, floatOnly: true},
  elu: {fn: tf.elu, ulp: 4, floatOnly: true},
  erf: {fn: tf.erf, abs: 2e-7},
  exp: {fn: tf.exp, ulp: 4},
  expm1: {fn: tf.expm1, ulp: 4},
  floor: {fn: tf.floor, floatOnly: true},
  isFinite: {fn: tf.isFinite},
  isInf: {fn: tf.isInf},
  isNaN: {fn: tf.isNaN},
  leakyRelu: {fn: (x) => tf.leakyRelu(x, 0.3), ulp: 1},
  log: {fn: tf.log, range: [0.01, 50], ulp: 4, floatOnly: true},
  log1p: {fn: tf.log1p, range: [-0.9, 50], ulp: 4},
  neg: {fn: tf.neg},
  reciprocal: {fn: tf.reciprocal, range: [0.1, 4], ulp: 1},
  relu: {fn: tf.relu},
  relu6: {fn: tf.relu6},
  round: {fn: tf.round},
  rsqrt: {fn: tf.rsqrt, range: [0.01, 50], ulp: 2, floatOnly: true},
  selu: {fn: tf.selu, ulp: 4},
  sigmoid: {fn: tf.sigmoid, ulp: 8, floatOnly: true},
  sign: {fn: tf.sign},
  sin: {fn: tf.sin, ulp: 4, floatOnly: true},
  sinh: {fn: tf.sinh, ulp: 4},
  softplus: {fn: tf.softplus, ulp: 8},
  sqrt: {fn: tf.sqrt, range: [0, 50], ulp: 1, floatOnly: true},
  square: {fn: tf.square},
  step: {fn: (x) => tf.step(x, 0.25)},
  tan: {fn: tf.tan, range: [-1.5, 1.5], ulp: 4},
  tanh: {fn: tf.tanh, ulp: 4, floatOnly: true},
};

describe('unary kernels', () => {
  for (const [name, {fn, range, ulp = 0, abs = ulp * 1e-9, floatOnly}] of Object.entries(unaries)) {
    for (const shape of shapes) row(`${name} float32 [${shape}]`, () => fn(floats([...shape], range)), {ulp, abs});
    row(`${name} of NaN, infinities, zeros and extremes`, () => fn(special()), {ulp, abs: Math.max(abs, ulp > 0 ? 1e-38 : 0)});
    if (floatOnly || range !== undefined) continue;
    row(`${name} int32`, () => fn(ints([3, 5])), {ulp, abs});
  }
});

describe('unary kernels where the cpu backend differs', () => {
  const expected = (values: number[], dtype: tf.DataType, why: string) => ({expected: {values, dtype, why}});
  row(
    'neg of the least int32 wraps',
    () => tf.neg(tf.tensor1d([-(2 ** 31), 7], 'int32')),
    expected([-(2 ** 31), -7], 'int32', 'int32 arithmetic wraps'),
  );
  row('square of int32 wraps', () => tf.square(tf.tensor1d([65536, 3], 'int32')), expected([0, 9], 'int32', 'as above'));
  row('relu of a bool is a bool', () => tf.relu(tf.tensor1d([1, 0], 'bool')), expected([1, 0], 'bool', 'values of a bool are 0 and 1'));
});

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
interface BinaryRow {
  readonly fn: Binary;
  readonly ulp?: number;
  readonly range?: readonly [number, number];
  readonly noInt?: boolean;
}
const binaries: Readonly<Record<string, BinaryRow>> = {
  add: {fn: tf.add},
  sub: {fn: tf.sub},
  mul: {fn: tf.mul},
  div: {fn: tf.div, ulp: 1},
  maximum: {fn: tf.maximum},
  minimum: {fn: tf.minimum},
  mod: {fn: tf.mod, ulp: 2},
  pow: {fn: tf.pow, range: [0.1, 3], ulp: 8, noInt: true},
  squaredDifference: {fn: tf.squaredDifference, ulp: 1},
  atan2: {fn: tf.atan2, ulp: 4, noInt: true},
  prelu: {fn: tf.prelu},
  equal: {fn: tf.equal},
  notEqual: {fn: tf.notEqual},
  less: {fn: tf.less},
  lessEqual: {fn: tf.lessEqual},
  greater: {fn: tf.greater},
  greaterEqual: {fn: tf.greaterEqual},
};
/** Pairs that broadcast, each way round. */
const pairs: readonly (readonly [number[], number[]])[] = [
  [[], []],
  [[], [3, 4]],
  [[1], [0]],
  [
    [0, 3],
    [1, 3],
  ],
  [[5], [5]],
  [[37], [1]],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [1, 3, 1],
  ],
  [
    [4, 1, 3, 1],
    [2, 1, 5],
  ],
  [
    [2, 1, 2, 1, 2, 3],
    [3, 1, 2, 1, 1],
  ],
];

describe('binary kernels', () => {
  for (const [name, {fn, ulp = 0, range, noInt}] of Object.entries(binaries)) {
    for (const [a, b] of pairs) {
      row(`${name} float32 [${a}] [${b}]`, () => fn(floats(a, range), floats(b, range, 2)), {ulp, abs: ulp * 1e-7});
      row(`${name} float32 [${b}] [${a}]`, () => fn(floats(b, range), floats(a, range, 2)), {ulp, abs: ulp * 1e-7});
    }
    const ofSpecial = () => fn(tf.expandDims(special(), 1), special());
    if (name !== 'mod' && name !== 'pow') row(`${name} of NaN, infinities and zeros`, ofSpecial, {ulp});
    if (noInt) continue;
    const divisor = (shape: number[]) => ints(shape, [1, 9], 2);
    row(`${name} int32`, () => fn(ints([4, 5]), divisor([5])), {});
    row(`${name} int32 and float32`, () => fn(ints([4, 5]), floats([5], [0.5, 3], 2)), {ulp, abs: 1e-6});
  }
  for (const [name, fn] of Object.entries({logicalAnd: tf.logicalAnd, logicalOr: tf.logicalOr, logicalXor: tf.logicalXor})) {
    for (const [a, b] of pairs) row(`${name} [${a}] [${b}]`, () => fn(bools(a), bools(b, 2)));
  }
  row('logicalNot', () => tf.logicalNot(bools([3, 7])));
  row('bitwiseAnd', () => tf.bitwiseAnd(ints([3, 7], [-1000, 1000]), ints([3, 7], [-1000, 1000], 2)));
  row('equal of strings falls back', () => tf.equal(tf.tensor1d(['a', 'b']), tf.tensor1d(['a', 'c'])), {fallsBack: true});
  row('addN', () => tf.addN([1, 2, 3, 4].map((salt) => floats([3, 5], [-4, 4], salt))), {ulp: 2});
  row('addN of 80 int32 tensors', () => tf.addN(Array.from({length: 80}, (_, salt) => ints([7], [-9, 9], salt))));
  fails(
    'shapes that do not broadcast',
    () => tf.add(floats([2, 3]), floats([2, 4])),
    /ERR_SHAPE: Add: shapes \[2, 3\] and \[2, 4\] do not broadcast/,
  );
});

describe('gradient kernels', () => {
  row('EluGrad', () => tf.engine().runKernel('EluGrad', {dy: floats([3, 7]), y: floats([3, 7], [-1, 3], 2)}) as tf.Tensor, {ulp: 1});
});

describe('binary kernels where the cpu backend differs', () => {
  const expected = (values: number[], dtype: tf.DataType, why: string) => ({expected: {values, dtype, why}});
  const int = (...values: number[]) => tf.tensor1d(values, 'int32');
  row(
    'bool + bool',
    () => tf.add(tf.tensor1d([1, 1, 0], 'bool'), tf.tensor1d([1, 0, 0], 'bool')),
    expected([1, 1, 0], 'bool', 'cpu stores 2'),
  );
  row('int32 product wraps', () => tf.mul(int(2 ** 30, -5), int(4, 3)), expected([0, -15], 'int32', 'cpu computes in double'));
  row('int32 sum wraps', () => tf.add(int(2 ** 31 - 1), int(1)), expected([-(2 ** 31)], 'int32', ''));
  row(
    'floorDiv of float32',
    () => tf.floorDiv(tf.tensor1d([7, -7]), tf.tensor1d([2, 2])),
    expected([3, -4], 'float32', 'cpu makes it int32'),
  );
  row(
    'floorDiv of int32 by zero',
    () => tf.floorDiv(int(7, -7, 7), int(2, 2, 0)),
    expected([3, -4, 0], 'int32', 'TensorFlow refuses; no crash'),
  );
  row(
    'mod of int32 takes the sign of the divisor',
    () => tf.mod(int(7, -7, 7, -7, 3), int(3, 3, -3, -3, 0)),
    expected([1, 2, -2, -1, 0], 'int32', ''),
  );
  row('the least int32 divided by -1', () => tf.div(int(-(2 ** 31)), int(-1)), expected([-(2 ** 31)], 'int32', 'no trap'));
  row('pow of int32', () => tf.pow(int(2, -3, 2, 0), int(10, 3, -1, 0)), expected([1024, -27, 0, 1], 'int32', ''));
});

const selectRows = (condition: tf.Tensor, t: tf.Tensor, e: tf.Tensor) => tf.engine().runKernel('Select', {condition, t, e}) as tf.Tensor;

describe('select, cast and normalization kernels', () => {
  for (const shape of shapes) {
    row(`where float32 [${shape}]`, () => tf.where(bools([...shape]), floats([...shape]), floats([...shape], [-4, 4], 2)));
    row(`where int32 [${shape}]`, () => tf.where(bools([...shape]), ints([...shape]), ints([...shape], [-9, 9], 2)));
  }
  row('where with a scalar condition and broadcast operands', () => tf.where(tf.scalar(true), floats([3, 4]), floats([4], [-1, 1], 2)));
  row('where picks NaN', () => tf.where(bools([13]), special(), tf.zeros([13])));
  row(
    'Select of whole rows',
    () =>
      selectRows(
        tf.tensor1d([1, 0], 'bool'),
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
        tf.tensor2d([
          [5, 6],
          [7, 8],
        ]),
      ),
    {
      expected: {values: [1, 2, 7, 8], dtype: 'float32', why: 'cpu repeats the first elements of the rows'},
    },
  );
  for (const from of [floats, ints, (shape: number[]) => bools(shape)]) {
    for (const to of ['float32', 'int32', 'bool'] as const) {
      for (const shape of [[], [0], [3, 11]]) row(`cast ${from([1]).dtype} to ${to} [${shape}]`, () => tf.cast(from(shape), to));
    }
  }
  row('cast of NaN and infinities to bool', () => tf.cast(special(), 'bool'));
  row('cast of floats beyond int32', () => tf.cast(tf.tensor1d([NaN, Infinity, -Infinity, 3e9, -3e9]), 'int32'), {
    expected: {values: new Array(5).fill(-(2 ** 31)), dtype: 'int32', why: 'TensorFlow on x86; cpu gives 0 and wraps'},
  });
  row('cast float32 to complex64', () => tf.cast(floats([3]), 'complex64'));
  row('cast complex64 to int32', () => tf.cast(tf.complex(floats([3]), floats([3])), 'int32'));
  const norm = (scale: boolean, offset: boolean, shape: number[]) => () => {
    const [c] = shape.slice(-1) as [number];
    const v = floats([c], [0.1, 2], 3);
    return tf.batchNorm(
      floats(shape),
      floats([c], [-1, 1], 2),
      v,
      offset ? floats([c], [-1, 1], 4) : undefined,
      scale ? floats([c], [0.5, 2], 5) : undefined,
      1e-3,
    );
  };
  for (const shape of [
    [2, 5, 3, 7],
    [2, 33],
    [0, 4],
  ]) {
    row(`batchNorm [${shape}]`, norm(true, true, shape), {abs: 1e-5});
    row(`batchNorm without scale [${shape}]`, norm(false, true, shape), {abs: 1e-5});
    row(`batchNorm without scale and offset [${shape}]`, norm(false, false, shape), {abs: 1e-5});
  }
});
