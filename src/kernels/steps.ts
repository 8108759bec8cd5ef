/** Steps that several kernel families emit. */
import type {DataType, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {broadcastShape, broadcastStrides, collapse, rowMajorStrides, type Shape, type Strides, sameShape, sizeOf} from '../ops/geometry';
import {StridedCopy} from '../ops/movement';
import {Pointwise} from '../ops/pointwise';
import {type Expr, encodeProgram} from '../ops/program';

/** Words of an expression that is known to be small. */
export function program(expr: Expr): readonly number[] {
  const words = encodeProgram(expr);
  if (words === undefined) throw errors.argument('Pointwise', 'the expression does not fit into one program');
  return words;
}

const alike: readonly (readonly (readonly [number])[])[] = [0, 1, 2, 3, 4].map((inputs) =>
  Array.from({length: inputs + 1}, () => [1] as const),
);

function isAlike(inputs: readonly TensorInfo[], shape: Shape): boolean {
  for (let i = 0; i < inputs.length; i++) if (!sameShape((inputs[i] as TensorInfo).shape, shape)) return false;
  return true;
}

/** out[i] = program(inputs[0][i], …); every input broadcasts to `shape`. */
export function pointwise(
  backend: GravitonBackend,
  words: readonly number[],
  inputs: readonly TensorInfo[],
  shape: readonly number[],
  dtype: DataType,
): TensorInfo {
  if (inputs.length < alike.length && isAlike(inputs, shape)) {
    return backend.run(
      Pointwise,
      inputs,
      {shape, dtype},
      {shape: [sizeOf(shape)], strides: flat(alike[inputs.length] ?? []), program: words},
    );
  }
  const strides = inputs.map((x) => broadcastStrides(x.shape, shape));
  const space = collapse(shape, [...strides, rowMajorStrides(shape)]);
  return backend.run(Pointwise, inputs, {shape, dtype}, {shape: space.shape, strides: flat(space.strides), program: words});
}

function flat(strides: readonly Strides[]): readonly number[] {
  return strides.flat();
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

/** out[i…] = x[offset + Σ i·strides], dense: every kind of rearrangement and repetition. */
export function stridedCopy(backend: GravitonBackend, x: TensorInfo, shape: readonly number[], strides: Strides, offset = 0): TensorInfo {
  const space = collapse(shape, [strides, rowMajorStrides(shape)]);
  const [srcStrides = [], dstStrides = []] = space.strides;
  const params = {shape: space.shape, srcStrides, dstStrides};
  return backend.run(StridedCopy, [x], {shape, dtype: x.dtype}, params, sizeOf(shape) === 0 ? undefined : [offset]);
}
