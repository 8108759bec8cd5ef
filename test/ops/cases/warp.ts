/** Rows of CropAndResize, Transform and Resize2DGrad. */

import {native} from '../../../src/native';
import {CropAndResize, cropMethods, fillModes, Resize2D, Resize2DGrad, resizeKinds, Transform} from '../../../src/ops/convolution';
import {integers, type OpCase, opCase, uniform, valuesOf} from '../harness';

type Method = keyof typeof cropMethods;
interface Picture {
  readonly x: ArrayLike<number>;
  readonly h: number;
  readonly w: number;
  readonly channels: number;
}
const within = (x: number, size: number): boolean => x >= 0 && x <= size - 1;

/** The element at a position, where pixels outside are `fill`. */
function sampled(p: Picture, from: number, [y, x, c]: readonly [number, number, number], method: Method, fill: number): number {
  const at = (row: number, col: number): number =>
    within(row, p.h) && within(col, p.w) ? (p.x[from + (row * p.w + col) * p.channels + c] as number) : fill;
  if (method === 'nearest') return at(Math.floor(y + 0.5), Math.floor(x + 0.5));
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, across] = [y - top, x - left];
  const mix = (a: number, b: number, part: number): number => (part === 0 ? a : a * (1 - part) + b * part);
  return mix(mix(at(top, left), at(top, left + 1), across), mix(at(top + 1, left), at(top + 1, left + 1), across), down);
}
// Three interpolations of |x| ≤ 1 by fractions rounded to float32.
const tolerance = {abs: 16 * 2 ** -24};

interface Crop {
  readonly batch?: number;
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly boxes: number;
  readonly crop: readonly [number, number];
  readonly method: Method;
}
function crop({batch = 2, size: [h, w], channels, boxes, crop: [cropH, cropW], method}: Crop): OpCase {
  return opCase({
    name: `CropAndResize ${method} ${boxes} of ${batch}x${h}x${w}x${channels} to ${cropH}x${cropW}`,
    op: CropAndResize,
    inputs: () => [
      uniform([-1, 1], batch * h * w * channels),
      uniform([-0.25, 1.25], boxes * 4, 2),
      integers([0, batch - 1], boxes, 3),
    ],
    outputs: [{dtype: 'float32', elems: boxes * cropH * cropW * channels}],
    params: {method: cropMethods[method], batch, inH: h, inW: w, channels, boxes, cropH, cropW, extrapolation: -7},
    expected: ([x = [], rects = [], images = []]) => {
      const out: number[] = [];
      const position = (a: number, b: number, i: number, n: number, last: number): number =>
        n > 1 ? a * last + i * (((b - a) * last) / (n - 1)) : 0.5 * (a + b) * last;
      for (let b = 0; b < boxes; b++) {
        const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = Array.from(rects).slice(b * 4, b * 4 + 4);
        for (let i = 0; i < cropH; i++) {
          for (let j = 0; j < cropW; j++) {
            const [y, at] = [position(y1, y2, i, cropH, h - 1), position(x1, x2, j, cropW, w - 1)];
            for (let c = 0; c < channels; c++) {
              const picture = {x, h, w, channels};
              const inside = within(y, h) && within(at, w);
              out.push(inside ? sampled(picture, (images[b] as number) * h * w * channels, [y, at, c], method, -7) : -7);
            }
          }
        }
      }
      return [out];
    },
    tolerance,
  });
}

/** Positions mapped into [0, size): period by period, without arithmetic on numbers of periods. */
function mapped(at: number, size: number, mode: keyof typeof fillModes): number {
  if (mode === 'constant') return at;
  const clamp = (x: number): number => Math.min(Math.max(x, 0), size - 1);
  if (mode === 'nearest' || size <= 1) return clamp(at);
  let x = at;
  if (mode === 'wrap') {
    // TensorFlow's wrap counts periods by size - 1 and shifts by size.
    if (x < 0) x += size * (Math.trunc(-x / (size - 1)) + 1);
    else if (x > size - 1) x -= size * Math.trunc(x / (size - 1));
    return clamp(x);
  }
  while (x < -size) x += 2 * size;
  while (x >= size * 2) x -= 2 * size;
  if (x < 0) x = -x - 1;
  else if (x > size - 1 && x >= size) x = 2 * size - x - 1;
  return clamp(x);
}

interface Warp {
  readonly size: readonly [number, number];
  readonly out?: readonly [number, number];
  readonly channels: number;
  readonly transforms: readonly (readonly number[])[];
  readonly method: Method;
  readonly mode: keyof typeof fillModes;
}
function warp({size: [h, w], out: [outH, outW] = [h, w], channels, transforms, method, mode}: Warp): OpCase {
  const batch = 2;
  const shared = transforms.length === 1;
  return opCase({
    name: `Transform ${method} ${mode} ${h}x${w}x${channels} to ${outH}x${outW} by ${transforms.map((t) => `[${t}]`)}`,
    op: Transform,
    inputs: () => [uniform([-1, 1], batch * h * w * channels), Float32Array.from(transforms.flat()), Float32Array.from({length: channels}, (_, c) => c + 2)],
    outputs: [{dtype: 'float32', elems: batch * outH * outW * channels}],
    params: {method: cropMethods[method], fillMode: fillModes[mode], sharedTransform: shared, batch, inH: h, inW: w, channels, outH, outW},
    expected: ([x = [], t = []]) => {
      const result: number[] = [];
      for (let n = 0; n < batch; n++) {
        const [a = 0, b = 0, c0 = 0, d = 0, e = 0, f = 0, g = 0, i = 0] = Array.from(t).slice(shared ? 0 : n * 8);
        for (let row = 0; row < outH; row++) {
          for (let col = 0; col < outW; col++) {
            const k = g * col + i * row + 1;
            const px = mapped((a * col + b * row + c0) / k, w, mode);
            const py = mapped((d * col + e * row + f) / k, h, mode);
            for (let c = 0; c < channels; c++) {
              result.push(k === 0 ? c + 2 : sampled({x, h, w, channels}, n * h * w * channels, [py, px, c], method, c + 2));
            }
          }
        }
      }
      return [result];
    },
    tolerance: {abs: 2 ** -18},
  });
}

/** Bilinear and nearest resizing are linear: the gradient's elements are those of Resize2D's matrix, column by column. */
function gradient(kind: keyof typeof resizeKinds, alignCorners: boolean, halfPixelCenters: boolean, sizes: readonly number[]): OpCase {
  const [batch = 1, inH = 1, inW = 1, outH = 1, outW = 1, channels = 1] = sizes;
  const params = {kind: resizeKinds[kind], batch, inH, inW, channels, outH, outW, alignCorners, halfPixelCenters};
  const line = outH * outW * channels;
  return opCase({
    name: `Resize2DGrad ${kind} ${sizes}${alignCorners ? ', align corners' : ''}${halfPixelCenters ? ', half-pixel centres' : ''}`,
    op: Resize2DGrad,
    inputs: () => [uniform([-1, 1], batch * line)],
    outputs: [{dtype: 'float32', elems: batch * inH * inW * channels}],
    params,
    expected: ([dy = []]) => {
      const dx: number[] = [];
      for (let at = 0; at < batch * inH * inW * channels; at++) {
        const unit = new Float32Array(batch * inH * inW * channels);
        unit[at] = 1;
        const x = native().store(unit, 'float32');
        const [y] = native().run(Resize2D, [x], [{dtype: 'float32', elems: batch * line}], params);
        const column = y === undefined ? [] : valuesOf(native().read(y), 'float32');
        dx.push(Array.from(column).reduce((sum, weight, i) => sum + weight * (dy[i] as number), 0));
        native().release(x);
        if (y !== undefined) native().release(y);
      }
      return [dx];
    },
    // Few terms fall on one pixel: at most 9 x 9 weights in these cases, each with three roundings.
    tolerance: {abs: 81 * 4 * 2 ** -24},
  });
}

const turn = [0.8, -0.6, 1.5, 0.6, 0.8, -1.25, 0, 0];
const same = [1, 0, 0, 0, 1, 0, 0, 0];
const tilt = [1.1, 0.05, -2, 0.02, 0.9, 3, 0.01, -0.02];
const vanishing = [1, 0, 0, 0, 1, 0, -1, 0];

const crops = {size: [5, 6], channels: 3, boxes: 4, crop: [3, 4], method: 'bilinear'} as const;
const refusedCrop = (name: string, index: number, change: object, fails: RegExp): OpCase =>
  opCase({
    name: `CropAndResize refuses ${name}`,
    op: CropAndResize,
    inputs: () => [new Float32Array(12), new Float32Array(4), Int32Array.of(index)],
    outputs: [{dtype: 'float32', elems: 12}],
    params: {method: 0, batch: 1, inH: 2, inW: 2, channels: 3, boxes: 1, cropH: 2, cropW: 2, extrapolation: 0, ...change},
    fails,
  });
const refusedWarp = (name: string, change: object, fails: RegExp): OpCase =>
  opCase({
    name: `Transform refuses ${name}`,
    op: Transform,
    inputs: () => [new Float32Array(12), new Float32Array(8), new Float32Array(3)],
    outputs: [{dtype: 'float32', elems: 12}],
    params: {method: 0, fillMode: 0, sharedTransform: true, batch: 1, inH: 2, inW: 2, channels: 3, outH: 2, outW: 2, ...change},
    fails,
  });

export const cases: readonly OpCase[] = [
  ...(['bilinear', 'nearest'] as const).flatMap((method) => [
    ...[1, 3, 4, 17].map((channels) => crop({...crops, channels, method})),
    crop({...crops, crop: [1, 1], method}),
    crop({...crops, crop: [1, 5], size: [1, 1], method}),
    crop({...crops, boxes: 60, crop: [20, 20], size: [30, 40], method}),
    ...[{boxes: 0}, {crop: [0, 3] as const}, {channels: 0}, {size: [0, 3] as const}].map((change) => crop({...crops, method, ...change})),
    ...(['constant', 'reflect', 'wrap', 'nearest'] as const).flatMap((mode) => [
      ...[same, turn, tilt].map((t) => warp({size: [7, 9], channels: 3, transforms: [t], method, mode})),
      warp({size: [4, 5], out: [9, 12], channels: 2, transforms: [turn, [1, 0, -9, 0, 1, 14, 0, 0]], method, mode}),
      warp({size: [1, 1], out: [3, 3], channels: 1, transforms: [turn], method, mode}),
    ]),
    warp({size: [6, 6], channels: 2, transforms: [vanishing], method, mode: 'constant'}),
    warp({size: [60, 70], channels: 4, transforms: [turn], method, mode: 'reflect'}),
    warp({size: [3, 4], out: [0, 4], channels: 2, transforms: [same], method, mode: 'constant'}),
    ...[[false, false], [true, false], [false, true]].flatMap(([corners = false, half = false]) =>
      [[1, 3, 4, 6, 9, 2], [2, 6, 5, 3, 2, 3], [1, 1, 1, 3, 3, 1], [1, 4, 4, 4, 4, 1], [2, 3, 3, 1, 1, 17], [0, 2, 2, 3, 3, 1], [1, 2, 2, 0, 3, 1]].map(
        (sizes) => gradient(method, corners, half, sizes),
      ),
    ),
  ]),
  opCase({
    name: 'Transform of positions that are not finite',
    op: Transform,
    inputs: () => [new Float32Array(4).fill(1), Float32Array.of(NaN, 0, 0, 0, Infinity, 1e38, 0, 0), Float32Array.of(5)],
    outputs: [{dtype: 'float32', elems: 4}],
    params: {method: 0, fillMode: 0, sharedTransform: true, batch: 1, inH: 2, inW: 2, channels: 1, outH: 2, outW: 2},
    expected: () => [[5, 5, 5, 5]],
  }),
  refusedCrop('an image beyond the batch', 1, {}, /ERR_INDEX: CropAndResize: the image 1 of box 0/),
  refusedCrop('a negative image', -1, {}, /ERR_INDEX: CropAndResize: the image -1/),
  refusedCrop('an unknown method', 0, {method: 2}, /ERR_INVALID_STEP/),
  refusedCrop('more boxes than there are', 0, {boxes: 2}, /ERR_SHAPE: CropAndResize boxes/),
  refusedCrop('a larger image', 0, {inH: 3}, /ERR_SHAPE: CropAndResize image/),
  refusedCrop('sizes that overflow', 0, {cropH: 2 ** 32 - 1, cropW: 2 ** 32 - 1}, /ERR_SHAPE: CropAndResize output/),
  refusedWarp('an unknown method', {method: 2}, /ERR_INVALID_STEP/),
  refusedWarp('an unknown fill mode', {fillMode: 4}, /ERR_INVALID_STEP/),
  refusedWarp('more transforms than there are', {sharedTransform: false, batch: 2}, /ERR_SHAPE: Transform/),
  refusedWarp('a larger result', {outH: 3}, /ERR_SHAPE: Transform output/),
];
