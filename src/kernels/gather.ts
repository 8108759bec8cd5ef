import {backend_util, type GatherNdInputs, type GatherV2Attrs, type GatherV2Inputs} from '@tensorflow/tfjs-core';
import {sizeOf} from '../ops/geometry';
import {Gather, GatherNd} from '../ops/movement';
import {castTo} from './cast';
import {byParts} from './complex';
import {type KernelTable, kernel, numeric} from './kernel';
import {axisOf, using} from './steps';

export const gatherKernels: KernelTable = {
  /** TensorFlow's GatherV2; an index outside of the axis is an error. */
  GatherV2: byParts(
    kernel<GatherV2Inputs, GatherV2Attrs>(numeric, ({inputs: {x, indices}, attrs: {axis, batchDims}, backend}) => {
      const along = axisOf('GatherV2', axis, x.shape.length);
      const info = backend_util.segment_util.collectGatherOpShapeInfo(x, indices, along, batchDims ?? 0);
      const count = info.batchSize === 0 ? 0 : sizeOf(indices.shape) / info.batchSize;
      const params = {batch: info.batchSize, outer: info.outerSize, axis: info.dimSize, inner: info.sliceSize, count};
      const positions = castTo(backend, indices, 'int32');
      return using(backend, [positions], () => backend.run(Gather, [x, positions], {shape: info.outputShape, dtype: x.dtype}, params));
    }),
  ),
  GatherNd: byParts(
    kernel<GatherNdInputs>(numeric, ({inputs: {params: table, indices}, backend}) => {
      const [shape, slices, inner] = backend_util.prepareAndValidate(table, indices);
      const dims = table.shape.slice(0, indices.shape.at(-1));
      return backend.run(GatherNd, [table, indices], {shape, dtype: table.dtype}, {slices, inner, dims});
    }),
  ),
};
