/** Windows over two or three spatial axes, as the ops of src/ops/windows.ts take them: two are three with depth 1. */
import type {backend_util, TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {sameShape, sizeOf} from '../ops/geometry';
import type {ParamValues} from '../ops/schema';
import {Unfold, windowMaxResults} from '../ops/windows';
import {concat} from './movement';
import {using} from './steps';

export type Windows = ParamValues<typeof Unfold.params>;

/** What ops extend (see ImageParams). */
class WindowParams implements Windows {
  declare readonly batch: number;
  declare readonly channels: number;
  declare readonly inD: number;
  declare readonly inH: number;
  declare readonly inW: number;
  declare readonly outD: number;
  declare readonly outH: number;
  declare readonly outW: number;
  declare readonly filterD: number;
  declare readonly filterH: number;
  declare readonly filterW: number;
  declare readonly strideD: number;
  declare readonly strideH: number;
  declare readonly strideW: number;
  declare readonly padFront: number;
  declare readonly padTop: number;
  declare readonly padLeft: number;
  declare readonly dilationD: number;
  declare readonly dilationH: number;
  declare readonly dilationW: number;

  constructor(w: Windows) {
    this.batch = w.batch;
    this.channels = w.channels;
    this.inD = w.inD;
    this.inH = w.inH;
    this.inW = w.inW;
    this.outD = w.outD;
    this.outH = w.outH;
    this.outW = w.outW;
    this.filterD = w.filterD;
    this.filterH = w.filterH;
    this.filterW = w.filterW;
    this.strideD = w.strideD;
    this.strideH = w.strideH;
    this.strideW = w.strideW;
    this.padFront = w.padFront;
    this.padTop = w.padTop;
    this.padLeft = w.padLeft;
    this.dilationD = w.dilationD;
    this.dilationH = w.dilationH;
    this.dilationW = w.dilationW;
  }
}

export class FoldParams extends WindowParams {
  declare readonly colsWindow: number;
  declare readonly colsTap: number;

  constructor(w: Windows, colsWindow: number, colsTap: number) {
    super(w);
    this.colsWindow = colsWindow;
    this.colsTap = colsTap;
  }
}

export class WindowMaxParams extends WindowParams {
  declare readonly result: number;
  declare readonly acrossBatch: boolean;

  constructor(w: Windows, result: keyof typeof windowMaxResults, acrossBatch: boolean) {
    super(w);
    this.result = windowMaxResults[result];
    this.acrossBatch = acrossBatch;
  }
}
type Info = backend_util.Conv2DInfo | backend_util.Conv3DInfo;

/** @throws ERR_SHAPE where a window does not fit or a padding is negative */
export function windowsOf(op: string, info: Info): Windows {
  const deep = 'inDepth' in info;
  const windows = {
    batch: info.batchSize,
    channels: info.inChannels,
    inD: deep ? info.inDepth : 1,
    inH: info.inHeight,
    inW: info.inWidth,
    outD: deep ? info.outDepth : 1,
    outH: info.outHeight,
    outW: info.outWidth,
    filterD: deep ? info.filterDepth : 1,
    filterH: info.filterHeight,
    filterW: info.filterWidth,
    strideD: deep ? info.strideDepth : 1,
    strideH: info.strideHeight,
    strideW: info.strideWidth,
    // Where a step is longer than its window, tfjs-core's padding of a 3-D window is negative; TensorFlow's is 0.
    padFront: deep ? Math.max(0, info.padInfo.front) : 0,
    padTop: deep ? Math.max(0, info.padInfo.top) : info.padInfo.top,
    padLeft: deep ? Math.max(0, info.padInfo.left) : info.padInfo.left,
    dilationD: deep ? info.dilationDepth : 1,
    dilationH: info.dilationHeight,
    dilationW: info.dilationWidth,
  };
  for (const name in windows) {
    const size = windows[name as keyof Windows];
    if (size < 0 || !Number.isInteger(size)) {
      throw errors.shape(op, `windows over [${info.inShape.join(', ')}] would have ${name} ${size}, which must be a whole number from 0`);
    }
  }
  return windows;
}

/** The shape of x, and, without channels, of the windows. */
export const imageShape = (w: Windows): number[] => [w.batch, w.inD, w.inH, w.inW, w.channels];
export const windowShape = (w: Windows): number[] => [w.batch, w.outD, w.outH, w.outW];
export const windowCount = (w: Windows): number => sizeOf(windowShape(w));
export const tapCount = (w: Windows): number => w.filterD * w.filterH * w.filterW;

/** Whether each window is the one pixel that it stands on, so that x is its own unfolding. */
export function isPixelwise(w: Windows): boolean {
  const unpadded = w.padFront === 0 && w.padTop === 0 && w.padLeft === 0;
  const inStep = w.strideD === 1 && w.strideH === 1 && w.strideW === 1;
  return tapCount(w) === 1 && unpadded && inStep && sameShape([w.outD, w.outH, w.outW], [w.inD, w.inH, w.inW]);
}

/** cols[windows, taps · channels] of the images from `first` on, `w.batch` of them. */
export function unfolded(backend: GravitonBackend, x: TensorInfo, w: Windows, first = 0): TensorInfo {
  const shape = [windowCount(w), tapCount(w) * w.channels];
  const offset = first * w.inD * w.inH * w.inW * w.channels;
  return backend.run(Unfold, [x], {shape, dtype: 'float32'}, w, sizeOf(shape) === 0 ? undefined : [offset]);
}

/** Elements of cols at a time: more would leave the caches anyway, and the memory of large batches. */
const mostCols = 2 ** 24;

/** Runs of images whose cols are made at once. */
export function imageRuns(w: Windows): {first: number; windows: Windows}[] {
  const perImage = Math.max(1, w.outD * w.outH * w.outW * tapCount(w) * w.channels);
  const most = Math.max(1, Math.floor(mostCols / perImage));
  const runs: {first: number; windows: Windows}[] = [];
  if (w.batch <= most) return [{first: 0, windows: w}];
  for (let first = 0; first < w.batch; first += most) {
    runs.push({first, windows: {...w, batch: Math.min(most, w.batch - first)}});
  }
  return runs;
}

/** Results of runs of images, one after the other. */
export function joined(backend: GravitonBackend, parts: readonly TensorInfo[]): TensorInfo {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return using(backend, parts, () => concat(backend, parts, 0));
}

export function checkShape(op: string, name: string, x: TensorInfo, shape: readonly number[]): void {
  if (!sameShape(x.shape, shape)) throw errors.shape(op, `${name} is [${x.shape.join(', ')}]; it must be [${shape.join(', ')}]`);
}
