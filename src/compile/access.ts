/**
 * Index arithmetic of the compiler: how one node's reading of a dense value translates into the index space of the node that wrote it.
 * Pure functions on numbers; strides and offsets count elements.
 */
import {rowMajorStrides} from '../ops/geometry';

export interface Access {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Steps of `factor` along axis `axis` of the located shape, `size` times; axis -1 does not move. */
export interface Part {
  readonly size: number;
  readonly axis: number;
  readonly factor: number;
}

/** An access seen in the index space of a dense shape: where it starts, and each of its axes as one or more parts, outermost first. */
export interface Located {
  readonly start: readonly number[];
  readonly parts: readonly (readonly Part[])[];
}

/**
 * Expresses `access`, which walks over a dense block of `shape`, in indices of that shape. An axis that runs over several of its axes is
 * split. Undefined where an axis crosses a boundary unevenly or runs backwards, so that no strides express it.
 */
export function locate(access: Access, shape: readonly number[]): Located | undefined {
  const dense = rowMajorStrides(shape);
  const start = shape.map((size, d) => Math.floor(access.offset / (dense[d] as number)) % size);
  const reach = [...start];
  const parts: Part[][] = [];
  for (let j = 0; j < access.shape.length; j++) {
    const own: Part[] = [];
    let size = access.shape[j] as number;
    let stride = access.strides[j] as number;
    if (size === 1 || stride === 0) {
      parts.push([{size, axis: -1, factor: 0}]);
      continue;
    }
    if (stride < 0) return undefined;
    while (size > 1) {
      const axis = axisOf(stride, shape, dense);
      if (axis === undefined) return undefined;
      const factor = stride / (dense[axis] as number);
      const room = shape[axis] as number;
      if ((start[axis] as number) + factor * (size - 1) < room) {
        own.unshift({size, axis, factor});
        reach[axis] = (reach[axis] as number) + factor * (size - 1);
        break;
      }
      const inner = room / factor;
      // 1: it steps out of the shape.
      if (!Number.isInteger(inner) || inner === 1 || size % inner !== 0) return undefined;
      own.unshift({size: inner, axis, factor});
      reach[axis] = (reach[axis] as number) + factor * (inner - 1);
      size /= inner;
      stride *= inner;
    }
    if (own.length === 0) own.push({size: 1, axis: -1, factor: 0});
    parts.push(own);
  }
  return reach.every((last, d) => last < (shape[d] as number)) ? {start, parts} : undefined;
}

/** The axis with more than one element along which a step of `stride` moves. */
function axisOf(stride: number, shape: readonly number[], dense: readonly number[]): number | undefined {
  for (let axis = 0; axis < shape.length; axis++) {
    const step = dense[axis] as number;
    if (shape[axis] !== 1 && step <= stride) return stride % step === 0 ? axis : undefined;
  }
  return undefined;
}

/** The offset and strides (one per part, in order) with which a located access reaches an operand that has `strides` over the located shape. */
export function reachThrough(located: Located, strides: readonly number[]): {offset: number; strides: number[][]} {
  const offset = located.start.reduce((sum, index, d) => sum + index * (strides[d] as number), 0);
  return {offset, strides: located.parts.map((own) => own.map((p) => (p.axis < 0 ? 0 : p.factor * (strides[p.axis] as number))))};
}

/** One stride over the product of `sizes`, if `strides` amount to that. */
export function mergedStride(sizes: readonly number[], strides: readonly number[]): number | undefined {
  let stride: number | undefined;
  let span = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const size = sizes[i] as number;
    if (size === 1) continue;
    if (stride === undefined) stride = strides[i] as number;
    else if (strides[i] !== stride * span) return undefined;
    span *= size;
  }
  return stride ?? 0;
}

/** Splits one axis' stride over the sizes that the axis is cut into. */
export function splitStride(stride: number, sizes: readonly number[]): number[] {
  return rowMajorStrides(sizes).map((inner) => inner * stride);
}
