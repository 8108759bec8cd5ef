import {defineOp} from './schema';

/**
 * Windows that slide over dense x[batch, inD, inH, inW, channels]; two spatial axes are three with inD, outD and filterD 1. The taps
 * [d, h, w] of the window at (od, oh, ow) lie at o · stride − pad + tap · dilation on each axis; those outside x are left out.
 */
// biome-ignore format: one line for each kind
const windows = {
  batch: 'u32', channels: 'u32',
  inD: 'u32', inH: 'u32', inW: 'u32', outD: 'u32', outH: 'u32', outW: 'u32',
  filterD: 'u32', filterH: 'u32', filterW: 'u32', strideD: 'u32', strideH: 'u32', strideW: 'u32',
  padFront: 'u32', padTop: 'u32', padLeft: 'u32', dilationD: 'u32', dilationH: 'u32', dilationW: 'u32',
} as const;

/**
 * cols[window, tap, c] = x at that tap, or 0 outside ("im2col"): a convolution is the product of cols and a filter[taps · inC, outC], the
 * gradient of its filter that of colsᵀ and dy. float32.
 */
export const Unfold = defineOp({name: 'Unfold', inputs: 1, outputs: 1, params: windows});

/**
 * The adjoint of Unfold: x[n, d, h, w, c] = Σ over the windows and taps that fall there of cols[window · colsWindow + tap · colsTap + c] ·
 * weights[tap, c]; float32. weights may be absent (1). colsWindow ≥ channels; colsTap 0: the taps of a window share its elements, as in average
 * pooling.
 */
export const Fold = defineOp({name: 'Fold', inputs: 2, outputs: 1, params: {...windows, colsWindow: 'u32', colsTap: 'u32'}});

export const windowMaxResults = {value: 0, element: 1, tap: 2} as const;
/**
 * The largest x + filter[tap, c] of each window (filter may be absent: 0), the first where several are: its value (float32, -Infinity where
 * there is none), its element of x (int32, counted in the whole of x or, unless `acrossBatch`, in the window's own image; -1 where there is
 * none), or its element of the filter (int32, likewise). NaN and -Infinity are passed over.
 */
export const WindowMax = defineOp({
  name: 'WindowMax',
  inputs: 2,
  outputs: 1,
  params: {...windows, result: 'u32', acrossBatch: 'bool'},
});

/** filter[tap, c, m] = Σ over windows of x[tap of the window, c] · dy[window, c · multiplier + m]: DepthwiseConv2D's gradient; float32. */
export const DepthwiseFilterGrad = defineOp({
  name: 'DepthwiseFilterGrad',
  inputs: 2,
  outputs: 1,
  params: {...windows, multiplier: 'u32'},
});
