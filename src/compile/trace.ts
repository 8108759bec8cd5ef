import type {OpSpec, Params, ParamValues} from '../ops/schema';
import type {TensorData} from '../tensor-data';

/** A value of a trace that depends on the call's inputs, as a mark on the tensor that holds it. */
export interface TracedValue {
  readonly trace: Trace;
  readonly value: number;
}

/** The record of one call. */
export interface Trace {
  recordStep<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (TensorData | undefined)[],
    outputs: readonly TensorData[],
    params: ParamValues<P>,
  ): void;
  /** A kernel that ran on tfjs-backend-cpu. */
  recordFallback(kernelName: string, attrs: object | undefined, inputs: readonly TensorData[], outputs: readonly TensorData[]): void;
  /** JavaScript read the elements of a value that depends on the inputs. */
  hostRead(value: TracedValue): void;
}
