import {settingOf, settings} from '../config';
import {errors} from '../errors';
import {isTensorInfo} from './cpu-kernels';
import type {KernelCall, KernelResult} from './kernel';

/**
 * The one way to run a kernel that has no native steps, or none for these inputs: on tfjs-backend-cpu.
 * @throws ERR_FALLBACK under GRAVITON_FALLBACK=error
 */
export function fallback(name: string, call: KernelCall): KernelResult {
  if (settingOf(settings.fallback) === 'error') throw errors.fallback(name);
  const {inputs, attrs, backend} = call;
  const result = backend.cpuKernels.run(name, call);
  const given = Object.values(inputs).flat().filter(isTensorInfo);
  const trace = given.flatMap((t) => backend.leaves(t.dataId)).find((data) => data.traced?.trace.open)?.traced?.trace;
  trace?.recordFallback(name, attrs ?? {}, inputs, [result].flat(), (t) => backend.data(t.dataId));
  return result;
}
