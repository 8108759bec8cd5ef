/** Fourier transforms, and normalisation by neighbouring channels (Krizhevsky et al. 2012, section 3.3). */
import type {FFTInputs, LRNAttrs, LRNGradInputs, LRNInputs, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {sizeOf} from '../ops/geometry';
import {call, type Expr, f32, input} from '../ops/program';
import {Fft, WindowSum} from '../ops/spectrum';
import {float32, type KernelTable, kernel, type NativeKernel} from './kernel';
import {kept, pointwise, program, using} from './steps';

function fft(op: string, inverse: boolean): NativeKernel {
  return kernel<FFTInputs>(['complex64'], ({inputs: {input: x}, backend}) => {
    const cols = x.shape.at(-1);
    if (cols === undefined) throw errors.shape(op, 'the input must have an axis');
    const {real, imag} = backend.complexParts(x);
    const output = {shape: x.shape, dtype: 'float32'} as const;
    const params = {rows: sizeOf(x.shape.slice(0, -1)), cols, inverse};
    const [re, im] = backend.step(Fft, [real, imag], [output, output], params) as [TensorInfo, TensorInfo];
    return backend.makeComplex(re, im);
  });
}

/** Σ over the channels within the radius. */
function windowSum(backend: GravitonBackend, op: string, x: TensorInfo, depthRadius: number): TensorInfo {
  const cols = x.shape.at(-1) ?? 1;
  if (!Number.isInteger(depthRadius) || depthRadius < 0)
    throw errors.argument(op, `depthRadius is ${depthRadius}; it must be a whole number from 0`);
  const params = {rows: sizeOf(x.shape.slice(0, -1)), cols, radius: depthRadius};
  return backend.run(WindowSum, [x], {shape: x.shape, dtype: 'float32'}, params);
}

const squareWords = program(call('Square', input(0)));
const norm = (sum: Expr, {bias, alpha}: Norm): Expr => call('MulAdd', sum, f32(alpha), f32(bias));

/** s[c] = Σ x² within the radius: LRN divides by (bias + alpha s)^beta. */
function squares(backend: GravitonBackend, op: string, x: TensorInfo, attrs: LRNAttrs): TensorInfo {
  if (x.shape.length !== 4) throw errors.shape(op, `takes a tensor of rank 4, not [${x.shape}]`);
  const squared = pointwise(backend, squareWords, [x], x.shape, 'float32');
  return using(backend, [squared], () => windowSum(backend, op, squared, attrs.depthRadius));
}

interface Norm {
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}
const normOf = ({bias, alpha, beta}: LRNAttrs): Norm => ({bias, alpha, beta});
/** Of x, or of dy, and the sums. */
const normalized = kept((attrs: Norm) => program(call('Mul', input(0), call('Pow', norm(input(1), attrs), f32(-attrs.beta)))));
/** Of dy, y and the sums. */
const shareOf = kept((attrs: Norm) => program(call('Div', call('Mul', input(0), input(1)), norm(input(2), attrs))));
/** Of dy, the sums, x and the sums of shares. */
const gradientOf = kept((attrs: Norm) => {
  const direct = call('Mul', input(0), call('Pow', norm(input(1), attrs), f32(-attrs.beta)));
  return program(call('Sub', direct, call('Mul', call('Mul', f32(2 * attrs.alpha * attrs.beta), input(2)), input(3))));
});

export const spectrumKernels: KernelTable = {
  FFT: fft('FFT', false),
  IFFT: fft('IFFT', true),
  LRN: kernel<LRNInputs, LRNAttrs>(float32, ({inputs: {x}, attrs, backend}) => {
    const sums = squares(backend, 'LRN', x, attrs);
    return using(backend, [sums], () => pointwise(backend, normalized(normOf(attrs)), [x, sums], x.shape, 'float32'));
  }),
  /** dx = dy norm^-beta − 2 alpha beta x Σ (dy y / norm) within the radius. */
  LRNGrad: kernel<LRNGradInputs, LRNAttrs>(float32, ({inputs: {x, y, dy}, attrs, backend}) => {
    const sums = squares(backend, 'LRNGrad', x, attrs);
    return using(backend, [sums], () => {
      const shares = pointwise(backend, shareOf(normOf(attrs)), [dy, y, sums], x.shape, 'float32');
      const spread = using(backend, [shares], () => windowSum(backend, 'LRNGrad', shares, attrs.depthRadius));
      return using(backend, [spread], () => pointwise(backend, gradientOf(normOf(attrs)), [dy, sums, x, spread], x.shape, 'float32'));
    });
  }),
};
