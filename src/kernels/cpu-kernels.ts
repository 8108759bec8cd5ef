/**
 * The kernels of @tensorflow/tfjs-backend-cpu, on a private cpu backend that holds copies of our tensors for the length of a call.
 * The package is loaded at the first call.
 */
import type {MathBackendCPU} from '@tensorflow/tfjs-backend-cpu';
import {getKernel, type NamedAttrMap, type NamedTensorInfoMap, Tensor, type TensorInfo} from '@tensorflow/tfjs-core';
import type {KernelCall, KernelResult} from './kernel';

export class CpuKernels {
  private cpu: MathBackendCPU | undefined;
  /** Calls so far, by kernel name. */
  readonly calls = new Map<string, number>();

  private load(): MathBackendCPU {
    if (this.cpu === undefined) {
      // The package root only: @tensorflow/tfjs-backend-cpu/dist/… cannot be loaded in Node.
      const {MathBackendCPU} = require('@tensorflow/tfjs-backend-cpu') as typeof import('@tensorflow/tfjs-backend-cpu');
      this.cpu = new MathBackendCPU();
      Reflect.set(this.cpu, 'firstUse', false); // or the first write recommends tfjs-node to the user
    }
    return this.cpu;
  }

  /** Runs kernel `name` on copies of the inputs and returns copies of its results as tensors of the caller's backend. */
  run(name: string, {inputs, attrs, backend}: KernelCall): KernelResult {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    const cpu = this.load();
    const copies: TensorInfo[] = [];
    let made: TensorInfo[] = [];
    try {
      const result = kernelOf(name)(cpu, copyInputs(cpu, backend, inputs, copies), attrs as NamedAttrMap | undefined);
      made = Array.isArray(result) ? result : [result];
      const outputs = made.map((t) => backend.makeTensor(cpu.readSync(t.dataId), t.shape, t.dtype));
      return Array.isArray(result) ? outputs : (outputs[0] as TensorInfo);
    } finally {
      // Intermediates that a failing kernel leaves behind are reachable from nothing but the cpu backend's WeakMap.
      for (const t of made) {
        if (t instanceof Tensor)
          t.dispose(); // Abs registers its result with the engine
        else cpu.disposeData(t.dataId);
      }
      for (const t of copies) cpu.disposeData(t.dataId);
    }
  }
}

const kernelOf = (name: string) => (backend: MathBackendCPU, inputs: NamedTensorInfoMap, attrs?: NamedAttrMap) =>
  getKernel(name, 'cpu').kernelFunc(attrs === undefined ? {inputs, backend} : {inputs, backend, attrs});

type Source = KernelCall['backend'];

/** Inputs are tensors, lists of them (ragged kernels), or missing. */
function copyInputs(cpu: MathBackendCPU, from: Source, inputs: NamedTensorInfoMap, copies: TensorInfo[]): NamedTensorInfoMap {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (!isTensorInfo(value)) return value;
    const made = copyIn(cpu, from, value);
    copies.push(made);
    return made;
  };
  if (Array.isArray(inputs)) return copy(inputs) as NamedTensorInfoMap;
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, copy(value)])) as NamedTensorInfoMap;
}

function copyIn(cpu: MathBackendCPU, from: Source, x: TensorInfo): TensorInfo {
  if (x.dtype !== 'complex64') {
    const copy = cpu.makeTensorInfo(x.shape, x.dtype, from.values(x.dataId));
    return Object.assign(copy, {rank: x.shape.length}); // Dilation2DBackprop* take a Tensor for granted
  }
  const parts = from.complexParts(x);
  const real = copyIn(cpu, from, parts.real);
  const imag = copyIn(cpu, from, parts.imag);
  const whole = kernelOf('Complex')(cpu, {real, imag}) as TensorInfo;
  cpu.disposeData(real.dataId);
  cpu.disposeData(imag.dataId);
  return whole;
}

export function isTensorInfo(value: unknown): value is TensorInfo {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;
}
