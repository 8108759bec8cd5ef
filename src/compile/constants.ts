import {native, type Slot} from '../native';
import {PackWeights, UnpackWeights} from '../ops/linear';
import {type NativeDType, type OpSpec, type Params, type ParamValues} from '../ops/schema';
import type {Frozen, TensorData} from '../tensor-data';

interface Constant {
  /** Undefined while only its packed form is kept; read again from the source when it is needed. */
  slot: Slot | undefined;
  readonly dtype: NativeDType;
  readonly elems: number;
  /** The tensor that it was captured from. */
  readonly source: TensorData | undefined;
  values: Float32Array | Int32Array | Uint8Array | undefined;
}

const views = {float32: Float32Array, int32: Int32Array, bool: Uint8Array} as const;
const elemBytes: Readonly<Record<NativeDType, number>> = {float32: 4, int32: 4, bool: 1, bfloat16: 2, int8: 1, uint8: 1};

/**
 * The constants of one model's or function's graphs: captured tensors, and what passes compute from them. Holds each one's native buffer
 * by a slot of its own, so tidy and dispose elsewhere do not matter.
 */
export class ConstantPool {
  private readonly constants: (Constant | undefined)[] = [];
  private readonly bySource = new WeakMap<TensorData, number>();
  /** What compute() made, by the step and its arguments; and each one's arguments. */
  private readonly derived = new Map<string, number>();
  private readonly parents = new Map<number, readonly number[]>();
  /** By packed constant: the captured weights that it is a permutation of. */
  private readonly packings = new Map<number, {readonly weights: number; readonly params: ParamValues<typeof PackWeights.params>}>();
  private readonly frozen = new Map<number, {readonly source: TensorData; readonly frozen: Frozen}>();

  /** The constant that captures `data`, whose elements never change. */
  capture(data: TensorData): number {
    const known = this.bySource.get(data);
    if (known !== undefined) return known;
    const constant = this.add(native().share(data.slot), data.dtype as NativeDType, data.elems, data);
    this.bySource.set(data, constant);
    return constant;
  }

  private add(slot: Slot, dtype: NativeDType, elems: number, source?: TensorData): number {
    return this.constants.push({slot, dtype, elems, source, values: undefined}) - 1;
  }

  private get(id: number): Constant {
    return this.constants[id] as Constant;
  }

  sourceOf(id: number): TensorData | undefined {
    return this.get(id).source;
  }

  slot(id: number): Slot {
    const constant = this.get(id);
    constant.slot ??= native().share((constant.source as TensorData).slot);
    return constant.slot;
  }

  /** The elements, for folding: those of small constants are kept. */
  values(id: number): Float32Array | Int32Array | Uint8Array {
    const constant = this.get(id);
    if (constant.values !== undefined) return constant.values;
    const values = new views[constant.dtype as keyof typeof views](native().read(this.slot(id)));
    if (constant.elems <= 4096) constant.values = values;
    return values;
  }

  /** A constant of JavaScript's values. */
  make(values: Float32Array | Int32Array, dtype: NativeDType): number {
    return this.add(native().store(values, dtype), dtype, values.length);
  }

  /** What one step makes of constants, computed once for equal arguments. */
  compute<P extends Params>(op: OpSpec<P>, inputs: readonly number[], dtype: NativeDType, elems: number, params: ParamValues<P>): number {
    const key = JSON.stringify([op.name, inputs, dtype, elems, params]);
    const known = this.derived.get(key);
    if (known !== undefined) return known;
    const [slot] = native().run(op, inputs.map((i) => this.slot(i)), [{dtype, elems}], params);
    const id = this.add(slot as Slot, dtype, elems);
    this.derived.set(key, id);
    this.parents.set(id, inputs);
    return id;
  }

  /** PackWeights of one constant, for any op that reads its weights packed. */
  pack(weights: number, elems: number, params: ParamValues<typeof PackWeights.params>): number {
    const packed = this.compute(PackWeights, [weights], 'float32', elems, params);
    this.packings.set(packed, {weights, params});
    return packed;
  }

  /**
   * Captured weights that plans use in packed form only give their plain form up: it is unpacked again where something else needs it.
   * `used`: what plans use, by number.
   */
  freeze(used: ReadonlySet<number>): void {
    for (const [packed, {weights, params}] of this.packings) {
      const source = this.get(weights)?.source;
      if (!used.has(packed) || used.has(weights) || source === undefined || source.disposed) continue;
      let entry = this.frozen.get(packed);
      if (entry === undefined) {
        const spec = {dtype: 'float32', elems: source.elems} as const;
        entry = {source, frozen: {thaw: () => native().run(UnpackWeights, [this.slot(packed)], [spec], params)[0] as Slot}};
        this.frozen.set(packed, entry);
      }
      source.freeze(entry.frozen);
    }
  }

  private unfreeze(packed: number): void {
    const entry = this.frozen.get(packed);
    if (entry !== undefined && !entry.source.disposed) entry.source.unfreeze(entry.frozen);
    this.frozen.delete(packed);
    this.packings.delete(packed);
  }

  /** Bytes of the buffers held. */
  bytes(): number {
    return this.constants.reduce((sum, c) => sum + (c?.slot === undefined ? 0 : c.elems * elemBytes[c.dtype]), 0);
  }

  /**
   * Lets go of every buffer that no plan uses (`used`: by number). Captured tensors stay known, so that what was computed from them is
   * found again; constants without a source go for good.
   */
  sweep(used: ReadonlySet<number>): void {
    const gone = new Set<number>();
    for (const [id, constant] of this.constants.entries()) {
      if (constant === undefined || used.has(id)) continue;
      this.unfreeze(id);
      if (constant.slot !== undefined) native().release(constant.slot);
      constant.slot = undefined;
      if (constant.source !== undefined && !constant.source.disposed) continue;
      this.constants[id] = undefined;
      gone.add(id);
    }
    for (const [key, id] of this.derived) {
      if (!gone.has(id) && !this.parents.get(id)?.some((p) => gone.has(p))) continue;
      this.derived.delete(key);
      this.parents.delete(id);
    }
  }

  dispose(): void {
    this.sweep(new Set());
  }
}
