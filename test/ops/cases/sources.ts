/** Inputs of rows, made when a row runs, and what the families share to say what they must give. */
import type {NativeDType} from '../../../src/ops/schema';
import {integers, random, uniform, type Values} from '../harness';

export const infinity = Number.POSITIVE_INFINITY;
export const unit = 2 ** -24; // rounding error of one float32 operation, relative

export type Shape = readonly [outer: number, length: number, inner: number];
export const sizeOf = (shape: Shape): number => shape[0] * shape[1] * shape[2];

/** Mostly ordinary numbers, a few that are not. */
function special(elems: number, rare = 0.02): Float32Array {
  const draw = random(3);
  const odd = [Number.NaN, infinity, -infinity, -0, 0, 1e38, -1e38, 1e-42];
  return uniform([-2, 2], elems, 4).map((x) => (draw() < rare ? (odd[Math.floor(draw() * odd.length)] as number) : x));
}
function bools(elems: number, chance: number): Uint8Array {
  const draw = random(5);
  return Uint8Array.from({length: elems}, () => (draw() < chance ? 1 : 0));
}

/** Values of a row, made when it runs. */
export interface Source {
  readonly dtype: NativeDType;
  readonly make: (elems: number) => Values;
}
export const floats = (low: number, high: number): Source => ({dtype: 'float32', make: (elems) => uniform([low, high], elems)});
export const wholes = (low: number, high: number): Source => ({dtype: 'float32', make: (elems) => uniform([low, high], elems).map(Math.round)});
export const specials = (rare?: number): Source => ({dtype: 'float32', make: (elems) => special(elems, rare)});
export const ints = (low: number, high: number): Source => ({dtype: 'int32', make: (elems) => integers([low, high], elems)});
export const anyInts = ints(-(2 ** 31), 2 ** 31 - 1);
export const flags = (chance: number): Source => ({dtype: 'bool', make: (elems) => bools(elems, chance)});
export const every = (value: number): Source => ({dtype: 'float32', make: (elems) => new Float32Array(elems).fill(value)});
export const listed = (f: (i: number) => number): Source => ({dtype: 'float32', make: (elems) => Float32Array.from({length: elems}, (_, i) => f(i))});
export const these = (...values: readonly number[]): Source => ({dtype: 'float32', make: () => Float32Array.from(values)});


export const sum = (c: readonly number[]): number => c.reduce((a, b) => a + b, 0);
export function rowsOf(rows: number, cols: number, x: ArrayLike<number>): number[][] {
  return Array.from({length: rows}, (_, r) => Array.from({length: cols}, (_, c) => x[r * cols + c] as number));
}

/** Six elements of buffer, and sizes that they or int64 cannot hold. */
export const huge = 0xffffffff;
export const sixFloats = () => [new Float32Array(6)];
export const sixFloatsOut = [{dtype: 'float32', elems: 6}] as const;
