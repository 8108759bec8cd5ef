import type {Expr} from '../ops/program';
import {evaluate} from './expression';

const isF32 = (expr: Expr | undefined, value: number) => expr !== undefined && 'f32' in expr && Object.is(expr.f32, value);

/** Rules that leave every bit as it is, -0 and NaN included. Adding +0 is none of them: it turns -0 into +0. */
function identity(expr: Extract<Expr, {op: string}>): Expr | undefined {
  const [a, b, c] = expr.args;
  switch (expr.op) {
    case 'Copy':
    case 'CopyInt':
      return a;
    case 'Mul':
      return isF32(b, 1) ? a : isF32(a, 1) ? b : undefined;
    case 'Div':
    case 'Pow':
      return isF32(b, 1) ? a : undefined;
    case 'Sub':
      return isF32(b, 0) ? a : undefined;
    case 'Add':
      return isF32(b, -0) ? a : isF32(a, -0) ? b : undefined;
    case 'ToFloat':
      return a !== undefined && 'i32' in a ? {f32: a.i32} : undefined;
    case 'Select':
      return a !== undefined && 'i32' in a ? (a.i32 !== 0 ? b : c) : undefined;
    default:
      return undefined;
  }
}

/** `expr` with constants folded and neutral operations gone. Folding rounds once to float32, as the operation itself does. */
export function simplify(expr: Expr, seen = new Map<Expr, Expr>()): Expr {
  const known = seen.get(expr);
  if (known !== undefined) return known;
  let result = expr;
  if ('op' in expr) {
    const args = expr.args.map((arg) => simplify(arg, seen));
    const call = args.every((arg, i) => arg === expr.args[i]) ? expr : {op: expr.op, args};
    result = identity(call) ?? foldExact(call) ?? call;
  }
  seen.set(expr, result);
  return result;
}

/** Operations whose double result, rounded once, is the float32 result (Figueroa 1995: double has more than 2·24 + 2 bits). */
const exact = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Square', 'Sqrt', 'Maximum', 'Minimum', 'Clip', 'Abs']);

function foldExact(call: Extract<Expr, {op: string}>): Expr | undefined {
  if (!exact.has(call.op) || !call.args.every((arg) => 'f32' in arg)) return undefined;
  const value = evaluate(call, () => undefined);
  return value === undefined ? undefined : {f32: Math.fround(value)};
}
