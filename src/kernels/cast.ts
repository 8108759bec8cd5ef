import type {CastAttrs, CastInputs, DataType, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {call, input} from '../ops/program';
import {anyType, type KernelTable, kernel, numeric} from './kernel';
import {fill, pointwise, program} from './steps';
import {convert, typeKey} from './typed-program';

const castPrograms: (readonly number[])[] = [];
for (const from of numeric) {
  for (const to of numeric) {
    const value = convert(input(0), from, to);
    // bool to int32 only widens the element.
    if (from !== to) castPrograms[typeKey(from, to)] = program('op' in value ? value : call('CopyInt', value));
  }
}

/** x as float32, int32 or bool; x of one of these types. */
export function castTo(backend: GravitonBackend, x: TensorInfo, dtype: DataType): TensorInfo {
  if (x.dtype === dtype) return backend.view(x, x.shape);
  return pointwise(backend, castPrograms[typeKey(x.dtype, dtype)] ?? [], [x], x.shape, dtype);
}

/** castTo() to or from a part of a complex tensor. */
export function castPart(backend: GravitonBackend, x: TensorInfo, dtype: DataType): TensorInfo {
  return x.dtype === dtype ? backend.alias(x) : castTo(backend, x, dtype);
}

export const castKernels: KernelTable = {
  Cast: kernel<CastInputs, CastAttrs>(anyType, ({inputs: {x}, attrs: {dtype}, backend}) => {
    if (x.dtype === dtype) return backend.view(x, x.shape);
    if (x.dtype === 'string' || dtype === 'string')
      throw errors.dtype('Cast', `${x.dtype} to ${dtype}`, numeric, 'Only strings are cast to strings.');
    if (x.dtype === 'complex64') return castPart(backend, backend.complexParts(x).real, dtype);
    if (dtype !== 'complex64') return castTo(backend, x, dtype);
    const imag = fill(backend, x.shape, 0, 'float32');
    return backend.makeComplex(castPart(backend, x, 'float32'), imag);
  }),
};
