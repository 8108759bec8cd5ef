import type {NamedTensorInfoMap, TensorInfo} from '@tensorflow/tfjs-core';
import type {NativeDType, OpSpec, Params, ParamValues} from '../ops/schema';
import type {TensorData} from '../tensor-data';
import type {ConstantPool} from './constants';
import {type Graph, type HostCall, hostOp, type Node, type Operand, type Value, type ValueId} from './ir';

/** A value of a trace that depends on the call's inputs, as a mark on the tensor that holds it. */
export interface TracedValue {
  readonly trace: Trace;
  readonly value: ValueId;
}

/**
 * The record of one call. A kernel call belongs to the trace that its operands carry; operands without a mark become constants of the
 * trace. So traces of several requests, and foreign tf calls, may interleave.
 */
export class Trace {
  private readonly values: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueId[] = [];
  private readonly captured = new Map<TensorData, ValueId>();
  private isOpen = true;
  private obstacle: string | undefined;

  constructor(private readonly pool: ConstantPool) {}

  /** False once the call has ended: marks of this trace then mean nothing. */
  get open(): boolean {
    return this.isOpen;
  }

  /** Why the call cannot be replayed, if so. */
  get reason(): string | undefined {
    return this.obstacle;
  }

  close(): void {
    this.isOpen = false;
  }

  /** Marks `data`, which must be nobody else's, as the next input of the call. */
  addInput(data: TensorData): void {
    const value = this.newValue(data);
    this.inputs.push(value);
    data.traced = {trace: this, value};
  }

  private newValue(data: TensorData): ValueId {
    return this.values.push({dtype: data.dtype as NativeDType, elems: data.elems}) - 1;
  }

  private valueOf(data: TensorData): ValueId {
    if (data.traced?.trace === this) return data.traced.value;
    let value = this.captured.get(data);
    if (value === undefined) {
      const constant = this.pool.capture(data);
      value = this.values.push({dtype: data.dtype as NativeDType, elems: data.elems, constant}) - 1;
      this.captured.set(data, value);
    }
    return value;
  }

  private mark(outputs: readonly TensorData[]): Operand[] {
    return outputs.map((data) => {
      const value = this.newValue(data);
      data.traced = {trace: this, value};
      return {value, offset: 0};
    });
  }

  recordStep<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (TensorData | undefined)[],
    outputs: readonly TensorData[],
    params: ParamValues<P>,
    /** The element of each input that its strides start from, where not 0. */
    offsets?: readonly number[],
  ): void {
    if (this.obstacle !== undefined) return;
    const operands = inputs.map((data, i) => (data === undefined ? undefined : {value: this.valueOf(data), offset: offsets?.[i] ?? 0}));
    this.nodes.push({op, inputs: operands, outputs: this.mark(outputs), params});
  }

  /** A kernel that ran on tfjs-backend-cpu: replay pauses there, unless what it returns has no fixed size. */
  recordFallback(
    kernelName: string,
    attrs: object,
    inputs: NamedTensorInfoMap,
    outputs: readonly TensorInfo[],
    dataOf: (t: TensorInfo) => TensorData,
  ): void {
    if (this.obstacle !== undefined) return;
    const operands: Operand[] = [];
    const named: HostCall['inputs'][number][] = [];
    for (const [name, info] of Object.entries(inputs)) {
      if (info === undefined || info === null) continue;
      for (const [index, tensor] of Array.isArray(info) ? info.entries() : [[undefined, info] as const]) {
        const data = dataOf(tensor as TensorInfo);
        if (data.host !== undefined) return this.obstruct(`${kernelName} takes a ${data.dtype} tensor`);
        operands.push({value: this.valueOf(data), offset: 0});
        named.push({name, index, shape: (tensor as TensorInfo).shape, dtype: data.dtype});
      }
    }
    if (dataDependentSizes.has(kernelName)) return this.obstruct(`the size of what ${kernelName} returns depends on data`);
    const data = outputs.map(dataOf);
    if (data.some((d) => d.host !== undefined)) return this.obstruct(`${kernelName} returns strings or complex numbers`);
    const host: HostCall = {
      kernelName,
      attrs,
      inputs: named,
      outputs: outputs.map((o) => ({shape: o.shape, dtype: o.dtype as NativeDType})),
    };
    this.nodes.push({op: hostOp, inputs: operands, outputs: this.mark(data), params: {}, host});
  }

  /** The tensors that it took for constants. */
  capturedData(): TensorData[] {
    return [...this.captured.keys()];
  }

  /** JavaScript reads the elements of a value that depends on the inputs, so what follows may depend on them too. */
  hostRead(data: TensorData): void {
    this.obstruct(`the elements of a derived ${data.dtype} tensor (${data.elems} elements) are read in JavaScript`);
  }

  obstruct(reason: string): void {
    this.obstacle ??= reason;
  }

  /** The graph of the closed trace; `outputs` are the call's results, which may also be inputs or constants. */
  graph(outputs: readonly TensorData[]): Graph {
    return {values: this.values, nodes: this.nodes, inputs: this.inputs, outputs: outputs.map((data) => this.valueOf(data))};
  }
}

/** Kernels of the fallback whose result sizes depend on elements, not only on shapes. */
const dataDependentSizes: ReadonlySet<string> = new Set([
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'StringNGrams',
  'StringSplit',
  'Unique',
]);
