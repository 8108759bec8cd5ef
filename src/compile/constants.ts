import {GravitonError} from '../errors';
import {native, type Slot} from '../native';
import {rowMajorStrides, sizeOf} from '../ops/geometry';
import {PackWeights, UnpackWeights} from '../ops/linear';
import {Concat, StridedCopy} from '../ops/movement';
import {Pointwise} from '../ops/pointwise';
import {call, encodeProgram, input} from '../ops/program';
import {Reduce, reduceKinds} from '../ops/reduction';
import {elemBytes, type NativeDType, type OpSpec, type Params, type ParamValues} from '../ops/schema';
import type {Frozen, TensorData} from '../tensor-data';
import {roundedLayouts} from './precision';

interface Constant {
  /** Undefined while only its packed form is kept, and until it is first needed; made (again) by `make`. */
  slot: Slot | undefined;
  readonly make: (() => Slot) | undefined;
  readonly dtype: NativeDType;
  readonly elems: number;
  /** The tensors that it was captured from: converters store a weight once for each of its users. */
  readonly sources: TensorData[];
  values: Float32Array | Int32Array | Uint8Array | undefined;
  repeated?: {readonly number: number | undefined};
}

const views = {float32: Float32Array, int32: Int32Array, bool: Uint8Array} as const;

/** Tensors of fewer elements are not compared with others: it would take longer than it saves. */
const leastCompared = 1024;
/** Elements by which tensors are found that may be equal. */
const sampled = 16;

/** Elements of a buffer over `shape`. */
interface Strided {
  readonly slot: Slot;
  readonly strides: readonly number[];
}

/** Whether two blocks of floats or integers have the same elements. */
function areEqual(a: Strided, b: Strided, dtype: 'float32' | 'int32', shape: readonly number[]): boolean {
  const program = encodeProgram(call(dtype === 'float32' ? 'NotEqual' : 'NotEqualInt', input(0), input(1))) as number[];
  const strides = [...a.strides, ...b.strides, ...rowMajorStrides(shape)];
  const elems = sizeOf(shape);
  const flags = native().runOne(Pointwise, [a.slot, b.slot], 'bool', elems, {shape, strides, program});
  const any = native().runOne(Reduce, [flags], 'bool', 1, {kind: reduceKinds.any, outer: 1, reduce: elems, inner: 1});
  const result = new Uint8Array(native().read(any))[0] === 0;
  native().release(flags);
  native().release(any);
  return result;
}

/** How far apart elements are that are looked at, along an axis of `size`. */
const sampleStep = (size: number): number => Math.floor((size - 1) / (sampled - 1));

/** Some elements, `step` from each other, as a key. */
function sampleOf(slot: Slot, dtype: NativeDType, step: number): string {
  const params = {shape: [sampled], srcStrides: [step], dstStrides: [1]};
  const few = native().runOne(StridedCopy, [slot], dtype, sampled, params);
  const bits = new Int32Array(native().read(few)).join();
  native().release(few);
  return bits;
}

/** Of plain weights that were let go while others are packed: some, so that what is packed next finds a block of its size. */
const mostCachedBytes = 32 << 20;

/** Weights, and how they are packed. */
interface Packing {
  readonly weights: number;
  readonly params: ParamValues<typeof PackWeights.params>;
}

/** Weights of which a packed constant is a permutation, and their captured tensors that gave the plain form up for it. */
interface PackedWeights extends Packing {
  frozen?: readonly {readonly source: TensorData; readonly frozen: Frozen}[];
}

/**
 * The constants of one model's or function's graphs: captured tensors, and what passes compute from them. Holds each one's native buffer
 * by a slot of its own, so tidy and dispose elsewhere do not matter.
 */
export class ConstantPool {
  private readonly constants: (Constant | undefined)[] = [];
  private readonly bySource = new WeakMap<TensorData, number>();
  /** Captured constants by type, size and some of their elements. */
  private readonly byElements = new Map<string, number[]>();
  /** What compute() made, by the step and its arguments; and each one's arguments. */
  private readonly derived = new Map<string, number>();
  private readonly parents = new Map<number, readonly number[]>();
  private freezes = false;
  private isDisposed = false;
  private planned: ReadonlySet<number> = new Set();
  /** What besides() put together, by its result. */
  private readonly columns = new Map<number, readonly {readonly source: TensorData; readonly first: number; readonly count: number}[]>();
  /** By packed constant: the weights that it is a permutation of; several where some are stored as transposes of others. */
  private readonly packings = new Map<number, PackedWeights[]>();
  /** Weights by size and some elements of the matrix that they are; and which of them are packed for others. */
  private readonly matrices = new Map<string, Packing[]>();
  private readonly twins = new Map<string, Packing>();

  /** The constant that captures `data`, whose elements never change. Tensors with the same elements are one constant, and then one buffer. */
  capture(data: TensorData): number {
    const known = this.bySource.get(data);
    if (known !== undefined && this.constants[known] !== undefined) return known;
    const id = this.withElementsOf(data) ?? this.add(native().share(data.slot), data.dtype as NativeDType, data.elems, data);
    this.bySource.set(data, id);
    return id;
  }

  /** The captured constant that has the same elements: `data` then shares its buffer. */
  private withElementsOf(data: TensorData): number | undefined {
    const {dtype, elems} = data;
    if (elems < leastCompared || (dtype !== 'float32' && dtype !== 'int32')) return undefined;
    const key = `${dtype} ${elems} ${sampleOf(data.slot, dtype, sampleStep(elems))}`;
    const candidates = (this.byElements.get(key) ?? []).filter((id) => this.hasElements(id));
    const twin = candidates.find((id) => areEqual({slot: this.slot(id), strides: [1]}, {slot: data.slot, strides: [1]}, dtype, [elems]));
    this.byElements.set(key, twin === undefined ? [...candidates, this.constants.length] : candidates);
    if (twin === undefined) return undefined;
    data.hold(native().share(this.slot(twin)));
    this.get(twin).sources.push(data);
    return twin;
  }

  /** Not where only a packed form is left of a tensor that is gone. */
  private hasElements(id: number): boolean {
    const constant = this.constants[id];
    return constant !== undefined && (constant.slot !== undefined || this.isCapture(id));
  }

  private add(slot: Slot, dtype: NativeDType, elems: number, source?: TensorData): number {
    const sources = source === undefined ? [] : [source];
    const living = () => sources.find((data) => !data.disposed);
    const make = source && (() => native().share((living() ?? source).slot));
    return this.constants.push({slot, make, dtype, elems, sources, values: undefined}) - 1;
  }

  private get(id: number): Constant {
    return this.constants[id] as Constant;
  }

  /** Whether a tensor that it was captured from is still there: then the next call captures the same constant. */
  isCapture(id: number): boolean {
    return this.get(id).sources.some((data) => !data.disposed);
  }

  slot(id: number): Slot {
    const constant = this.get(id);
    constant.slot ??= (constant.make as () => Slot)();
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

  /** The number that all elements of a constant are, bit for bit; undefined where they differ. */
  repeated(id: number): number | undefined {
    const constant = this.get(id);
    if (constant.repeated === undefined) {
      const values = this.values(id);
      const first = values[0];
      constant.repeated = {number: values.every((value) => Object.is(value, first)) ? first : undefined};
    }
    return constant.repeated.number;
  }

  /** A constant of JavaScript's values, made once for each key. */
  makeOnce(key: string, make: () => Float32Array | Int32Array, dtype: NativeDType): number {
    const known = this.derived.get(key);
    if (known !== undefined) return known;
    const id = this.make(make(), dtype);
    this.derived.set(key, id);
    return id;
  }

  make(values: Float32Array | Int32Array, dtype: NativeDType): number {
    return this.add(native().store(values, dtype), dtype, values.length);
  }

  /** What one step makes of constants, computed once for equal arguments. */
  compute<P extends Params>(op: OpSpec<P>, inputs: readonly number[], dtype: NativeDType, elems: number, params: ParamValues<P>): number {
    const key = JSON.stringify([op.name, inputs, dtype, elems, params]);
    const known = this.derived.get(key);
    if (known !== undefined) return known;
    // What is packed and read by nothing else is let go as captured weights are.
    const make = () =>
      native().runOne(
        op,
        inputs.map((i) => this.slot(i)),
        dtype,
        elems,
        params,
      );
    const id = this.constants.push({slot: make(), make, dtype, elems, sources: [], values: undefined}) - 1;
    this.derived.set(key, id);
    this.parents.set(id, inputs);
    return id;
  }

  /** Captured row-major matrices [rows, columns] side by side. */
  besides(parts: readonly number[], rows: number, columns: readonly number[]): number {
    const key = JSON.stringify(['besides', parts, rows, columns]);
    const known = this.derived.get(key);
    if (known !== undefined) return known;
    const elems = rows * columns.reduce((a, b) => a + b, 0);
    // Made when it is packed, so that only one of a model's many is there at a time.
    const make = () =>
      native().runOne(
        Concat,
        parts.map((p) => this.slot(p)),
        'float32',
        elems,
        {outer: rows, inner: columns},
      );
    const id = this.constants.push({slot: undefined, make, dtype: 'float32', elems, sources: [], values: undefined}) - 1;
    this.derived.set(key, id);
    this.parents.set(id, parts);
    let first = 0;
    const own = parts.flatMap((part, i) => {
      const count = columns[i] as number;
      first += count;
      return this.get(part).sources.map((source) => ({source, first: first - count, count}));
    });
    this.columns.set(id, own);
    return id;
  }

  /**
   * PackWeights of one constant, for any op that reads its weights packed. `isLast`: nothing else in the graph reads the plain form. It is then
   * given up at once, where the pool freezes, so that the next weights are packed into its memory. What is rounded cannot be unpacked:
   * captured tensors keep their elements.
   */
  pack(weights: number, dtype: NativeDType, elems: number, params: ParamValues<typeof PackWeights.params>, isLast: boolean): number {
    const twin = this.twinOf({weights, params});
    const packed = this.compute(PackWeights, [twin.weights], dtype, elems, twin.params);
    const own = this.packings.get(packed) ?? [];
    if (roundedLayouts[params.layout] === undefined && !own.some((other) => other.weights === weights)) {
      this.packings.set(packed, [...own, {weights, params}]);
    }
    if (!isLast || !this.freezes || this.planned.has(weights)) return packed;
    this.freeze(new Set([packed]), [weights]);
    for (const id of [weights, ...(this.parents.get(weights) ?? [])]) if (!this.planned.has(id)) this.letGo(id);
    if (native().stats().cachedBytes > mostCachedBytes) native().freeArenas();
    return packed;
  }

  /** What was packed before and is the same matrix, maybe stored as its transpose; else the weights themselves. */
  private twinOf(own: Packing): Packing {
    const {weights, params} = own;
    const {rowsK, colsN, rowStride, colStride, taps} = params;
    if (rowsK * colsN < leastCompared || taps !== 1 || this.get(weights).dtype !== 'float32') return own;
    const key = `${weights} ${rowsK} ${colsN} ${rowStride} ${colStride}`;
    const known = this.twins.get(key);
    const found = known !== undefined && (known.weights === weights || this.hasElements(known.weights)) ? known : this.sameMatrix(own);
    this.twins.set(key, found);
    return {weights: found.weights, params: {...found.params, layout: params.layout}};
  }

  private sameMatrix(own: Packing): Packing {
    const {rowsK, colsN, rowStride, colStride} = own.params;
    const slot = this.slot(own.weights);
    const key = `${rowsK} ${colsN} ${sampleOf(slot, 'float32', sampleStep(rowsK) * rowStride + sampleStep(colsN) * colStride)}`;
    const candidates = (this.matrices.get(key) ?? []).filter(({weights}) => this.hasElements(weights));
    const twin = candidates.find(({weights, params}) => {
      const other = {slot: this.slot(weights), strides: [params.rowStride, params.colStride]};
      return areEqual({slot, strides: [rowStride, colStride]}, other, 'float32', [rowsK, colsN]);
    });
    this.matrices.set(key, twin === undefined ? [...candidates, own] : candidates);
    return twin ?? own;
  }

  /** Releases what can be made again: not the elements of a tensor that is gone, with which those of other calls are compared. */
  private letGo(id: number): void {
    const constant = this.constants[id];
    if (constant?.slot === undefined || constant.make === undefined) return;
    if (constant.sources.length > 0 && !this.isCapture(id)) return;
    native().release(constant.slot);
    constant.slot = undefined;
  }

  /** Whether plain weights may go, and what existing plans use, by number: said before a graph is optimised. */
  prepare(freezes: boolean, planned: ReadonlySet<number>): void {
    this.freezes = freezes;
    this.planned = planned;
  }

  /**
   * Captured weights that plans use in packed form only give their plain form up: it is unpacked again where something else needs it.
   * `used`: what plans use, by number. `only`: of these weights.
   */
  freeze(used: ReadonlySet<number>, only?: readonly number[]): void {
    for (const [packed, all] of this.packings) {
      for (const own of all) {
        if (!used.has(packed) || used.has(own.weights) || only?.includes(own.weights) === false) continue;
        own.frozen ??= this.partsOf(packed, own);
        for (const {source, frozen} of own.frozen) if (!source.disposed) source.freeze(frozen);
      }
    }
  }

  /** The captured tensors in a packed constant's weights: one, or several side by side. */
  private partsOf(packed: number, {weights, params}: Packing): {readonly source: TensorData; readonly frozen: Frozen}[] {
    const {elems, sources} = this.get(weights) ?? {elems: params.rowsK * params.colsN, sources: []};
    const unpack = () => native().runOne(UnpackWeights, [this.slot(packed)], 'float32', elems, params);
    const settled = () => {
      if (this.isDisposed) this.sweep(new Set());
    };
    if (sources.length > 0) {
      const plain = () => sources.find((data) => data.plain);
      const thaw = () => {
        const twin = plain();
        return twin === undefined ? unpack() : native().share(twin.slot);
      };
      return sources.map((source) => ({source, frozen: {thaw, settled}}));
    }
    const columns = this.columns.get(weights) ?? [];
    return columns.map(({source: part, first, count}) => {
      const thaw = () => {
        const whole = unpack();
        const shape = [params.rowsK, count];
        const copy = {shape, srcStrides: [params.rowStride, 1], dstStrides: [count, 1]};
        const slot = native().runOne(StridedCopy, [{slot: whole, offset: first}], 'float32', part.elems, copy);
        native().release(whole);
        return slot;
      };
      return {source: part, frozen: {thaw, settled}};
    });
  }

  /** False where memory is short: the tensors stay frozen, and need the packed constant until they are read again or go. */
  private unfreeze(packed: number): boolean {
    const all = this.packings.get(packed) ?? [];
    try {
      for (const {source, frozen} of all.flatMap((own) => own.frozen ?? [])) if (!source.disposed) source.unfreeze(frozen);
    } catch (error) {
      if (error instanceof GravitonError && error.code === 'ERR_OUT_OF_MEMORY') return false;
      throw error;
    }
    this.packings.delete(packed);
    return true;
  }

  /** Bytes of the buffers held, but for those of `except` (by number). */
  bytes(except: ReadonlySet<number> = new Set()): number {
    return this.constants.reduce((sum, c, id) => sum + (c?.slot === undefined || except.has(id) ? 0 : c.elems * elemBytes[c.dtype]), 0);
  }

  /** Bytes that equal captured tensors do not take because they share a buffer, and transposes because they share a packed one. */
  sharedBytes(): number {
    const living = (c: Constant) => c.sources.filter((data) => !data.disposed).length;
    const transposes = [...this.packings].reduce((sum, [packed, all]) => {
      const {elems, dtype} = this.get(packed);
      return sum + (all.length - 1) * elems * elemBytes[dtype];
    }, 0);
    return this.constants.reduce(
      (sum, c) => sum + (c === undefined ? 0 : Math.max(0, living(c) - 1) * c.elems * elemBytes[c.dtype]),
      transposes,
    );
  }

  /**
   * Lets go of every buffer that no plan uses (`used`: by number). Captured tensors stay known, so that what was computed from them is
   * found again; constants without a source go for good.
   */
  sweep(used: ReadonlySet<number>): void {
    const gone = new Set<number>();
    for (const [id, constant] of this.constants.entries()) {
      if (constant === undefined || used.has(id)) continue;
      if (!this.unfreeze(id)) continue;
      if (constant.slot !== undefined) native().release(constant.slot);
      constant.slot = undefined;
      if (constant.sources.some((data) => !data.disposed)) continue;
      this.constants[id] = undefined;
      this.columns.delete(id);
      gone.add(id);
    }
    for (const [key, id] of this.derived) {
      if (!gone.has(id) && !this.parents.get(id)?.some((p) => gone.has(p))) continue;
      this.derived.delete(key);
      this.parents.delete(id);
    }
  }

  /** Never fails: what frozen tensors still need for want of memory goes with them. */
  dispose(): void {
    this.isDisposed = true;
    this.sweep(new Set());
  }
}
