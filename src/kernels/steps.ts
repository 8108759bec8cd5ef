/** Steps that several kernel families emit. */
import type {DataType, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {floatBits} from '../ops/bits';
import {
  broadcastShape,
  broadcastStrides,
  collapse,
  joined,
  rowMajorStrides,
  type Shape,
  type Strides,
  sameShape,
  sizeOf,
} from '../ops/geometry';
import {Fill, StridedCopy} from '../ops/movement';
import {Pointwise} from '../ops/pointwise';
import {type Expr, encodeProgram} from '../ops/program';

/** Words of an expression that is known to be small. */
export function program(expr: Expr): readonly number[] {
  const words = encodeProgram(expr);
  if (words === undefined) throw errors.argument('Pointwise', 'the expression does not fit into one program');
  return words;
}

const mostKept = 16;

function sameValues<Key extends object>(a: Key, b: Key): boolean {
  for (const name in a) if (!Object.is(a[name], b[name])) return false;
  return true;
}

/**
 * `make`, whose results for the last few keys are kept: to build a program takes ten times as long as a small step. Keys are alike where
 * their values are; they have the same names.
 */
export function kept<Key extends object, Result>(make: (key: Key) => Result): (key: Key) => Result {
  const entries: {readonly key: Key; readonly result: Result}[] = [];
  return (key) => {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as (typeof entries)[number];
      if (sameValues(entry.key, key)) return entry.result;
    }
    const result = make(key);
    if (entries.length === mostKept) entries.pop();
    entries.unshift({key, result});
    return result;
  };
}

/** For up to four inputs: strides of them and of the output, by which of them (a bit each) are one element for all. */
const flatStrides: readonly (readonly (readonly number[])[])[] = [0, 1, 2, 3, 4].map((inputs) =>
  Array.from({length: 2 ** inputs}, (_, ones) => [...Array.from({length: inputs}, (_, i) => ((ones >> i) & 1 ? 0 : 1)), 1]),
);

/** Strides of a walk in one axis, where every input has the result's shape or, if that has several elements, is a single one. */
function flatWalk(inputs: readonly TensorInfo[], shape: Shape): readonly number[] | undefined {
  let ones = 0;
  for (let i = 0; i < inputs.length; i++) {
    const own = (inputs[i] as TensorInfo).shape;
    if (sameShape(own, shape)) continue;
    if (sizeOf(own) !== 1 || sizeOf(shape) < 2) return undefined;
    ones |= 1 << i;
  }
  return flatStrides[inputs.length]?.[ones];
}

/** out[i] = program(inputs[0][i], …); every input broadcasts to `shape`. */
export function pointwise(
  backend: GravitonBackend,
  words: readonly number[],
  inputs: readonly TensorInfo[],
  shape: readonly number[],
  dtype: DataType,
): TensorInfo {
  const strides = flatWalk(inputs, shape);
  if (strides !== undefined) {
    return backend.run(Pointwise, inputs, {shape, dtype}, {shape: [sizeOf(shape)], strides, program: words});
  }
  const walks = inputs.map((x) => broadcastStrides(x.shape, shape));
  return stridedPointwise(backend, words, inputs, walks, shape, dtype);
}

/** out[i] = program(inputs[0][Σ i·strides[0]], …) */
export function stridedPointwise(
  backend: GravitonBackend,
  words: readonly number[],
  inputs: readonly TensorInfo[],
  strides: readonly Strides[],
  shape: readonly number[],
  dtype: DataType,
): TensorInfo {
  const space = collapse(shape, [...strides, rowMajorStrides(shape)]);
  return backend.run(Pointwise, inputs, {shape, dtype}, {shape: space.shape, strides: joined(space.strides), program: words});
}

/** pointwise() over the shape that all inputs broadcast to. */
export function broadcast(
  backend: GravitonBackend,
  op: string,
  words: readonly number[],
  inputs: readonly TensorInfo[],
  dtype: DataType,
): TensorInfo {
  let shape: readonly number[] = inputs[0]?.shape ?? [];
  for (let i = 1; i < inputs.length; i++) {
    const other = (inputs[i] as TensorInfo).shape;
    if (!sameShape(shape, other)) shape = broadcastShape(shape, other, op);
  }
  return pointwise(backend, words, inputs, shape, dtype);
}

/** The 32 bits in which a step takes a value of type `dtype`. */
export function bitsOf(value: number, dtype: DataType): number {
  if (dtype === 'float32') return floatBits(value) >>> 0;
  return dtype === 'bool' ? Number(value !== 0) : Math.trunc(value) >>> 0;
}

export function fill(backend: GravitonBackend, shape: readonly number[], value: number, dtype: DataType): TensorInfo {
  return backend.run(Fill, [], {shape, dtype}, {count: sizeOf(shape), value: bitsOf(value, dtype)});
}

/** out[i…] = x[offset + Σ i·strides], dense: every kind of rearrangement and repetition. A view where nothing moves. */
export function stridedCopy(backend: GravitonBackend, x: TensorInfo, shape: readonly number[], strides: Strides, offset = 0): TensorInfo {
  const dense = rowMajorStrides(shape);
  const space = collapse(shape, [strides, dense]);
  const [srcStrides = [], dstStrides = []] = space.strides;
  const inOrder = space.shape.length === 1 && srcStrides[0] === 1 && offset === 0;
  if (inOrder && space.shape[0] === sizeOf(x.shape)) return backend.view(x, shape);
  const params = {shape: space.shape, srcStrides, dstStrides};
  return backend.run(StridedCopy, [x], {shape, dtype: x.dtype}, params, space.shape[0] === 0 ? undefined : [offset]);
}

/** x with its axes in the order `perm`. */
export function transpose(backend: GravitonBackend, x: TensorInfo, perm: readonly number[]): TensorInfo {
  const strides = rowMajorStrides(x.shape);
  return stridedCopy(
    backend,
    x,
    perm.map((axis) => x.shape[axis] as number),
    perm.map((axis) => strides[axis] as number),
  );
}

/** `axis` counted from 0. */
export function axisOf(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) throw errors.shape(op, `axis ${axis} is not in [${-rank}, ${rank})`);
  return axis < 0 ? axis + rank : axis;
}

/** The axes, each counted from 0, in rising order; all of them where none is given. */
export function axesOf(op: string, axes: number | readonly number[] | null | undefined, rank: number): number[] {
  if (axes === null || axes === undefined) return Array.from({length: rank}, (_, axis) => axis);
  const rising: number[] = [];
  for (const axis of typeof axes === 'number' ? [axes] : axes) {
    const counted = axisOf(op, axis, rank);
    if (rising.includes(counted)) continue;
    let at = rising.length;
    while (at > 0 && (rising[at - 1] as number) > counted) at--;
    rising.splice(at, 0, counted);
  }
  return rising;
}

/** Runs `make`, then gives `tensors` back, also when it throws. */
export function using<T>(backend: GravitonBackend, tensors: readonly TensorInfo[], make: () => T): T {
  try {
    return make();
  } finally {
    for (const tensor of tensors) backend.disposeIntermediate(tensor);
  }
}
