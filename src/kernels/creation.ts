import {
  type DiagInputs,
  type FillAttrs,
  type LinSpaceAttrs,
  type OneHotAttrs,
  type OneHotInputs,
  type OnesLikeInputs,
  type RangeAttrs,
  type TensorInfo,
  util,
  type ZerosLikeInputs,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {sizeOf} from '../ops/geometry';
import {Diag, OneHot, Ramp} from '../ops/movement';
import {castTo} from './cast';
import {anyType, type KernelTable, kernel, numeric} from './kernel';
import {bitsOf, fill, using} from './steps';

function filled(backend: GravitonBackend, {shape, value, dtype: given}: FillAttrs): TensorInfo {
  const dtype = given ?? util.inferDtype(value);
  if (dtype === 'complex64') return backend.makeComplex(fill(backend, shape, Number(value), 'float32'), fill(backend, shape, 0, 'float32'));
  if (dtype === 'string') return backend.makeTensor(strings(String(value), sizeOf(shape)), shape, dtype);
  return fill(backend, shape, Number(value), dtype);
}

const strings = (text: string, count: number): Uint8Array[] => new Array<Uint8Array>(count).fill(util.encodeString(text));

/** A tensor of one value with the shape and type of x; for strings and complex parts as tfjs has it. */
function like(name: string, value: 0 | 1) {
  return kernel<ZerosLikeInputs | OnesLikeInputs>(anyType, ({inputs: {x}, backend}) => {
    if (x.dtype !== 'string') return filled(backend, {shape: x.shape, value, dtype: x.dtype});
    if (value === 1) throw errors.dtype(name, 'string', numeric, 'A string has no value of one.');
    return filled(backend, {shape: x.shape, value: '', dtype: 'string'});
  });
}

/** start, start + step, … before stop; a step of 1 from a greater start to a smaller stop counts down, as in tfjs. */
function range(backend: GravitonBackend, {start, stop, step, dtype}: RangeAttrs): TensorInfo {
  const isEmpty = start === stop || (start < stop && step < 0) || (stop < start && step > 1);
  const count = isEmpty ? 0 : Math.abs(Math.ceil((stop - start) / step));
  const by = stop < start && step === 1 ? -1 : step;
  return backend.run(Ramp, [], {shape: [count], dtype}, {count, start, step: by});
}

interface Pixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/** Pixel data, an ImageData, or anything with a 2d context, as the canvas packages for Node have. */
function fromPixels(backend: GravitonBackend, pixels: unknown, channels: number): TensorInfo {
  const {data, width, height} = asPixels(pixels);
  const values = new Int32Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) values[i * channels + c] = data[4 * i + c] ?? 0;
  }
  return backend.makeTensor(values, [height, width, channels], 'int32');
}

function asPixels(source: unknown): Pixels {
  const {data, width, height, getContext} = source as Partial<Pixels> & {getContext?: unknown};
  if (width !== undefined && height !== undefined) {
    if (data !== undefined) return {data, width, height};
    if (typeof getContext === 'function') {
      const canvas = source as {getContext(kind: '2d'): {getImageData(x: number, y: number, w: number, h: number): Pixels}};
      return {data: canvas.getContext('2d').getImageData(0, 0, width, height).data, width, height};
    }
  }
  throw errors.argument('FromPixels', 'pixels must be {data, width, height}, an ImageData, or a canvas');
}

export const creationKernels: KernelTable = {
  Diag: kernel<DiagInputs>(numeric, ({inputs: {x}, backend}) =>
    backend.run(Diag, [x], {shape: [...x.shape, ...x.shape], dtype: x.dtype}, {count: sizeOf(x.shape)}),
  ),
  Fill: kernel<object, FillAttrs>(anyType, ({attrs, backend}) => filled(backend, attrs)),
  FromPixels: kernel<{pixels: object}, {numChannels: number}>(anyType, ({inputs, attrs, backend}) =>
    fromPixels(backend, inputs.pixels, attrs.numChannels),
  ),
  LinSpace: kernel<object, LinSpaceAttrs>(anyType, ({attrs: {start, stop, num}, backend}) =>
    backend.run(Ramp, [], {shape: [num], dtype: 'float32'}, {count: num, start, step: (stop - start) / (num - 1)}),
  ),
  OneHot: kernel<OneHotInputs, OneHotAttrs>(numeric, ({inputs: {indices}, attrs: {depth, onValue, offValue, dtype}, backend}) => {
    const positions = castTo(backend, indices, 'int32');
    const params = {count: sizeOf(indices.shape), depth, on: bitsOf(onValue, dtype), off: bitsOf(offValue, dtype)};
    return using(backend, [positions], () => backend.run(OneHot, [positions], {shape: [...indices.shape, depth], dtype}, params));
  }),
  OnesLike: like('OnesLike', 1),
  Range: kernel<object, RangeAttrs>(anyType, ({attrs, backend}) => range(backend, attrs)),
  ZerosLike: like('ZerosLike', 0),
};
