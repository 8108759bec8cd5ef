import type {DataType, NamedTensorInfoMap, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';

/** What tfjs-core hands to a kernel. Core has checked the ranks and types that its ops promise; graph models and runKernel reach kernels directly. */
export interface KernelCall<Inputs = NamedTensorInfoMap, Attrs = object | undefined> {
  readonly inputs: Inputs;
  readonly attrs: Attrs;
  readonly backend: GravitonBackend;
}
export type KernelResult = TensorInfo | TensorInfo[];
export type KernelFunction = (call: KernelCall) => KernelResult;

/** A kernel that runs as native steps. */
export interface NativeKernel {
  /** Element types that the steps take. A call with an input of another type goes to the fallback. */
  readonly dtypes: readonly DataType[];
  readonly run: KernelFunction;
  /** Run instead where an input is complex64. */
  readonly complex?: KernelFunction;
}
/** Native kernels by tfjs kernel name. */
export type KernelTable = Readonly<Record<string, NativeKernel>>;

/** tfjs types every input of a kernel as perhaps missing; those that its op requires are there. */
export type Given<Inputs> = {[Name in keyof Inputs]: NonNullable<Inputs[Name]>};

/**
 * A row of a kernel table. tfjs types kernels by name only (NamedTensorInfoMap, NamedAttrMap), so the cast to the inputs and attributes that
 * the name promises is made here, once.
 */
export function kernel<Inputs, Attrs = object | undefined>(
  dtypes: readonly DataType[],
  run: (call: KernelCall<Given<Inputs>, Attrs>) => KernelResult,
): NativeKernel {
  return {dtypes, run: run as unknown as KernelFunction};
}

export const float32: readonly DataType[] = ['float32'];
export const numeric: readonly DataType[] = ['float32', 'int32', 'bool'];
export const anyType: readonly DataType[] = ['float32', 'int32', 'bool', 'complex64', 'string'];
