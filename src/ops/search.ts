import {defineOp} from './schema';

/**
 * out[r, i] = how many of sorted[r, cols] are below values[r, i] (`right`: below or equal), by bisection: where it belongs. float32 or int32.
 * Anything else than rising order gives some position in [0, cols].
 */
export const SearchSorted = defineOp({
  name: 'SearchSorted',
  inputs: 2,
  outputs: 1,
  params: {rows: 'u32', cols: 'u32', values: 'u32', right: 'bool'},
});

/**
 * Which rows of x[rows, cols] are equal, for any element type: out 0, int32[rows], numbers them in the order of their first appearance; out
 * 1, int32[rows], has the row of each first appearance, then zeros; out 2, int32[1], counts them. NaN equals NaN, and -0 equals 0.
 */
export const Unique = defineOp({name: 'Unique', inputs: 1, outputs: 3, params: {rows: 'u32', cols: 'u32'}});

/**
 * Of boxes[count, 4] (y1, x1, y2, x2) those with the highest scores[count] that overlap no better one by `iou` or more; with `sigma` > 0 an
 * overlap instead lowers the score by exp(-iou² / 2 sigma) (Bodla et al. 2017). float32. out 0: their rows, int32[most], best first, then
 * zeros; out 1: their scores, likewise; out 2: how many, int32[1]. Only scores above `score` count. Ties: the lower row first.
 */
export const NonMaxSuppression = defineOp({
  name: 'NonMaxSuppression',
  inputs: 2,
  outputs: 3,
  params: {count: 'u32', most: 'u32', iou: 'f32', score: 'f32', sigma: 'f32'},
});

/** The shape that the shapes a[first] and b[second], int32, broadcast to: out[max(first, second)]. Sizes that do not fit fail. */
export const BroadcastArgs = defineOp({name: 'BroadcastArgs', inputs: 2, outputs: 1, params: {first: 'u32', second: 'u32'}});
