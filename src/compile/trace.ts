import type {NamedTensorInfoMap, TensorInfo} from '@tensorflow/tfjs-core';
import {native, noSlot, type Slot} from '../native';
import type {NativeDType, OpSpec, Params, ParamValues} from '../ops/schema';
import {TensorData} from '../tensor-data';
import type {ConstantPool} from './constants';
import {type Graph, type HostCall, hostOp, inputsOf, type Node, type Operand, type Value, type ValueId} from './ir';

/** A value of a trace that depends on the call's inputs, as a mark on the tensor that holds it. */
export interface TracedValue {
  readonly trace: Trace;
  readonly value: ValueId;
}

/** Thrown in a call that is recorded for shapes alone where it cannot be like the call that it is to be compared with. */
export class NotLike extends Error {}

/**
 * The record of one call. A kernel call belongs to the trace that its operands carry; operands without a mark become constants of the
 * trace. So traces of several requests, and foreign tf calls, may interleave.
 */
export class Trace {
  private readonly values: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueId[] = [];
  private readonly captured = new Map<TensorData, ValueId>();
  /** While the call is recorded without being computed: the tensors that wait, by value. */
  private waiting: Map<ValueId, TensorData[]> | undefined = new Map();
  /** Shares of the inputs, which the call may dispose of; undefined for an input that is only a shape. */
  private inputSlots: (Slot | undefined)[] = [];
  private isOpen = true;
  private obstacle: string | undefined;

  /** `mostNodes`: a call that is longer is given up. */
  constructor(
    private readonly pool: ConstantPool,
    private readonly mostNodes = Number.POSITIVE_INFINITY,
  ) {}

  /** Whether steps are recorded without being run: until something needs elements. */
  get ghostly(): boolean {
    return this.waiting !== undefined;
  }

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
    this.inputSlots.push(data.pending ? undefined : native().share(data.slot));
  }

  /** A second tensor for the elements of a pending one. */
  alias(from: TensorData): TensorData {
    const data = TensorData.pending(from.dtype, from.elems);
    data.traced = from.traced;
    if (from.traced !== undefined) this.waiting?.get(from.traced.value)?.push(data);
    return data;
  }

  /**
   * Runs what was only recorded so far; from here on steps run as they come.
   * @throws NotLike where an input is only a shape
   */
  compute(): void {
    const {waiting} = this;
    if (waiting === undefined) return;
    if (this.inputSlots.length < this.inputs.length || this.inputSlots.includes(undefined))
      throw new NotLike('the elements of an input are needed, and there is only its shape');
    this.waiting = undefined;
    const lastReader = new Map<ValueId, number>();
    for (const [at, node] of this.nodes.entries()) for (const {value} of inputsOf(node)) lastReader.set(value, at);
    const slots = new Map<ValueId, Slot>(this.inputs.map((id, i) => [id, native().share(this.inputSlots[i] as Slot)]));
    const slotOf = (id: ValueId): Slot => {
      const {constant} = this.values[id] as Value;
      return constant === undefined ? (slots.get(id) as Slot) : this.pool.slot(constant);
    };
    try {
      for (const [at, {op, inputs, outputs, params}] of this.nodes.entries()) {
        const operands = inputs.map((o) => (o === undefined ? noSlot : {slot: slotOf(o.value), offset: o.offset}));
        const made = native().run(
          op,
          operands,
          outputs.map(({value}) => this.values[value] as Value),
          params as never,
        );
        for (const [i, {value}] of outputs.entries()) {
          slots.set(value, made[i] as Slot);
          for (const data of waiting.get(value) ?? []) if (data.pending) data.fulfil(native().share(made[i] as Slot));
        }
        for (const value of new Set([...inputs, ...outputs].flatMap((o) => o?.value ?? []))) {
          const slot = slots.get(value);
          if (slot === undefined || (lastReader.get(value) ?? -1) > at) continue;
          native().release(slot);
          slots.delete(value);
        }
      }
    } finally {
      for (const slot of slots.values()) native().release(slot);
    }
  }

  /** Gives the shares of the inputs back. */
  release(): void {
    this.close();
    for (const slot of this.inputSlots) if (slot !== undefined) native().release(slot);
    this.inputSlots = [];
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
      if (data.pending) this.waiting?.set(value, [data]);
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
    if (this.nodes.length >= this.mostNodes) throw new NotLike(`more than ${this.mostNodes} steps`);
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

  /** The call cannot be replayed. */
  obstruct(reason: string): void {
    this.compute();
    this.obstacle ??= reason;
  }

  /** The graph of the closed trace; `outputs` are the call's results, which may also be inputs or constants. */
  graph(outputs: readonly TensorData[]): Graph {
    return {values: this.values, nodes: this.nodes, inputs: this.inputs, outputs: outputs.map((data) => this.valueOf(data))};
  }
}

/** Kernels of the fallback whose result sizes depend on elements, not only on shapes. */
const dataDependentSizes: ReadonlySet<string> = new Set([
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'StringNGrams',
  'StringSplit',
]);
