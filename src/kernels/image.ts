/** Kernels that resample images, and the gradients of resizing. */
import {
  backend_util,
  type CropAndResizeAttrs,
  type CropAndResizeInputs,
  type ResizeBilinearAttrs,
  type ResizeBilinearGradInputs,
  type RotateWithOffsetAttrs,
  type RotateWithOffsetInputs,
  type TensorInfo,
  type TransformAttrs,
  type TransformInputs,
} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {CropAndResize, cropMethods, fillModes, Resize2DGrad, resizeKinds, Transform} from '../ops/convolution';
import {castTo} from './cast';
import {asImage} from './convolution';
import {float32, type KernelTable, kernel, type NativeKernel, numeric} from './kernel';
import {fill, using} from './steps';
import {checkShape} from './windows';

function resizeGradient(kind: keyof typeof resizeKinds, op: string): NativeKernel {
  return kernel<ResizeBilinearGradInputs, ResizeBilinearAttrs>(numeric, ({inputs: {images, dy}, attrs, backend}) => {
    const [batch, inH, inW, channels] = asImage(op, images.shape);
    const [, outH, outW] = asImage(op, dy.shape);
    if (dy.shape[0] !== batch || dy.shape[3] !== channels) {
      throw errors.shape(op, `dy [${dy.shape.join(', ')}] does not suit images [${images.shape.join(', ')}]`);
    }
    const {alignCorners, halfPixelCenters = false} = attrs;
    const params = {kind: resizeKinds[kind], batch, inH, inW, channels, outH, outW, alignCorners, halfPixelCenters};
    const given = castTo(backend, dy, 'float32');
    return using(backend, [given], () => backend.run(Resize2DGrad, [given], {shape: images.shape, dtype: 'float32'}, params));
  });
}

/** y = x at transforms[batch or 1, 8], and fill[channels] outside, as tf.image.transform. x of any numeric type, which y has too. */
function transformed(
  backend: GravitonBackend,
  op: string,
  image: TensorInfo,
  transforms: TensorInfo,
  outside: TensorInfo,
  {interpolation, fillMode, outputShape}: Omit<TransformAttrs, 'fillValue'>,
): TensorInfo {
  const [batch, inH, inW, channels] = asImage(op, image.shape);
  const [outH, outW] = outputShape ?? [inH, inW];
  const method = interpolation in cropMethods ? cropMethods[interpolation] : undefined;
  if (method === undefined) throw errors.argument(op, `interpolation is '${interpolation}'; it must be nearest or bilinear`);
  const rows = transforms.shape[0];
  if (transforms.shape.length !== 2 || transforms.shape[1] !== 8 || (rows !== 1 && rows !== batch)) {
    throw errors.shape(op, `transforms [${transforms.shape.join(', ')}] must be [1, 8] or [${batch}, 8]`);
  }
  const params = {
    method,
    fillMode: fillModes[fillMode] ?? fillModes.constant,
    sharedTransform: rows === 1,
    batch,
    inH,
    inW,
    channels,
    outH,
    outW,
  };
  const x = castTo(backend, image, 'float32');
  const y = using(backend, [x], () =>
    backend.run(Transform, [x, transforms, outside], {shape: [batch, outH, outW, channels], dtype: 'float32'}, params),
  );
  return using(backend, [y], () => castTo(backend, y, image.dtype));
}

/** The rotation about a centre as a transform: where each pixel comes from. */
function rotation(radians: number, [x, y]: readonly [number, number]): Float32Array {
  const sin = Math.sin(radians);
  const cos = Math.cos(radians);
  return new Float32Array([cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, 0, 0]); // of() takes three times as long
}

/** A colour is without the alpha channel, which is opaque then. */
const colour = (given: readonly number[], channels: number): Float32Array =>
  Float32Array.from({length: channels}, (_, c) => (c === 3 ? 255 : (given[c] ?? 0)));

export const imageKernels: KernelTable = {
  CropAndResize: kernel<CropAndResizeInputs, CropAndResizeAttrs>(numeric, ({inputs: {image, boxes, boxInd}, attrs, backend}) => {
    const {cropSize, method, extrapolationValue} = attrs;
    const [batch, inH, inW, channels] = asImage('CropAndResize', image.shape);
    const [cropH, cropW] = cropSize;
    const count = boxInd.shape[0] ?? 0;
    checkShape('CropAndResize', 'boxInd', boxInd, [count]);
    checkShape('CropAndResize', 'boxes', boxes, [count, 4]);
    const params = {method: cropMethods[method], batch, inH, inW, channels, boxes: count, cropH, cropW, extrapolation: extrapolationValue};
    const operands = [castTo(backend, image, 'float32'), castTo(backend, boxes, 'float32'), castTo(backend, boxInd, 'int32')];
    return using(backend, operands, () =>
      backend.run(CropAndResize, operands, {shape: [count, cropH, cropW, channels], dtype: 'float32'}, params),
    );
  }),
  ResizeBilinearGrad: resizeGradient('bilinear', 'ResizeBilinearGrad'),
  ResizeNearestNeighborGrad: resizeGradient('nearest', 'ResizeNearestNeighborGrad'),
  RotateWithOffset: kernel<RotateWithOffsetInputs, RotateWithOffsetAttrs>(numeric, ({inputs: {image}, attrs, backend}) => {
    const {radians, fillValue, center} = attrs;
    const [, inH, inW, channels] = asImage('RotateWithOffset', image.shape);
    const about = rotation(radians, backend_util.getImageCenter(center, inH, inW) as [number, number]);
    const outside =
      typeof fillValue === 'number'
        ? fill(backend, [channels], fillValue, 'float32')
        : backend.makeTensor(colour(fillValue, channels), [channels], 'float32');
    const operands = [backend.makeTensor(about, [1, 8], 'float32'), outside] as const;
    return using(backend, operands, () =>
      transformed(backend, 'RotateWithOffset', image, ...operands, {interpolation: 'nearest', fillMode: 'constant'}),
    );
  }),
  Transform: kernel<TransformInputs, TransformAttrs>(float32, ({inputs: {image, transforms}, attrs, backend}) => {
    const outside = fill(backend, [asImage('Transform', image.shape)[3]], attrs.fillValue, 'float32');
    return using(backend, [outside], () => transformed(backend, 'Transform', image, transforms, outside, attrs));
  }),
};
