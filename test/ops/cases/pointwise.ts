/** Rows of Pointwise: every scalar function over its range and at its edges, tails, broadcasts and strides, and programs that must fail. */

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {MatMul} from '../../../src/ops/linear';
import {Pointwise, type ScalarName, scalarNames, scalars} from '../../../src/ops/pointwise';
import {call, type Expr, encodeProgram, f32, i32, input} from '../../../src/ops/program';
import type {NativeDType} from '../../../src/ops/schema';
import {integers, type OpCase, opCase, type Tolerance, uniform, type Values} from '../harness';
import {erf, erfc, roundHalfEven, sigmoid, softplus} from '../special-functions';

type Scalar = (...args: number[]) => number;
interface Operand {
  readonly values: Values;
  readonly strides: readonly number[];
  readonly from?: number;
}

function wordsOf(expr: Expr): number[] {
  const words = encodeProgram(expr);
  if (words === undefined) throw new Error('the program is too large');
  return words;
}
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const denseStrides = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** f at every index of the space, whatever the strides. */
function walk(shape: readonly number[], operands: readonly Operand[], inputs: readonly ArrayLike<number>[], f: Scalar): number[] {
  const result: number[] = [];
  for (let flat = 0; flat < sizeOf(shape); flat++) {
    const args = operands.map(({strides, from = 0}, j) => {
      let at = from;
      for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
        at += (rest % (shape[axis] as number)) * (strides[axis] as number);
        rest = Math.floor(rest / (shape[axis] as number));
      }
      return inputs[j]?.[at] as number;
    });
    result.push(f(...args));
  }
  return result;
}

interface Row {
  readonly name: string;
  readonly expr: Expr;
  readonly shape: readonly number[];
  readonly operands: () => readonly Operand[];
  readonly arity: number;
  readonly strides: readonly (readonly number[])[];
  readonly dtype?: NativeDType;
  readonly f: Scalar;
  readonly tolerance?: Tolerance;
}
function row({name, expr, shape, operands, strides, dtype = 'float32', f, tolerance = {}}: Omit<Row, 'arity'>): OpCase {
  return opCase({
    name,
    op: Pointwise,
    inputs: () => operands().map(({values, from = 0}) => ({values, from})),
    outputs: [{dtype, elems: sizeOf(shape)}],
    params: {shape, strides: [...strides.flat(), ...denseStrides(shape)], program: wordsOf(expr)},
    expected: (inputs) => [walk(shape, operands(), inputs, f)],
    tolerance,
  });
}

/** One scalar function of dense operands of n elements each. */
function flat(name: string, op: ScalarName, n: number, operands: () => readonly Values[], f: Scalar, tolerance: Tolerance = {}): OpCase {
  const {takes, gives} = scalars[op];
  return row({
    name,
    expr: call(op, ...[...takes].map((_, i) => input(i))),
    shape: [n],
    strides: [...takes].map(() => [1]),
    operands: () => operands().map((values) => ({values, strides: [1]})),
    dtype: gives === 'f' ? 'float32' : 'int32',
    f,
    tolerance,
  });
}

const infinity = Number.POSITIVE_INFINITY;
const largest = 3.4028234663852886e38;
/** Every float32 whose treatment tends to go wrong: signed zeros, subnormals, halves, powers of two where integers end, limits, NaN. */
const edges: readonly number[] = [
  0, 2 ** -149, 2 ** -127, 2 ** -126, 2 ** -25, 0.5, 1, 1 + 2 ** -23, 1.5, 2, 2.5, 3, 6, 88.72283, 88.72284, 103.98, 104, 8388607.5, 2 ** 23, 2 ** 24,
  2147483520, 2 ** 31, 2 ** 32, 1e30, largest, infinity,
].flatMap((x) => [x, -x]).concat(Number.NaN);

/** Floats over [low, high]: evenly by value as far as ±1000, and evenly by bit pattern (so also the subnormal and the tiny ones). */
function sweep([low, high]: readonly [number, number], n = 20_000): Float32Array {
  const bits = new Int32Array(1);
  const value = new Float32Array(bits.buffer);
  const ordinal = (x: number): number => {
    value[0] = x;
    return (bits[0] as number) < 0 ? -((bits[0] as number) & 0x7fffffff) : (bits[0] as number);
  };
  const [first, last] = [ordinal(low), ordinal(high)];
  const byBits = Float32Array.from({length: n}, (_, i) => {
    const at = Math.round(first + ((last - first) * i) / (n - 1));
    bits[0] = at < 0 ? -at | (1 << 31) : at;
    return value[0] as number;
  });
  const values = new Float32Array(2 * n);
  values.set(byBits);
  values.set(uniform([Math.max(low, -1000), Math.min(high, 1000)], n), n);
  return values;
}

/** What the vector math promises of a function: "Name: within U ulp over [a, b]" in its headers. */
const promises = ['math-inl.h', 'trigonometry-inl.h'].map((file) => readFileSync(join(process.cwd(), 'csrc', 'simd', file), 'utf8')).join();
function promise(op: ScalarName): {ulp: number; range: [number, number]} {
  const [, ulp, low, high] = new RegExp(`^// ${op}: within (\\S+) ulp over \\[(\\S+), (\\S+)\\]`, 'm').exec(promises) ?? [];
  if (ulp === undefined) throw new Error(`the headers promise nothing of ${op}`);
  return {ulp: Number(ulp), range: [Number(low), Number(high)]};
}

interface Unary {
  /** Left out: what the headers promise. */
  readonly range?: readonly [number, number];
  readonly ulp?: number;
  readonly abs?: number;
  readonly f: Scalar;
}
/** A function of one float: over `range` within `ulp` or `abs`, and at every edge value inside or outside of it. */
function unary(op: ScalarName, {f, abs = 0, ...given}: Unary): OpCase {
  const {ulp, range} = given.ulp !== undefined && given.range !== undefined ? {ulp: given.ulp, range: given.range} : {...promise(op), ...given};
  const values = () => Float32Array.of(...sweep(range), ...edges);
  return flat(`${op} over [${range}] within ${ulp} ulp`, op, 40_000 + edges.length, () => [values()], f, {ulp, abs, signedZero: true});
}
const everywhere = [-infinity, infinity] as const;

/** Keeps NaN and -0, unlike Math.min and Math.max. */
function clamp(x: number, low: number, high: number): number {
  if (x < low) return low;
  return Math.min(x, high);
}
const relu6 = (x: number): number => clamp(x, 0, 6);
const gelu = (x: number): number => 0.5 * x * erfc(-x / Math.SQRT2);
const geluTanh = (x: number): number => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
const f = Math.fround;
const elu = (x: number): number => (x >= 0 ? x : Math.expm1(x));

const unaries: readonly OpCase[] = [
  unary('Copy', {range: everywhere, ulp: 0, f: (x) => x}),
  unary('Neg', {range: everywhere, ulp: 0, f: (x) => -x}),
  unary('Abs', {range: everywhere, ulp: 0, f: Math.abs}),
  unary('Square', {range: everywhere, ulp: 0.5, f: (x) => x * x}),
  unary('Sqrt', {range: everywhere, ulp: 0.5, f: Math.sqrt}),
  unary('Rsqrt', {range: everywhere, ulp: 1.5, f: (x) => 1 / Math.sqrt(x)}),
  unary('Reciprocal', {range: everywhere, ulp: 0.5, f: (x) => 1 / x}),
  unary('Exp', {f: Math.exp}),
  unary('Expm1', {f: Math.expm1}),
  unary('Log', {f: Math.log}),
  unary('Log', {range: [0.5, 2], f: Math.log}),
  unary('Log1p', {f: Math.log1p}),
  unary('Log1p', {range: [-0.6, 1.5], f: Math.log1p}),
  unary('Sin', {f: Math.sin}),
  unary('Sin', {range: [-1e9, 1e9], f: Math.sin}),
  unary('Cos', {f: Math.cos}),
  unary('Cos', {range: [-1e9, 1e9], f: Math.cos}),
  unary('Tan', {f: Math.tan}),
  unary('Asin', {f: Math.asin}),
  unary('Acos', {f: Math.acos}),
  unary('Atan', {f: Math.atan}),
  unary('Sinh', {f: Math.sinh}),
  unary('Cosh', {f: Math.cosh}),
  unary('Tanh', {f: Math.tanh}),
  unary('Tanh', {range: [-1, 1], f: Math.tanh}),
  unary('Asinh', {f: Math.asinh}),
  unary('Acosh', {f: Math.acosh}),
  unary('Atanh', {f: Math.atanh}),
  unary('Erf', {f: erf}),
  unary('Erf', {range: [-5, 5], f: erf}),
  unary('Sigmoid', {f: sigmoid}),
  unary('Sigmoid', {range: [-20, 20], f: sigmoid}),
  unary('Softplus', {f: softplus}),
  unary('Softplus', {range: [-20, 20], f: softplus}),
  unary('Relu', {range: everywhere, ulp: 0, f: (x) => clamp(x, 0, infinity)}),
  unary('Relu6', {range: everywhere, ulp: 0, f: relu6}),
  unary('Elu', {...promise('Expm1'), f: elu}),
  // Expm1, then two products.
  unary('Selu', {range: everywhere, ulp: 2.6, f: (x) => f(1.0507009873554805) * (x >= 0 ? x : f(1.6732632423543772) * Math.expm1(x))}),
  unary('Sign', {range: everywhere, ulp: 0, f: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0)}),
  unary('Floor', {range: [-1e9, 1e9], ulp: 0, f: Math.floor}),
  unary('Ceil', {range: [-1e9, 1e9], ulp: 0, f: Math.ceil}),
  unary('Round', {range: [-1e9, 1e9], ulp: 0, f: roundHalfEven}),
  unary('Round', {range: [-4, 4], ulp: 0, f: roundHalfEven}),
  unary('IsNan', {range: everywhere, ulp: 0, f: (x) => Number(Number.isNaN(x))}),
  unary('IsInf', {range: everywhere, ulp: 0, f: (x) => Number(Math.abs(x) === infinity)}),
  unary('IsFinite', {range: everywhere, ulp: 0, f: (x) => Number(Number.isFinite(x))}),
  unary('GeluErf', {f: gelu}),
  unary('GeluErf', {range: [-4, 4], f: gelu}),
  // The edges below the promised range have the error of the exponential's argument, at most 2⁻²² of it, times x e^−|u|.
  unary('GeluTanh', {abs: 2 ** -29, f: geluTanh}),
  unary('GeluTanh', {range: [-12, 12], ulp: 5, abs: 5e-8, f: geluTanh}),
  // Below -87 the sigmoid is subnormal, and x carries its rounding up: by 1 of the 2⁻¹⁴⁹ it counts in.
  unary('Silu', {abs: 104 * 2 ** -149, f: (x) => x * sigmoid(x)}),
  unary('Silu', {range: [-20, 20], abs: 104 * 2 ** -149, f: (x) => x * sigmoid(x)}),
  unary('HardSwish', {range: [-10, 10], ulp: 3, f: (x) => (x * relu6(f(x + 3))) / 6}),
  unary('HardSigmoid', {range: [-10, 10], ulp: 2, f: (x) => relu6(f(x + 3)) / 6}),
  unary('ToInt', {range: [-3e9, 3e9], ulp: 0, f: (x) => (Math.abs(x) < 2 ** 31 ? Math.trunc(x) + 0 : -(2 ** 31))}),
  unary('ToBool', {range: everywhere, ulp: 0, f: (x) => Number(x !== 0)}),
];

/** All pairs of edge values, then random pairs. */
function pairs(values: readonly number[], draw: (salt: number) => ArrayLike<number>): number[][] {
  return [1, 2].map((salt) => [...values.flatMap((a) => values.map((b) => (salt === 1 ? a : b))), ...Array.from(draw(salt))]);
}
function binary(op: ScalarName, f: Scalar, tolerance: Tolerance = {}, range: readonly [number, number] = [-20, 20]): OpCase {
  const operands = pairs(edges, (salt) => uniform(range, 1001, salt)).map((values) => Float32Array.from(values));
  return flat(`${op} at edges and over [${range}]`, op, edges.length ** 2 + 1001, () => operands, f, tolerance);
}
const maximum = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b);
const minimum = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b);
/** C's and TensorFlow's: JavaScript gives NaN for 1 ** NaN and (±1) ** ±Infinity. */
const pow = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === infinity) ? 1 : a ** b);
const leaky = (a: number, b: number): number => (a >= 0 ? a : a * b);
const mod = (a: number, b: number): number => {
  const remainder = a % b;
  return remainder !== 0 && b < 0 !== remainder < 0 ? remainder + b : remainder;
};

const binaries: readonly OpCase[] = [
  binary('Add', (a, b) => a + b, {ulp: 0.5}),
  binary('Sub', (a, b) => a - b, {ulp: 0.5}),
  binary('Mul', (a, b) => a * b, {ulp: 0.5}),
  binary('Div', (a, b) => a / b, {ulp: 0.5}),
  binary('Maximum', maximum),
  binary('Minimum', minimum),
  binary('Pow', pow, {ulp: promise('Pow').ulp, signedZero: true}),
  binary('Pow', pow, {ulp: promise('Pow').ulp, signedZero: true}, [0, 30]),
  binary('Mod', mod, {ulp: 0.5}),
  binary('FloorDiv', (a, b) => Math.floor(f(a / b))),
  binary('SquaredDifference', (a, b) => f(a - b) ** 2, {ulp: 0.5}),
  binary('Atan2', Math.atan2, {ulp: promise('Atan2').ulp, signedZero: true}),
  binary('Prelu', leaky, {ulp: 0.5}),
  binary('LeakyRelu', leaky, {ulp: 0.5}),
  binary('Step', (a, b) => (a > 0 ? 1 : Number.isNaN(a) ? a : b)),
  binary('EluGrad', (a, b) => (b >= 0 ? a : a * f(b + 1)), {ulp: 0.5}),
  binary('Equal', (a, b) => Number(a === b)),
  binary('NotEqual', (a, b) => Number(a !== b)),
  binary('Less', (a, b) => Number(a < b)),
  binary('LessEqual', (a, b) => Number(a <= b)),
  binary('Greater', (a, b) => Number(a > b)),
  binary('GreaterEqual', (a, b) => Number(a >= b)),
];

const least = -(2 ** 31);
const wholeEdges = [0, 1, -1, 2, -2, 3, -3, 7, -7, 10, 31, 46341, 65536, 2 ** 30, 2 ** 31 - 1, -(2 ** 31 - 1), least];
function whole(op: ScalarName, f: Scalar): OpCase {
  const {takes} = scalars[op];
  const operands = (takes.length === 1 ? [[...wholeEdges, 12345]] : pairs(wholeEdges, (salt) => integers([-50, 50], 101, salt))).map((v) => Int32Array.from(v));
  const wrap = (...args: number[]) => (op === 'ToFloat' ? Math.fround(f(...args)) : f(...args) | 0);
  return flat(`${op} at edges`, op, operands[0]?.length ?? 0, () => operands, wrap);
}
const truncated = (a: number, b: number): number => (b === 0 ? 0 : Math.trunc(a / b));
const power = (a: number, b: number): number => {
  if (b < 0) return a === 0 ? 0 : Math.trunc(a ** (b % 2 === 0 ? -2 : -1));
  let [result, square] = [1, a];
  for (let rest = b; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
};
const wholes: readonly OpCase[] = [
  whole('AddInt', (a, b) => a + b),
  whole('SubInt', (a, b) => a - b),
  whole('MulInt', Math.imul),
  whole('MaximumInt', Math.max),
  whole('MinimumInt', Math.min),
  whole('FloorDivInt', (a, b) => (b === 0 ? 0 : Math.floor(a / b))),
  whole('TruncateDivInt', truncated),
  whole('ModInt', (a, b) => (b === 0 ? 0 : a - b * Math.floor(a / b))),
  whole('SquaredDifferenceInt', (a, b) => Math.imul(a - b, a - b)),
  whole('PowInt', power),
  whole('EqualInt', (a, b) => Number(a === b)),
  whole('NotEqualInt', (a, b) => Number(a !== b)),
  whole('LessInt', (a, b) => Number(a < b)),
  whole('LessEqualInt', (a, b) => Number(a <= b)),
  whole('GreaterInt', (a, b) => Number(a > b)),
  whole('GreaterEqualInt', (a, b) => Number(a >= b)),
  whole('And', (a, b) => a & b),
  whole('Or', (a, b) => a | b),
  whole('Xor', (a, b) => a ^ b),
  whole('Not', (a) => Number(a === 0)),
  whole('NegInt', (a) => -a),
  whole('AbsInt', Math.abs),
  whole('SignInt', Math.sign),
  whole('CopyInt', (a) => a),
  whole('ToFloat', (a) => a),
  whole('ToBoolInt', (a) => Number(a !== 0)),
];

const threeFloats = (n: number) => () => [1, 2, 3].map((salt) => uniform([-3, 3], n, salt));
/** All triples of edge values. */
const edgeTriples = (): Float32Array[] =>
  [0, 1, 2].map((k) => Float32Array.from({length: edges.length ** 3}, (_, i) => edges[Math.floor(i / edges.length ** k) % edges.length] as number));
const flags = (n: number, salt = 9) => integers([0, 1], n, salt);
const ternaries: readonly OpCase[] = [
  flat('MulAdd', 'MulAdd', 1000, threeFloats(1000), (a, b, c) => a * b + c, {abs: 2 ** -20}),
  flat('Clip at edges', 'Clip', edges.length ** 3, edgeTriples, (a, b, c) => minimum(maximum(a, b), c)),
  flat('Clip', 'Clip', 1000, threeFloats(1000), (a, b, c) => minimum(maximum(a, b), c)),
  flat('Select', 'Select', 1000, () => [flags(1000), uniform([0, 1], 1000, 1), uniform([0, 1], 1000, 2)], (a, b, c) => (a ? b : c)),
  flat('SelectInt', 'SelectInt', 1000, () => [flags(1000), integers([0, 9], 1000, 1), integers([0, 9], 1000, 2)], (a, b, c) => (a ? b : c)),
];

/** Each length around vectors, tiles and the split between threads, with one instruction and with several. */
const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 255, 256, 257, 271, 511, 513, 1000, 4095, 4097, 100_003];
const product = call('Mul', input(0), input(1));
const tails: readonly OpCase[] = lengths.flatMap((n) => {
  const operands = () => [1, 2].map((salt) => ({values: uniform([-3, 3], n, salt), strides: [1]}));
  const common = {shape: [n], strides: [[1], [1]], operands};
  const chained = call('Abs', call('Neg', product));
  return [
    row({...common, name: `one instruction, ${n} elements`, expr: product, f: (a, b) => f(a * b)}),
    row({...common, name: `three instructions, ${n} elements`, expr: chained, f: (a, b) => Math.abs(f(a * b))}),
    row({...common, name: `bool result, ${n} elements`, expr: call('Less', input(0), input(1)), dtype: 'bool', f: (a, b) => Number(a < b)}),
  ];
});

/** (a + b) · c with operands of three shapes of strides. */
function strided(name: string, shape: readonly number[], [a, b, c]: readonly [Operand, Operand, Operand]): OpCase {
  return row({
    name,
    shape,
    expr: call('Mul', call('Add', input(0), input(1)), input(2)),
    strides: [a.strides, b.strides, c.strides],
    operands: () => [a, b, c],
    f: (x, y, z) => f(f(x + y) * z),
  });
}
const data = (elems: number, strides: readonly number[], from = 0, salt = 1): Operand => ({values: uniform([-3, 3], elems, salt), strides, from});
const spaces: readonly OpCase[] = [
  strided('row and column vectors over a matrix', [70, 100], [data(7000, [100, 1]), data(100, [0, 1]), data(70, [1, 0])]),
  strided('row and column vectors over short rows', [700, 3], [data(2100, [3, 1]), data(3, [0, 1]), data(700, [1, 0])]),
  strided('a transposed operand', [130, 300], [data(39000, [300, 1]), data(39000, [1, 130]), data(1, [0, 0])]),
  strided('a transposed operand over short rows', [300, 13], [data(3900, [13, 1]), data(3900, [1, 300]), data(1, [0, 0])]),
  strided('reversed operands', [9, 80], [data(720, [80, -1], 79), data(720, [-80, 1], 640), data(720, [-80, -1], 719)]),
  strided('reversed operands over short rows', [80, 9], [data(720, [9, -1], 8), data(720, [-9, 1], 711), data(720, [-9, -1], 719)]),
  strided('every second element', [50, 75], [data(7500, [150, 2]), data(7500, [150, 2], 1), data(3750, [75, 1])]),
  strided('four axes, none of which join', [5, 3, 4, 7], [data(420, [84, 28, 7, 1]), data(35, [7, 0, 0, 1]), data(12, [0, 4, 1, 0])]),
  strided('eight axes', [2, 3, 2, 3, 2, 3, 2, 3], [data(1296, denseStrides([2, 3, 2, 3, 2, 3, 2, 3])), data(9, [0, 1, 0, 0, 0, 3, 0, 0]), data(2, [1, 0, 0, 0, 0, 0, 0, 0])]),
  strided('rank 0', [], [data(1, []), data(1, []), data(1, [])]),
  strided('an empty axis', [3, 0, 5], [data(0, [0, 5, 1]), data(0, [0, 5, 1]), data(0, [0, 5, 1])]),
  strided('large short rows', [40_000, 4], [data(160_000, [4, 1]), data(4, [0, 1]), data(40_000, [1, 0])]),
];

const bools = (n: number, salt = 5): Uint8Array => Uint8Array.from(flags(n, salt));
const mixed: readonly OpCase[] = [
  row({
    name: 'a bool mask broadcast over rows chooses', shape: [50, 90], strides: [[0, 1], [90, 1], [0, 0]],
    expr: call('Select', input(0), input(1), input(2)),
    operands: () => [{values: bools(90), strides: [0, 1]}, {values: uniform([0, 1], 4500), strides: [90, 1]}, {values: Float32Array.of(-1e9), strides: [0, 0]}],
    f: (a, b, c) => (a ? b : c),
  }),
  row({
    name: 'bool operands over short rows', shape: [50, 9], strides: [[0, 1], [1, 0]], dtype: 'bool', expr: call('Xor', input(0), input(1)),
    operands: () => [{values: bools(9), strides: [0, 1]}, {values: bools(50, 6), strides: [1, 0]}],
    f: (a, b) => a ^ b,
  }),
  row({
    name: 'bool to float', shape: [1000], strides: [[1]], expr: call('ToFloat', input(0)),
    operands: () => [{values: bools(1000), strides: [1]}], f: (a) => a,
  }),
  row({
    name: 'an int result stored as bool is 0 or 1', shape: [6], strides: [[1]], dtype: 'bool', expr: call('CopyInt', input(0)),
    operands: () => [{values: Int32Array.of(0, 1, -1, 256, 7, 0), strides: [1]}], f: (a) => Number(a !== 0),
  }),
  row({
    name: 'immediates of both types', shape: [300], strides: [[1]], operands: () => [{values: integers([-9, 9], 300), strides: [1]}],
    expr: call('Mul', call('ToFloat', call('AddInt', input(0), i32(3))), f32(0.5)), f: (a) => (a + 3) / 2,
  }),
  row({
    name: 'no input: a constant', shape: [300], strides: [], operands: () => [], expr: call('Add', f32(1), f32(2)), f: () => 3,
  }),
];

/** Epilogues, seen through a product of one column and one row: (a_m · b_n + p) · q with p and q in every kind of stride over (m, n). */
function epilogue(name: string, rowsM: number, colsN: number, p: Operand, q: Operand): OpCase {
  const at = ({values, strides: [row = 0, col = 0]}: Operand, m: number, n: number) => values[m * row + n * col] as number;
  return opCase({
    name: `epilogue of ${rowsM} x ${colsN} with ${name}`,
    op: MatMul,
    inputs: () => [uniform([-3, 3], rowsM, 1), uniform([-3, 3], colsN, 2), undefined, p.values, q.values],
    outputs: [{dtype: 'float32', elems: rowsM * colsN}],
    params: {
      batch1: 1, batch2: 1, rowsM, colsN, depthK: 1, aBatch1: 0, aBatch2: 0, aRow: 1, aCol: 1, bBatch1: 0, bBatch2: 0, bRow: colsN, bCol: 1,
      cBatch1: 0, cBatch2: 0, cRow: colsN, packedB: 0,
      epilogue: wordsOf(call('Mul', call('Add', input(0), input(1)), q.values instanceof Uint8Array ? call('ToFloat', input(2)) : input(2))),
      epilogueStrides: [0, 0, ...p.strides, 0, 0, ...q.strides],
    },
    expected: ([a, b]) => [
      Array.from({length: rowsM * colsN}, (_, i) => {
        const [m, n] = [Math.floor(i / colsN), i % colsN];
        return f(f(f((a?.[m] as number) * (b?.[n] as number)) + at(p, m, n)) * at(q, m, n));
      }),
    ],
  });
}
const epilogues: readonly OpCase[] = [1, 3, 16, 17, 31, 48, 49, 300].flatMap((n) => {
  const m = 19;
  return [
    epilogue('a residual and a row', m, n, data(m * n, [n, 1]), data(n, [0, 1], 0, 3)),
    epilogue('a column and a scalar', m, n, data(m, [1, 0]), data(1, [0, 0], 0, 3)),
    epilogue('a transposed residual and a bool mask', m, n, data(m * n, [1, m]), {values: bools(n), strides: [0, 1]}),
  ];
});

/** Programs and walks that must be refused before anything runs. */
function refused(name: string, fails: RegExp, change: {program?: readonly number[]; shape?: readonly number[]; strides?: readonly number[]; values?: Values; dtype?: NativeDType}): OpCase {
  const {program = wordsOf(call('Neg', input(0))), shape = [4], strides = [1, 1], values = new Float32Array(4), dtype = 'float32'} = change;
  return opCase({name, op: Pointwise, inputs: () => [values], outputs: [{dtype, elems: 4}], params: {shape, strides, program}, fails});
}
const neg = scalarNames.indexOf('Neg');
const addInt = scalarNames.indexOf('AddInt');
const refusals: readonly OpCase[] = [
  refused('no program', /ERR_INVALID_STEP.*no program/, {program: []}),
  refused('a program without instructions', /ERR_INVALID_STEP.*no instruction/, {program: [1, 0, 0]}),
  refused('a program cut short', /ERR_INVALID_STEP.*cut short/, {program: [1, 1]}),
  refused('a program longer than its header', /ERR_INVALID_STEP.*another length/, {program: [1, 1, 0, neg, 32, 0]}),
  refused('a count of instructions that overflows', /ERR_INVALID_STEP.*another length/, {program: [1, 0x7fffffff, 0, neg, 32]}),
  refused('too many registers', /ERR_INVALID_STEP.*more registers/, {program: [33, 1, 0, neg, 32]}),
  refused('an unknown scalar', /ERR_INVALID_STEP.*no scalar/, {program: [1, 1, 0, 9999, 32]}),
  refused('a destination beyond the registers', /ERR_INVALID_STEP.*writes a register/, {program: [1, 1, 0, neg | (1 << 16), 32]}),
  refused('a register read before it is written', /ERR_INVALID_STEP.*nothing has written/, {program: [1, 1, 0, neg, 0]}),
  refused('an input that is not there', /ERR_INVALID_STEP.*input that is not there/, {program: [1, 1, 0, neg, 33]}),
  refused('an immediate that is not there', /ERR_INVALID_STEP.*immediate/, {program: [1, 1, 0, neg, 64]}),
  refused('too many operands', /ERR_INVALID_STEP.*too many operands/, {program: [1, 1, 0, neg, 32 | (32 << 8)]}),
  refused('an int operation on floats', /ERR_DTYPE.*int32 or bool.*float32/, {program: [1, 1, 0, addInt, 32 | (32 << 8)]}),
  refused('a register of another type', /ERR_INVALID_STEP.*another type/, {program: [1, 2, 0, scalarNames.indexOf('IsNan'), 32, neg, 0]}),
  refused('an output of another type', /ERR_DTYPE.*gives float32.*int32/, {dtype: 'int32'}),
  refused('a walk beyond the input', /ERR_SHAPE.*input/, {values: new Float32Array(3)}),
  refused('a walk before the input', /ERR_SHAPE.*input/, {strides: [-1, 1]}),
  refused('a walk beyond the output', /ERR_SHAPE.*output/, {strides: [1, 2]}),
  refused('an output that repeats', /ERR_SHAPE.*more indices/, {strides: [1, 0]}),
  refused('more indices than output elements', /ERR_SHAPE.*more indices/, {shape: [3, 2], strides: [1, 0, 1, 1]}),
  refused('a negative size', /ERR_SHAPE/, {shape: [-4]}),
  refused('rank 9', /ERR_INVALID_STEP.*rank 9/, {shape: new Array(9).fill(1), strides: new Array(18).fill(1)}),
  refused('too few strides', /ERR_INVALID_STEP.*strides/, {strides: [1]}),
];

export const cases: readonly OpCase[] = [...unaries, ...binaries, ...wholes, ...ternaries, ...tails, ...spaces, ...mixed, ...epilogues, ...refusals];
