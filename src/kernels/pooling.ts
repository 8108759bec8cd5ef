import {
  type AvgPoolAttrs,
  type AvgPoolInputs,
  backend_util,
  type MaxPoolAttrs,
  type ResizeBilinearAttrs,
  type ResizeBilinearInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {Pool2D, type poolKinds, Resize2D, resizeKinds} from '../ops/convolution';
import {sameShape} from '../ops/geometry';
import {castTo} from './cast';
import {asImage, checkWindow, Pool2DParams} from './convolution';
import {float32, type KernelTable, kernel, type NativeKernel, numeric} from './kernel';
import {using} from './steps';

function pool(kind: keyof typeof poolKinds, name: string): NativeKernel {
  return kernel<AvgPoolInputs, AvgPoolAttrs | MaxPoolAttrs>(float32, ({inputs: {x}, attrs, backend}) => {
    const {filterSize, strides, pad, dimRoundingMode} = attrs;
    const info = backend_util.computePool2DInfo(asImage(name, x.shape), filterSize, strides, 1, pad, dimRoundingMode);
    checkWindow(name, info);
    // With a padding, such windows may lie outside; tfjs gives the image itself nevertheless.
    const isWhole = info.filterHeight === 1 && info.filterWidth === 1 && sameShape(info.inShape, info.outShape);
    if (isWhole) return backend.view(x, x.shape);
    return backend.run(Pool2D, [x], {shape: info.outShape, dtype: 'float32'}, new Pool2DParams(info, kind));
  });
}

function resized(backend: GravitonBackend, kind: keyof typeof resizeKinds, x: TensorInfo, attrs: ResizeBilinearAttrs): TensorInfo {
  const [batch, inH, inW, channels] = asImage('Resize2D', x.shape);
  const [outH, outW] = attrs.size;
  if (outH < 1 || outW < 1 || !Number.isInteger(outH) || !Number.isInteger(outW)) {
    throw errors.shape('Resize2D', `the size [${attrs.size.join(', ')}] must be two whole numbers from 1`);
  }
  const {alignCorners, halfPixelCenters} = attrs;
  const params = {kind: resizeKinds[kind], batch, inH, inW, channels, outH, outW, alignCorners, halfPixelCenters};
  return backend.run(Resize2D, [x], {shape: [batch, outH, outW, channels], dtype: 'float32'}, params);
}

export const poolingKernels: KernelTable = {
  AvgPool: pool('average', 'AvgPool'),
  MaxPool: pool('max', 'MaxPool'),
  ResizeBilinear: kernel<ResizeBilinearInputs, ResizeBilinearAttrs>(numeric, ({inputs: {images}, attrs, backend}) => {
    const x = castTo(backend, images, 'float32');
    return using(backend, [x], () => resized(backend, 'bilinear', x, attrs));
  }),
  ResizeNearestNeighbor: kernel<ResizeBilinearInputs, ResizeBilinearAttrs>(float32, ({inputs: {images}, attrs, backend}) =>
    resized(backend, 'nearest', images, attrs),
  ),
};
