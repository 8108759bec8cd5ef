import {defineOp, type NativeDType} from './schema';

/**
 * c[b1, b2, m, n] = epilogue(Σk a[b1, b2, m, k] · b[b1, b2, k, n] + bias[n]); float32.
 *
 * Inputs: a, b, bias (may be absent), then the epilogue's own inputs. c's columns are contiguous.
 * `packedB`: 0 = b is read through its strides; otherwise the pack layout of b's buffer (see PackWeights) and b's strides are unused.
 * `epilogue`: a Pointwise program (empty: none) whose input 0 is the sum; `epilogueStrides`: four per further input, over (b1, b2, m, n).
 */
export const MatMul = defineOp({
  name: 'MatMul',
  inputs: [3, 32],
  outputs: 1,
  // biome-ignore format: one line for each operand
  params: {
    batch1: 'u32', batch2: 'u32', rowsM: 'u32', colsN: 'u32', depthK: 'u32',
    aBatch1: 'i32', aBatch2: 'i32', aRow: 'i32', aCol: 'i32',
    bBatch1: 'i32', bBatch2: 'i32', bRow: 'i32', bCol: 'i32',
    cBatch1: 'i32', cBatch2: 'i32', cRow: 'i32',
    packedB: 'u32',
    epilogue: 'list', epilogueStrides: 'list',
  },
});

/** The layouts that PackWeights writes. The number is Buffer::layout(); 0 is plain row-major. */
export const packLayouts = {none: 0, gemmF32: 1, gemmBf16: 2, winograd4F32: 3, winograd2F32: 4, gemmInt8: 5} as const;

/** What the buffer of a layout holds; float32 in all others. */
export const packedTypes: Readonly<Record<number, NativeDType>> = {
  [packLayouts.gemmBf16]: 'bfloat16',
  [packLayouts.gemmInt8]: 'int8',
};

/**
 * Copies weights into the layout that this processor's kernels read.
 * gemmF32: in is b[rows, cols] (strides rowStride, colStride), out holds PackedElems floats in column panels.
 * gemmBf16: the same, rounded to bfloat16; the step that reads it rounds its other operand, and sums in float32.
 * gemmInt8: int8 and a scale for each column; the step quantises each row of its other operand by the row's largest magnitude.
 * winograd4F32 and winograd2F32: 3x3 filters for Conv2D without steps, gemmF32 followed by the transformed filter.
 * `taps`: 1 for MatMul, filterH · filterW for Conv2D, whose filter is b[taps · rowsK, colsN] = b[taps · inC, outC].
 */
export const PackWeights = defineOp({
  name: 'PackWeights',
  inputs: 1,
  outputs: 1,
  params: {layout: 'u32', rowsK: 'u32', colsN: 'u32', rowStride: 'i32', colStride: 'i32', taps: 'u32'},
});

/** The inverse copy: in is what PackWeights wrote on this processor, with the same parameters; out is b. */
export const UnpackWeights = defineOp({
  name: 'UnpackWeights',
  inputs: 1,
  outputs: 1,
  params: {layout: 'u32', rowsK: 'u32', colsN: 'u32', rowStride: 'i32', colStride: 'i32', taps: 'u32'},
});

/**
 * Scaled dot-product attention (Vaswani et al. 2017, 3.2.1):
 * out[b, h, q, :] = Σk softmaxₖ(scale · ⟨query[b,h,q], key[b,h,k]⟩ + mask[b,h,q,k]) · value[b,h,k, :]; float32.
 *
 * Inputs: query, key, value, mask (may be absent; any stride may be 0), then the epilogue's own inputs. The depth axis of all four tensors
 * is contiguous. `causalOffset`: with `causal`, query q sees keys k ≤ q + causalOffset.
 * `epilogue`: a Pointwise program (empty: none) on the scores before the softmax, whose input 0 is scale · ⟨query, key⟩ + mask;
 * `epilogueStrides`: four per further input, over (b, h, q, k).
 */
export const Attention = defineOp({
  name: 'Attention',
  inputs: [4, 32],
  outputs: 1,
  // biome-ignore format: one line for each operand
  params: {
    batch: 'u32', heads: 'u32', queries: 'u32', keys: 'u32', depth: 'u32', valueDepth: 'u32',
    scale: 'f32', causal: 'bool', causalOffset: 'i32',
    queryBatch: 'i32', queryHead: 'i32', queryRow: 'i32',
    keyBatch: 'i32', keyHead: 'i32', keyRow: 'i32',
    valueBatch: 'i32', valueHead: 'i32', valueRow: 'i32',
    maskBatch: 'i32', maskHead: 'i32', maskRow: 'i32', maskCol: 'i32',
    outBatch: 'i32', outHead: 'i32', outRow: 'i32',
    epilogue: 'list', epilogueStrides: 'list',
  },
});
