/**
 * Index spaces: shapes and strides of the operands that one step walks together. Sizes and strides count elements.
 * Pure functions, shared by the eager kernels and the compiler.
 */
import {errors} from '../errors';

export type Shape = readonly number[];
export type Strides = readonly number[];

export function sizeOf(shape: Shape): number {
  let elems = 1;
  for (let i = 0; i < shape.length; i++) elems *= shape[i] as number;
  return elems;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether both walk the shape alike: the stride of an axis of one element does not matter. */
export function sameWalk(a: Strides, b: Strides, shape: Shape): boolean {
  return a.every((stride, axis) => stride === b[axis] || shape[axis] === 1);
}

/** Strides of a dense row-major tensor. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i] as number;
  }
  return strides;
}

/**
 * The shape that a and b broadcast to (NumPy's rule: aligned at the last axis; a size of 1 repeats).
 * `op` names the operation in the error.
 */
export function broadcastShape(a: Shape, b: Shape, op: string): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const sizeA = i <= a.length ? (a[a.length - i] as number) : 1;
    const sizeB = i <= b.length ? (b[b.length - i] as number) : 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw errors.shape(
        op,
        `shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast; sizes must be equal or 1, from the last axis`,
      );
    }
    shape[rank - i] = sizeA === 1 ? sizeB : sizeA;
  }
  return shape;
}

/** Strides that walk a dense tensor of shape `from` over the index space `to`, which `from` broadcasts to: 0 where it repeats. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0);
  let stride = 1;
  for (let i = 1; i <= from.length; i++) {
    const size = from[from.length - i] as number;
    if (size !== 1) strides[to.length - i] = stride;
    stride *= size;
  }
  return strides;
}

export interface IndexSpace {
  readonly shape: number[];
  /** One list per operand, each as long as the shape. */
  readonly strides: number[][];
}

/** The lists one after the other. Array.flat() takes half a microsecond, a fifth of a small eager call. */
export function joined(lists: readonly (readonly number[])[]): number[] {
  const all: number[] = [];
  for (const list of lists) for (const value of list) all.push(value);
  return all;
}

/**
 * The same walk in as few axes as can be, and at least one: axes of size 1 go, and an axis is merged with the next where that makes one
 * even step in every operand. An empty space becomes [0].
 */
export function collapse(shape: Shape, strides: readonly Strides[]): IndexSpace {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 0) return {shape: [0], strides: strides.map(() => [0])};
    if (size === 1) continue;
    const last = sizes.length - 1;
    const continues = last >= 0 && strides.every((s, j) => s[axis] === (sizes[last] as number) * (merged[j]?.[last] as number));
    if (continues) sizes[last] = (sizes[last] as number) * size;
    else {
      sizes.push(size);
      for (let j = 0; j < strides.length; j++) merged[j]?.push(strides[j]?.[axis] as number);
    }
  }
  if (sizes.length === 0) return {shape: [1], strides: strides.map(() => [1])};
  return {shape: sizes.reverse(), strides: merged.map((s) => s.reverse())};
}
