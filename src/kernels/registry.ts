import type {KernelFunc, NamedAttrMap, NamedTensorInfoMap} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {castKernels} from './cast';
import {complexKernels} from './complex';
import {convolutionKernels} from './convolution';
import {convolutionGradientKernels} from './convolution-gradient';
import {creationKernels} from './creation';
import {einsumKernels} from './einsum';
import {fallback} from './fallback';
import {gatherKernels} from './gather';
import {imageKernels} from './image';
import type {KernelFunction, KernelTable, NativeKernel} from './kernel';
import {linearKernels} from './linear';
import {movementKernels} from './movement';
import {fallbackKernels} from './names';
import {pointwiseKernels} from './pointwise';
import {poolingKernels} from './pooling';
import {poolingGradientKernels} from './pooling-gradient';
import {reductionKernels} from './reduction';
import {scatterKernels} from './scatter';
import {searchKernels} from './search';
import {spectrumKernels} from './spectrum';
import {viewKernels} from './view';

export const nativeKernels: KernelTable = {
  ...castKernels,
  ...complexKernels,
  ...convolutionKernels,
  ...convolutionGradientKernels,
  ...creationKernels,
  ...einsumKernels,
  ...gatherKernels,
  ...imageKernels,
  ...linearKernels,
  ...movementKernels,
  ...pointwiseKernels,
  ...poolingKernels,
  ...poolingGradientKernels,
  ...reductionKernels,
  ...scatterKernels,
  ...searchKernels,
  ...spectrumKernels,
  ...viewKernels,
};

/**
 * What runs a call natively, if anything does. tfjs passes inputs by name or as a list; both hold tensors, lists of tensors, or nothing where
 * an optional one is not given.
 */
function choose(native: NativeKernel, inputs: NamedTensorInfoMap): KernelFunction | undefined {
  let run: KernelFunction | undefined = native.run;
  for (const name in inputs) {
    const dtype = inputs[name]?.dtype;
    if (dtype === undefined || native.dtypes.includes(dtype)) continue;
    if (dtype !== 'complex64' || native.complex === undefined) return undefined;
    run = native.complex;
  }
  return run;
}

export function kernelFunction(name: string): KernelFunc {
  const native = nativeKernels[name];
  const fallsBack = fallbackKernels.includes(name);
  return (params) => {
    const call = params as {inputs: NamedTensorInfoMap; attrs: NamedAttrMap; backend: GravitonBackend};
    const run = native === undefined ? undefined : choose(native, call.inputs);
    if (run !== undefined) return call.backend.guarded(run, call);
    if (fallsBack) return fallback(name, call);
    const given = Object.values(call.inputs).map((x) => x?.dtype);
    throw errors.dtype(name, given.join(', '), native?.dtypes ?? [], 'Cast the inputs with tf.cast.');
  };
}
