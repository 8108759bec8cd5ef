import {type KernelConfig, registerKernel} from '@tensorflow/tfjs-core';
import {fallbackKernels, furtherKernels} from './names';

const registry = () => require('./registry') as typeof import('./registry');

/**
 * Registers a kernel for every name that any tfjs 4.22 backend registers. The first call of one loads them all, and from then on tfjs calls them
 * without a detour.
 */
export function registerKernels(): void {
  const configs = [...fallbackKernels, ...furtherKernels].map((kernelName): KernelConfig => {
    const config: KernelConfig = {
      kernelName,
      backendName: 'graviton',
      kernelFunc: (params) => {
        const {kernelFunction} = registry();
        for (const each of configs) each.kernelFunc = kernelFunction(each.kernelName);
        return config.kernelFunc(params);
      },
    };
    return config;
  });
  for (const config of configs) registerKernel(config);
}
