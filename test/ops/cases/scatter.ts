/** Rows of Scatter. */
import {Scatter, scatterKinds, scatterOutside} from '../../../src/ops/movement';
import {integers, type OpCase, opCase, uniform, type Values} from '../harness';
import {huge} from './sources';

interface Options {
  readonly kind?: keyof typeof scatterKinds;
  readonly outside?: keyof typeof scatterOutside;
  readonly dtype?: 'float32' | 'int32' | 'bool';
  readonly batch?: number;
  readonly count?: number;
  readonly inner?: number;
  readonly sameUpdate?: boolean;
  /** 'one': a single element for all. */
  readonly base?: boolean | 'one';
  /** Range of indices. */
  readonly range?: readonly [number, number];
}

function values(dtype: 'float32' | 'int32' | 'bool', elems: number, salt: number): Values {
  // Sums of multiples of 1/8 are exact in any order.
  if (dtype === 'float32') return uniform([-64, 64], elems, salt).map((x) => Math.round(x) / 8);
  if (dtype === 'int32') return integers([-(2 ** 30), 2 ** 30], elems, salt);
  return Uint8Array.from(integers([0, 1], elems, salt));
}

function scatter(dims: readonly number[], options: Options = {}): OpCase {
  const {kind = 'add', outside = 'fails', dtype = 'float32', batch = 1, count = 9, inner = 3, sameUpdate = false, base = false} = options;
  const rows = dims.reduce((a, b) => a * b, 1);
  const elems = batch * rows * inner;
  const range = options.range ?? [0, Math.max(0, Math.min(...dims, 2 ** 30) - 1)];
  const words = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  return opCase({
    name: `Scatter [${dims}] ${words.join(', ')}`,
    op: Scatter,
    inputs: () => [
      integers(range, batch * count * dims.length, 7),
      values(dtype, sameUpdate ? inner : batch * count * inner, 8),
      base ? values(dtype, base === 'one' ? 1 : elems, 9) : undefined,
    ],
    outputs: [{dtype, elems}],
    params: {kind: scatterKinds[kind], outside: scatterOutside[outside], batch, count, inner, sameUpdate, sameBase: base === 'one', dims},
    expected: ([indices = [], updates = [], from = []]) => {
      const out = Array.from({length: elems}, (_, i) => (base ? (from[base === 'one' ? 0 : i] as number) : 0));
      for (let s = 0; s < batch * count; s++) {
        const index = dims.map((_, d) => indices[s * dims.length + d] as number);
        if (index.some((i, d) => i < 0 || i >= (dims[d] as number))) continue;
        const row = index.reduce((at, i, d) => at * (dims[d] as number) + i, 0);
        for (let c = 0; c < inner; c++) {
          const at = (Math.floor(s / count) * rows + row) * inner + c;
          const update = updates[(sameUpdate ? 0 : s * inner) + c] as number;
          const sum = kind === 'set' ? update : (out[at] as number) + update;
          out[at] = dtype === 'int32' ? sum | 0 : sum;
        }
      }
      return [out];
    },
  });
}

const refused = (name: string, change: object, fails: RegExp, indices: readonly number[] = [0, 1], base?: Float32Array): OpCase =>
  opCase({
    name: `Scatter refuses ${name}`,
    op: Scatter,
    inputs: () => [Int32Array.from(indices), new Float32Array(4), base],
    outputs: [{dtype: 'float32', elems: 6}],
    params: {kind: 0, outside: 0, batch: 1, count: 2, inner: 2, sameUpdate: false, sameBase: false, dims: [3], ...change},
    fails,
  });

export const cases: readonly OpCase[] = [
  ...(['set', 'add'] as const).flatMap((kind) =>
    (['float32', 'int32', 'bool'] as const)
      .filter((dtype) => kind === 'set' || dtype !== 'bool')
      .flatMap((dtype) => [
        scatter([5], {kind, dtype}),
        scatter([5, 4], {kind, dtype, base: true}),
        scatter([5, 4], {kind, dtype, base: 'one'}),
        scatter([3, 4, 5], {kind, dtype, inner: 1, batch: 3}),
        scatter([7], {kind, dtype, sameUpdate: true, inner: 1}),
        scatter([7], {kind, dtype, outside: 'dropped', range: [-9, 9], batch: 2}),
        scatter([7], {kind, dtype, outside: 'largeDropped', range: [0, 12], base: true}),
      ]),
  ),
  ...[1, 2, 7, 8, 15, 16, 17, 33, 100].map((inner) => scatter([6], {inner, count: 40})),
  // Work for both threads: shared by batch, by elements, by rows.
  scatter([50], {batch: 8, count: 3000, inner: 4}),
  scatter([11], {count: 300, inner: 600}),
  scatter([1000], {count: 60000, inner: 1, outside: 'dropped', range: [-50, 1050]}),
  scatter([1000], {kind: 'set', count: 60000, inner: 1}),
  scatter([300_000], {kind: 'set', inner: 1, base: 'one'}),
  // All of it is one row.
  scatter([], {count: 1, base: true}),
  scatter([], {count: 3}),
  ...[{count: 0}, {batch: 0}, {inner: 0}].map((size) => scatter([4], size)),
  scatter([4, 0], {count: 0, base: true}),
  refused('a negative index on the second axis', {dims: [3, 1], count: 1}, /ERR_INDEX: Scatter: the index -1 is not in \[0, 0\] \(position 1\)/, [0, -1]),
  refused('a negative index', {}, /ERR_INDEX: Scatter: the index -1 is not in \[0, 2\] \(position 1\)/, [0, -1]),
  refused('an index beyond the axis', {}, /ERR_INDEX: Scatter: the index 3 is not in \[0, 2\]/, [3, 0]),
  refused('a negative index where large ones are dropped', {outside: 2}, /ERR_INDEX: Scatter: the index -7/, [0, -7]),
  refused('an unknown kind', {kind: 2}, /ERR_INVALID_STEP/),
  refused('an unknown way with indices outside', {outside: 3}, /ERR_INVALID_STEP/),
  refused('too many axes', {dims: [1, 1, 1, 1, 1, 1, 1, 1, 1]}, /ERR_INVALID_STEP/),
  refused('more indices than there are', {count: 3}, /ERR_SHAPE: Scatter indices/),
  refused('more updates than there are', {inner: 3, dims: [2]}, /ERR_SHAPE: Scatter updates/),
  refused('a base that is not there', {sameBase: false, inner: 1, dims: [6]}, /ERR_SHAPE: Scatter base/, [0, 1], new Float32Array(1)),
  refused('an output that is too small', {dims: [4]}, /ERR_SHAPE: Scatter output/),
  refused('a size below 0', {dims: [-1]}, /ERR_SHAPE: Scatter/),
  refused('sizes that overflow', {batch: huge, count: huge, inner: huge}, /ERR_SHAPE: Scatter/),
  refused('one update of the whole, without end', {dims: [], count: huge, sameUpdate: true}, /ERR_INVALID_STEP/),
  opCase({
    name: 'Scatter refuses to add booleans',
    op: Scatter,
    inputs: () => [Int32Array.of(0), Uint8Array.of(1), undefined],
    outputs: [{dtype: 'bool', elems: 1}],
    params: {kind: 1, outside: 0, batch: 1, count: 1, inner: 1, sameUpdate: false, sameBase: false, dims: [1]},
    fails: /ERR_DTYPE/,
  }),
];
