import {defineOp} from './schema';

export const reduceKinds = {sum: 0, mean: 1, product: 2, max: 3, min: 4, any: 5, all: 6} as const;
/**
 * out[o, i] = kind over r of x[o, r, i]; x is dense. float32: sum, mean, product, max, min; int32: sum, product, max, min;
 * bool: any, all. The result has the type of x. An empty axis gives the neutral element (mean: NaN). NaN propagates through max and min.
 * Sums are pairwise or in blocks, so that the error grows with log n rather than n.
 */
export const Reduce = defineOp({
  name: 'Reduce',
  inputs: 1,
  outputs: 1,
  params: {kind: 'u32', outer: 'u32', reduce: 'u32', inner: 'u32'},
});

export const argReduceKinds = {max: 0, min: 1} as const;
/** out[o, i] = the first index r of the largest (smallest) x[o, r, i], as int32; x float32, int32 or bool. NaN never wins over a number. */
export const ArgReduce = defineOp({
  name: 'ArgReduce',
  inputs: 1,
  outputs: 1,
  params: {kind: 'u32', outer: 'u32', reduce: 'u32', inner: 'u32'},
});

/** Softmax (or its logarithm) over the rows of x[rows, cols], float32, dense. */
export const Softmax = defineOp({
  name: 'Softmax',
  inputs: 1,
  outputs: 1,
  params: {rows: 'u32', cols: 'u32', logarithm: 'bool'},
});

export const normalizeKinds = {layer: 0, rms: 1} as const;
/**
 * y = epilogue((x − mean) / (sqrt(correction · variance + epsilon) + spreadEpsilon) · gamma + beta) over each group of elements; rms: mean is 0
 * and variance the mean of squares (Zhang & Sennrich 2019). float32.
 *
 * x[rows, cols] (row stride xRow): `positions` rows after each other are a sample, and cols / groups columns after each other of a sample a
 * group. Layer norm: positions and groups 1; instance norm of an image: positions H · W, groups = cols; group norm: groups in between; batch
 * norm in training: positions N · H · W. Inputs: x, gamma[cols], beta[cols], either of which may be absent, then the epilogue's own.
 * `epilogueStrides`: four per further input, over (1, 1, rows, cols).
 */
export const Normalize = defineOp({
  name: 'Normalize',
  inputs: [3, 32],
  outputs: 1,
  // biome-ignore format: what is walked, then what is computed
  params: {
    kind: 'u32', rows: 'u32', cols: 'u32', positions: 'u32', groups: 'u32', xRow: 'i32', yRow: 'i32',
    correction: 'f32', epsilon: 'f32', spreadEpsilon: 'f32', epilogue: 'list', epilogueStrides: 'list',
  },
});

export const cumulativeKinds = {sum: 0, product: 1} as const;
/** Running sum or product along r of x[outer, length, inner]; float32 or int32. */
export const Cumulative = defineOp({
  name: 'Cumulative',
  inputs: 1,
  outputs: 1,
  params: {kind: 'u32', outer: 'u32', length: 'u32', inner: 'u32', exclusive: 'bool', reverse: 'bool'},
});

/** The k largest of each row of x[rows, cols] and their indices (int32), largest first, ties by the lower index. */
export const TopK = defineOp({
  name: 'TopK',
  inputs: 1,
  outputs: 2,
  params: {rows: 'u32', cols: 'u32', k: 'u32'},
});
