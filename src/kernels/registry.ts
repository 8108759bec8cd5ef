import {type KernelConfig, type KernelFunc, type NamedAttrMap, type NamedTensorInfoMap, registerKernel} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {castKernels} from './cast';
import {fallback} from './fallback';
import type {KernelTable, NativeKernel} from './kernel';
import {fallbackKernels} from './names';
import {pointwiseKernels} from './pointwise';
import {viewKernels} from './view';

export const nativeKernels: KernelTable = {
  ...castKernels,
  ...pointwiseKernels,
  ...viewKernels,
};

/** tfjs passes inputs by name or as a list; both hold tensors, lists of tensors, or nothing where an optional one is not given. */
function takes(native: NativeKernel, inputs: NamedTensorInfoMap): boolean {
  for (const name in inputs) {
    const dtype = inputs[name]?.dtype;
    if (dtype !== undefined && !native.dtypes.includes(dtype)) return false;
  }
  return true;
}

function kernelFunction(name: string, native: NativeKernel | undefined): KernelFunc {
  return (params) => {
    const call = params as {inputs: NamedTensorInfoMap; attrs: NamedAttrMap; backend: GravitonBackend};
    return native !== undefined && takes(native, call.inputs) ? native.run(call) : fallback(name, call);
  };
}

/** A kernel for every name that any tfjs 4.22 backend registers. */
export function kernelConfigs(): KernelConfig[] {
  const names = new Set([...Object.keys(nativeKernels), ...fallbackKernels]);
  return [...names].sort().map((kernelName) => ({
    kernelName,
    backendName: 'graviton',
    kernelFunc: kernelFunction(kernelName, nativeKernels[kernelName]),
  }));
}

export function registerKernels(): void {
  for (const config of kernelConfigs()) registerKernel(config);
}
