import {defineOp} from './schema';

export const weightCodes = {float16: 0, uint8: 1, uint16: 2} as const;
/**
 * out[i] = the value of code i of a converted model's weight. The input is the file's bytes (uint8, little-endian; two a code for float16 and
 * uint16). float16: IEEE 754 binary16 to float32, exact. uint8, uint16: code · scale + minimum in double precision, each operation
 * rounded, to float32 or int32 (halves towards +∞, saturating): the bits of tf.io.decodeWeights.
 * `affine`: the bits of the doubles scale and minimum, low word first; empty for float16.
 */
export const DecodeWeights = defineOp({
  name: 'DecodeWeights',
  inputs: 1,
  outputs: 1,
  params: {code: 'u32', count: 'u32', affine: 'list'},
});
