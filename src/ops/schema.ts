/**
 * Wire type of one op parameter. A number is one 32-bit word, an f64 two, the lower half first; a list is its length and then that many int32
 * words.
 * Sizes and strides count elements, never bytes.
 */
export type Word = 'u32' | 'i32' | 'f32' | 'f64' | 'bool' | 'list';
export type Params = Readonly<Record<string, Word>>;
export type ParamValue = number | boolean | readonly number[];
export type ParamValues<P extends Params> = {
  readonly [K in keyof P]: P[K] extends 'list' ? readonly number[] : P[K] extends 'bool' ? boolean : number;
};

/** Element types that native buffers hold, by wire number (csrc/core/dtype.h). */
export const dtypes = ['float32', 'int32', 'bool', 'bfloat16', 'int8', 'uint8'] as const;
export type NativeDType = (typeof dtypes)[number];

export const elemBytes: Readonly<Record<NativeDType, number>> = {float32: 4, int32: 4, bool: 1, bfloat16: 2, int8: 1, uint8: 1};

export interface OpSpec<P extends Params = Params> {
  readonly name: string;
  /** How many operands the op reads: exactly, or from-to. Optional ones in the middle are passed as "not given". */
  readonly inputs: number | readonly [least: number, most: number];
  readonly outputs: number;
  readonly params: P;
}

export const defineOp = <const P extends Params>(spec: OpSpec<P>): OpSpec<P> => spec;
