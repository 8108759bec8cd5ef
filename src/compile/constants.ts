import {native, type Slot} from '../native';
import {type NativeDType, type OpSpec, type Params, type ParamValues} from '../ops/schema';
import type {TensorData} from '../tensor-data';

interface Constant {
  readonly slot: Slot;
  readonly dtype: NativeDType;
  readonly elems: number;
  /** The tensor that it was captured from; a plan must not outlive its disposal unnoticed. */
  readonly source: TensorData | undefined;
  values: Float32Array | Int32Array | Uint8Array | undefined;
}

const views = {float32: Float32Array, int32: Int32Array, bool: Uint8Array} as const;

/**
 * The constants of one model's or function's graphs: captured tensors, and what passes compute from them. Holds each one's native buffer
 * by a slot of its own, so tidy and dispose elsewhere do not matter.
 */
export class ConstantPool {
  private readonly constants: (Constant | undefined)[] = [];
  private readonly bySource = new WeakMap<TensorData, number>();
  private readonly derived = new Map<string, number>();

  /** The constant that captures `data`, whose elements never change. */
  capture(data: TensorData): number {
    const known = this.bySource.get(data);
    if (known !== undefined && this.constants[known] !== undefined) return known;
    const constant = this.add(native().share(data.slot), data.dtype as NativeDType, data.elems, data);
    this.bySource.set(data, constant);
    return constant;
  }

  private add(slot: Slot, dtype: NativeDType, elems: number, source?: TensorData): number {
    return this.constants.push({slot, dtype, elems, source, values: undefined}) - 1;
  }

  get(id: number): Constant {
    return this.constants[id] as Constant;
  }

  /** The elements, for folding: read once and kept for small constants only. */
  values(id: number): Float32Array | Int32Array | Uint8Array {
    const constant = this.get(id);
    if (constant.values !== undefined) return constant.values;
    const view = views[constant.dtype as keyof typeof views];
    const values = new view(native().read(constant.slot));
    if (constant.elems <= 4096) constant.values = values;
    return values;
  }

  /** A constant made by `values` of JavaScript. */
  make(values: Float32Array | Int32Array, dtype: NativeDType): number {
    return this.add(native().store(values, dtype), dtype, values.length);
  }

  /** What one step makes of constants, computed once for equal arguments. */
  compute<P extends Params>(op: OpSpec<P>, inputs: readonly number[], dtype: NativeDType, elems: number, params: ParamValues<P>): number {
    const key = JSON.stringify([op.name, inputs, dtype, elems, params]);
    const known = this.derived.get(key);
    if (known !== undefined) return known;
    const slots = inputs.map((i) => this.get(i).slot);
    const [slot] = native().run(op, slots, [{dtype, elems}], params);
    const id = this.add(slot as Slot, dtype, elems);
    this.derived.set(key, id);
    return id;
  }

  /** Native bytes held, counting a buffer once per constant. */
  bytes(): number {
    const size = {float32: 4, int32: 4, bool: 1, bfloat16: 2, int8: 1, uint8: 1} as const;
    return this.constants.reduce((sum, c) => sum + (c === undefined ? 0 : c.elems * size[c.dtype]), 0);
  }

  /** Gives back every constant that no plan uses (`used`: by id). */
  sweep(used: ReadonlySet<number>): void {
    for (const [id, constant] of this.constants.entries()) {
      if (constant === undefined || used.has(id)) continue;
      native().release(constant.slot);
      this.constants[id] = undefined;
    }
    for (const [key, id] of this.derived) if (this.constants[id] === undefined) this.derived.delete(key);
  }

  dispose(): void {
    this.sweep(new Set());
  }
}
