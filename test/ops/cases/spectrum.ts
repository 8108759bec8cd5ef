/** Rows of Fft and WindowSum. */
import {Fft, WindowSum} from '../../../src/ops/spectrum';
import {type Expected, type OpCase, opCase, uniform} from '../harness';
import {huge, unit} from './sources';

/**
 * By definition, in double precision. The error of an FFT is c u log2 n ‖x‖ in every element (Higham 2002, theorem 24.2), about six times
 * that with a chirp, which has three transforms.
 */
function transformed(rows: number, cols: number, inverse: boolean, re: ArrayLike<number>, im: ArrayLike<number>): Expected[] {
  const real = new Float64Array(rows * cols);
  const imag = new Float64Array(rows * cols);
  const bound = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    const row = (part: ArrayLike<number>) => Array.from({length: cols}, (_, j) => part[r * cols + j] as number);
    const [a, b] = [row(re), row(im)];
    const size = Math.sqrt([...a, ...b].reduce((sum, x) => sum + x * x, 0));
    for (let k = 0; k < cols; k++) {
      const at = r * cols + k;
      for (let j = 0; j < cols; j++) {
        const angle = ((inverse ? 2 : -2) * Math.PI * ((j * k) % cols)) / cols;
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        real[at] = (real[at] as number) + (a[j] as number) * cos - (b[j] as number) * sin;
        imag[at] = (imag[at] as number) + (a[j] as number) * sin + (b[j] as number) * cos;
      }
      const scale = inverse ? cols : 1;
      real[at] = (real[at] as number) / scale;
      imag[at] = (imag[at] as number) / scale;
      bound[at] = (24 * unit * (2 + Math.log2(cols)) * size) / scale;
    }
  }
  return [
    {values: real, bound},
    {values: imag, bound},
  ];
}

function fft(rows: number, cols: number, inverse = false): OpCase {
  const elems = rows * cols;
  return opCase({
    name: `Fft ${rows}x${cols}${inverse ? ', inverse' : ''}`,
    op: Fft,
    inputs: () => [uniform([-1, 1], elems), uniform([-1, 1], elems, 2)],
    outputs: [
      {dtype: 'float32', elems},
      {dtype: 'float32', elems},
    ],
    params: {rows, cols, inverse},
    expected: ([re = [], im = []]) => transformed(rows, cols, inverse, re, im),
  });
}

function windowSum(rows: number, cols: number, radius: number): OpCase {
  return opCase({
    name: `WindowSum ${rows}x${cols}, radius ${radius}`,
    op: WindowSum,
    inputs: () => [uniform([-1, 1], rows * cols)],
    outputs: [{dtype: 'float32', elems: rows * cols}],
    params: {rows, cols, radius},
    expected: ([x = []]): Expected[] => {
      const values = new Float64Array(rows * cols);
      const bound = new Float64Array(rows * cols);
      for (let i = 0; i < rows * cols; i++) {
        const c = i % cols;
        for (let k = Math.max(0, c - radius); k <= Math.min(cols - 1, c + radius); k++) {
          const value = x[i - c + k] as number;
          values[i] = (values[i] as number) + value;
          bound[i] = (bound[i] as number) + Math.abs(value) * unit * Math.min(2 * radius + 1, cols);
        }
      }
      return [{values, bound}];
    },
  });
}

const twoOutputs = [
  {dtype: 'float32', elems: 6},
  {dtype: 'float32', elems: 6},
] as const;

export const cases: readonly OpCase[] = [
  // Radices, products of them, primes and lengths with large prime factors.
  ...[1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 15, 16, 17, 19, 23, 34, 60, 64, 97, 100, 128, 143, 169, 210, 256, 289, 512].flatMap((cols) => [
    fft(3, cols),
    fft(2, cols, true),
  ]),
  ...[1, 15, 16, 17, 33].map((rows) => fft(rows, 24)),
  fft(40, 480),
  fft(40, 47, true),
  ...[[0, 4], [4, 0], [0, 0]].map(([rows = 0, cols = 0]) => fft(rows, cols)),
  opCase({
    name: 'Fft of NaN',
    op: Fft,
    inputs: () => [Float32Array.of(1, NaN, 2, 3, 4, 5), new Float32Array(6)],
    outputs: twoOutputs,
    params: {rows: 2, cols: 3, inverse: false},
    expected: ([re = [], im = []]) => transformed(2, 3, false, re, im),
  }),
  opCase({
    name: 'Fft refuses longer rows than there are',
    op: Fft,
    inputs: () => [new Float32Array(6), new Float32Array(6)],
    outputs: twoOutputs,
    params: {rows: 1, cols: 7, inverse: false},
    fails: /ERR_SHAPE: Fft real/,
  }),
  opCase({
    name: 'Fft refuses sizes that overflow',
    op: Fft,
    inputs: () => [new Float32Array(6), new Float32Array(6)],
    outputs: twoOutputs,
    params: {rows: huge, cols: huge, inverse: false},
    fails: /ERR_SHAPE/,
  }),
  ...[0, 1, 2, 5, 40].flatMap((radius) => [1, 2, 7, 16, 33].map((cols) => windowSum(3, cols, radius))),
  windowSum(500, 64, 5),
  windowSum(2, 5, huge),
  ...[[0, 4], [4, 0]].map(([rows = 0, cols = 0]) => windowSum(rows, cols, 2)),
  opCase({
    name: 'WindowSum refuses sizes that overflow',
    op: WindowSum,
    inputs: () => [new Float32Array(6)],
    outputs: [{dtype: 'float32', elems: 6}],
    params: {rows: huge, cols: huge, radius: 1},
    fails: /ERR_SHAPE/,
  }),
];
