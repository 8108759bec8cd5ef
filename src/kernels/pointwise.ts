import type {
  AddNInputs,
  BinaryInputs,
  ClipByValueAttrs,
  DataType,
  EluGradInputs,
  FusedBatchNormAttrs,
  FusedBatchNormInputs,
  LeakyReluAttrs,
  PreluInputs,
  SelectInputs,
  StepAttrs,
  TensorInfo,
  UnaryInputs,
} from '@tensorflow/tfjs-core';
import {errors} from '../errors';
import {broadcastShape, sameShape} from '../ops/geometry';
import {maxProgramInputs, type ScalarName} from '../ops/pointwise';
import {call, type Expr, f32, i32, input} from '../ops/program';
import {complexBinary} from './complex';
import {float32, type KernelTable, kernel, type NativeKernel, numeric} from './kernel';
import {broadcast, kept, pointwise, program} from './steps';
import {type Compiled, type Formula, type ResultType, scalar, TypedProgram, toFloat, typeKey, upcast} from './typed-program';

function unary(float: ScalarName | Formula, int?: ScalarName | Formula, result: ResultType = 'operands'): NativeKernel {
  const asFormula = (f: ScalarName | Formula) => (typeof f === 'string' ? scalar(f) : f);
  const typed = new TypedProgram(asFormula(float), int === undefined ? undefined : asFormula(int), result);
  return kernel<UnaryInputs>(numeric, ({inputs: {x}, backend}) => {
    const {words, dtype} = typed.of(x.dtype);
    return pointwise(backend, words, [x], x.shape, dtype);
  });
}

/** Kernels of truth values: tfjs-core lets nothing else through. */
function logical(op: string, name: ScalarName): NativeKernel {
  const words = program(call(name, input(0), input(1)));
  return kernel<BinaryInputs>(['bool'], ({inputs: {a, b}, backend}) => broadcast(backend, op, words, [a, b], 'bool'));
}

function binary(name: string, float: ScalarName, int?: ScalarName, result: ResultType = 'operands'): NativeKernel {
  const typed = new TypedProgram(scalar(float), int === undefined ? undefined : scalar(int), result);
  return kernel<BinaryInputs>(numeric, ({inputs: {a, b}, backend}) => {
    const {words, dtype} = typed.of(a.dtype, b.dtype);
    return broadcast(backend, name, words, [a, b], dtype);
  });
}

/** A unary kernel whose program depends on attributes: those that `of` takes out. */
function unaryWith<Attrs, Key extends object>(
  of: (attrs: Attrs) => Key,
  float: (key: Key) => Formula,
  int?: (key: Key) => Formula,
  result: ResultType = 'operands',
): NativeKernel {
  const typed = kept((key: Key) => new TypedProgram(float(key), int?.(key), result));
  return kernel<UnaryInputs, Attrs>(numeric, ({inputs: {x}, attrs, backend}) => {
    const {words, dtype} = typed(of(attrs)).of(x.dtype);
    return pointwise(backend, words, [x], x.shape, dtype);
  });
}

const clamp32 = (x: number): number => Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1);

const logicalNot = program(call('Not', input(0)));

const unaries: KernelTable = {
  Abs: unary('Abs', 'AbsInt'),
  Acos: unary('Acos'),
  Acosh: unary('Acosh'),
  Asin: unary('Asin'),
  Asinh: unary('Asinh'),
  Atan: unary('Atan'),
  Atanh: unary('Atanh'),
  Ceil: unary('Ceil', 'CopyInt'),
  Cos: unary('Cos'),
  Cosh: unary('Cosh'),
  Elu: unary('Elu'),
  Erf: unary('Erf'),
  Exp: unary('Exp', undefined, 'float32'),
  Expm1: unary('Expm1'),
  Floor: unary('Floor', 'CopyInt'),
  IsFinite: unary('IsFinite', undefined, 'bool'),
  IsInf: unary('IsInf', undefined, 'bool'),
  IsNan: unary('IsNan', undefined, 'bool'),
  Log: unary('Log'),
  Log1p: unary('Log1p'),
  LogicalNot: kernel<UnaryInputs>(['bool'], ({inputs: {x}, backend}) => pointwise(backend, logicalNot, [x], x.shape, 'bool')),
  Neg: unary('Neg', 'NegInt'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu', (x) => call('MaximumInt', x, i32(0))),
  Relu6: unary('Relu6', (x) => call('MinimumInt', call('MaximumInt', x, i32(0)), i32(6))),
  Round: unary('Round', 'CopyInt'),
  Rsqrt: unary('Rsqrt'),
  Selu: unary('Selu'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign', 'SignInt'),
  Sin: unary('Sin'),
  Sinh: unary('Sinh'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Square: unary('Square', (x) => call('MulInt', x, x)),
  Tan: unary('Tan'),
  Tanh: unary('Tanh'),
  ClipByValue: unaryWith(
    ({clipValueMin, clipValueMax}: ClipByValueAttrs) => ({clipValueMin, clipValueMax}),
    ({clipValueMin, clipValueMax}) =>
      (x) =>
        call('Clip', x, f32(clipValueMin), f32(clipValueMax)),
    ({clipValueMin, clipValueMax}) =>
      (x) =>
        call('MinimumInt', call('MaximumInt', x, i32(clamp32(clipValueMin))), i32(clamp32(clipValueMax))),
  ),
  LeakyRelu: unaryWith(
    ({alpha}: LeakyReluAttrs) => ({alpha}),
    ({alpha}) =>
      (x) =>
        call('LeakyRelu', x, f32(alpha)),
    undefined,
    'float32',
  ),
  Step: unaryWith(
    ({alpha}: StepAttrs) => ({alpha}),
    ({alpha}) =>
      (x) =>
        call('Step', x, f32(alpha)),
    ({alpha}) =>
      (x) =>
        call('SelectInt', call('GreaterInt', x, i32(0)), i32(1), i32(clamp32(alpha))),
  ),
};

const bitwiseAnd = program(call('And', input(0), input(1)));

const binaries: KernelTable = {
  Add: {...binary('Add', 'Add', 'AddInt'), complex: complexBinary('Add')},
  Atan2: binary('Atan2', 'Atan2'),
  BitwiseAnd: kernel<BinaryInputs>(['int32'], ({inputs: {a, b}, backend}) => broadcast(backend, 'BitwiseAnd', bitwiseAnd, [a, b], 'int32')),
  Equal: binary('Equal', 'Equal', 'EqualInt', 'bool'),
  FloorDiv: binary('FloorDiv', 'FloorDiv', 'FloorDivInt'),
  Greater: binary('Greater', 'Greater', 'GreaterInt', 'bool'),
  GreaterEqual: binary('GreaterEqual', 'GreaterEqual', 'GreaterEqualInt', 'bool'),
  Less: binary('Less', 'Less', 'LessInt', 'bool'),
  LessEqual: binary('LessEqual', 'LessEqual', 'LessEqualInt', 'bool'),
  LogicalAnd: logical('LogicalAnd', 'And'),
  LogicalOr: logical('LogicalOr', 'Or'),
  LogicalXor: logical('LogicalXor', 'Xor'),
  Maximum: binary('Maximum', 'Maximum', 'MaximumInt'),
  Minimum: binary('Minimum', 'Minimum', 'MinimumInt'),
  Mod: binary('Mod', 'Mod', 'ModInt'),
  Multiply: {...binary('Multiply', 'Mul', 'MulInt'), complex: complexBinary('Multiply')},
  NotEqual: binary('NotEqual', 'NotEqual', 'NotEqualInt', 'bool'),
  Pow: binary('Pow', 'Pow', 'PowInt'),
  RealDiv: binary('RealDiv', 'Div', 'TruncateDivInt'),
  SquaredDifference: binary('SquaredDifference', 'SquaredDifference', 'SquaredDifferenceInt'),
  Sub: {...binary('Sub', 'Sub', 'SubInt'), complex: complexBinary('Sub')},
};

/** The gradient of elu by its result: dy where y >= 0, else dy · (y + 1). */
const eluGradWords = program(call('EluGrad', input(0), input(1)));
const eluGrad = kernel<EluGradInputs>(float32, ({inputs: {dy, y}, backend}) => {
  if (!sameShape(dy.shape, y.shape)) {
    throw errors.shape('EluGrad', `dy has the shape [${dy.shape.join(', ')}] and y [${y.shape.join(', ')}]; they must be equal`);
  }
  return pointwise(backend, eluGradWords, [dy, y], y.shape, 'float32');
});

const preluTyped = new TypedProgram(scalar('Prelu'), undefined, 'float32');
const prelu = kernel<PreluInputs>(numeric, ({inputs: {x, alpha}, backend}) => {
  const {words, dtype} = preluTyped.of(x.dtype, alpha.dtype);
  return broadcast(backend, 'Prelu', words, [x, alpha], dtype);
});

const selectPrograms: (Compiled | undefined)[] = [];
function selectProgram(condition: DataType, t: DataType, e: DataType): Compiled {
  const key = typeKey(condition, t, e);
  let made = selectPrograms[key];
  if (made === undefined) {
    const dtype = upcast([t, e]);
    const mask = condition === 'float32' ? call('ToBool', input(0)) : input(0);
    const float = () => call('Select', mask, toFloat(input(1), t), toFloat(input(2), e));
    made = {words: program(dtype === 'float32' ? float() : call('SelectInt', mask, input(1), input(2))), dtype};
    selectPrograms[key] = made;
  }
  return made;
}

/** Where the condition holds, t, else e. A condition of rank 1 picks whole entries of t's first axis. */
const select = kernel<SelectInputs>(numeric, ({inputs: {condition, t, e}, backend}) => {
  const {words, dtype} = selectProgram(condition.dtype, t.dtype, e.dtype);
  const rows = condition.shape.length === 1 && t.shape.length > 1;
  const mask = rows ? {...condition, shape: [condition.shape[0] as number, ...t.shape.slice(1).fill(1)]} : condition;
  return broadcast(backend, 'Select', words, [mask, t, e], dtype);
});

const sumProgram = kept(({terms, isFloat}: {terms: number; isFloat: boolean}): readonly number[] => {
  let sum: Expr = input(0);
  for (let i = 1; i < terms; i++) sum = call(isFloat ? 'Add' : 'AddInt', sum, input(i));
  return program(sum);
});

const addN = kernel<AddNInputs>(['float32', 'int32'], ({inputs, backend}) => {
  const [first, ...rest] = inputs as [TensorInfo, ...TensorInfo[]];
  for (const term of rest) {
    if (sameShape(term.shape, first.shape)) continue;
    throw errors.shape('AddN', `terms have the shapes [${first.shape.join(', ')}] and [${term.shape.join(', ')}]; they must be equal`);
  }
  let sum = backend.view(first, first.shape);
  const most = maxProgramInputs - 1;
  for (let at = 0; at < rest.length; at += most) {
    const terms = [sum, ...rest.slice(at, at + most)];
    const next = pointwise(backend, sumProgram({terms: terms.length, isFloat: first.dtype === 'float32'}), terms, first.shape, first.dtype);
    backend.disposeIntermediate(sum);
    sum = next;
  }
  return sum;
});

interface BatchNorm {
  readonly epsilon: number;
  readonly hasScale: boolean;
  readonly hasOffset: boolean;
}
/** (x − mean) / sqrt(variance + epsilon) · scale + offset; operands 3 and 4 only where given. */
const batchNormProgram = kept(({epsilon, hasScale, hasOffset}: BatchNorm): readonly number[] => {
  const inverse = call('Rsqrt', call('Add', input(2), f32(epsilon)));
  const factor = hasScale ? call('Mul', inverse, input(3)) : inverse;
  const centred = call('Sub', input(0), input(1));
  return program(hasOffset ? call('MulAdd', centred, factor, input(hasScale ? 4 : 3)) : call('Mul', centred, factor));
});

const fusedBatchNorm = kernel<FusedBatchNormInputs, FusedBatchNormAttrs>(float32, ({inputs, attrs, backend}) => {
  const {x, mean, variance} = inputs;
  const {scale, offset}: Partial<typeof inputs> = inputs;
  const operands = [x, mean, variance, ...(scale ? [scale] : []), ...(offset ? [offset] : [])];
  for (const {shape} of operands) {
    if (shape.length === mean.shape.length || shape === x.shape) continue;
    throw errors.shape(
      'FusedBatchNorm',
      `mean has rank ${mean.shape.length} and another statistic rank ${shape.length}; they must be equal`,
    );
  }
  for (const {shape} of operands) {
    if (sameShape(broadcastShape(x.shape, shape, 'FusedBatchNorm'), x.shape)) continue;
    throw errors.shape('FusedBatchNorm', `statistics of shape [${shape.join(', ')}] do not fit x of shape [${x.shape.join(', ')}]`);
  }
  const words = batchNormProgram({epsilon: attrs.varianceEpsilon ?? 0.001, hasScale: Boolean(scale), hasOffset: Boolean(offset)});
  return pointwise(backend, words, operands, x.shape, 'float32');
});

export const pointwiseKernels: KernelTable = {
  ...unaries,
  ...binaries,
  Prelu: prelu,
  Select: select,
  AddN: addN,
  EluGrad: eluGrad,
  FusedBatchNorm: fusedBatchNorm,
};
