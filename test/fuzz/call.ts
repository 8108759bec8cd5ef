/** One call of a kernel as data: what the fuzzer draws, and what a line of the corpus holds. */
import * as tf from '@tensorflow/tfjs-core';

export type DType = 'float32' | 'int32' | 'bool';

/** How elements are drawn; each type makes of it what it can. */
export const fills = ['unit', 'small', 'wide', 'special'] as const;
export type Fill = (typeof fills)[number];

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly fill: Fill;
  readonly salt: number;
  /** The elements themselves, where they are indices, lengths or the like. */
  readonly values?: readonly number[];
}
export interface Call {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, TensorSpec>> | readonly TensorSpec[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** NaN, the infinities and -0, which JSON has no numbers for. */
export function toJson(call: Call): string {
  return JSON.stringify(call, (_, value) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? {number: Object.is(value, -0) ? '-0' : String(value)}
      : value,
  );
}
export function fromJson(text: string): Call {
  return JSON.parse(text, (_, value) =>
    typeof value === 'object' && value !== null && typeof value.number === 'string' ? Number(value.number) : value,
  ) as Call;
}

const floats = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1e-45,
  -1e-45,
  3.4e38,
  -3.4e38,
  1,
  -1,
  0.5,
  -2.5,
  1e-38,
];
const ints = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 65536, -65537, 7];

function element(dtype: DType, fill: Fill, draw: () => number): number {
  const pick = (list: readonly number[]) => list[Math.floor(draw() * list.length)] as number;
  if (dtype === 'bool') return Number(draw() < 0.5);
  if (dtype === 'int32') {
    if (fill === 'special') return pick(ints);
    const span = {unit: 2, small: 9, wide: 30_000}[fill];
    return Math.floor((2 * draw() - 1) * (span + 0.999));
  }
  if (fill === 'special') return draw() < 0.4 ? pick(floats) : 4 * draw() - 2;
  if (fill === 'small') return Math.floor(draw() * 13 - 6) / 2;
  return (2 * draw() - 1) * (fill === 'unit' ? 1 : 10 ** (6 * draw() - 3));
}

export function valuesOf({shape, dtype, fill, salt, values}: TensorSpec): Float32Array | Int32Array | Uint8Array {
  let state = Math.imul(salt + 1, 0x9e3779b9) | 0;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    let t = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    t ^= t >>> 13;
    return (t >>> 0) / 2 ** 32;
  };
  const elems = tf.util.sizeFromShape(shape as number[]);
  const list = values ?? Array.from({length: elems}, () => element(dtype, fill, draw));
  return dtype === 'float32' ? Float32Array.from(list) : dtype === 'int32' ? Int32Array.from(list) : Uint8Array.from(list);
}
