/** What the compiler does with pointwise expressions: substitute, evaluate, and recognise functions. */

import type {ScalarName} from '../ops/pointwise';
import {call, type Expr, encodeProgram} from '../ops/program';

/** `expr` with every input replaced; shared parts stay shared. */
export function substitute(expr: Expr, replace: (input: number) => Expr, seen = new Map<Expr, Expr>()): Expr {
  const known = seen.get(expr);
  if (known !== undefined) return known;
  let result: Expr = expr;
  if ('input' in expr) result = replace(expr.input);
  else if ('op' in expr) result = {op: expr.op, args: expr.args.map((arg) => substitute(arg, replace, seen))};
  seen.set(expr, result);
  return result;
}

/** What pure functions make of expressions, by the other arguments: a model's layers have the same ones. */
class Memory {
  private readonly known = new WeakMap<Expr, Map<string, Expr>>();

  get(expr: Expr, key: string, make: () => Expr): Expr {
    let own = this.known.get(expr);
    if (own === undefined) this.known.set(expr, (own = new Map()));
    let result = own.get(key);
    if (result === undefined) own.set(key, (result = make()));
    return result;
  }
}

const renumberings = new Memory();
const compositions = new WeakMap<Expr, Memory>();
const recognitions = new Memory();

/** `expr` with input i as input `numbers[i]`. */
export function renumber(expr: Expr, numbers: readonly number[]): Expr {
  return renumberings.get(expr, numbers.join(), () => {
    const leaves = new Map<number, Expr>();
    const leaf = (number: number) => leaves.get(number) ?? (leaves.set(number, {input: number}).get(number) as Expr);
    return substitute(expr, (i) => leaf(numbers[i] as number));
  });
}

/** `expr` with input `position` replaced by `inner`, whose own inputs are numbered from `first` on. */
export function compose(expr: Expr, position: number, inner: Expr, first: number): Expr {
  let memory = compositions.get(inner);
  if (memory === undefined) compositions.set(inner, (memory = new Memory()));
  return memory.get(expr, `${position} ${first}`, () => {
    const moved = substitute(inner, (i) => ({input: first + i}));
    return substitute(expr, (i) => (i === position ? moved : {input: i}));
  });
}

const replacements = new WeakMap<Expr, WeakMap<Expr, WeakMap<Expr, Expr>>>();

/** `expr` with one of its parts replaced. */
export function replacePart(expr: Expr, part: Expr, by: Expr): Expr {
  const parts = replacements.get(expr) ?? new WeakMap<Expr, WeakMap<Expr, Expr>>();
  const results = parts.get(part) ?? new WeakMap<Expr, Expr>();
  const result = results.get(by) ?? replaced(expr, new Map([[part, by]]));
  replacements.set(expr, parts.set(part, results.set(by, result)));
  return result;
}

function replaced(expr: Expr, seen: Map<Expr, Expr>): Expr {
  const known = seen.get(expr);
  if (known !== undefined) return known;
  const result = 'op' in expr ? {op: expr.op, args: expr.args.map((arg) => replaced(arg, seen))} : expr;
  seen.set(expr, result);
  return result;
}

/** Equal for equal expressions, and short however often their parts are shared; undefined where they do not fit into a program. */
export function keyOf(expr: Expr): string | undefined {
  return encodeProgram('op' in expr ? expr : call('Copy', expr))?.join(' ');
}

/** All distinct parts of an expression, arguments before those that use them. */
export function partsOf(expr: Expr, seen = new Set<Expr>()): Set<Expr> {
  if (seen.has(expr)) return seen;
  if ('op' in expr) for (const arg of expr.args) partsOf(arg, seen);
  seen.add(expr);
  return seen;
}

export function inputsIn(expr: Expr): Set<number> {
  const inputs = new Set<number>();
  for (const part of partsOf(expr)) if ('input' in part) inputs.add(part.input);
  return inputs;
}

/** How often an input occurs, each occurrence in a shared part counted once. */
export function occurrences(expr: Expr, input: number): number {
  let count = 0;
  for (const part of partsOf(expr)) {
    if ('op' in part) for (const arg of part.args) if ('input' in arg && arg.input === input) count++;
  }
  return count;
}

/** Error function by the series without cancellation (Abramowitz & Stegun 7.1.6) or continued fraction (7.1.14): full double precision. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; term > 1e-17 * sum; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return (Math.sign(x) * 2 * sum * Math.exp(-a * a)) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI)));
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const relu6 = (x: number) => Math.min(Math.max(x, 0), 6);

/** The functions in double precision, for folding and recognition; those that are missing are never folded. */
const doubles: Partial<Record<ScalarName, (a: number, b: number, c: number) => number>> = {
  Copy: (a) => a,
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Maximum: (a, b) => Math.max(a, b),
  Minimum: (a, b) => Math.min(a, b),
  Pow: (a, b) => a ** b,
  SquaredDifference: (a, b) => (a - b) ** 2,
  MulAdd: (a, b, c) => a * b + c,
  Neg: (a) => -a,
  Abs: (a) => Math.abs(a),
  Square: (a) => a * a,
  Sqrt: (a) => Math.sqrt(a),
  Rsqrt: (a) => 1 / Math.sqrt(a),
  Reciprocal: (a) => 1 / a,
  Exp: (a) => Math.exp(a),
  Log: (a) => Math.log(a),
  Log1p: (a) => Math.log1p(a),
  Softplus: softplus,
  Tanh: (a) => Math.tanh(a),
  Erf: erf,
  Sigmoid: sigmoid,
  Relu: (a) => Math.max(a, 0),
  Relu6: relu6,
  GeluErf: (a) => 0.5 * a * (1 + erf(a / Math.SQRT2)),
  GeluTanh: (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3))),
  Silu: (a) => a * sigmoid(a),
  HardSwish: (a) => (a * relu6(a + 3)) / 6,
  HardSigmoid: (a) => relu6(a + 3) / 6,
  Clip: (a, b, c) => Math.min(Math.max(a, b), c),
};

/** The value of `expr`, or undefined where it has a function that is not known in double precision. `leaf` gives inputs, or any part. */
export function evaluate(
  expr: Expr,
  leaf: (part: Expr) => number | undefined,
  seen = new Map<Expr, number | undefined>(),
): number | undefined {
  if (seen.has(expr)) return seen.get(expr);
  let result = leaf(expr);
  if (result === undefined) {
    if ('f32' in expr) result = expr.f32;
    else if ('op' in expr) {
      const apply = doubles[expr.op];
      const args = expr.args.map((arg) => evaluate(arg, leaf, seen));
      if (apply !== undefined && args.every((a) => a !== undefined)) {
        const [a = 0, b = 0, c = 0] = args as number[];
        result = apply(a, b, c);
      }
    }
  }
  seen.set(expr, result);
  return result;
}

/** Functions that are smooth where they are defined: two expressions of these that agree at many random points are the same function. */
const smooth: ReadonlySet<ScalarName> = new Set([
  'Copy',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'SquaredDifference',
  'MulAdd',
  'Neg',
  'Square',
  'Sqrt',
  'Rsqrt',
  'Reciprocal',
  'Exp',
  'Log',
  'Log1p',
  'Softplus',
  'Tanh',
  'Erf',
  'Sigmoid',
]);

export function isSmooth(expr: Expr): boolean {
  for (const part of partsOf(expr)) if ('op' in part && !smooth.has(part.op)) return false;
  return true;
}

/** Functions whose values are never below zero, and those that keep that of all arguments. */
const nonNegative: ReadonlySet<ScalarName> = new Set<ScalarName>(
  // biome-ignore format: a list
  ['Relu', 'Relu6', 'Sigmoid', 'HardSigmoid', 'Softplus', 'Exp', 'Abs', 'Square', 'Sqrt', 'SquaredDifference'],
);
const keepsSign: ReadonlySet<ScalarName> = new Set(['Copy', 'Add', 'Mul', 'Div', 'Minimum', 'MulAdd']);

/** Whether the expression is never below zero, whatever its inputs are. */
export function isNonNegative(expr: Expr): boolean {
  const known = new Set<Expr>();
  for (const part of partsOf(expr)) {
    const every = 'op' in part && keepsSign.has(part.op) && part.args.every((arg) => known.has(arg));
    const some = 'op' in part && part.op === 'Maximum' && part.args.some((arg) => known.has(arg));
    const clipped = 'op' in part && part.op === 'Clip' && part.args.slice(1).every((arg) => known.has(arg));
    if (every || some || clipped || ('f32' in part ? part.f32 >= 0 : 'op' in part && nonNegative.has(part.op))) known.add(part);
  }
  return known.has(expr);
}

/** f, if the expression is f times one input: products and quotients with immediates are. */
export function factorOf(expr: Expr, input: number): number | undefined {
  if ('input' in expr) return expr.input === input ? 1 : undefined;
  if (!('op' in expr)) return undefined;
  const [a, b] = expr.args as [Expr, Expr | undefined];
  const inner = (part: Expr) => factorOf(part, input);
  switch (expr.op) {
    case 'Copy':
      return inner(a);
    case 'Neg':
      return times(inner(a), -1);
    case 'Mul':
      return b !== undefined && 'f32' in b ? times(inner(a), b.f32) : 'f32' in a && b !== undefined ? times(inner(b), a.f32) : undefined;
    case 'Div':
      return b !== undefined && 'f32' in b ? times(inner(a), 1 / b.f32) : undefined;
    default:
      return undefined;
  }
}

const times = (factor: number | undefined, by: number): number | undefined => (factor === undefined ? undefined : factor * by);

/** Small deterministic generator (mulberry32), uniform in [0, 1). */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** float32 constants (0.70710677 for √½) are off by 6e-8 of themselves; a different formula is off by far more. */
const tolerance = 2e-6;

/**
 * Whether `expr` and `formula` agree at random points (identity testing as in Schwartz 1980; J. ACM 27(4)): any algebraic arrangement of
 * layer norm or GELU is recognised, whatever wrote it. Only for smooth expressions. `ranges` gives each input's interval.
 */
export function isIdentity(
  expr: Expr,
  inputs: readonly number[],
  ranges: readonly (readonly [number, number])[],
  formula: (...x: number[]) => number,
): boolean {
  if (!isSmooth(expr)) return false;
  const random = randoms(1);
  for (let trial = 0; trial < 24; trial++) {
    const point = ranges.map(([low, high]) => low + (high - low) * random());
    const got = evaluate(expr, (part) => ('input' in part ? point[inputs.indexOf(part.input)] : undefined));
    const wanted = formula(...point);
    if (got === undefined || !(Math.abs(got - wanted) <= tolerance * (1 + Math.abs(wanted)))) return false;
  }
  return true;
}

interface Recognised {
  readonly formula: (x: number) => number;
  /** What computes it. */
  readonly by: (x: Expr) => Expr;
  /** The function without which an expression cannot be it. */
  readonly marks: readonly ScalarName[];
  /** Whether it has kinks, for which the mark is allowed among smooth functions. */
  readonly pieces: boolean;
}

/** An activation that is a scalar function of its own. */
function scalar(name: ScalarName, marks: readonly ScalarName[], pieces = false): Recognised {
  const formula = doubles[name] as (a: number, b: number, c: number) => number;
  return {formula: (x) => formula(x, 0, 0), by: (x) => call(name, x), marks, pieces};
}

/**
 * x · tanh(softplus(x)) = x · n / (n + 2) with n = eˣ(eˣ + 2) (Misra 2019): one exponential for two and a logarithm. From 20 on the quotient
 * is 1, long before n overflows. A 1x1 convolution of 64 channels with it takes 0.62 of the time (AVX-512).
 */
function mish(x: Expr): Expr {
  const e = call('Exp', call('Minimum', x, {f32: 20}));
  const n = call('Mul', e, call('Add', e, {f32: 2}));
  return call('Mul', x, call('Div', n, call('Add', n, {f32: 2})));
}

const recognised: readonly Recognised[] = [
  scalar('GeluErf', ['Erf']),
  scalar('GeluTanh', ['Tanh']),
  scalar('Silu', ['Sigmoid', 'Exp']),
  scalar('HardSwish', ['Relu6'], true),
  scalar('HardSigmoid', ['Relu6'], true),
  {formula: (x) => x * Math.tanh(softplus(x)), by: mish, marks: ['Softplus', 'Log', 'Log1p'], pieces: false},
];

/** All of them are products or quotients at their root. */
const roots: ReadonlySet<ScalarName> = new Set(['Mul', 'Div']);

/** Points that tell the recognised functions apart: both tails, the bend, and either side of the kinks at ±3. */
const samples = [
  -1000, -40, -9.5, -6.1, -4.2, -3.01, -2.99, -2.2, -1.3, -0.71, -0.2, -0.013, 0, 0.017, 0.31, 0.83, 1.4, 2.3, 2.98, 3.02, 4.4, 6.3, 9.1,
  41, 1000,
];

/** k, if the expression is k times the function of `variable`, as models write it that keep the variance (k · GELU); else undefined. */
function multipleOf(expr: Expr, variable: Expr, {formula, pieces}: Recognised): number | undefined {
  for (const part of partsOf(expr, new Set([variable]))) {
    if (part === variable) continue;
    if ('input' in part) return undefined;
    if ('op' in part && !smooth.has(part.op) && !(pieces && part.op === 'Relu6')) return undefined;
  }
  const at = (x: number) => evaluate(expr, (part) => (part === variable ? x : undefined)) ?? Number.NaN;
  // All of them are x or 1 there.
  const ratio = at(1000) / formula(1000);
  const factor = Math.abs(ratio - 1) <= tolerance ? 1 : ratio;
  const holds = samples.every((x) => {
    const wanted = factor * formula(x);
    return Math.abs(at(x) - wanted) <= tolerance * (Math.abs(factor) + Math.abs(wanted));
  });
  return holds && factor !== 0 ? factor : undefined;
}

interface Found {
  readonly by: Recognised['by'];
  readonly variable: Expr;
  readonly factor: number;
}

function functionOf(expr: Expr): Found | undefined {
  if (!('op' in expr) || !roots.has(expr.op)) return undefined;
  const parts = [...partsOf(expr)];
  const names = new Set(parts.flatMap((p) => ('op' in p ? [p.op] : [])));
  for (const candidate of recognised) {
    if (!candidate.marks.some((mark) => names.has(mark))) continue;
    for (const variable of parts) {
      if (variable === expr || 'f32' in variable || 'i32' in variable) continue;
      const factor = multipleOf(expr, variable, candidate);
      if (factor !== undefined) return {by: candidate.by, variable, factor};
    }
  }
  return undefined;
}

/** Replaces each part that is one of the named activations, or a multiple of one, as a function of some other part, by one call of it. */
export function recogniseActivations(expr: Expr): Expr {
  return recognitions.get(expr, '', () => recognise(expr));
}

function recognise(expr: Expr): Expr {
  const names = new Set([...partsOf(expr)].flatMap((p) => ('op' in p ? [p.op] : [])));
  return recognised.some(({marks}) => marks.some((mark) => names.has(mark))) ? withActivations(expr, new Map()) : expr;
}

const multiple = (factor: number, expr: Expr): Expr => (factor === 1 ? expr : call('Mul', {f32: Math.fround(factor)}, expr));

function withActivations(expr: Expr, seen: Map<Expr, Expr>): Expr {
  const known = seen.get(expr);
  if (known !== undefined) return known;
  let result = expr;
  const found = functionOf(expr);
  if (found !== undefined) result = multiple(found.factor, found.by(withActivations(found.variable, seen)));
  else if ('op' in expr) result = {op: expr.op, args: expr.args.map((arg) => withActivations(arg, seen))};
  seen.set(expr, result);
  return result;
}
