/**
 * Kernel tests are rows: a call of tfjs, run on `graviton` and on tfjs-backend-cpu, must give the same shapes, types and elements, without
 * falling back, and must leave tensors and native bytes as they were. Where the cpu backend is wrong, a row gives the right values itself.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '../../src';
import {GravitonBackend} from '../../src/backend';
import {native} from '../../src/native';

type Values = Float32Array | Int32Array | Uint8Array | string[];
interface Result {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: Values;
}
export type Made = tf.Tensor | tf.Tensor[];

export interface Options {
  /** Units in the last place of float32, of the larger of the two numbers; 0: equal, NaN to NaN and +0 to -0. */
  readonly ulp?: number;
  /** Absolute, for sums of numbers of both signs. */
  readonly abs?: number;
  /** tfjs-core takes the bytes of a string tensor off for each of its views. */
  readonly coreMiscounts?: boolean;
  /** The row is about the fallback. */
  readonly fallsBack?: boolean;
  /** What it must give, where the cpu backend gives something else. */
  readonly expected?: {readonly values: readonly number[]; readonly dtype: tf.DataType; readonly why: string};
}

export function graviton(): GravitonBackend {
  const backend = tf.backend();
  if (!(backend instanceof GravitonBackend)) throw new Error(`the active backend is ${tf.getBackend()}`);
  return backend;
}

function results(run: () => Made): Result[] {
  return tf.tidy(() =>
    [run()].flat().map((t) => ({shape: t.shape, dtype: t.dtype, values: t.dataSync() as Values})),
  ) as unknown as Result[];
}

async function on(backend: string, run: () => Made): Promise<Result[]> {
  await tf.setBackend(backend);
  return results(run);
}

function footprint({coreMiscounts}: Options = {}) {
  const {tensors, tensorBytes} = native().stats();
  const {numBytes, ...rest} = tf.memory();
  return {...rest, numBytes: coreMiscounts ? 0 : numBytes, tensors, tensorBytes, dataIds: tf.backend().numDataIds()};
}

function expectClose(got: Values, wanted: ArrayLike<number | string>, {ulp = 0, abs = 0}: Options): void {
  expect(got.length).to.equal(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i], wanted[i]];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (typeof a !== 'number' || typeof b !== 'number') throw new Error(`element ${i} is ${a}, not ${b}`);
    const allowed = Math.max(abs, ulp * 2 ** -23 * Math.max(Math.abs(a), Math.abs(b)), ulp > 0 ? 1e-37 : 0);
    if (!(Math.abs(a - b) <= allowed)) throw new Error(`element ${i} is ${a}, not ${b}: ${Math.abs(a - b)} apart, ${allowed} allowed`);
  }
}

/** A row. `run` makes its tensors itself; everything in it is tidied. */
export function row(name: string, run: () => Made, options: Options = {}): void {
  it(name, async () => {
    const wanted = options.expected === undefined ? await on('cpu', run) : undefined;
    await on('graviton', run); // native buffers that the first call keeps
    const before = footprint(options);
    const calls = [...graviton().cpuKernels.calls.values()].reduce((a, b) => a + b, 0);
    const got = results(run);
    expect(footprint(options), 'memory').to.deep.equal(before);
    if (!options.fallsBack) {
      const after = [...graviton().cpuKernels.calls].map(([kernel, count]) => `${kernel} ${count}`);
      expect(
        [...graviton().cpuKernels.calls.values()].reduce((a, b) => a + b, 0),
        `fell back: ${after}`,
      ).to.equal(calls);
    }
    if (options.expected !== undefined) {
      expect(got[0]?.dtype).to.equal(options.expected.dtype);
      expectClose(got[0]?.values as Values, options.expected.values, options);
      return;
    }
    expect(got.map(({shape, dtype}) => ({shape, dtype}))).to.deep.equal(wanted?.map(({shape, dtype}) => ({shape, dtype})));
    got.forEach((result, i) => {
      expectClose(result.values, wanted?.[i]?.values as Values, options);
    });
  });
}

/** A call that must throw `message` and leave nothing behind. */
export function fails(name: string, run: () => unknown, message: RegExp): void {
  it(`refuses ${name}`, async () => {
    await tf.setBackend('graviton');
    const before = footprint();
    expect(() => tf.tidy(() => run() as tf.TensorContainer)).to.throw(message);
    expect(footprint(), 'memory').to.deep.equal(before);
  });
}

/** Deterministic numbers in [low, high); `salt` tells tensors of one row apart. */
export function floats(shape: number[], [low, high]: readonly [number, number] = [-4, 4], salt = 1): tf.Tensor {
  let state = 12345 + 7919 * salt;
  const values = Float32Array.from({length: tf.util.sizeFromShape(shape)}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return low + ((high - low) * (state >>> 8)) / 2 ** 24;
  });
  return tf.tensor(values, shape, 'float32');
}
export function ints(shape: number[], [low, high]: readonly [number, number] = [-9, 9], salt = 1): tf.Tensor {
  const values = floats(shape, [low, high + 1], salt).dataSync();
  return tf.tensor(Int32Array.from(values, Math.floor), shape, 'int32');
}
export function bools(shape: number[], salt = 1): tf.Tensor {
  return tf.tensor(Array.from(ints(shape, [0, 1], salt).dataSync()), shape, 'bool');
}
export const special = (): tf.Tensor => tf.tensor1d([NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1, -1, 0.5, -0.5]);

/** Sizes 0 and 1, vector tails, ranks 0 to 6. */
export const shapes: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [7],
  [33],
  [2, 0, 3],
  [3, 5],
  [2, 3, 4],
  [2, 1, 3, 2],
  [1, 2, 1, 3, 2],
  [2, 1, 2, 1, 2, 3],
];
