/** The 32 bits of `value` as a float32, in one int32 word: how immediates and fillers travel. */
export function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] as number;
}

export function bitsToFloat(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0] as number;
}
