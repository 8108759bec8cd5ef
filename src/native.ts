/** Writes steps into the words that the addon reads. The only file that touches the addon. */
import {loadAddon} from './binary';
import {errors} from './errors';
import {ops} from './ops';
import {dtypes, type NativeDType, type OpSpec, type Params, type ParamValues} from './ops/schema';
import {type WriteParams, writers} from './ops/writers.gen';

interface Addon {
  readonly info: AddonInfo;
  attach(words: Int32Array): void;
  runStep(): number | undefined;
  runPlan(): number | undefined;
  runPlanAsync(callback: (code: number) => void): number;
  store(slot: number, dtype: number, values: ArrayBufferView): number;
  reserve(slot: number, dtype: number, elems: number): number;
  write(slot: number, at: number, values: ArrayBufferView): number;
  read(slot: number): ArrayBuffer | undefined;
  release(slot: number): void;
  share(slot: number, from: number): number;
  makePlan(words: Int32Array, constantSlots: Int32Array): number;
  dropPlan(plan: number): void;
  lastError(): string;
  packedElems(layout: number, rowsK: number, colsN: number, taps: number): number;
  gainsBySplitting(rows: number, depth: number, cols: number): boolean;
  configure(isa: number, threads: number, logging?: boolean): void;
  takeEvents(): Float64Array | undefined;
  stats(): NativeStats;
  freeArenas(): void;
  setHugePages(enabled: boolean): void;
  failAllocation(nth: number): number;
  multiplyAddRate(threads: number): number;
  readRate(threads: number, bytes: number): number;
}

export interface AddonInfo {
  readonly opTableHash: number;
  /** Index into isaNames of the highest level that this processor runs. */
  readonly isa: number;
  readonly isaNames: readonly string[];
  readonly cpus: number;
  readonly l1dBytes: number;
  readonly l2Bytes: number;
  readonly l3Bytes: number;
}

export interface NativeStats {
  readonly tensors: number;
  readonly tensorBytes: number;
  /** Arenas and scratch memory kept for the next call. */
  readonly arenaBytes: number;
  /** All native bytes of the process. */
  readonly allocatedBytes: number;
  /** The most that they have been. */
  readonly peakBytes: number;
  /** Bytes of large blocks that were given back and are kept for the next request of their size. */
  readonly cachedBytes: number;
}

/** One native step that ran, in nanoseconds of process.hrtime. */
export interface StepEvent {
  readonly op: string;
  /** The plan's number, 0 in eager mode, and the step's position in it. */
  readonly plan: number;
  readonly step: number;
  /** 0: on JavaScript's thread, 1: on the dispatcher's. */
  readonly lane: number;
  readonly beginNs: number;
  readonly endNs: number;
}

export interface StepLog {
  readonly events: readonly StepEvent[];
  /** How many more ran after the log was full. */
  readonly dropped: number;
}

/** A native tensor's number; 0 stands for an optional operand that is not given. */
export type Slot = number & {readonly __slot: unique symbol};
export const noSlot = 0 as Slot;

/** One operand of a step: a slot and the element that its strides start from. */
export interface OperandRef {
  readonly slot: number;
  readonly offset: number;
}

export interface TensorSpec {
  readonly dtype: NativeDType;
  readonly elems: number;
}

/** Element counts are 32-bit words. */
const maxElems = 2 ** 31 - 1;

/** @throws ERR_TOO_LARGE */
export function checkElems(op: string, elems: number): void {
  if (elems > maxElems) throw errors.tooLarge(op, elems, maxElems);
}

const commandWords = 1 << 16;

/** Tensors of up to so many elements leave their buffer to the next result (Buffer::Renew in csrc/memory/buffer.h) … */
const recycledElems = 1024;
/** … so many at most. */
const mostRecycled = 256;

/** The addon of this JavaScript environment. */
export class Native {
  readonly info: AddonInfo;
  readonly words = new Int32Array(commandWords);
  private readonly floats = new Float32Array(this.words.buffer);
  private readonly addon: Addon;
  private readonly freeSlots: number[] = [];
  /** Free ones that still hold a small buffer: a call and an allocation less for the result that takes it. */
  private readonly recycledSlots: Slot[] = [];
  private nextSlot = 1;
  private readonly oneSlot: Slot[] = [noSlot];

  constructor() {
    this.addon = loadAddon() as Addon;
    this.info = this.addon.info;
    this.addon.attach(this.words);
  }

  private check(code: number | undefined): void {
    if (code) throw errors.native(code, this.addon.lastError());
  }

  newSlot(): Slot {
    if (this.recycledSlots.length > 0) return this.recycledSlots.pop() as Slot;
    return (this.freeSlots.pop() ?? this.nextSlot++) as Slot;
  }

  release(slot: Slot): void {
    this.addon.release(slot);
    this.freeSlots.push(slot);
  }

  private releaseAll(slots: readonly Slot[]): void {
    for (const slot of slots) this.release(slot);
  }

  /** release() of a tensor of `elems` elements, whose buffer may stay for the next result. */
  recycle(slot: Slot, elems: number): void {
    if (elems <= recycledElems && this.recycledSlots.length < mostRecycled) this.recycledSlots.push(slot);
    else this.release(slot);
  }

  private releaseRecycled(): void {
    this.releaseAll(this.recycledSlots);
    this.recycledSlots.length = 0;
  }

  private made(slot: Slot, code: number): Slot {
    if (!code) return slot;
    this.release(slot);
    throw errors.native(code, this.addon.lastError());
  }

  /** Copies `values` into a new native tensor. */
  store(values: ArrayBufferView, dtype: NativeDType): Slot {
    const slot = this.newSlot();
    return this.made(slot, this.addon.store(slot, dtypes.indexOf(dtype), values));
  }

  /** A new native tensor, whose bytes write() gives. */
  reserve(dtype: NativeDType, elems: number): Slot {
    const slot = this.newSlot();
    return this.made(slot, this.addon.reserve(slot, dtypes.indexOf(dtype), elems));
  }

  /** Copies the bytes of `values` into the tensor, from its byte `at` on. */
  write(slot: Slot, at: number, values: ArrayBufferView): void {
    this.check(this.addon.write(slot, at, values));
  }

  /** A copy of the tensor's bytes. */
  read(slot: Slot): ArrayBuffer {
    const bytes = this.addon.read(slot);
    if (bytes === undefined) throw errors.disposed(`native tensor ${slot}`);
    return bytes;
  }

  /** A second slot for the same buffer. */
  share(from: Slot): Slot {
    const slot = this.newSlot();
    this.check(this.addon.share(slot, from));
    return slot;
  }

  /**
   * Runs one step whose outputs are new tensors of the given types and sizes; returns their slots.
   * An input given as a bare slot starts at its first element.
   */
  run<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (Slot | OperandRef)[],
    outputs: readonly TensorSpec[],
    params: ParamValues<P>,
  ): Slot[] {
    for (const {elems} of outputs) checkElems(op.name, elems);
    const slots: Slot[] = [];
    let at = 1;
    for (const {dtype, elems} of outputs) {
      const slot = this.newSlot();
      slots.push(slot);
      at = this.writeOutput(at, slot, dtype, elems);
    }
    this.words[0] = outputs.length;
    this.runStep(at, op, inputs, slots, params);
    return slots;
  }

  /** run() of an op with one output: what most kernels of eager mode call, so it makes no objects. */
  runOne<P extends Params>(
    op: OpSpec<P>,
    inputs: readonly (Slot | OperandRef)[],
    dtype: NativeDType,
    elems: number,
    params: ParamValues<P>,
  ): Slot {
    checkElems(op.name, elems);
    const slot = this.newSlot();
    const {words, oneSlot} = this;
    words[0] = 1;
    oneSlot[0] = slot;
    this.runStep(this.writeOutput(1, slot, dtype, elems), op, inputs, oneSlot, params);
    return slot;
  }

  private writeOutput(at: number, slot: Slot, dtype: NativeDType, elems: number): number {
    this.words[at] = slot;
    this.words[at + 1] = dtypes.indexOf(dtype);
    this.words[at + 2] = elems;
    return at + 3;
  }

  private runStep<P extends Params>(
    at: number,
    op: OpSpec<P>,
    inputs: readonly (Slot | OperandRef)[],
    outputs: readonly Slot[],
    params: ParamValues<P>,
  ): void {
    let code: number | undefined;
    try {
      this.writeStep(at, op, inputs, outputs, params);
      code = this.addon.runStep();
    } catch (error) {
      this.releaseAll(outputs);
      throw error;
    }
    if (code) {
      this.releaseAll(outputs);
      throw errors.native(code, this.addon.lastError());
    }
  }

  private writeStep<P extends Params>(
    start: number,
    op: OpSpec<P>,
    inputs: readonly (Slot | OperandRef)[],
    outputs: readonly Slot[],
    params: ParamValues<P>,
  ): void {
    const {words, floats} = this;
    const {number, write} = wireForms.get(op) as WireForm;
    let at = start;
    words[at++] = number;
    words[at++] = inputs.length;
    words[at++] = outputs.length;
    const length = at++;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i] as Slot | OperandRef;
      const bare = typeof input === 'number';
      words[at++] = bare ? input : input.slot;
      words[at++] = bare ? 0 : input.offset;
    }
    for (let i = 0; i < outputs.length; i++) {
      words[at++] = outputs[i] as Slot;
      words[at++] = 0;
    }
    const end = write(words, floats, at, params);
    if (end === undefined) throw errors.tooLarge(op.name, wordsOf(params), commandWords);
    words[length] = end - at;
  }

  makePlan(words: Int32Array, constants: readonly Slot[]): number {
    const plan = this.addon.makePlan(words, Int32Array.from(constants));
    if (plan < 0) throw errors.native(-plan, this.addon.lastError());
    return plan;
  }

  dropPlan(plan: number): void {
    this.addon.dropPlan(plan);
  }

  /** Writes a plan's call (Runtime::Prepare in csrc/plan/runtime.h) and returns new slots for its results. */
  private writePlanCall(plan: number, inputs: readonly Slot[], outputs: readonly TensorSpec[], sizes: readonly number[]): Slot[] {
    const {words} = this;
    const length = 4 + inputs.length + 3 * outputs.length + sizes.length;
    if (length > commandWords) throw errors.tooLarge('a call of a plan', length, commandWords);
    let at = 0;
    words[at++] = plan;
    words[at++] = inputs.length;
    for (const slot of inputs) words[at++] = slot;
    words[at++] = outputs.length;
    const slots: Slot[] = [];
    for (const {dtype, elems} of outputs) {
      const slot = this.newSlot();
      slots.push(slot);
      words[at++] = slot;
      words[at++] = dtypes.indexOf(dtype);
      words[at++] = elems;
    }
    words[at++] = sizes.length;
    for (const size of sizes) words[at++] = size;
    return slots;
  }

  /** Runs a plan; its results are new tensors. `sizes`: the values of its free sizes. */
  runPlan(plan: number, inputs: readonly Slot[], outputs: readonly TensorSpec[], sizes: readonly number[]): Slot[] {
    const slots = this.writePlanCall(plan, inputs, outputs, sizes);
    const code = this.addon.runPlan();
    if (code) {
      this.releaseAll(slots);
      throw errors.native(code, this.addon.lastError());
    }
    return slots;
  }

  /** The same on the dispatcher's thread. Inputs are held natively from the call until the promise settles. */
  runPlanAsync(plan: number, inputs: readonly Slot[], outputs: readonly TensorSpec[], sizes: readonly number[]): Promise<Slot[]> {
    const slots = this.writePlanCall(plan, inputs, outputs, sizes);
    return new Promise((resolve, reject) => {
      const settle = (code: number) => {
        if (!code) return resolve(slots);
        this.releaseAll(slots);
        reject(errors.native(code, this.addon.lastError()));
      };
      const code = this.addon.runPlanAsync(settle);
      if (code) settle(code);
    });
  }

  packedElems(layout: number, rowsK: number, colsN: number, taps: number): number {
    return this.addon.packedElems(layout, rowsK, colsN, taps);
  }

  /** Whether a product of floats of these sizes is made in a matrix unit, as sums of bfloat16 numbers. */
  gainsBySplitting(rows: number, depth: number, cols: number): boolean {
    return this.addon.gainsBySplitting(rows, depth, cols);
  }

  configure(settings: {isa?: number; threads?: number; logging?: boolean}): void {
    this.addon.configure(settings.isa ?? -1, settings.threads ?? 0, settings.logging);
  }

  setHugePages(enabled: boolean): void {
    this.addon.setHugePages(enabled);
  }

  /**
   * For tests: the `nth` native allocation from now fails, once, in whatever call and thread; 0: none. Returns how many allocations the
   * failure asked for before was still away, 0 if it has happened.
   */
  failAllocation(nth: number): number {
    this.releaseRecycled(); // results that take a buffer do not ask for memory
    return this.addon.failAllocation(nth);
  }

  /** fp32 operations a second that this machine reaches at the level in use; a multiply-add counts as two. Blocks for 0.2 s. */
  multiplyAddRate(threads: number): number {
    return this.addon.multiplyAddRate(threads);
  }

  /** Bytes a second that so many threads read from a block of `bytes` (≤ 2³⁰; 0: no memory for it). Blocks for 0.2 s. */
  readRate(threads: number, bytes: number): number {
    return this.addon.readRate(threads, bytes);
  }

  /** What the log holds since it was last taken; the log runs while configure({logging: true}) is set. */
  takeEvents(): StepLog {
    const words = this.addon.takeEvents();
    if (words === undefined) throw errors.outOfMemory('the log of native steps');
    const events: StepEvent[] = [];
    for (let at = 1; at < words.length; at += 6) {
      const [op, plan, step, lane, beginNs, endNs] = words.subarray(at, at + 6) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      events.push({op: (ops[op] as OpSpec).name, plan, step, lane, beginNs, endNs});
    }
    return {events, dropped: words[0] as number};
  }

  stats(): NativeStats {
    this.releaseRecycled();
    return this.addon.stats();
  }

  /** Gives back the memory kept for the next call. */
  freeArenas(): void {
    this.releaseRecycled();
    this.addon.freeArenas();
  }
}

/** How a step of an op is written. */
interface WireForm {
  readonly number: number;
  readonly write: WriteParams;
}
const wireForms = new Map<OpSpec, WireForm>(ops.map((op, number) => [op, {number, write: writers[number] as WriteParams}]));

/** The longest list of a step's parameters. */
const wordsOf = (params: object): number => Math.max(...Object.values(params).map((value) => (Array.isArray(value) ? value.length : 1)));

export function opNumber(op: OpSpec): number {
  return (wireForms.get(op) as WireForm).number;
}

let instance: Native | undefined;

/** Loads the addon at the first call. */
export function native(): Native {
  instance ??= new Native();
  return instance;
}
