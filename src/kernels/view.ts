import type {ExpandDimsAttrs, ExpandDimsInputs, IdentityInputs, ReshapeAttrs, ReshapeInputs} from '@tensorflow/tfjs-core';
import {errors} from '../errors';
import {sizeOf} from '../ops/geometry';
import {anyType, type KernelTable, kernel} from './kernel';

/** `shape` with its one -1, if any, filled in, so that it has `elems` elements. */
export function inferShape(op: string, shape: readonly number[], elems: number): number[] {
  const open = shape.indexOf(-1);
  const known = shape.reduce((product, size, i) => (i === open ? product : product * size), 1);
  const filled = open < 0 ? 1 : known === 0 ? 0 : elems / known;
  const result = shape.map((size, i) => (i === open ? filled : size));
  const bad = result.some((size) => !Number.isInteger(size) || size < 0);
  if (bad || sizeOf(result) !== elems) throw errors.shape(op, `${elems} elements do not fill the shape [${shape.join(', ')}]`);
  return result;
}

/** Kernels that give the same elements another shape. */
export const viewKernels: KernelTable = {
  Identity: kernel<IdentityInputs>(anyType, ({inputs: {x}, backend}) => backend.view(x, x.shape)),
  Reshape: kernel<ReshapeInputs, ReshapeAttrs>(anyType, ({inputs: {x}, attrs: {shape}, backend}) =>
    backend.view(x, inferShape('Reshape', shape, sizeOf(x.shape))),
  ),
  ExpandDims: kernel<ExpandDimsInputs, ExpandDimsAttrs>(anyType, ({inputs: {input}, attrs: {dim}, backend}) => {
    const rank = input.shape.length;
    if (!Number.isInteger(dim) || dim < -(rank + 1) || dim > rank)
      throw errors.shape('ExpandDims', `axis ${dim} is not in [${-(rank + 1)}, ${rank}]`);
    const shape = [...input.shape];
    shape.splice(dim < 0 ? rank + 1 + dim : dim, 0, 1);
    return backend.view(input, shape);
  }),
};
