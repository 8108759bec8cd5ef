import {native, type Slot} from '../native';
import {rowMajorStrides, sizeOf} from '../ops/geometry';
import {StridedCopy} from '../ops/movement';
import type {NativeDType} from '../ops/schema';
import type {ConstantPool} from './constants';

type Elements = Float32Array | Int32Array | Uint8Array;

/** A size of a block: a number, or a free size in units of its divisor. */
type Axis = number | {readonly free: number};

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

/** Whether `small` [smallShape] is the leading part, along every axis, of `large` [largeShape]. */
function isBlock(
  small: Int32Array | Uint8Array,
  smallShape: readonly number[],
  large: Int32Array | Uint8Array,
  largeShape: readonly number[],
): boolean {
  const strides = rowMajorStrides(largeShape);
  const index = smallShape.map(() => 0);
  for (let i = 0; i < small.length; i++) {
    let from = 0;
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

/** Shapes that may have `factor` · Π freeᵢ elements: [outer, free sizes, inner]. */
function shapesOf(factor: number, free: readonly number[]): Axis[][] {
  const outers = Array.from({length: factor}, (_, i) => i + 1).filter((outer) => factor % outer === 0);
  return permutationsOf(free).flatMap((order) => outers.map((outer): Axis[] => [outer, ...order.map((i) => ({free: i})), factor / outer]));
}

/** Blocks that are kept, of the sizes used last. */
const blocksKept = 4;
/** More elements in an axis that is not free are not searched for their divisors, and larger constants not compared in every way. */
const largestFactor = 1 << 16;
const mostElements = 1 << 23;

/**
 * A constant that differs from size to size: positions, masks, biases by distance. Each is the leading block of the largest one, which is
 * all that is kept.
 */
export class SizedConstant {
  private readonly blocks = new Map<string, Slot>();

  private constructor(
    private readonly dtype: NativeDType,
    /** The largest, by ConstantPool number. */
    readonly largest: number,
    /** Undefined where the elements of a smaller one are simply the first. */
    private readonly axes: readonly Axis[] | undefined,
    private readonly largestShape: readonly number[],
  ) {}

  /**
   * `ids`: the constant at each of the `sizes` (in units of their divisors), of which the second is the largest. `factor`, `exponents`: how
   * many elements it has, factor · Π sizeᵢ^exponentᵢ, if it is so. Undefined where the constants are not parts of the largest.
   */
  static of(
    ids: readonly number[],
    sizes: readonly (readonly number[])[],
    count: {readonly factor: number; readonly exponents: readonly number[]} | undefined,
    dtype: NativeDType,
    pool: ConstantPool,
  ): SizedConstant | undefined {
    const all = ids.map((id) => bitsOf(pool.values(id)));
    const [, largest] = all as [Int32Array, Int32Array];
    const id = ids[1] as number;
    if (all.every((elements) => elements.every((bits, i) => bits === largest[i]))) return new SizedConstant(dtype, id, undefined, []);
    if (count === undefined || count.factor > largestFactor || largest.length > mostElements) return undefined;
    const free = count.exponents.flatMap((exponent, i) => new Array<number>(exponent).fill(i));
    for (const axes of shapesOf(count.factor, free)) {
      const shapes = sizes.map((own) => axes.map((axis) => (typeof axis === 'number' ? axis : (own[axis.free] as number))));
      const largestShape = shapes[1] as number[];
      if (all.every((elements, i) => isBlock(elements, shapes[i] as number[], largest, largestShape)))
        return new SizedConstant(dtype, id, axes, largestShape);
    }
    return undefined;
  }

  /** The constant at some sizes, in units of their divisors. The slot stays this object's. */
  slot(sizes: readonly number[], pool: ConstantPool): Slot {
    if (this.axes === undefined) return pool.slot(this.largest);
    const shape = this.axes.map((axis) => (typeof axis === 'number' ? axis : (sizes[axis.free] as number)));
    const key = shape.join();
    const known = this.blocks.get(key);
    if (known !== undefined) return known;
    const params = {shape, srcStrides: rowMajorStrides(this.largestShape), dstStrides: rowMajorStrides(shape)};
    const slot = native().runOne(StridedCopy, [pool.slot(this.largest)], this.dtype, sizeOf(shape), params);
    this.blocks.set(key, slot);
    for (const [oldest, block] of this.blocks) {
      if (this.blocks.size <= blocksKept) break;
      native().release(block);
      this.blocks.delete(oldest);
    }
    return slot;
  }

  /** Whether another constant has the elements of this one at some sizes. */
  hasElements(elements: Elements, sizes: readonly number[], pool: ConstantPool): boolean {
    const own = asBytes(new Uint8Array(native().read(this.slot(sizes, pool))));
    const other = asBytes(elements);
    return own.subarray(0, other.length).equals(other);
  }

  dispose(): void {
    for (const block of this.blocks.values()) native().release(block);
    this.blocks.clear();
  }
}
