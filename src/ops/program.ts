/** Pointwise programs as expressions, and their words (described at Pointwise in ./pointwise.ts). */
import {bitsToFloat, floatBits} from './bits';
import {maxImmediates, maxProgramInputs, maxRegisters, type ScalarName, scalarNames, scalars} from './pointwise';

/**
 * A pointwise expression: a scalar function of expressions, an input by its position in the step, or a constant.
 * Expressions may share parts: each distinct part is evaluated once.
 */
export type Expr =
  | {readonly op: ScalarName; readonly args: readonly Expr[]}
  | {readonly input: number}
  | {readonly f32: number}
  | {readonly i32: number};
type Call = Extract<Expr, {op: ScalarName}>;

export const input = (position: number): Expr => ({input: position});
export const f32 = (value: number): Expr => ({f32: value});
export const i32 = (value: number): Expr => ({i32: value});
export const call = (op: ScalarName, ...args: readonly Expr[]): Expr => ({op, args});

const scalarNumbers = new Map(scalarNames.map((name, i) => [name, i]));
const firstInput = maxRegisters;
const firstImmediate = firstInput + maxProgramInputs;

/** A distinct part of an expression: a call by the operand numbers or nodes that it reads, or what needs no instruction. */
interface Node {
  readonly call: Call | undefined;
  readonly args: readonly Node[];
  /** Of inputs and immediates: their operand number. */
  readonly fixed: number;
  /** Registers that evaluating it takes (Sethi & Ullman 1970); an estimate where parts are shared. */
  readonly need: number;
  uses: number;
  register: number;
}

class Encoder {
  private readonly byKey = new Map<string, Node>();
  private readonly byExpr = new Map<Expr, Node>();
  private readonly numbers = new Map<Node, number>();
  readonly immediates: number[] = [];
  readonly code: number[] = [];
  private readonly busy: boolean[] = [];
  fits = true;

  /** Equal expressions give one node. */
  node(expr: Expr): Node {
    let node = this.byExpr.get(expr);
    if (node === undefined) {
      node = 'op' in expr ? this.callNode(expr) : this.leaf(expr);
      this.byExpr.set(expr, node);
    }
    return node;
  }

  private intern(key: string, make: () => Omit<Node, 'uses' | 'register'>): Node {
    let node = this.byKey.get(key);
    if (node === undefined) {
      node = {...make(), uses: 0, register: -1};
      this.byKey.set(key, node);
      this.numbers.set(node, this.numbers.size);
    }
    return node;
  }

  private leaf(expr: Exclude<Expr, Call>): Node {
    const plain = (fixed: number) => ({call: undefined, args: [], fixed, need: 0});
    if ('input' in expr) {
      if (expr.input >= maxProgramInputs) this.fits = false;
      return this.intern(`input ${expr.input}`, () => plain(firstInput + expr.input));
    }
    const bits = 'f32' in expr ? floatBits(expr.f32) : expr.i32 | 0;
    return this.intern(`${'f32' in expr ? 'f32' : 'i32'} ${bits}`, () => plain(firstImmediate + this.immediates.push(bits) - 1));
  }

  private callNode(expr: Call): Node {
    const args = expr.args.map((arg) => this.node(arg));
    const key = `${expr.op} ${args.map((a) => this.numbers.get(a)).join(' ')}`;
    return this.intern(key, () => {
      for (const arg of args) arg.uses++;
      const needs = args.map((a) => a.need).sort((a, b) => b - a);
      return {call: expr, args, fixed: -1, need: Math.max(1, ...needs.map((n, i) => n + i))};
    });
  }

  emit(node: Node): void {
    if (node.call === undefined || node.register >= 0) return;
    for (const arg of [...node.args].sort((a, b) => b.need - a.need)) this.emit(arg);
    const operands = node.args.map((a) => (a.call === undefined ? a.fixed : a.register));
    for (const arg of node.args) {
      arg.uses--;
      if (arg.uses === 0 && arg.register >= 0) this.busy[arg.register] = false;
    }
    // The result may take the register of an operand that dies here: every scalar function reads its elements before it writes them.
    const free = this.busy.indexOf(false);
    node.register = free >= 0 ? free : this.busy.length;
    this.busy[node.register] = true;
    const [a = 0, b = 0, c = 0] = operands;
    this.code.push((scalarNumbers.get(node.call.op) as number) | (node.register << 16), a | (b << 8) | (c << 16));
  }

  get registers(): number {
    return this.busy.length;
  }
}

/**
 * The words of a program that computes `expr`, which must be a call (a bare input is Copy or CopyInt of it).
 * Undefined when it needs more registers, inputs or immediates than a program may have.
 */
export function encodeProgram(expr: Expr): number[] | undefined {
  if (encoded.has(expr)) return encoded.get(expr);
  const words = encode(expr);
  encoded.set(expr, words);
  return words;
}

/** A model's layers have the same programs: one object each way. */
const encoded = new WeakMap<Expr, number[] | undefined>();
const decoded = new WeakMap<readonly number[], Expr>();

function encode(expr: Expr): number[] | undefined {
  const encoder = new Encoder();
  const root = encoder.node(expr);
  encoder.emit(root);
  const {registers, code, immediates} = encoder;
  if (!encoder.fits || registers > maxRegisters || immediates.length > maxImmediates) return undefined;
  return [registers, code.length / 2, immediates.length, ...code, ...immediates];
}

/** The expression that a program's words compute; parts that it shares are one object. */
export function decodeProgram(words: readonly number[]): Expr {
  const known = decoded.get(words);
  if (known !== undefined) return known;
  const expr = decode(words);
  decoded.set(words, expr);
  return expr;
}

function decode(words: readonly number[]): Expr {
  const [, instructions = 0, immediates = 0] = words;
  const values = words.slice(3 + 2 * instructions, 3 + 2 * instructions + immediates);
  const registers: Expr[] = [];
  const leaves = new Map<string, Expr>();
  const operand = (number: number, type: string | undefined): Expr => {
    if (number < firstInput) return registers[number] as Expr;
    const key = number < firstImmediate ? `${number}` : `${number}${type}`;
    let leaf = leaves.get(key);
    if (leaf === undefined) {
      const bits = values[number - firstImmediate] as number;
      if (number < firstImmediate) leaf = input(number - firstInput);
      else leaf = type === 'f' ? f32(bitsToFloat(bits)) : i32(bits);
      leaves.set(key, leaf);
    }
    return leaf;
  };
  let result: Expr = input(0);
  for (let i = 0; i < instructions; i++) {
    const head = words[3 + 2 * i] as number;
    const operands = words[4 + 2 * i] as number;
    const op = scalarNames[head & 0xffff] as ScalarName;
    const args = [...scalars[op].takes].map((type, j) => operand((operands >> (8 * j)) & 0xff, type));
    result = {op, args};
    registers[head >> 16] = result;
  }
  return result;
}
