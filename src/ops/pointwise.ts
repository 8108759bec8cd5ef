import {defineOp} from './schema';

/**
 * The scalar functions of a Pointwise program, by wire number. `takes` and `gives` are the register types: f = float32,
 * i = int32 (a bool is 0 or 1 in an i register). NaN, signed zeros and int32 overflow follow TensorFlow.
 */
export interface Scalar {
  readonly takes: string;
  readonly gives: 'f' | 'i';
}
const unary = {takes: 'f', gives: 'f'} as const;
const binary = {takes: 'ff', gives: 'f'} as const;
const compare = {takes: 'ff', gives: 'i'} as const;
const binaryInt = {takes: 'ii', gives: 'i'} as const;

/** Order = wire number. Append only. */
export const scalars = {
  Copy: unary,
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Maximum: binary, // NaN if either is
  Minimum: binary,
  Pow: binary,
  Mod: binary, // floored: the sign of the divisor
  FloorDiv: binary,
  SquaredDifference: binary,
  Atan2: binary,
  Prelu: binary, // a >= 0 ? a : a * b
  MulAdd: {takes: 'fff', gives: 'f'}, // a * b + c
  Equal: compare,
  NotEqual: compare,
  Less: compare,
  LessEqual: compare,
  Greater: compare,
  GreaterEqual: compare,
  Neg: unary,
  Abs: unary,
  Square: unary,
  Sqrt: unary,
  Rsqrt: unary,
  Reciprocal: unary,
  Exp: unary,
  Expm1: unary,
  Log: unary,
  Log1p: unary,
  Sin: unary,
  Cos: unary,
  Tan: unary,
  Asin: unary,
  Acos: unary,
  Atan: unary,
  Sinh: unary,
  Cosh: unary,
  Tanh: unary,
  Asinh: unary,
  Acosh: unary,
  Atanh: unary,
  Erf: unary,
  Sigmoid: unary,
  Softplus: unary,
  Relu: unary,
  Relu6: unary,
  Elu: unary,
  Selu: unary,
  Sign: unary, // ±0 and NaN give 0
  Floor: unary,
  Ceil: unary,
  Round: unary, // half to even
  Step: binary, // a > 0 ? 1 : b; NaN stays NaN
  LeakyRelu: binary, // a >= 0 ? a : a * b
  IsNan: {takes: 'f', gives: 'i'},
  IsInf: {takes: 'f', gives: 'i'},
  IsFinite: {takes: 'f', gives: 'i'},
  GeluErf: unary, // 0.5 x (1 + erf(x / sqrt 2))
  GeluTanh: unary, // 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))
  Silu: unary, // x sigmoid(x)
  HardSwish: unary, // x relu6(x + 3) / 6
  HardSigmoid: unary, // relu6(x + 3) / 6
  AddInt: binaryInt, // wraps
  SubInt: binaryInt,
  MulInt: binaryInt,
  MaximumInt: binaryInt,
  MinimumInt: binaryInt,
  FloorDivInt: binaryInt, // floored; by zero gives 0
  TruncateDivInt: binaryInt, // towards zero; by zero gives 0
  ModInt: binaryInt, // floored; by zero gives 0
  SquaredDifferenceInt: binaryInt,
  PowInt: binaryInt, // wraps; a negative exponent truncates the real result
  EqualInt: binaryInt,
  NotEqualInt: binaryInt,
  LessInt: binaryInt,
  LessEqualInt: binaryInt,
  GreaterInt: binaryInt,
  GreaterEqualInt: binaryInt,
  And: binaryInt, // of bits, which for 0 and 1 is the logical one
  Or: binaryInt,
  Xor: binaryInt,
  Not: {takes: 'i', gives: 'i'}, // logical: 0 → 1, else 0
  NegInt: {takes: 'i', gives: 'i'},
  AbsInt: {takes: 'i', gives: 'i'},
  SignInt: {takes: 'i', gives: 'i'},
  CopyInt: {takes: 'i', gives: 'i'},
  Select: {takes: 'iff', gives: 'f'}, // a != 0 ? b : c
  SelectInt: {takes: 'iii', gives: 'i'},
  ToFloat: {takes: 'i', gives: 'f'},
  ToInt: {takes: 'f', gives: 'i'}, // towards zero; NaN and out of range give INT32_MIN, as x86 and TensorFlow do
  ToBool: {takes: 'f', gives: 'i'}, // x != 0, so NaN is true
  ToBoolInt: {takes: 'i', gives: 'i'},
  Clip: {takes: 'fff', gives: 'f'}, // minimum(maximum(a, b), c)
  EluGrad: binary, // b >= 0 ? a : a * (b + 1)
} as const satisfies Record<string, Scalar>;
export type ScalarName = keyof typeof scalars;
export const scalarNames = Object.keys(scalars) as readonly ScalarName[];

/** Largest program: registers, inputs and immediates share one byte of operand numbers. */
export const maxRegisters = 32;
export const maxProgramInputs = 32;
export const maxImmediates = 128;

/**
 * out[i…] = program(in₀[i…], in₁[i…], …) over a dense index space `shape` (rank ≤ 8, collapsed by the caller where it can be).
 *
 * `strides`: for each input and then for the output, one stride per axis (0 = broadcast).
 * `program`: [registers, instructions, immediates, then two words per instruction, then the immediates' bits].
 * An instruction is (scalar | destination register << 16), (a | b << 8 | c << 16); operand numbers 0…31 are registers,
 * 32…63 inputs, 64…191 immediates. The last instruction's result is the output. An input of type bool or int32 is an i
 * operand, float32 an f operand; an i result may be stored as int32 or bool, an f result as float32.
 *
 * MatMul, Conv2D and DepthwiseConv2D run the same programs on their result (`epilogue`), where input 0 is the result itself.
 */
export const Pointwise = defineOp({
  name: 'Pointwise',
  inputs: [0, maxProgramInputs],
  outputs: 1,
  params: {shape: 'list', strides: 'list', program: 'list'},
});
