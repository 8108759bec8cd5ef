/** Rows of Resize2D. tfjs-backend-cpu is the specification: it computes in double precision. */

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {Resize2D, resizeKinds} from '../../../src/ops/convolution';
import {type OpCase, opCase, uniform, type Values} from '../harness';
import {nameOf} from './windows';

type Kind = keyof typeof resizeKinds;
interface Sizes {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
}
interface Flags {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

function resized(kind: Kind, p: Sizes & Flags, x: ArrayLike<number>): Float32Array {
  const backend = tf.findBackend('cpu');
  const kernel = tf.getKernel(kind === 'bilinear' ? 'ResizeBilinear' : 'ResizeNearestNeighbor', 'cpu');
  if (kernel === undefined) throw new Error('tfjs-backend-cpu has no resize');
  const shape = [p.batch, p.inH, p.inW, p.channels];
  const dataId = backend.write(Float32Array.from(x), shape, 'float32');
  const y = kernel.kernelFunc({
    inputs: {images: {dataId, shape, dtype: 'float32'}},
    backend,
    attrs: {alignCorners: p.alignCorners, halfPixelCenters: p.halfPixelCenters, size: [p.outH, p.outW]},
  });
  const [result] = Array.isArray(y) ? y : [y];
  if (result === undefined) throw new Error('tfjs-backend-cpu gave no resized image');
  const values = Float32Array.from(backend.readSync(result.dataId) as Float32Array);
  backend.disposeData(result.dataId, true);
  backend.disposeData(dataId, true);
  return values;
}

function row(kind: Kind, p: Sizes & Flags, special: Readonly<Record<number, number>> = {}): OpCase {
  const flag = p.alignCorners ? ', align corners' : p.halfPixelCenters ? ', half-pixel centres' : '';
  return opCase({
    name: `Resize2D ${kind}${flag}: ${p.batch}x${p.inH}x${p.inW}x${p.channels} to ${p.outH}x${p.outW}${Object.keys(special).length > 0 ? ', special values' : ''}`,
    op: Resize2D,
    inputs: () => {
      const x = uniform([-1, 1], p.batch * p.inH * p.inW * p.channels);
      for (const [at, value] of Object.entries(special)) x[Number(at)] = value;
      return [x];
    },
    outputs: [{dtype: 'float32', elems: p.batch * p.outH * p.outW * p.channels}],
    params: {kind: resizeKinds[kind], ...p},
    expected: ([x = []]) => [resized(kind, p, x)],
    // Three interpolations of |x| ≤ 1, each a difference, a product and a sum, by fractions rounded to float32.
    tolerance: kind === 'bilinear' ? {abs: 12 * 2 ** -24} : {signedZero: true},
  });
}

// biome-ignore format: a size a line
const sizes = [
  [4, 5, 9, 11], [9, 11, 4, 5], [3, 3, 3, 3], [5, 4, 1, 1], [1, 1, 3, 4], [7, 2, 14, 1], [10, 10, 3, 17], [6, 6, 0, 4], [2, 3, 5, 0],
] as const;
const ofKind = (kind: Kind): OpCase[] =>
  [[false, false], [true, false], [false, true]].flatMap(([alignCorners = false, halfPixelCenters = false]) => {
    const flags = {alignCorners, halfPixelCenters};
    return [
      ...sizes.flatMap(([inH, inW, outH, outW]) =>
        [0, 1, 2, 3, 4, 19].map((channels) => row(kind, {...flags, batch: 1, inH, inW, channels, outH, outW})),
      ),
      row(kind, {...flags, batch: 2, inH: 30, inW: 41, channels: 17, outH: 64, outW: 50}),
      row(kind, {...flags, batch: 0, inH: 3, inW: 3, channels: 2, outH: 4, outW: 4}),
      row(kind, {...flags, batch: 1, inH: 5, inW: 5, channels: 18, outH: 8, outW: 7}, {20: NaN, 200: Infinity, 300: -Infinity, 330: -0}),
    ];
  });

const valid = {kind: 0, alignCorners: false, halfPixelCenters: false, batch: 1, inH: 2, inW: 2, outH: 3, outW: 3, channels: 2};
const refused = (change: Partial<typeof valid>, fails: RegExp, x: () => Values = () => new Float32Array(8)) =>
  opCase({
    name: `Resize2D refuses ${nameOf(change)}`,
    op: Resize2D,
    inputs: () => [x()],
    outputs: [{dtype: 'float32', elems: 18}],
    params: {...valid, ...change},
    fails,
  });

export const cases: OpCase[] = [
  ...ofKind('bilinear'),
  ...ofKind('nearest'),
  opCase({
    name: 'Resize2D nearest of int32',
    op: Resize2D,
    inputs: () => [Int32Array.of(1, -2, 3, 2 ** 31 - 1)],
    outputs: [{dtype: 'int32', elems: 8}],
    params: {...valid, kind: resizeKinds.nearest, outH: 4, outW: 2, channels: 1},
    expected: () => [[1, -2, 1, -2, 3, 2 ** 31 - 1, 3, 2 ** 31 - 1]],
  }),
  refused({kind: 2}, /ERR_INVALID_STEP.*kind 2/),
  ...[{inH: 3}, {outW: 4}, {channels: 3}, {outH: 2 ** 31 - 1, outW: 2 ** 31 - 1, batch: 2 ** 31 - 1}].map((c) => refused(c, /ERR_SHAPE.*holds/)),
  refused({inW: 0}, /ERR_SHAPE.*empty image/),
  refused({batch: 2 ** 31, channels: 0}, /ERR_SHAPE.*2\^31/),
  refused({}, /ERR_DTYPE/, () => new Int32Array(8)),
  refused({kind: 1}, /ERR_DTYPE/, () => new Int32Array(8)),
];
