/** Rows of Attention. */
import {Attention} from '../../../src/ops/linear';
import {call, type Expr, encodeProgram, f32, input} from '../../../src/ops/program';
import type {ParamValues} from '../../../src/ops/schema';
import {type Expected, type Input, type OpCase, opCase, uniform} from '../harness';

interface Shape {
  readonly batch?: number;
  readonly heads?: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth?: number;
}
interface Options {
  /** [batch, queries, heads, depth] in memory, as a projection leaves it; else [batch, heads, queries, depth]. */
  readonly interleaved?: boolean;
  /** Which axes of [batch, heads, queries, keys] the mask has. */
  readonly mask?: readonly [boolean, boolean, boolean, boolean];
  /** Mask elements by their position in the mask. */
  readonly maskValue?: (at: number) => number;
  readonly causalOffset?: number;
  readonly epilogue?: {readonly expr: Expr; readonly value: (score: number, bias: number) => number};
  /** Elements of the tensors that are not what uniform gives. */
  readonly special?: {readonly query?: Record<number, number>; readonly key?: Record<number, number>; readonly value?: Record<number, number>};
  /** All heads read the keys and values of the first. */
  readonly sharedKeys?: boolean;
  readonly scale?: number;
}

type Words = ParamValues<typeof Attention.params>;

function strides(heads: number, rows: number, depth: number, interleaved = false): readonly [number, number, number] {
  return interleaved ? [rows * heads * depth, depth, heads * depth] : [heads * rows * depth, rows * depth, depth];
}

function words(s: Required<Shape>, o: Options): Words {
  const query = strides(s.heads, s.queries, s.depth, o.interleaved);
  const key = strides(o.sharedKeys ? 1 : s.heads, s.keys, s.depth, o.interleaved);
  const value = strides(o.sharedKeys ? 1 : s.heads, s.keys, s.valueDepth, o.interleaved);
  const out = strides(s.heads, s.queries, s.valueDepth, o.interleaved);
  const mask = [0, 0, 0, 0];
  const sizes = [s.batch, s.heads, s.queries, s.keys];
  let stride = 1;
  for (let axis = 3; axis >= 0; axis--) {
    if (!o.mask?.[axis]) continue;
    mask[axis] = stride;
    stride *= sizes[axis] as number;
  }
  return {
    ...s,
    scale: o.scale ?? s.depth ** -0.5,
    causal: o.causalOffset !== undefined,
    causalOffset: o.causalOffset ?? 0,
    queryBatch: query[0],
    queryHead: query[1],
    queryRow: query[2],
    keyBatch: key[0],
    keyHead: o.sharedKeys ? 0 : key[1],
    keyRow: key[2],
    valueBatch: value[0],
    valueHead: o.sharedKeys ? 0 : value[1],
    valueRow: value[2],
    maskBatch: mask[0] as number,
    maskHead: mask[1] as number,
    maskRow: mask[2] as number,
    maskCol: mask[3] as number,
    outBatch: out[0],
    outHead: out[1],
    outRow: out[2],
    epilogue: o.epilogue === undefined ? [] : (encodeProgram(o.epilogue.expr) as number[]),
    // Over queries and keys alone.
    epilogueStrides: o.epilogue === undefined ? [] : [0, 0, s.keys, 1],
  };
}

/**
 * A score is off by (depth + 3) u Σ|q||k| scale at most (Higham 2002, (3.5)), which the exponential turns into a relative error of
 * each weight, as is the sum's; weights and their sum round keys times more. `scoreError` is that, twice over.
 */
function attended(w: Words, o: Options, inputs: readonly ArrayLike<number>[]): Expected {
  const [query = [], key = [], value = [], mask = [], bias = []] = inputs;
  const values = new Float64Array(w.batch * w.heads * w.queries * w.valueDepth);
  const bound = new Float64Array(values.length);
  for (let b = 0; b < w.batch; b++) {
    for (let h = 0; h < w.heads; h++) {
      for (let q = 0; q < w.queries; q++) {
        const seen = w.causal ? Math.min(Math.max(q + w.causalOffset + 1, 0), w.keys) : w.keys;
        let scoreError = 0;
        const scores = Array.from({length: seen}, (_, k) => {
          let sum = 0;
          let magnitude = 0;
          for (let d = 0; d < w.depth; d++) {
            const product =
              (query[b * w.queryBatch + h * w.queryHead + q * w.queryRow + d] as number) *
              (key[b * w.keyBatch + h * w.keyHead + k * w.keyRow + d] as number);
            sum += product;
            magnitude += Math.abs(product);
          }
          const added = o.mask ? (mask[b * w.maskBatch + h * w.maskHead + q * w.maskRow + k * w.maskCol] as number) : 0;
          const score = Math.fround(w.scale) * sum + added;
          magnitude = magnitude * Math.abs(w.scale) * (w.depth + 3) + (Number.isFinite(added) ? Math.abs(added) : 0);
          if (Number.isFinite(magnitude)) scoreError = Math.max(scoreError, magnitude * 2 ** -23);
          return o.epilogue ? o.epilogue.value(score, bias[q * w.keys + k] as number) : score;
        });
        const largest = scores.reduce((x, y) => (Number.isNaN(y) ? y : Math.max(x, y)), Number.NEGATIVE_INFINITY);
        const weights = scores.map((score) => Math.exp(score - largest));
        const total = weights.reduce((x, y) => x + y, 0);
        for (let d = 0; d < w.valueDepth; d++) {
          let sum = 0;
          let magnitude = 0;
          for (let k = 0; k < seen; k++) {
            const product = ((weights[k] as number) / total) * (value[b * w.valueBatch + h * w.valueHead + k * w.valueRow + d] as number);
            sum += product;
            magnitude += Math.abs(product);
          }
          const at = b * w.outBatch + h * w.outHead + q * w.outRow + d;
          values[at] = w.keys > 0 && seen === 0 ? Number.NaN : sum;
          bound[at] = magnitude * (2 * scoreError + 2 ** -23 * (8 + w.keys / 4)) + 1e-37;
        }
      }
    }
  }
  return {values, bound};
}

function attention(shape: Shape, o: Options = {}): OpCase {
  const s: Required<Shape> = {batch: 1, heads: 1, valueDepth: shape.depth, ...shape};
  const w = words(s, o);
  const heads = o.sharedKeys ? 1 : s.heads;
  const tensor = (elems: number, salt: number, special: Record<number, number> = {}) => {
    const values = uniform([-1, 1], elems, salt);
    for (const [at, value] of Object.entries(special)) values[Number(at)] = value;
    return values;
  };
  const maskElems = [s.batch, s.heads, s.queries, s.keys].reduce((n, size, axis) => (o.mask?.[axis] ? n * size : n), 1);
  const flags = Object.entries(o).map(([name, value]) => (typeof value === 'boolean' || typeof value === 'number' ? `${name}=${value}` : name));
  return opCase({
    name: `Attention ${s.batch}x${s.heads}, ${s.queries} of ${s.keys}, depth ${s.depth} and ${s.valueDepth} ${flags.join(' ')}`,
    op: Attention,
    inputs: (): readonly Input[] => [
      tensor(s.batch * s.heads * s.queries * s.depth, 1, o.special?.query),
      tensor(s.batch * heads * s.keys * s.depth, 2, o.special?.key),
      tensor(s.batch * heads * s.keys * s.valueDepth, 3, o.special?.value),
      o.mask ? Float32Array.from(uniform([-2, 2], maskElems, 4), (x, i) => o.maskValue?.(i) ?? x) : undefined,
      ...(o.epilogue ? [uniform([-1, 1], s.queries * s.keys, 5)] : []),
    ],
    outputs: [{dtype: 'float32', elems: s.batch * s.heads * s.queries * s.valueDepth}],
    params: w,
    expected: (inputs) => [attended(w, o, inputs)],
  });
}

const none = Number.NEGATIVE_INFINITY;
const softCap: Options['epilogue'] = {
  expr: call('Add', call('Mul', call('Tanh', call('Mul', input(0), f32(0.5))), f32(2)), input(1)),
  value: (score, bias) => Math.tanh(score * 0.5) * 2 + bias,
};

const right = {queries: 3, keys: 5, depth: 4};
const rightWords = words({batch: 1, heads: 1, valueDepth: 4, ...right}, {});
function refused(name: string, change: Partial<Words>, fails: RegExp, inputs?: () => readonly Input[]): OpCase {
  const values = (elems: number) => new Float32Array(elems);
  return opCase({
    name: `Attention refuses ${name}`,
    op: Attention,
    inputs: inputs ?? (() => [values(12), values(20), values(20), undefined]),
    outputs: [{dtype: 'float32', elems: 12}],
    params: {...rightWords, ...change},
    fails,
  });
}

export const cases: readonly OpCase[] = [
  // Tails of queries, of keys and of both depths.
  ...[1, 2, 3, 7, 17, 33, 65].map((queries) => attention({queries, keys: 19, depth: 24})),
  ...[1, 2, 3, 15, 16, 17, 48, 49, 100, 128].map((keys) => attention({queries: 9, keys, depth: 20})),
  ...[1, 2, 3, 15, 16, 17, 49].map((keys) => attention({queries: 1, keys, depth: 20})),
  ...[1, 3, 15, 16, 17, 47, 64, 80, 130].map((depth) => attention({queries: 5, keys: 21, depth, valueDepth: depth + 1})),
  ...[1, 3, 17, 64].map((depth) => attention({queries: 2, keys: 21, depth, valueDepth: depth + 1})),
  attention({batch: 2, heads: 12, queries: 16, keys: 16, depth: 8}, {interleaved: true}),
  attention({batch: 3, heads: 2, queries: 40, keys: 70, depth: 32}, {interleaved: true, sharedKeys: true}),
  attention({batch: 1, heads: 4, queries: 1, keys: 300, depth: 64}, {sharedKeys: true}),
  // More keys than a block: the running maximum.
  ...[513, 1100].flatMap((keys) => [
    attention({queries: 70, keys, depth: 16}, {scale: 8}),
    attention({queries: 1, keys, depth: 16, valueDepth: 20}, {scale: 8}),
    attention({queries: 70, keys, depth: 16}, {causalOffset: keys - 70}),
    attention({queries: 4, keys, depth: 3}, {mask: [false, false, false, true], maskValue: (at) => (at < 600 ? none : at / 100)}),
  ]),
  attention({queries: 600, keys: 600, depth: 8}, {causalOffset: 0}),
  // Masks: each broadcast, -Infinity for some keys and for all of a query.
  ...([[1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]] as const).map((axes) =>
    attention({batch: 2, heads: 3, queries: 10, keys: 21, depth: 8}, {mask: axes.map(Boolean) as [boolean, boolean, boolean, boolean]}),
  ),
  attention({batch: 2, queries: 10, keys: 21, depth: 8}, {mask: [true, false, false, true], maskValue: (at) => (at % 21 > 15 ? none : 0)}),
  attention({queries: 10, keys: 21, depth: 8}, {mask: [false, false, true, true], maskValue: (at) => (at >= 42 && at < 63 ? none : -(at % 3))}),
  attention({queries: 1, keys: 21, depth: 8}, {mask: [false, false, false, true], maskValue: () => none}),
  attention({queries: 10, keys: 21, depth: 8}, {mask: [false, false, false, true], maskValue: () => -3.4e38}),
  // Causal: a square, a cache before it, queries that see nothing, unseen keys that are NaN.
  ...[1, 5, 17, 60].map((size) => attention({queries: size, keys: size, depth: 8}, {causalOffset: 0})),
  attention({queries: 5, keys: 30, depth: 8}, {causalOffset: 25}),
  attention({queries: 30, keys: 30, depth: 8}, {causalOffset: -4}),
  attention({queries: 30, keys: 30, depth: 8}, {causalOffset: -(2 ** 31)}),
  attention({queries: 30, keys: 30, depth: 8}, {causalOffset: 2 ** 31 - 1}),
  attention({queries: 20, keys: 20, depth: 8}, {causalOffset: 0, special: {key: {100: Number.NaN}, value: {150: Number.NaN, 159: Number.POSITIVE_INFINITY}}}),
  // A program on the scores.
  attention({heads: 2, queries: 20, keys: 300, depth: 8}, {epilogue: softCap}),
  attention({heads: 2, queries: 20, keys: 30, depth: 8}, {epilogue: softCap, mask: [false, false, true, true], causalOffset: 3}),
  // What is not finite, and large scores.
  attention({queries: 6, keys: 20, depth: 8}, {special: {query: {9: Number.NaN}, key: {17: Number.POSITIVE_INFINITY}, value: {33: Number.NaN}}}),
  attention({queries: 6, keys: 20, depth: 8}, {scale: 80}),
  attention({queries: 6, keys: 20, depth: 8}, {scale: 0}),
  // Nothing.
  ...(['batch', 'heads', 'queries', 'keys', 'depth', 'valueDepth'] as const).map((size) =>
    attention({batch: 2, heads: 2, queries: 3, keys: 4, depth: 5, valueDepth: 6, [size]: 0}, size === 'keys' || size === 'depth' ? {scale: 1} : {}),
  ),
  refused('a query that reaches outside', {queryRow: 5}, /ERR_SHAPE: Attention query would reach/),
  refused('keys that reach outside', {keys: 6}, /ERR_SHAPE: Attention key would reach/),
  refused('values that reach outside', {valueRow: -1}, /ERR_SHAPE: Attention value would reach/),
  refused('an output that reaches outside', {outRow: 5}, /ERR_SHAPE: Attention out would reach/),
  refused('an output of stride 0', {batch: 2 ** 30, queryBatch: 0, keyBatch: 0, valueBatch: 0, outBatch: 0}, /ERR_SHAPE: Attention out\[.* is larger than its buffer/),
  refused('keys without end', {keys: 2 ** 31 - 1, keyRow: 0, valueRow: 0}, /ERR_.*neither key nor value/),
  refused('sizes beyond 31 bits', {depth: -1}, /ERR_SHAPE: Attention query has the size -1/),
  refused('a mask that reaches outside', {maskCol: 1, maskRow: 5}, /ERR_SHAPE: Attention mask would reach/, () => [
    new Float32Array(12), new Float32Array(20), new Float32Array(20), new Float32Array(14),
  ]),
  refused('another element type', {}, /ERR_DTYPE: Attention key is int32/, () => [
    new Float32Array(12), new Int32Array(20), new Float32Array(20), undefined,
  ]),
];
