import {engine, type KernelConfig, type NamedAttrMap, type NamedTensorMap, type Tensor, type TensorInfo} from '@tensorflow/tfjs-core';

/** What tfjs-core keeps where all of its copies find it. */
const shared = globalThis as {readonly _tfGlobals?: ReadonlyMap<string, ReadonlyMap<string, KernelConfig>>};

/** Whether tfjs-core does more around a kernel than to run it: record gradients, profile, print, look for leaks. */
function isObserved(core: ReturnType<typeof engine>): boolean {
  return core.isTapeOn() || core.state.profiling || core.ENV.getBool('DEBUG') || core.ENV.getBool('IS_TEST');
}

/**
 * Takes a detour out of tfjs-core's eager calls of this backend. Twice a call, core finds the kernel by a string that it makes of both names.
 * V8 has to copy and hash each of them, since those of 13 characters and more are not made at once: 0.2 to 0.5 µs, where the kernel itself
 * takes as long. Here the kernel is found by core's own copy of that string, in core's own registry: what is registered or taken out later
 * counts as it does there. All else goes as in core's runKernel(), which serves other backends, and calls that it observes.
 */
export function callDirectly(backendName: string): void {
  const registry = shared._tfGlobals?.get('kernelRegistry');
  if (registry === undefined) return;
  const keys = new Map<string, string>();
  for (const [key, config] of registry) if (config.backendName === backendName) keys.set(config.kernelName, key);

  const core = engine();
  const runKernel = core.runKernel.bind(core);
  const tensorOf = (result: TensorInfo): Tensor => ('rank' in result ? (result as Tensor) : core.makeTensorFromTensorInfo(result));
  core.runKernel = <T extends Tensor | Tensor[]>(name: string, inputs: NamedTensorMap, attrs?: NamedAttrMap): T => {
    const key = core.backendName === backendName && !isObserved(core) ? keys.get(name) : undefined;
    const kernel = key === undefined ? undefined : registry.get(key);
    if (kernel === undefined) return runKernel(name, inputs, attrs);
    core.state.kernelDepth++;
    try {
      const made = kernel.kernelFunc({inputs, attrs: attrs as NamedAttrMap, backend: core.backend});
      return (Array.isArray(made) ? made.map(tensorOf) : tensorOf(made)) as T;
    } finally {
      core.state.kernelDepth--;
    }
  };
}
