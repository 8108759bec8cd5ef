import type {
  BinaryInputs,
  ComplexAbsInputs,
  ComplexInputs,
  ImagInputs,
  NamedTensorInfoMap,
  RealInputs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {sameShape} from '../ops/geometry';
import {call, type Expr, f32, input} from '../ops/program';
import {castPart, castTo} from './cast';
import {type KernelCall, type KernelFunction, type KernelTable, kernel, type NativeKernel, numeric} from './kernel';
import {broadcast, fill, pointwise, program, using} from './steps';

type Part = 'real' | 'imag';

/** The inputs with complex tensors replaced by one of their parts. */
function partsOf(inputs: NamedTensorInfoMap, backend: GravitonBackend, part: Part): NamedTensorInfoMap {
  const pick = (x: TensorInfo | undefined) => (x?.dtype === 'complex64' ? backend.complexParts(x)[part] : x);
  if (Array.isArray(inputs)) return inputs.map(pick) as unknown as NamedTensorInfoMap;
  return Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, pick(x)]));
}

/** A kernel that only moves elements moves those of complex tensors part by part. */
export function byParts(native: NativeKernel): NativeKernel {
  const complex: KernelFunction = (given: KernelCall) => {
    const {inputs, backend} = given;
    const real = native.run({...given, inputs: partsOf(inputs, backend, 'real')});
    const imag = native.run({...given, inputs: partsOf(inputs, backend, 'imag')});
    if (!Array.isArray(real) || !Array.isArray(imag)) return backend.makeComplex(real as TensorInfo, imag as TensorInfo);
    return real.map((part, i) => backend.makeComplex(part, imag[i] as TensorInfo));
  };
  return {...native, complex};
}

/** Both parts of a tensor of any numeric type, to be given back. */
function openParts(backend: GravitonBackend, x: TensorInfo): {real: TensorInfo; imag: TensorInfo} {
  if (x.dtype !== 'complex64') return {real: castTo(backend, x, 'float32'), imag: fill(backend, x.shape, 0, 'float32')};
  const {real, imag} = backend.complexParts(x);
  return {real: backend.view(real, real.shape), imag: backend.view(imag, imag.shape)};
}

/** Formulas of the real and imaginary part of a ∘ b in the inputs Re a, Im a, Re b, Im b. */
interface ComplexFormula {
  readonly real: readonly number[];
  readonly imag: readonly number[];
}
const [aReal, aImag, bReal, bImag] = [input(0), input(1), input(2), input(3)] as const;
const formula = (real: Expr, imag: Expr): ComplexFormula => ({real: program(real), imag: program(imag)});

const formulas = {
  Add: formula(call('Add', aReal, bReal), call('Add', aImag, bImag)),
  Sub: formula(call('Sub', aReal, bReal), call('Sub', aImag, bImag)),
  Multiply: formula(
    call('Sub', call('Mul', aReal, bReal), call('Mul', aImag, bImag)),
    call('Add', call('Mul', aReal, bImag), call('Mul', aImag, bReal)),
  ),
};

/** Add, Sub and Multiply where an operand is complex. */
export function complexBinary(name: keyof typeof formulas): KernelFunction {
  return kernel<BinaryInputs>(['complex64'], ({inputs: {a, b}, backend}) => {
    const left = openParts(backend, a);
    const right = openParts(backend, b);
    const operands = [left.real, left.imag, right.real, right.imag];
    return using(backend, operands, () => {
      const [real, imag] = [formulas[name].real, formulas[name].imag].map((words) => broadcast(backend, name, words, operands, 'float32'));
      return backend.makeComplex(real as TensorInfo, imag as TensorInfo);
    });
  }).run;
}

/** |z| without overflow in the squares: m sqrt(1 + (n / m)²) with m the larger part; infinite if either part is. */
function magnitude(): readonly number[] {
  const [re, im] = [call('Abs', input(0)), call('Abs', input(1))];
  const m = call('Maximum', re, im);
  const ratio = call('Div', call('Minimum', re, im), m);
  const finite = call('Mul', m, call('Sqrt', call('MulAdd', ratio, ratio, f32(1))));
  const orZero = call('Select', call('Equal', m, f32(0)), f32(0), finite);
  const isInfinite = call('Or', call('IsInf', input(0)), call('IsInf', input(1)));
  return program(call('Select', isInfinite, f32(Number.POSITIVE_INFINITY), orZero));
}
const magnitudeWords = magnitude();

export const complexKernels: KernelTable = {
  Complex: kernel<ComplexInputs>(numeric, ({inputs: {real, imag}, backend}) => {
    if (!sameShape(real.shape, imag.shape)) {
      throw errors.shape('Complex', `the parts have the shapes [${real.shape.join(', ')}] and [${imag.shape.join(', ')}]`);
    }
    return backend.makeComplex(castPart(backend, real, 'float32'), castPart(backend, imag, 'float32'));
  }),
  ComplexAbs: kernel<ComplexAbsInputs>(['complex64'], ({inputs: {x}, backend}) => {
    const {real, imag} = backend.complexParts(x);
    return pointwise(backend, magnitudeWords, [real, imag], x.shape, 'float32');
  }),
  Real: kernel<RealInputs>(['complex64'], ({inputs: {input: x}, backend}) => backend.alias(backend.complexParts(x).real)),
  Imag: kernel<ImagInputs>(['complex64'], ({inputs: {input: x}, backend}) => backend.alias(backend.complexParts(x).imag)),
};
