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
    model: string | Uint8Array,
    options: {
      intraOpNumThreads: number;
      interOpNumThreads: number;
      graphOptimizationLevel: string;
      /** Configuration entries by their path: session.force_spinning_stop as {session: {force_spinning_stop: '1'}}. */
      extra?: object;
    },
  ): Promise<Session>;
};

export interface Session {
  readonly inputMetadata: readonly InputMetadata[];
  run(feeds: Record<string, unknown>): Promise<unknown>;
  release(): Promise<void>;
}

export interface OnnxSession {
  readonly inputMetadata: readonly InputMetadata[];
  readonly Tensor: typeof Tensor;
}
