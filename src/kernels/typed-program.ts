/** Pointwise programs by the element types of their operands. */
import type {DataType} from '@tensorflow/tfjs-core';
import type {ScalarName} from '../ops/pointwise';
import {call, type Expr, input} from '../ops/program';
import {program} from './steps';

export type Formula = (...operands: readonly Expr[]) => Expr;
/** The type of a result: that of the operands, or always the same. */
export type ResultType = 'operands' | 'float32' | 'bool';
export interface Compiled {
  readonly words: readonly number[];
  readonly dtype: DataType;
}

const isFloat = (dtype: DataType): boolean => dtype === 'float32';

/** The scalar function itself as a formula. */
export const scalar =
  (name: ScalarName): Formula =>
  (...operands) =>
    call(name, ...operands);

/** The type that float32, int32 and bool operands are computed in together. */
export function upcast(types: readonly DataType[]): DataType {
  if (types.includes('float32')) return 'float32';
  return types.every((t) => t === 'bool') ? 'bool' : 'int32';
}

export const toFloat = (x: Expr, dtype: DataType): Expr => (isFloat(dtype) ? x : call('ToFloat', x));

/** `value`, held in a register of type `from`, as an element of type `to`. */
export function convert(value: Expr, from: DataType, to: DataType): Expr {
  if (to === 'float32') return toFloat(value, from);
  if (to === 'int32') return isFloat(from) ? call('ToInt', value) : value;
  return call(isFloat(from) ? 'ToBool' : 'ToBoolInt', value);
}

const typeCodes: Readonly<Partial<Record<DataType, number>>> = {float32: 0, int32: 1, bool: 2};
/** A small number for up to three types. */
export function typeKey(first: DataType, second?: DataType, third?: DataType): number {
  return (
    (typeCodes[first] ?? 0) +
    4 * (second === undefined ? 3 : (typeCodes[second] ?? 0)) +
    16 * (third === undefined ? 3 : (typeCodes[third] ?? 0))
  );
}

/**
 * A formula's program for every combination of operand types, made when it is first used. Operands are computed as float32 if any is one,
 * else as int32 where there is a formula for integers; a bool is 0 or 1. Without one, integers are computed in float32 and truncated, as
 * tfjs does.
 */
export class TypedProgram {
  private readonly made: (Compiled | undefined)[] = [];

  constructor(
    private readonly float: Formula,
    private readonly int: Formula | undefined,
    private readonly result: ResultType,
  ) {}

  /** Of one operand, or two. */
  of(first: DataType, second?: DataType): Compiled {
    const key = typeKey(first, second);
    let made = this.made[key];
    if (made === undefined) {
      made = this.make(second === undefined ? [first] : [first, second]);
      this.made[key] = made;
    }
    return made;
  }

  private make(types: readonly DataType[]): Compiled {
    const operands = upcast(types);
    const dtype = this.result === 'operands' ? operands : this.result;
    const asInt = operands !== 'float32' && this.int !== undefined;
    const inputs = types.map((type, i) => (asInt ? input(i) : toFloat(input(i), type)));
    const value = asInt ? (this.int as Formula)(...inputs) : this.float(...inputs);
    // Formulas with the result type bool give a truth value: 0 or 1 in an integer register.
    return {words: program(this.result === 'bool' ? value : convert(value, asInt ? 'int32' : 'float32', dtype)), dtype};
  }
}
