/**
 * Pointwise expressions as text, both ways:
 *
 *     Mul(x0, Add(x1, 0.5))
 *     Mul(t0: Sub(x0, x1), t0)
 *
 * x0 is input 0. A part that is used more than once has a name where it first stands and only its name from then on.
 * A number is a float32 or an int32, as the function that takes it says (`takes` in the table of scalars).
 */
import {type ScalarName, scalars} from '../ops/pointwise';
import type {Expr} from '../ops/program';
import {partsOf} from './expression';

/** The shortest decimal that reads back as the same float32. */
function floatText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const digits = [1, 2, 3, 4, 5, 6, 7, 8].find((d) => Math.fround(Number(value.toPrecision(d))) === value);
  return String(digits === undefined ? value : Number(value.toPrecision(digits)));
}

export function printExpression(expr: Expr): string {
  const uses = new Map<Expr, number>();
  for (const part of partsOf(expr)) {
    if ('op' in part) for (const arg of part.args) uses.set(arg, (uses.get(arg) ?? 0) + 1);
  }
  const names = new Map<Expr, string>();
  const text = (part: Expr): string => {
    if ('input' in part) return `x${part.input}`;
    if ('f32' in part) return floatText(part.f32);
    if ('i32' in part) return String(part.i32);
    const name = names.get(part);
    if (name !== undefined) return name;
    const shared = (uses.get(part) ?? 0) > 1;
    const label = shared ? `t${names.size}` : '';
    if (shared) names.set(part, label);
    return `${shared ? `${label}: ` : ''}${part.op}(${part.args.map(text).join(', ')})`;
  };
  return text(expr);
}

const tokenPattern = /\s*([A-Za-z]\w*|-?(?:\d[\d.]*(?:e[+-]?\d+)?|Infinity)|[(),:])/y;

/** The expression that a text describes. Throws where it does not understand. */
export function parseExpression(text: string): Expr {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text)) tokens.push(match[1] as string);
  const named = new Map<string, Expr>();
  // Equal leaves are one object, as in a decoded program.
  const leaves = new Map<string, Expr>();
  const leaf = (key: string, made: Expr): Expr => {
    const known = leaves.get(key) ?? made;
    leaves.set(key, known);
    return known;
  };
  let at = 0;
  const fail = (): never => {
    throw new Error(`not an expression at '${tokens[at] ?? 'its end'}': ${text}`);
  };
  const expect = (token: string) => (tokens[at] === token ? at++ : fail());
  const part = (type: string | undefined): Expr => {
    const token = tokens[at++] ?? fail();
    if (/^x\d+$/.test(token)) return leaf(token, {input: Number(token.slice(1))});
    if (/^t\d+$/.test(token)) {
      if (tokens[at] !== ':') return named.get(token) ?? fail();
      at++;
      const shared = part(type);
      named.set(token, shared);
      return shared;
    }
    if (token in scalars) return callOf(token as ScalarName);
    const value = Number(token === 'NaN' ? Number.NaN : token);
    if (Number.isNaN(value) && token !== 'NaN') fail();
    return leaf(`${type} ${token}`, type === 'i' ? {i32: value} : {f32: Math.fround(value)});
  };
  const callOf = (op: ScalarName): Expr => {
    expect('(');
    const args = [...scalars[op].takes].map((type, i) => {
      if (i > 0) expect(',');
      return part(type);
    });
    expect(')');
    return {op, args};
  };
  const result = part(undefined);
  return at === tokens.length ? result : fail();
}
