/** The part of onnxruntime-node's interface that the benchmark uses; the package itself is installed only by those who compare. */
export declare class Tensor {
  constructor(type: string, data: ArrayBufferView, shape: readonly number[]);
}

interface InputMetadata {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
}

export declare const InferenceSession: {
  create(
    file: string,
    options: {intraOpNumThreads: number; interOpNumThreads: number; graphOptimizationLevel: string},
  ): Promise<{readonly inputMetadata: readonly InputMetadata[]; run(feeds: Record<string, unknown>): Promise<unknown>}>;
};

export interface OnnxSession {
  readonly inputMetadata: readonly InputMetadata[];
  readonly Tensor: typeof Tensor;
}
