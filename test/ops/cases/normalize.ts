/** Rows of Softmax and Normalize: tails, large rows, special values, strides, and refusals. */

import {call, encodeProgram, input} from '../../../src/ops/program';
import {Normalize, normalizeKinds, Softmax} from '../../../src/ops/reduction';
import {type OpCase, opCase, uniform} from '../harness';
import {every, floats, huge, infinity, listed, rowsOf, type Source, sixFloats, sixFloatsOut, sum, unit} from './sources';

function softmaxRow(row: readonly number[]): number[] {
  const most = row.reduce((a, b) => Math.max(a, b), -infinity);
  const terms = row.map((v) => Math.exp(v - most));
  const total = sum(terms);
  return terms.map((e) => e / total);
}
function logSoftmaxRow(row: readonly number[]): number[] {
  const most = row.reduce((a, b) => Math.max(a, b), -infinity);
  const log = Math.log(sum(row.map((v) => Math.exp(v - most))));
  return row.map((v) => v - most - log);
}
function softmax(rows: number, cols: number, source: Source, note = ''): OpCase[] {
  return [false, true].map((logarithm) =>
    opCase({
      name: `${logarithm ? 'log-softmax' : 'Softmax'} ${rows}x${cols}${note}`,
      op: Softmax,
      inputs: () => [source.make(rows * cols)],
      outputs: [{dtype: 'float32', elems: rows * cols}],
      params: {rows, cols, logarithm},
      expected: ([x]) => {
        const got = rowsOf(rows, cols, x ?? []).flatMap(logarithm ? logSoftmaxRow : softmaxRow);
        // x − max is rounded (half an ulp of the exponent's argument, an error of so many ε in the result), and so are the
        // exponential, the sum and the quotient. The logarithm's error is absolute where the result is small.
        const spread = (v: number) => (logarithm ? Math.abs(v) : Math.abs(Math.log(v)) * Math.abs(v));
        const size = (v: number) => (logarithm ? 1 + Math.abs(v) : Math.abs(v));
        return [{values: got, bound: got.map((v) => unit * (spread(v) || 0) + 8 * unit * size(v) + 2 ** -149)}];
      },
    }),
  );
}
const softmaxes: OpCase[] = [
  ...([[0, 5], [5, 0], [1, 1], [3, 3], [2, 15], [2, 16], [3, 17], [2, 33], [4, 128], [3, 129], [2, 1000], [2, 1029], [1, 5000], [1, 200_003],
    [700, 200], [3, 40_000]] as const).flatMap(([rows, cols]) => softmax(rows, cols, floats(-6, 6))),
  ...softmax(2, 100, floats(-90, 0), ', down to the smallest numbers'),
  ...softmax(2, 100, floats(-1e5, 1e5), ', far apart'),
  ...softmax(2, 40, floats(3e38, 3.4e38), ', at the largest numbers'),
  ...softmax(1, 40, every(-infinity), ' of -infinity'),
  ...softmax(1, 40, listed((i) => (i < 33 ? -infinity : i)), ', masked'),
  ...softmax(1, 40, listed((i) => (i === 20 ? infinity : i)), ' with infinity'),
  ...softmax(2, 40, listed((i) => (i === 39 ? Number.NaN : i % 40)), ' with NaN in one row'),
];

interface NormalizeRow {
  readonly kind: keyof typeof normalizeKinds;
  readonly rows: number;
  readonly cols: number;
  readonly positions?: number;
  readonly groups?: number;
  readonly gamma?: boolean;
  readonly beta?: boolean;
  readonly xRow?: number;
  readonly yRow?: number;
  /** Added to every element: a mean far from 0 against a deviation of about 1. */
  readonly mean?: number;
  readonly correction?: number;
  readonly spreadEpsilon?: number;
  /** What follows: a clamp, or a sum with a further operand of the result's shape. */
  readonly followedBy?: 'Relu' | 'residual';
}
const normalizeParams = (rows: number, cols: number) => ({
  kind: 0, rows, cols, positions: 1, groups: 1, xRow: cols, yRow: cols, correction: 1, epsilon: 0, spreadEpsilon: 0, epilogue: [], epilogueStrides: [],
});
const programs = {Relu: call('Relu', input(0)), residual: call('Relu', call('Add', input(0), input(1)))};
function normalize(row: NormalizeRow): OpCase {
  const {kind, rows, cols, positions = 1, groups = 1, gamma = false, beta = false, xRow = cols, yRow = cols, mean = 0} = row;
  const {correction = 1, spreadEpsilon = 0, followedBy} = row;
  const epsilon = 2 ** -10;
  const gaps = `${xRow === cols ? '' : `, x rows ${xRow} apart`}${yRow === cols ? '' : `, y rows ${yRow} apart`}`;
  const split = positions * groups === 1 ? '' : `, ${positions} positions, ${groups} groups`;
  const size = (step: number) => (rows === 0 ? 0 : (rows - 1) * step + cols);
  return opCase({
    name: `Normalize ${kind} ${rows}x${cols}${split}${gamma ? ', gamma' : ''}${beta ? ', beta' : ''}${gaps}${mean ? `, mean ${mean}` : ''}${correction === 1 ? '' : ', corrected'}${followedBy ? `, ${followedBy}` : ''}`,
    op: Normalize,
    inputs: () => [
      uniform([-2, 2], size(xRow)).map((v) => v + mean),
      gamma ? uniform([-2, 2], cols, 2) : undefined,
      beta ? uniform([-2, 2], cols, 3) : undefined,
      ...(followedBy === 'residual' ? [uniform([-2, 2], rows * cols, 4)] : []),
    ],
    outputs: [{dtype: 'float32', elems: size(yRow)}],
    params: {
      ...normalizeParams(rows, cols), kind: normalizeKinds[kind], positions, groups, xRow, yRow, correction, epsilon, spreadEpsilon,
      epilogue: followedBy === undefined ? [] : (encodeProgram(programs[followedBy]) as number[]),
      epilogueStrides: followedBy === 'residual' ? [0, 0, cols, 1] : [],
    },
    expected: ([x, g, b, residual]) => {
      const values = new Array<number>(size(yRow)).fill(0);
      const bound = new Array<number>(size(yRow)).fill(0);
      const channels = cols / groups;
      for (let sample = 0; sample < rows / positions; sample++) {
        for (let group = 0; group < groups; group++) {
          const cells = Array.from({length: positions * channels}, (_, i) => {
            const r = sample * positions + Math.floor(i / channels);
            const c = group * channels + (i % channels);
            return {r, c, v: x?.[r * xRow + c] as number};
          });
          const m = kind === 'layer' ? sum(cells.map(({v}) => v)) / cells.length : 0;
          const variance = sum(cells.map(({v}) => (v - m) ** 2)) / cells.length;
          const scale = 1 / (Math.sqrt(correction * variance + epsilon) + spreadEpsilon);
          for (const {r, c, v} of cells) {
            const gammaOf = gamma ? (g?.[c] as number) : 1;
            const y = (v - m) * scale * gammaOf;
            const shifted = y + (beta ? (b?.[c] as number) : 0) + (followedBy === 'residual' ? (residual?.[r * cols + c] as number) : 0);
            values[r * yRow + c] = followedBy === undefined ? shifted : Math.max(shifted, 0);
            // The mean and x − mean are rounded: a few ε of the largest of x. The rest is relative, variance and root included.
            bound[r * yRow + c] = 4 * unit * (Math.abs(mean) + 2) * scale * Math.abs(gammaOf) + 20 * unit * (Math.abs(y) + 4);
          }
        }
      }
      return [{values, bound}];
    },
  });
}
const normalizations: OpCase[] = (['layer', 'rms'] as const).flatMap((kind) => [
  ...([[0, 3], [3, 0], [1, 1], [2, 3], [3, 16], [3, 17], [2, 40], [5, 768], [1, 4099], [400, 300]] as const).flatMap(([rows, cols]) => [
    normalize({kind, rows, cols}),
    normalize({kind, rows, cols, gamma: true, beta: true}),
  ]),
  normalize({kind, rows: 3, cols: 33, gamma: true}),
  normalize({kind, rows: 3, cols: 33, beta: true}),
  normalize({kind, rows: 3, cols: 33, gamma: true, beta: true, xRow: 50}),
  normalize({kind, rows: 3, cols: 33, gamma: true, xRow: 0}),
  normalize({kind, rows: 3, cols: 1000, gamma: true, beta: true, mean: 300}),
  normalize({kind, rows: 3, cols: 300, gamma: true, beta: true, followedBy: 'Relu'}),
  normalize({kind, rows: 3, cols: 300, gamma: true, followedBy: 'residual', correction: 300 / 299, spreadEpsilon: 2 ** -8}),
  // Images: every width of a last vector, samples that one thread has and that threads share, more rows than are summed at once.
  ...[1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 48, 64, 67, 130].map((cols) => normalize({kind, rows: 14, cols, positions: 7, groups: cols})),
  ...([[1, 4000, 32], [3, 1300, 40], [70, 64, 24], [2, 0, 4]] as const).flatMap(([samples, positions, cols]) => [
    normalize({kind, rows: samples * positions, cols, positions: Math.max(1, positions), groups: cols, gamma: true, beta: true}),
    normalize({kind, rows: samples * positions, cols, positions: Math.max(1, positions), groups: cols / 4, gamma: true, followedBy: 'Relu'}),
    normalize({kind, rows: samples * positions, cols, positions: Math.max(1, positions), groups: 1, beta: true, followedBy: 'residual'}),
  ]),
  normalize({kind, rows: 6, cols: 12, positions: 1, groups: 3, gamma: true}),
  normalize({kind, rows: 6, cols: 20, positions: 3, groups: 20, xRow: 30, followedBy: 'Relu'}),
  normalize({kind, rows: 1300, cols: 20, positions: 1300, groups: 20, mean: 300, correction: 1300 / 1299, spreadEpsilon: 2 ** -8}),
]);

const firstRow = opCase({
  name: 'Normalize walks rows backwards into rows with gaps',
  op: Normalize,
  inputs: () => [{values: Float32Array.of(1, 3, 2, 6), from: 2}, undefined, undefined],
  outputs: [{dtype: 'float32', elems: 4}],
  params: {...normalizeParams(2, 2), xRow: -2},
  expected: () => [[-1, 1, -1, 1]],
});

const refusals: OpCase[] = [
  ...([[7, 1], [1, 7], [huge, 1], [1, huge], [huge, huge]] as const).flatMap(([rows, cols]) => [
    opCase({name: `Softmax refuses ${rows}x${cols}`, op: Softmax, inputs: sixFloats, outputs: sixFloatsOut, params: {rows, cols, logarithm: false}, fails: /ERR_SHAPE/}),
    opCase({name: `Normalize refuses ${rows}x${cols}`, op: Normalize, inputs: () => [new Float32Array(6), undefined, undefined], outputs: sixFloatsOut, params: {...normalizeParams(rows, cols), xRow: 1}, fails: /ERR_SHAPE/}),
  ]),
  opCase({name: `Normalize refuses an unknown kind`, op: Normalize, inputs: () => [new Float32Array(6), undefined, undefined], outputs: sixFloatsOut, params: {...normalizeParams(2, 3), kind: 2}, fails: /ERR_INVALID_STEP/}),
  opCase({name: `Normalize refuses result rows that overlap`, op: Normalize, inputs: () => [new Float32Array(6), undefined, undefined], outputs: sixFloatsOut, params: {...normalizeParams(2, 3), yRow: 2}, fails: /ERR_SHAPE.*2 apart/}),
  opCase({name: `Normalize refuses x rows beyond the buffer`, op: Normalize, inputs: () => [new Float32Array(6), undefined, undefined], outputs: sixFloatsOut, params: {...normalizeParams(2, 3), xRow: -3}, fails: /ERR_SHAPE/}),
  opCase({name: `Normalize refuses a short gamma`, op: Normalize, inputs: () => [new Float32Array(6), new Float32Array(2), undefined], outputs: sixFloatsOut, params: normalizeParams(2, 3), fails: /ERR_SHAPE.*gamma/}),
  opCase({name: `Normalize refuses a short beta`, op: Normalize, inputs: () => [new Float32Array(6), undefined, new Float32Array(2)], outputs: sixFloatsOut, params: {...normalizeParams(2, 3), kind: 1}, fails: /ERR_SHAPE.*beta/}),
  ...([[0, 1], [3, 1], [1, 0], [1, 2]] as const).map(([positions, groups]) =>
    opCase({name: `Normalize refuses ${positions} positions and ${groups} groups of 2x3`, op: Normalize, inputs: () => [new Float32Array(6), undefined, undefined], outputs: sixFloatsOut, params: {...normalizeParams(2, 3), positions, groups}, fails: /ERR_SHAPE.*samples/}),
  ),
  opCase({name: `Normalize refuses an epilogue of an operand that is not there`, op: Normalize, inputs: () => [new Float32Array(6), undefined, undefined], outputs: sixFloatsOut, params: {...normalizeParams(2, 3), epilogue: encodeProgram(programs.residual) as number[]}, fails: /ERR_/}),
];

export const cases: readonly OpCase[] = [...softmaxes, ...normalizations, firstRow, ...refusals];
