import {defineOp} from './schema';

/** dst[i…] = src[i…] over `shape` (rank ≤ 8), any element type: transpose, slice, reverse (negative strides), tile and broadcast (stride 0). */
export const StridedCopy = defineOp({
  name: 'StridedCopy',
  inputs: 1,
  outputs: 1,
  params: {shape: 'list', srcStrides: 'list', dstStrides: 'list'},
});

/** Inputs x_j[outer, inner_j], dense, side by side: out[outer, Σ inner_j]. Any element type, the same for all. */
export const Concat = defineOp({
  name: 'Concat',
  inputs: [1, 64],
  outputs: 1,
  params: {outer: 'u32', inner: 'list'},
});

export const padModes = {constant: 0, reflect: 1, symmetric: 2} as const;
/** out = x[shape] with before[i] and after[i] elements more on axis i. `value`: the bits of the filler. Any element type. */
export const Pad = defineOp({
  name: 'Pad',
  inputs: 1,
  outputs: 1,
  params: {mode: 'u32', value: 'u32', shape: 'list', before: 'list', after: 'list'},
});

/** out[i] = value (its bits; the low byte for bool), `count` elements of the output's type. */
export const Fill = defineOp({name: 'Fill', inputs: 0, outputs: 1, params: {count: 'u32', value: 'u32'}});

/** out[i] = start + i · step (out[0] = start, whatever the step is), computed in double precision: float32, or int32, towards zero modulo 2³². */
export const Ramp = defineOp({name: 'Ramp', inputs: 0, outputs: 1, params: {count: 'u32', start: 'f64', step: 'f64'}});

/** out[i, j] = i == j ? x[i] : 0 for x[count] of any element type. */
export const Diag = defineOp({name: 'Diag', inputs: 1, outputs: 1, params: {count: 'u32'}});

/** out[b, o, i, :] = table[b, o, indices[b, i], :]; table[batch, outer, axis, inner], indices[batch, count] int32; any element type. A bad index fails. */
export const Gather = defineOp({
  name: 'Gather',
  inputs: 2,
  outputs: 1,
  params: {batch: 'u32', outer: 'u32', axis: 'u32', inner: 'u32', count: 'u32'},
});

/** out[s, :] = table[indices[s, 0], …, indices[s, d−1], :] with table[dims…, inner] and indices[slices, dims.length] int32. A bad index fails. */
export const GatherNd = defineOp({
  name: 'GatherNd',
  inputs: 2,
  outputs: 1,
  params: {slices: 'u32', inner: 'u32', dims: 'list'},
});

/** out[i, j] = j == indices[i] ? on : off; `on` and `off` are the bits of the output's type. Indices outside give a row of off. */
export const OneHot = defineOp({
  name: 'OneHot',
  inputs: 1,
  outputs: 1,
  params: {count: 'u32', depth: 'u32', on: 'u32', off: 'u32'},
});

export const scatterKinds = {set: 0, add: 1} as const;
export const scatterOutside = {fails: 0, dropped: 1, largeDropped: 2} as const;
/**
 * out[b, …dims, :] = base (absent: zeros), in which then, for s in rising order, the rows at indices[b, s, :] become (set) or grow by (add)
 * updates[b, s, :]; indices[batch, count, dims.length] int32, updates[batch, count, inner]. `sameUpdate`: one updates[inner] for all.
 * `sameBase`: the base is one element for all. set: any element type; add: float32 or int32, which wraps. `outside`: whether an index that lies
 * outside fails or is passed over.
 */
export const Scatter = defineOp({
  name: 'Scatter',
  inputs: 3,
  outputs: 1,
  params: {kind: 'u32', outside: 'u32', batch: 'u32', count: 'u32', inner: 'u32', sameUpdate: 'bool', sameBase: 'bool', dims: 'list'},
});
