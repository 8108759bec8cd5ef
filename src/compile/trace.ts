import type {NamedTensorInfoMap, TensorInfo} from '@tensorflow/tfjs-core';
import {native, noSlot, type Slot} from '../native';
import type {NativeDType, OpSpec, Params, ParamValue, ParamValues} from '../ops/schema';
import {TensorData} from '../tensor-data';
import type {ConstantPool} from './constants';
import {type HostCall, hostOp, inputsOf, type Node, type Operand, type Value, type ValueId} from './ir';

/** A value of a trace that depends on the call's inputs, as a mark on the tensor that holds it. */
export interface TracedValue {
  readonly trace: Trace;
  readonly value: ValueId;
}

/** Thrown in a call that is recorded for shapes alone where it cannot be like the call that it is to be compared with. */
export class NotLike extends Error {}

/** Elements of a derived tensor that JavaScript has read, so that what follows may depend on them. */
export interface Read {
  /** How many nodes had been recorded before. */
  readonly at: number;
  readonly value: ValueId;
  readonly outcome: string;
}

/** How a call ends: with results, or in a part that runs eagerly and needs some of what was computed before. */
export type Ending =
  | {readonly kind: 'results'; readonly values: readonly ValueId[]}
  | {readonly kind: 'tail'; readonly reason: string; readonly demand: readonly ValueId[]};

/** What a call did. */
export interface Path {
  readonly values: readonly Value[];
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueId[];
  readonly reads: readonly Read[];
  readonly ending: Ending;
  /** How many of the nodes are known to be what other calls did. */
  readonly agreed: number;
}

/** How a call begins that plans have computed up to a point: JavaScript goes through it again, and there is no need to compute it again. */
export interface Known {
  readonly nodes: readonly Node[];
  readonly reads: readonly Read[];
  readonly values: readonly Value[];
  readonly computed: ReadonlyMap<ValueId, TensorData>;
  /** Why what comes after it runs eagerly, if so. */
  readonly tail: string | undefined;
}

/** Larger tensors that JavaScript reads are data rather than conditions and sizes. */
const mostGuarded = 8;
const guarded: ReadonlySet<string> = new Set(['int32', 'bool']);
/** A call that takes more steps goes on eagerly. */
const mostSteps = 50_000;

const isSameParam = (a: ParamValue, b: ParamValue): boolean =>
  typeof a === 'object' && typeof b === 'object' ? a.length === b.length && a.every((x, i) => x === b[i]) : Object.is(a, b);

export function isSameNode(a: Node, b: Node): boolean {
  const isSame = (x: Operand | undefined, y: Operand | undefined) => x?.value === y?.value && x?.offset === y?.offset;
  return (
    a.op === b.op &&
    a.host?.kernelName === b.host?.kernelName &&
    a.inputs.length === b.inputs.length &&
    a.inputs.every((o, i) => isSame(o, b.inputs[i])) &&
    a.outputs.every((o, i) => isSame(o, b.outputs[i])) &&
    Object.entries(a.params).every(([name, value]) => isSameParam(value, b.params[name] as ParamValue))
  );
}

/**
 * The record of one call. A kernel call belongs to the trace that its operands carry; operands without a mark become constants of the
 * trace. So traces of several requests, and foreign tf calls, may interleave. Steps are recorded without being run: tensors are pending, and
 * what JavaScript or a kernel in JavaScript needs is computed when it is needed.
 */
export class Trace {
  private readonly values: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueId[] = [];
  private readonly reads: Read[] = [];
  private readonly captured = new Map<TensorData, ValueId>();
  /** The tensors that wait for their elements, by value. */
  private readonly waiting = new Map<ValueId, TensorData[]>();
  /** Shares of the inputs, which the call may dispose of; undefined for an input that is only a shape. */
  private inputSlots: (Slot | undefined)[] = [];
  /** Shares of what has been computed and is read by steps that wait. */
  private readonly computed = new Map<ValueId, Slot>();
  /** What the tail, which runs eagerly, reads. */
  private readonly demand = new Set<ValueId>();
  private isOpen = true;
  private isComputed = false;
  private obstacle: string | undefined;

  /** `mostNodes`: a call that is longer is given up. `known`: what is known of the call. */
  constructor(
    private readonly pool: ConstantPool,
    private readonly mostNodes = Number.POSITIVE_INFINITY,
    private known?: Known,
  ) {}

  /** Whether steps are recorded without being run: until something cannot be replayed. */
  get ghostly(): boolean {
    return this.obstacle === undefined;
  }

  /** Whether nothing of the call has been computed or read, so that its plan may be what computes it. */
  get untouched(): boolean {
    return !this.isComputed && this.known === undefined && this.reads.length === 0 && this.ghostly;
  }

  /** False once the call has ended: marks of this trace then mean nothing. */
  get open(): boolean {
    return this.isOpen;
  }

  /** Why the call cannot be replayed to its end, if so. */
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
    if (from.traced !== undefined) this.waiting.get(from.traced.value)?.push(data);
    return data;
  }

  /** Gives the tensors of a value their elements. @throws NotLike where an input is only a shape */
  need(value: ValueId): void {
    const known = this.known?.computed.get(value);
    if (known === undefined) this.compute();
    else this.fulfil(value, known.slot);
  }

  private fulfil(value: ValueId, slot: Slot): void {
    for (const data of this.waiting.get(value) ?? []) if (data.pending) data.fulfil(native().share(slot));
    this.waiting.delete(value);
  }

  /** Whether tensors that are not among `data` wait for their elements. */
  waitsForOthers(data: readonly TensorData[]): boolean {
    return [...this.waiting.values()].some((list) => list.some((waiting) => waiting.pending && !data.includes(waiting)));
  }

  /**
   * Runs the recorded steps that tensors wait for.
   * @throws NotLike where an input is only a shape
   */
  compute(): void {
    const wanted = [...this.waiting].filter(([, list]) => list.some((data) => data.pending)).map(([value]) => value);
    if (wanted.length === 0) return;
    if (this.inputSlots.length < this.inputs.length || this.inputSlots.includes(undefined))
      throw new NotLike('the elements of an input are needed, and there is only its shape');
    this.isComputed = true;
    const slots = new Map<ValueId, Slot>();
    for (const [i, id] of this.inputs.entries()) slots.set(id, native().share(this.inputSlots[i] as Slot));
    for (const [id, data] of this.known?.computed ?? []) if (!slots.has(id)) slots.set(id, native().share(data.slot));
    for (const [id, slot] of this.computed) if (!slots.has(id)) slots.set(id, native().share(slot));
    try {
      this.runInto(slots, new Set(wanted));
    } finally {
      for (const slot of slots.values()) native().release(slot);
    }
    for (const slot of this.computed.values()) native().release(slot);
    this.computed.clear();
  }

  /** Runs the steps between values that have slots and those that are wanted. */
  private runInto(slots: Map<ValueId, Slot>, wanted: Set<ValueId>): void {
    for (const id of [...wanted]) {
      const slot = slots.get(id);
      if (slot !== undefined) this.fulfil(id, slot);
    }
    const needed = new Set(wanted);
    const nodes: Node[] = [];
    for (let at = this.nodes.length - 1; at >= 0; at--) {
      const node = this.nodes[at] as Node;
      if (!node.outputs.some(({value}) => needed.has(value) && !slots.has(value))) continue;
      nodes.push(node);
      for (const {value} of inputsOf(node)) needed.add(value);
    }
    nodes.reverse();
    const lastReader = new Map<ValueId, number>();
    for (const [at, node] of nodes.entries()) for (const {value} of inputsOf(node)) lastReader.set(value, at);
    const slotOf = (id: ValueId): Slot => {
      const {constant} = this.values[id] as Value;
      return constant === undefined ? (slots.get(id) as Slot) : this.pool.slot(constant);
    };
    for (const [at, {op, inputs, outputs, params}] of nodes.entries()) {
      const operands = inputs.map((o) => (o === undefined ? noSlot : {slot: slotOf(o.value), offset: o.offset}));
      const made = native().run(
        op,
        operands,
        outputs.map(({value}) => this.values[value] as Value),
        params as never,
      );
      for (const [i, {value}] of outputs.entries()) {
        slots.set(value, made[i] as Slot);
        this.fulfil(value, made[i] as Slot);
      }
      for (const value of new Set([...inputs, ...outputs].flatMap((o) => o?.value ?? []))) {
        const slot = slots.get(value);
        if (slot === undefined || (lastReader.get(value) ?? -1) > at) continue;
        native().release(slot);
        slots.delete(value);
      }
    }
  }

  /** Gives the shares back. */
  release(): void {
    this.close();
    for (const slot of [...this.inputSlots, ...this.computed.values()]) if (slot !== undefined) native().release(slot);
    this.inputSlots = [];
    this.computed.clear();
    this.known = undefined;
  }

  private newValue(data: TensorData): ValueId {
    return this.values.push({dtype: data.dtype as NativeDType, elems: data.elems}) - 1;
  }

  private valueOf(data: TensorData): ValueId {
    if (data.traced?.trace === this) return data.traced.value;
    let value = this.captured.get(data);
    if (value === undefined) {
      const isKnown = this.known !== undefined && this.nodes.length < this.known.nodes.length;
      const expected = isKnown ? this.known?.values[this.values.length] : undefined;
      const isExpected = expected?.constant !== undefined && expected.dtype === data.dtype && expected.elems === data.elems;
      const constant = isExpected ? expected.constant : this.pool.capture(data);
      value = this.values.push({dtype: data.dtype as NativeDType, elems: data.elems, constant}) - 1;
      this.captured.set(data, value);
    }
    return value;
  }

  /** The value of an operand; what has been computed already is held for the step. */
  private operandOf(data: TensorData): ValueId {
    const value = this.valueOf(data);
    const isOwn = data.traced?.trace === this && !this.inputs.includes(value);
    if (isOwn && !data.pending && !this.computed.has(value)) this.computed.set(value, native().share(data.slot));
    return value;
  }

  private mark(outputs: readonly TensorData[]): Operand[] {
    return outputs.map((data) => {
      const value = this.newValue(data);
      data.traced = {trace: this, value};
      if (data.pending) this.waiting.set(value, [data]);
      return {value, offset: 0};
    });
  }

  private push(node: Node): void {
    const expected = this.known?.nodes[this.nodes.length];
    // The function is not pure: what was computed for the call as it is known is not this call's.
    if (expected !== undefined && !isSameNode(node, expected)) this.known = undefined;
    this.nodes.push(node);
    if (this.nodes.length === mostSteps) this.obstruct(`the call takes more than ${mostSteps} steps`);
  }

  /** What the tail reads of what was recorded. */
  private note(inputs: readonly (TensorData | undefined)[]): void {
    for (const data of inputs) if (data?.traced?.trace === this) this.demand.add(data.traced.value);
  }

  recordStep<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (TensorData | undefined)[],
    outputs: readonly TensorData[],
    params: ParamValues<P>,
    /** The element of each input that its strides start from, where not 0. */
    offsets?: readonly number[],
  ): void {
    if (this.obstacle !== undefined) return this.note(inputs);
    if (this.nodes.length >= this.mostNodes) throw new NotLike(`more than ${this.mostNodes} steps`);
    const operands = inputs.map((data, i) => (data === undefined ? undefined : {value: this.operandOf(data), offset: offsets?.[i] ?? 0}));
    this.push({op, inputs: operands, outputs: this.mark(outputs), params});
  }

  /** A kernel that ran on tfjs-backend-cpu: replay pauses there, unless what it returns has no fixed size. */
  recordFallback(
    kernelName: string,
    attrs: object,
    inputs: NamedTensorInfoMap,
    outputs: readonly TensorInfo[],
    dataOf: (t: TensorInfo) => TensorData,
  ): void {
    const operands: Operand[] = [];
    const named: HostCall['inputs'][number][] = [];
    for (const [name, info] of Object.entries(inputs)) {
      if (info === undefined || info === null) continue;
      for (const [index, tensor] of Array.isArray(info) ? info.entries() : [[undefined, info] as const]) {
        const data = dataOf(tensor as TensorInfo);
        if (data.host !== undefined) this.obstruct(`${kernelName} takes a ${data.dtype} tensor`);
        if (this.obstacle !== undefined) this.note([data]);
        else operands.push({value: this.operandOf(data), offset: 0});
        named.push({name, index, shape: (tensor as TensorInfo).shape, dtype: data.dtype});
      }
    }
    const data = outputs.map(dataOf);
    if (dataDependentSizes.has(kernelName)) this.obstruct(`the size of what ${kernelName} returns depends on data`);
    if (data.some((d) => d.host !== undefined)) this.obstruct(`${kernelName} returns strings or complex numbers`);
    if (this.obstacle !== undefined) return;
    const host: HostCall = {
      kernelName,
      attrs,
      inputs: named,
      outputs: outputs.map((o) => ({shape: o.shape, dtype: o.dtype as NativeDType})),
    };
    this.push({op: hostOp, inputs: operands, outputs: this.mark(data), params: {}, host});
  }

  /** By ConstantPool number. */
  get constants(): number[] {
    return [...this.captured.values()].map((value) => (this.values[value] as Value).constant as number);
  }

  /** The tensors that it took for constants. */
  capturedData(): TensorData[] {
    return [...this.captured.keys()];
  }

  /** JavaScript reads the elements of a value that depends on the inputs, so what follows may depend on them too. */
  hostRead(data: TensorData): void {
    if (this.obstacle !== undefined) return this.note([data]);
    const {value} = data.traced as TracedValue;
    if (this.reads.some((read) => read.value === value)) return;
    const isTail =
      this.known?.tail !== undefined && this.known.nodes.length === this.nodes.length && this.known.reads.length === this.reads.length;
    if (isTail || data.elems > mostGuarded || !guarded.has(data.dtype)) {
      const what = `the elements of a derived ${data.dtype} tensor (${data.elems} elements) are read in JavaScript`;
      this.obstruct((isTail && this.known?.tail) || what);
      return this.note([data]);
    }
    this.reads.push({at: this.nodes.length, value, outcome: outcomeOf(data)});
  }

  /** From here on the call runs eagerly. */
  obstruct(reason: string): void {
    this.obstacle ??= reason;
  }

  /** What the closed trace did; `results` are the call's, which may also be inputs or constants, or the tail's. */
  path(results: readonly TensorData[]): Path {
    const {values, nodes, inputs, reads} = this;
    const path = {values, nodes, inputs, reads, agreed: this.known?.nodes.length ?? 0};
    if (this.obstacle === undefined) return {...path, ending: {kind: 'results', values: results.map((data) => this.valueOf(data))}};
    this.note(results);
    return {...path, ending: {kind: 'tail', reason: this.obstacle, demand: [...this.demand]}};
  }
}

/** The elements of a small tensor as a key. */
export function outcomeOf(data: TensorData): string {
  const bytes = native().read(data.slot);
  return (data.dtype === 'bool' ? new Uint8Array(bytes) : new Int32Array(bytes)).join();
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
