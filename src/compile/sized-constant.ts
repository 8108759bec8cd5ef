import {native, type Slot} from '../native';
import {rowMajorStrides, sizeOf} from '../ops/geometry';
import {StridedCopy} from '../ops/movement';
import type {NativeDType} from '../ops/schema';
import type {ConstantPool} from './constants';
import {productsAt, type Sized, sizedWords, valueAt} from './sizes';

type Elements = Float32Array | Int32Array | Uint8Array;

/** A size of a block: a number, or a free size in units of its divisor, and so many more. */
type Axis = number | {readonly free: number; readonly more: number};

/** How many elements a constant has: factor · Π sizeᵢ^exponentᵢ, or factor · (size + more) of one size. */
export interface Count {
  readonly factor: number;
  readonly exponents: readonly number[];
  readonly more: number;
}

/** A constant that goes with the sizes. Sizes are the call's free sizes, units the same in units of their divisors. */
export interface VaryingConstant {
  /** What it keeps, by ConstantPool number. */
  readonly used: readonly number[];
  /** The constant at some sizes. The slot stays this object's. */
  slot(sizes: readonly number[], units: readonly number[], pool: ConstantPool): Slot;
  /** Whether another constant has the elements of this one at some sizes. */
  hasElements(elements: Elements, sizes: readonly number[], units: readonly number[], pool: ConstantPool): boolean;
  dispose(): void;
}

const bitsOf = (elements: Elements): Int32Array | Uint8Array =>
  elements instanceof Float32Array ? new Int32Array(elements.buffer, elements.byteOffset, elements.length) : elements;

const asBytes = ({buffer, byteOffset, byteLength}: Elements): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** Whether two constants have the same bits. */
export function isSame(pool: ConstantPool, a: number, b: number): boolean {
  return a === b || hasElements(pool.values(a), pool.values(b));
}

export function hasElements(a: Elements, b: Elements): boolean {
  return a.constructor === b.constructor && a.length === b.length && asBytes(a).equals(asBytes(b));
}

/** Whether `small` [smallShape] is the part of `large` [largeShape] that begins at element `start`. */
function isBlock(
  small: Int32Array | Uint8Array,
  smallShape: readonly number[],
  large: Int32Array | Uint8Array,
  largeShape: readonly number[],
  start: number,
): boolean {
  const strides = rowMajorStrides(largeShape);
  const index = smallShape.map(() => 0);
  for (let i = 0; i < small.length; i++) {
    let from = start;
    for (let axis = 0; axis < index.length; axis++) from += (index[axis] as number) * (strides[axis] as number);
    if (small[i] !== large[from]) return false;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (smallShape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return true;
}

function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutationsOf([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

/** Shapes that may have `factor` · Π (freeᵢ + `more`) elements: [outer, free sizes, inner]. */
function shapesOf(factor: number, free: readonly number[], more: number): Axis[][] {
  const outers = Array.from({length: factor}, (_, i) => i + 1).filter((outer) => factor % outer === 0);
  return permutationsOf(free).flatMap((order) =>
    outers.map((outer): Axis[] => [outer, ...order.map((i) => ({free: i, more})), factor / outer]),
  );
}

/** Blocks that are kept, of the sizes used last. */
const blocksKept = 4;
/** More elements in an axis that is not free are not searched for their divisors, and larger constants not compared in every way. */
const largestFactor = 1 << 16;
const mostElements = 1 << 23;

const shapeAt = (axes: readonly Axis[], units: readonly number[]): number[] =>
  axes.map((axis) => (typeof axis === 'number' ? axis : (units[axis.free] as number) + axis.more));

/** Where in the largest block a smaller one begins that ends where it ends. */
const startAtEnd = (shape: readonly number[], largestShape: readonly number[]): number =>
  rowMajorStrides(largestShape).reduce((at, stride, axis) => at + stride * ((largestShape[axis] as number) - (shape[axis] as number)), 0);

/** Slots that are kept, of the sizes used last. */
class RecentSlots {
  private readonly slots = new Map<string, Slot>();

  get(key: string, make: () => Slot): Slot {
    const known = this.slots.get(key);
    if (known !== undefined) return known;
    const slot = make();
    this.slots.set(key, slot);
    for (const [oldest, block] of this.slots) {
      if (this.slots.size <= blocksKept) break;
      native().release(block);
      this.slots.delete(oldest);
    }
    return slot;
  }

  dispose(): void {
    for (const slot of this.slots.values()) native().release(slot);
    this.slots.clear();
  }
}

/**
 * A constant that differs from size to size: positions, masks, biases by distance. Each is the leading block of the largest one, which is
 * all that is kept, or the one at its end: the biases of a query after a growing past.
 */
export class SizedConstant implements VaryingConstant {
  private readonly blocks = new RecentSlots();

  private constructor(
    private readonly dtype: NativeDType,
    /** By ConstantPool number. */
    private readonly largest: number,
    /** Undefined where the elements of a smaller one are simply the first. */
    private readonly axes: readonly Axis[] | undefined,
    private readonly largestShape: readonly number[],
    private readonly atEnd: boolean,
  ) {}

  /**
   * `ids`: the constant at each of the `sizes` (in units of their divisors), of which the second is the largest. `count`: how many elements
   * it has, if that is known. Undefined where the constants are not parts of the largest.
   */
  static of(
    ids: readonly number[],
    sizes: readonly (readonly number[])[],
    count: Count | undefined,
    dtype: NativeDType,
    pool: ConstantPool,
  ): SizedConstant | undefined {
    const all = ids.map((id) => bitsOf(pool.values(id)));
    const [, largest] = all as [Int32Array, Int32Array];
    const id = ids[1] as number;
    if (all.every((elements) => elements.every((bits, i) => bits === largest[i])))
      return new SizedConstant(dtype, id, undefined, [], false);
    if (count === undefined || count.factor > largestFactor || largest.length > mostElements) return undefined;
    const free = count.exponents.flatMap((exponent, i) => new Array<number>(exponent).fill(i));
    for (const axes of shapesOf(count.factor, free, count.more)) {
      const shapes = sizes.map((own) => shapeAt(axes, own));
      const largestShape = shapes[1] as number[];
      for (const atEnd of [false, true]) {
        const isPart = all.every((elements, i) => {
          const shape = shapes[i] as number[];
          const start = atEnd ? startAtEnd(shape, largestShape) : 0;
          return sizeOf(shape) === elements.length && start >= 0 && isBlock(elements, shape, largest, largestShape, start);
        });
        if (isPart) return new SizedConstant(dtype, id, axes, largestShape, atEnd);
      }
    }
    return undefined;
  }

  get used(): number[] {
    return [this.largest];
  }

  slot(_: readonly number[], units: readonly number[], pool: ConstantPool): Slot {
    const {axes, largestShape, atEnd} = this;
    if (axes === undefined) return pool.slot(this.largest);
    const shape = shapeAt(axes, units);
    return this.blocks.get(shape.join(), () => {
      const params = {shape, srcStrides: rowMajorStrides(largestShape), dstStrides: rowMajorStrides(shape)};
      const source = {slot: pool.slot(this.largest), offset: atEnd ? startAtEnd(shape, largestShape) : 0};
      return native().runOne(StridedCopy, [source], this.dtype, sizeOf(shape), params);
    });
  }

  hasElements(elements: Elements, sizes: readonly number[], units: readonly number[], pool: ConstantPool): boolean {
    const isWithin =
      this.axes === undefined || shapeAt(this.axes, units).every((size, axis) => size <= (this.largestShape[axis] as number));
    if (!isWithin) return false;
    const own = asBytes(new Uint8Array(native().read(this.slot(sizes, units, pool))));
    const other = asBytes(elements);
    return own.length >= other.length && own.subarray(0, other.length).equals(other);
  }

  dispose(): void {
    this.blocks.dispose();
  }
}

/** Constants of more elements are tables rather than sizes. */
const mostWords = 64;

/** A small constant whose elements are sizes themselves: the position of the next token. */
export class SizedElements implements VaryingConstant {
  private readonly recent = new RecentSlots();
  readonly used = [];

  private constructor(
    private readonly dtype: 'float32' | 'int32',
    private readonly sized: Sized,
  ) {}

  static of(
    ids: readonly number[],
    sizes: readonly (readonly number[])[],
    dtype: NativeDType,
    pool: ConstantPool,
  ): SizedElements | undefined {
    if (dtype !== 'float32' && dtype !== 'int32') return undefined;
    const all = ids.map((id) => Array.from(pool.values(id)));
    const count = all[0]?.length ?? 0;
    if (count > mostWords || all.some((elements) => elements.length !== count)) return undefined;
    const sized = sizedWords(all, sizes);
    return sized?.divisors.every((divisor) => divisor === 1) ? new SizedElements(dtype, sized) : undefined;
  }

  private elements(sizes: readonly number[]): Float32Array | Int32Array {
    const products = productsAt(this.sized, sizes) as number[];
    const elements = this.sized.words.map((word) => valueAt(word, products));
    return this.dtype === 'int32' ? Int32Array.from(elements) : Float32Array.from(elements);
  }

  slot(sizes: readonly number[]): Slot {
    return this.recent.get(sizes.join(), () => native().store(this.elements(sizes), this.dtype));
  }

  hasElements(elements: Elements, sizes: readonly number[]): boolean {
    return hasElements(this.elements(sizes), elements);
  }

  dispose(): void {
    this.recent.dispose();
  }
}

/** More sizes than this have plans of their own. */
const mostSeen = 4096;

/** A constant whose elements only a recording tells: the row of a table that is looked up at a position. */
export class SeenElements implements VaryingConstant {
  private readonly bySizes = new Map<string, number>();

  /** `place`: which of the recorded graph's constants it is. */
  constructor(readonly place: number) {}

  get full(): boolean {
    return this.bySizes.size >= mostSeen;
  }

  /** `id`: the constant at some sizes, by ConstantPool number. */
  see(sizes: readonly number[], id: number): void {
    this.bySizes.set(sizes.join(), id);
  }

  get used(): number[] {
    return [...this.bySizes.values()];
  }

  slot(sizes: readonly number[], _: readonly number[], pool: ConstantPool): Slot {
    return pool.slot(this.bySizes.get(sizes.join()) as number);
  }

  hasElements(): boolean {
    return !this.full;
  }

  dispose(): void {}
}
