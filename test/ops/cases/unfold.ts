/** Rows of Unfold, Fold, WindowMax and DepthwiseFilterGrad. */
import type {ParamValues} from '../../../src/ops/schema';
import {DepthwiseFilterGrad, Fold, Unfold, WindowMax, windowMaxResults} from '../../../src/ops/windows';
import {type Expected, type OpCase, opCase, uniform} from '../harness';
import {unit} from './sources';
import {nameOf} from './windows';

type Windows = ParamValues<typeof Unfold.params>;

const outSize = (size: number, pads: number, taps: number, dilation: number, stride: number): number =>
  taps === 0 ? 0 : Math.max(0, Math.floor((size + pads - dilation * (taps - 1) - 1) / stride) + 1);

/** Unless given, the output sizes that as much padding after as before leaves. */
function windows(change: Partial<Windows> = {}): Windows {
  // biome-ignore format: one line for each kind
  const base = {
    batch: 1, channels: 3, inD: 1, inH: 6, inW: 5, filterD: 1, filterH: 3, filterW: 2, strideD: 1, strideH: 1, strideW: 1,
    padFront: 0, padTop: 0, padLeft: 0, dilationD: 1, dilationH: 1, dilationW: 1, ...change,
  };
  return {
    outD: outSize(base.inD, 2 * base.padFront, base.filterD, base.dilationD, base.strideD),
    outH: outSize(base.inH, 2 * base.padTop, base.filterH, base.dilationH, base.strideH),
    outW: outSize(base.inW, 2 * base.padLeft, base.filterW, base.dilationW, base.strideW),
    ...base,
  };
}

const imageElems = (w: Windows): number => w.batch * w.inD * w.inH * w.inW * w.channels;
const windowCount = (w: Windows): number => w.batch * w.outD * w.outH * w.outW;
const taps = (w: Windows): number => w.filterD * w.filterH * w.filterW;

/** Calls `visit` for each window and each of its taps: with the first element of the pixel under it, or -1 outside. */
function forTaps(w: Windows, visit: (window: number, tap: number, x: number) => void): void {
  let window = 0;
  for (let n = 0; n < w.batch; n++) {
    for (let d = 0; d < w.outD; d++) {
      for (let h = 0; h < w.outH; h++) {
        for (let c = 0; c < w.outW; c++, window++) {
          for (let tap = 0; tap < taps(w); tap++) {
            const z = d * w.strideD - w.padFront + Math.floor(tap / w.filterW / w.filterH) * w.dilationD;
            const y = h * w.strideH - w.padTop + (Math.floor(tap / w.filterW) % w.filterH) * w.dilationH;
            const x = c * w.strideW - w.padLeft + (tap % w.filterW) * w.dilationW;
            const inside = z >= 0 && y >= 0 && x >= 0 && z < w.inD && y < w.inH && x < w.inW;
            visit(window, tap, inside ? (((n * w.inD + z) * w.inH + y) * w.inW + x) * w.channels : -1);
          }
        }
      }
    }
  }
}

function unfold(change: Partial<Windows>): OpCase {
  const w = windows(change);
  return opCase({
    name: `Unfold ${nameOf(change)}`,
    op: Unfold,
    inputs: () => [uniform([-1, 1], imageElems(w))],
    outputs: [{dtype: 'float32', elems: windowCount(w) * taps(w) * w.channels}],
    params: w,
    expected: ([x = []]) => {
      const cols = new Float64Array(windowCount(w) * taps(w) * w.channels);
      forTaps(w, (window, tap, at) => {
        for (let c = 0; c < w.channels; c++) cols[(window * taps(w) + tap) * w.channels + c] = at < 0 ? 0 : (x[at + c] as number);
      });
      return [cols];
    },
  });
}

function fold(change: Partial<Windows>, weighted: boolean, shared: boolean): OpCase {
  const w = windows(change);
  const colsTap = shared ? 0 : w.channels;
  const colsWindow = shared ? w.channels : taps(w) * w.channels;
  return opCase({
    name: `Fold ${nameOf(change)}${weighted ? ', weights' : ''}${shared ? ', shared taps' : ''}`,
    op: Fold,
    inputs: () => [
      uniform([-1, 1], windowCount(w) * colsWindow),
      weighted ? uniform([-1, 1], taps(w) * w.channels, 2) : undefined,
    ],
    outputs: [{dtype: 'float32', elems: imageElems(w)}],
    params: {...w, colsWindow, colsTap},
    expected: ([cols = [], weights = []]): Expected[] => {
      const values = new Float64Array(imageElems(w));
      const sums = new Float64Array(imageElems(w));
      const terms = new Float64Array(imageElems(w));
      forTaps(w, (window, tap, at) => {
        if (at < 0) return;
        for (let c = 0; c < w.channels; c++) {
          const term = (cols[window * colsWindow + tap * colsTap + c] as number) * (weighted ? (weights[tap * w.channels + c] as number) : 1);
          values[at + c] = (values[at + c] as number) + term;
          sums[at + c] = (sums[at + c] as number) + Math.abs(term);
          terms[at + c] = (terms[at + c] as number) + 1;
        }
      });
      return [{values, bound: sums.map((sum, i) => ((terms[i] as number) + 1) * unit * sum)}];
    },
  });
}

interface MaxOptions {
  readonly result: keyof typeof windowMaxResults;
  readonly filter?: boolean;
  readonly acrossBatch?: boolean;
  readonly special?: Readonly<Record<number, number>>;
}
function max(change: Partial<Windows>, {result, filter = false, acrossBatch = false, special = {}}: MaxOptions): OpCase {
  const w = windows(change);
  const image = imageElems(w) / Math.max(1, w.batch);
  return opCase({
    name: `WindowMax ${result} ${nameOf(change)}${filter ? ', filter' : ''}${acrossBatch ? ', across the batch' : ''}${
      Object.keys(special).length > 0 ? ', special values' : ''
    }`,
    op: WindowMax,
    inputs: () => {
      // Few different values, so that there are ties.
      const x = uniform([-2, 2], imageElems(w)).map(Math.round);
      for (const [at, value] of Object.entries(special)) x[Number(at)] = value;
      return [x, filter ? uniform([-2, 2], taps(w) * w.channels, 2).map(Math.round) : undefined];
    },
    outputs: [{dtype: result === 'value' ? 'float32' : 'int32', elems: windowCount(w) * w.channels}],
    params: {...w, result: windowMaxResults[result], acrossBatch},
    expected: ([x = [], weights = []]) => {
      const best = new Float64Array(windowCount(w) * w.channels).fill(Number.NEGATIVE_INFINITY);
      const where = new Float64Array(best.length).fill(-1);
      forTaps(w, (window, tap, at) => {
        if (at < 0) return;
        for (let c = 0; c < w.channels; c++) {
          const i = window * w.channels + c;
          const value = (x[at + c] as number) + (filter ? (weights[tap * w.channels + c] as number) : 0);
          if (!(value > (best[i] as number))) continue;
          best[i] = value;
          where[i] = result === 'tap' ? tap * w.channels + c : acrossBatch ? at + c : (at + c) % image;
        }
      });
      return [result === 'value' ? best : where];
    },
  });
}

function filterGrad(change: Partial<Windows>, multiplier = 1): OpCase {
  const w = windows(change);
  const elems = taps(w) * w.channels * multiplier;
  return opCase({
    name: `DepthwiseFilterGrad ${nameOf(change)}, multiplier ${multiplier}`,
    op: DepthwiseFilterGrad,
    inputs: () => [uniform([-1, 1], imageElems(w)), uniform([-1, 1], windowCount(w) * w.channels * multiplier, 2)],
    outputs: [{dtype: 'float32', elems}],
    params: {...w, multiplier},
    expected: ([x = [], dy = []]): Expected[] => {
      const values = new Float64Array(elems);
      const sums = new Float64Array(elems);
      forTaps(w, (window, tap, at) => {
        if (at < 0) return;
        for (let o = 0; o < w.channels * multiplier; o++) {
          const i = tap * w.channels * multiplier + o;
          const term = (x[at + Math.floor(o / multiplier)] as number) * (dy[window * w.channels * multiplier + o] as number);
          values[i] = (values[i] as number) + term;
          sums[i] = (sums[i] as number) + Math.abs(term);
        }
      });
      // Sums by rows of windows: as many roundings as a row has windows and as there are rows.
      const roundings = w.outW + w.batch * w.outD * w.outH + 1;
      return [{values, bound: sums.map((sum) => roundings * unit * sum)}];
    },
  });
}

const shapes: Partial<Windows>[] = [
  ...[1, 2, 3, 4, 7, 8, 15, 16, 17, 33].map((channels) => ({channels})),
  ...[{strideW: 2}, {strideH: 3, strideW: 2}].flatMap((stride) =>
    [{padLeft: 1}, {padTop: 2, padLeft: 1}].flatMap((pad) => [{}, {dilationH: 2}, {dilationW: 3}].map((dilation) => ({...stride, ...pad, ...dilation}))),
  ),
  {batch: 2, inD: 4, filterD: 2, padFront: 1, strideD: 2, padTop: 1},
  {batch: 2, inD: 5, filterD: 2, dilationD: 2, padLeft: 1},
  {batch: 3, inH: 31, inW: 29, channels: 20, padTop: 1, padLeft: 1},
  {padTop: 4, padLeft: 4, filterH: 2, filterW: 2},
  {outH: 9, outW: 9},
  {inH: 1, inW: 1, channels: 1, filterH: 1, filterW: 1},
  ...[{batch: 0}, {channels: 0}, {inH: 0, outH: 2}, {inW: 0, outW: 2}, {filterH: 0, outH: 2}, {outH: 0}, {outW: 0}],
];

const small = windows({channels: 2});
const refused = (name: string, change: Partial<Windows>, fails: RegExp): OpCase[] => {
  const params = {...small, ...change};
  const x = () => uniform([-1, 1], imageElems(small));
  const dy = () => uniform([-1, 1], windowCount(small) * small.channels);
  const cols = windowCount(small) * taps(small) * small.channels;
  const colsWindow = taps(small) * small.channels;
  return [
    opCase({name: `Unfold refuses ${name}`, op: Unfold, inputs: () => [x()], outputs: [{dtype: 'float32', elems: cols}], params, fails}),
    opCase({
      name: `Fold refuses ${name}`,
      op: Fold,
      inputs: () => [uniform([-1, 1], cols), undefined],
      outputs: [{dtype: 'float32', elems: imageElems(small)}],
      params: {...params, colsWindow, colsTap: small.channels},
      fails,
    }),
    opCase({
      name: `WindowMax refuses ${name}`,
      op: WindowMax,
      inputs: () => [x(), uniform([-1, 1], taps(small) * small.channels)],
      outputs: [{dtype: 'float32', elems: windowCount(small) * small.channels}],
      params: {...params, result: 0, acrossBatch: false},
      fails,
    }),
    opCase({
      name: `DepthwiseFilterGrad refuses ${name}`,
      op: DepthwiseFilterGrad,
      inputs: () => [x(), dy()],
      outputs: [{dtype: 'float32', elems: taps(small) * small.channels}],
      params: {...params, multiplier: 1},
      fails,
    }),
  ];
};

/** A window without end over an image of ones. */
const endless = windows({filterH: 2 ** 31 - 1, outH: 2, outW: 2});

export const cases: readonly OpCase[] = [
  opCase({
    name: 'WindowMax value, 2^31 - 1 taps',
    op: WindowMax,
    inputs: () => [new Float32Array(imageElems(endless)).fill(1), undefined],
    outputs: [{dtype: 'float32', elems: windowCount(endless) * endless.channels}],
    params: {...endless, result: windowMaxResults.value, acrossBatch: false},
    expected: () => [new Float32Array(windowCount(endless) * endless.channels).fill(1)],
  }),
  ...shapes.map(unfold),
  ...shapes.map((s) => fold(s, false, false)),
  ...shapes.map((s) => fold(s, true, true)),
  fold({filterH: 5, filterW: 5, padTop: 2, padLeft: 2, inH: 20, inW: 20, channels: 16}, false, true),
  ...shapes.map((s) => max(s, {result: 'value'})),
  ...shapes.map((s) => max(s, {result: 'value', filter: true})),
  ...shapes.map((s) => max(s, {result: 'element', filter: true})),
  ...shapes.map((s) => max(s, {result: 'element', acrossBatch: true})),
  ...shapes.map((s) => max(s, {result: 'tap', filter: true})),
  max({batch: 2, inH: 6, inW: 6, channels: 19}, {result: 'element', special: {3: NaN, 40: Infinity, 400: NaN, 900: -Infinity}}),
  max({inH: 3, inW: 2, channels: 1}, {result: 'element', special: {0: NaN, 1: NaN, 2: -Infinity, 3: NaN, 4: NaN, 5: -Infinity}}),
  ...shapes.map((s) => filterGrad(s)),
  ...shapes.map((s) => filterGrad(s, 3)),
  filterGrad({channels: 600, inH: 9, inW: 9}),
  ...refused('a step of 0', {strideH: 0}, /ERR_SHAPE.*at least 1/),
  ...refused('a dilation of 0', {dilationW: 0}, /ERR_SHAPE.*at least 1/),
  ...refused('a larger image', {inH: 7}, /ERR_SHAPE.*(needs|x needs)/),
  ...refused('more windows', {outH: 2 ** 30}, /ERR_SHAPE.*(needs|larger)/),
  ...refused('sizes that overflow', {batch: 2 ** 32 - 1, outH: 2 ** 31 - 1, outW: 2 ** 31 - 1}, /ERR_SHAPE/),
  ...refused('a padding beyond 31 bits', {padTop: 2 ** 32 - 1}, /ERR_SHAPE.*2\^31/),
];
