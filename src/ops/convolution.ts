import {defineOp} from './schema';

// biome-ignore format: one line for each operand
const image = {
  batch: 'u32', inH: 'u32', inW: 'u32', inC: 'u32', outH: 'u32', outW: 'u32', outC: 'u32',
  filterH: 'u32', filterW: 'u32', strideH: 'u32', strideW: 'u32',
  padTop: 'u32', padLeft: 'u32', dilationH: 'u32', dilationW: 'u32',
  xBatch: 'i32', xRow: 'i32', xCol: 'i32', // strides of x over n, h, w; channels are contiguous
  yBatch: 'i32', yRow: 'i32', yCol: 'i32',
} as const;

/**
 * NHWC cross-correlation: y[n,h,w,o] = epilogue(Σ x[n, h·s − p + d·i, w·s − p + d·j, c] · filter[i,j,c,o] + bias[o]); float32.
 * Reads beyond the image give 0; how far it is padded below and to the right follows from outH and outW. With `groups` g, output
 * channel o sees only the inC/g input channels of its group (filter[i, j, inC/g, outC]).
 *
 * Inputs: x, filter, bias (may be absent), then the epilogue's own inputs. Elements of y must not overlap.
 * `packedFilter`: 0 = dense HWIO; otherwise the pack layout of the filter's buffer (PackWeights with taps filterH · filterW), for which
 * groups is 1. `epilogueStrides`: four per further input, over (n, h, w, o).
 */
export const Conv2D = defineOp({
  name: 'Conv2D',
  inputs: [3, 32],
  outputs: 1,
  params: {...image, groups: 'u32', packedFilter: 'u32', epilogue: 'list', epilogueStrides: 'list'},
});

/**
 * As Conv2D with one filter per channel: y[n,h,w,c·m+k] = Σ x[…,c] · filter[i,j,c,k] + bias[c·m+k] for the taps inside the image;
 * outC = inC · multiplier. The filter is dense: packing it would not pay.
 */
export const DepthwiseConv2D = defineOp({
  name: 'DepthwiseConv2D',
  inputs: [3, 32],
  outputs: 1,
  params: {...image, multiplier: 'u32', epilogue: 'list', epilogueStrides: 'list'},
});

/**
 * An inverted residual block's first two convolutions in one pass (Sandler et al. 2018): DepthwiseConv2D, multiplier 1, of the image
 * e[n, h, w, o] = expansion(Σ x[n, h, w, c] · filter[c, o] + bias[o]), which is never in memory as a whole. Beyond e there are zeros.
 *
 * `image`: that of the depthwise convolution, inC = outC channels, but for the strides of x[batch, inH, inW, depthK]. `packedFilter`: the
 * layout of filter[depthK, inC], gemmF32. `expansion`: a program of e's elements alone.
 * Inputs: x, filter, its bias (may be absent), the depthwise filter, its bias (may be absent), then the epilogue's own inputs.
 */
export const ExpandDepthwiseConv2D = defineOp({
  name: 'ExpandDepthwiseConv2D',
  inputs: [5, 32],
  outputs: 1,
  params: {...image, depthK: 'u32', packedFilter: 'u32', expansion: 'list', epilogue: 'list', epilogueStrides: 'list'},
});

export const poolKinds = {max: 0, average: 1} as const;
/**
 * Windows over H and W of NHWC; float32; outC = inC. Average counts only elements inside the image; max passes over NaN.
 * A window wholly outside gives -Infinity or NaN. Elements of x must not overlap, nor those of y.
 */
export const Pool2D = defineOp({
  name: 'Pool2D',
  inputs: 1,
  outputs: 1,
  params: {kind: 'u32', ...image},
});

// biome-ignore format: one line for each operand
const resize = {
  kind: 'u32', batch: 'u32', inH: 'u32', inW: 'u32', channels: 'u32', outH: 'u32', outW: 'u32',
  alignCorners: 'bool', halfPixelCenters: 'bool',
} as const;

export const resizeKinds = {bilinear: 0, nearest: 1} as const;
/**
 * NHWC resize of x[batch, inH, inW, channels], dense, to y[batch, outH, outW, channels], as tf.image with these two flags.
 * Bilinear: float32. Nearest: float32 or int32.
 */
export const Resize2D = defineOp({name: 'Resize2D', inputs: 1, outputs: 1, params: resize});

/** Resize2D's adjoint: dx[batch, inH, inW, channels] of dy[batch, outH, outW, channels]; float32, dense. */
export const Resize2DGrad = defineOp({name: 'Resize2DGrad', inputs: 1, outputs: 1, params: resize});

export const cropMethods = {bilinear: 0, nearest: 1} as const;
/**
 * As tf.image.cropAndResize: out[b, cropH, cropW, :] of the box boxes[b] = [y1, x1, y2, x2], in units of (size − 1), of image boxIndex[b];
 * `extrapolation` where that lies outside. float32, boxIndex int32; one outside of the batch fails.
 */
export const CropAndResize = defineOp({
  name: 'CropAndResize',
  inputs: 3,
  outputs: 1,
  // biome-ignore format: one line for each operand
  params: {
    method: 'u32', batch: 'u32', inH: 'u32', inW: 'u32', channels: 'u32', boxes: 'u32', cropH: 'u32', cropW: 'u32', extrapolation: 'f32',
  },
});

export const fillModes = {constant: 0, reflect: 1, wrap: 2, nearest: 3} as const;
/**
 * As tf.image.transform: y[n, h, w, c] = x[n] at ((t0 w + t1 h + t2) / k, (t3 w + t4 h + t5) / k), k = t6 w + t7 h + 1, with t =
 * transforms[n] (`sharedTransform`: transforms[0]), interpolated by `method` (cropMethods); fill[c] where that lies outside. float32.
 */
export const Transform = defineOp({
  name: 'Transform',
  inputs: 3,
  outputs: 1,
  // biome-ignore format: one line for each operand
  params: {
    method: 'u32', fillMode: 'u32', sharedTransform: 'bool', batch: 'u32', inH: 'u32', inW: 'u32', channels: 'u32', outH: 'u32', outW: 'u32',
  },
});
