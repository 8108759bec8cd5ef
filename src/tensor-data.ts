import type {DataType, TensorInfo} from '@tensorflow/tfjs-core';
import type {TracedValue} from './compile/trace';
import {errors} from './errors';
import {native, type Slot} from './native';

/** Weights that freeze has replaced by their packed form; `thaw` makes the plain tensor again. */
export interface Frozen {
  thaw(): Slot;
  /** The tensor has its plain elements again, or is gone. */
  settled(): void;
}

/** A tensor whose elements JavaScript keeps: strings, and the two parts of a complex tensor. */
export type HostValue =
  | {readonly kind: 'string'; readonly values: Uint8Array[]}
  | {readonly kind: 'complex'; readonly real: TensorInfo; readonly imag: TensorInfo};

/** What tfjs calls a data id, and all that we know of it: tfjs-core only compares data ids, so the record serves as the id. */
export class TensorData {
  refCount = 1;
  /** Set while a call is being recorded and this tensor depends on the call's inputs. */
  traced: TracedValue | undefined;
  /** How many of those that somebody watches have been released. */
  static watchedReleases = 0;
  /** Whether compiled calls read it. */
  isWatched = false;
  private frozen: Frozen | undefined;
  private isPending = false;

  private constructor(
    readonly dtype: DataType,
    readonly elems: number,
    private nativeSlot: Slot | undefined,
    readonly host: HostValue | undefined,
  ) {}

  static ofSlot(slot: Slot, dtype: DataType, elems: number): TensorData {
    return new TensorData(dtype, elems, slot, undefined);
  }

  static ofHost(host: HostValue, elems: number): TensorData {
    return new TensorData(host.kind === 'string' ? 'string' : 'complex64', elems, undefined, host);
  }

  /** A result of a call that is recorded before it is computed: `traced` says which. */
  static pending(dtype: DataType, elems: number): TensorData {
    const data = new TensorData(dtype, elems, undefined, undefined);
    data.isPending = true;
    return data;
  }

  get pending(): boolean {
    return this.isPending;
  }

  /** Gives a pending tensor its elements. */
  fulfil(slot: Slot): void {
    this.nativeSlot = slot;
    this.isPending = false;
  }

  get disposed(): boolean {
    return this.nativeSlot === undefined && this.frozen === undefined && this.host === undefined && !this.isPending;
  }

  /** The native tensor. Thaws a frozen one and computes a pending one. */
  get slot(): Slot {
    if (this.isPending) this.traced?.trace.need(this.traced.value);
    if (this.nativeSlot === undefined) {
      if (this.frozen === undefined) throw errors.disposed(`a ${this.dtype} tensor of ${this.elems} elements`);
      this.nativeSlot = this.frozen.thaw();
      this.frozen.settled();
    }
    return this.nativeSlot as Slot;
  }

  /** Whether the plain elements are there, rather than frozen or still to be computed. */
  get plain(): boolean {
    return this.nativeSlot !== undefined;
  }

  /** Lets go of its buffer for `slot`, which has the same elements and which it takes over. */
  hold(slot: Slot): void {
    if (this.nativeSlot !== undefined) native().release(this.nativeSlot);
    this.nativeSlot = slot;
  }

  /** Gives the plain elements up: from now on they are made from `frozen` when they are needed. */
  freeze(frozen: Frozen): void {
    this.frozen = frozen;
    if (this.nativeSlot !== undefined) native().release(this.nativeSlot);
    this.nativeSlot = undefined;
  }

  /** Takes the plain elements back, because `frozen` is going away. */
  unfreeze(frozen: Frozen): void {
    if (this.frozen !== frozen) return;
    this.nativeSlot = this.slot;
    this.frozen = undefined;
  }

  release(): void {
    if (this.nativeSlot !== undefined) native().recycle(this.nativeSlot, this.elems);
    const {frozen} = this;
    this.nativeSlot = undefined;
    this.frozen = undefined;
    this.isPending = false;
    if (this.isWatched) TensorData.watchedReleases++;
    frozen?.settled();
  }
}
