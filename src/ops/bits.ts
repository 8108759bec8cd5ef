/** Where numbers are turned into bits: to make an array for each took as long as a small step. */
const scratch = new DataView(new ArrayBuffer(8));

/** The 32 bits of `value` as a float32, in one int32 word: how immediates and fillers travel. */
export function floatBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getInt32(0);
}

export function bitsToFloat(bits: number): number {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

/** The lower and the upper half of the 64 bits of `value`, as int32 words. */
export function doubleBits(value: number): [lower: number, upper: number] {
  scratch.setFloat64(0, value);
  return [scratch.getInt32(4), scratch.getInt32(0)];
}
