/** Rows of Pool2D. */

import {Pool2D, poolKinds} from '../../../src/ops/convolution';
import {type Expected, type OpCase, opCase, uniform} from '../harness';
import {forWindows, type Image, image, nameOf, outElems} from './windows';

type Kind = keyof typeof poolKinds;

function pooled(kind: Kind, p: Image, x: ArrayLike<number>): Expected {
  const values = new Float64Array(outElems(p));
  forWindows(p, (y, taps) => {
    for (let c = 0; c < p.outC; c++) {
      const window = taps.map(([, at]) => x[at + c] as number);
      // NaN is never the larger one.
      values[y + c] = kind === 'max' ? window.reduce((a, b) => (b > a ? b : a), -Infinity) : window.reduce((a, b) => a + b, 0) / window.length;
    }
  });
  // Sums by rows of |x| ≤ 1: as many roundings as the window is high and wide, one more for the quotient.
  const roundings = Math.min(p.filterH, p.inH) + Math.min(p.filterW, p.inW) + 2;
  return {values, bound: values.map(() => (kind === 'max' ? 0 : roundings * 2 ** -24))};
}

function row(kind: Kind, change: Partial<Image>, special: Readonly<Record<number, number>> = {}): OpCase {
  const p = image(change);
  return opCase({
    name: `Pool2D ${kind}: ${nameOf(change)}${Object.keys(special).length > 0 ? ', special values' : ''}`,
    op: Pool2D,
    inputs: () => {
      const x = uniform([-1, 1], 1 + (p.batch - 1) * p.xBatch + (p.inH - 1) * p.xRow + (p.inW - 1) * p.xCol + p.inC);
      for (const [at, value] of Object.entries(special)) x[Number(at)] = value;
      return [x];
    },
    outputs: [{dtype: 'float32', elems: outElems(p)}],
    params: {kind: poolKinds[kind], ...p},
    expected: ([x = []]) => [pooled(kind, p, x)],
  });
}

const ofKind = (kind: Kind): OpCase[] => [
  ...[1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100].map((inC) => row(kind, {inC, filterW: 2})),
  ...[{strideW: 2}, {strideH: 2}, {strideH: 3, strideW: 3}].flatMap((stride) =>
    [{padLeft: 1}, {padTop: 1}, {padTop: 1, padLeft: 2}].flatMap((pad) =>
      [{}, {dilationH: 2}, {dilationW: 3}].map((dilation) => row(kind, {inH: 9, inW: 8, ...stride, ...pad, ...dilation})),
    ),
  ),
  row(kind, {batch: 3, inH: 33, inW: 31, inC: 20, strideH: 2, strideW: 2, padTop: 1, padLeft: 1}),
  ...[1, 40, 1280].map((inC) => row(kind, {inH: 7, inW: 7, inC, filterH: 7, filterW: 7})),
  row(kind, {batch: 2, inH: 60, inW: 60, inC: 33, filterH: 60, filterW: 60}),
  row(kind, {padTop: 4, padLeft: 4, filterH: 2, filterW: 2}),
  row(kind, {outH: 9, outW: 9}),
  row(kind, {filterH: 2 ** 31 - 1, outH: 2, outW: 2}),
  row(kind, {strideH: 2 ** 31 - 1, strideW: 2 ** 31 - 1, outH: 2, outW: 2}),
  ...[{batch: 0}, {inC: 0}, {inH: 0, outH: 2}, {inW: 0, outH: 1, outW: 2}, {filterH: 0, outH: 2}, {outH: 0}, {outW: 0}].map((c) => row(kind, c)),
  row(kind, {inH: 1, inW: 1, inC: 1, filterH: 1, filterW: 1}),
  row(kind, {batch: 2, inH: 6, inW: 6, inC: 19}, {3: NaN, 40: Infinity, 400: NaN, 900: -Infinity, 977: NaN}),
  row(kind, {inH: 2, inW: 2, inC: 1, filterH: 2, filterW: 2}, {0: -Infinity, 1: -Infinity, 2: -Infinity, 3: -Infinity}),
  // A window of a larger image, written with rows and columns exchanged.
  row(kind, {batch: 2, inC: 5, xCol: 7, xRow: 41, xBatch: 300, outH: 4, outW: 3, yRow: 5, yCol: 20}),
];

const valid = image({inC: 3, inH: 5, inW: 5});
const refused = (change: Partial<Image & {kind: number}>, fails: RegExp, x: () => Float32Array | Int32Array | undefined = () => uniform([-1, 1], 75)) =>
  opCase({
    name: `Pool2D refuses ${nameOf(change)}`,
    op: Pool2D,
    inputs: () => [x()],
    outputs: [{dtype: 'float32', elems: 27}],
    params: {kind: 0, ...valid, ...change},
    fails,
  });

export const cases: OpCase[] = [
  ...ofKind('max'),
  ...ofKind('average'),
  refused({kind: 2}, /ERR_INVALID_STEP.*kind 2/),
  ...(['strideH', 'strideW', 'dilationH', 'dilationW'] as const).map((name) => refused({[name]: 0}, /ERR_SHAPE.*at least 1/)),
  refused({outC: 4}, /ERR_SHAPE.*channels/),
  ...[{inH: 6}, {outH: 4}, {xRow: 16}, {xRow: -15}, {batch: 2}].map((change) => refused(change, /ERR_SHAPE.*reach/)),
  refused({batch: 2 ** 31}, /ERR_SHAPE.*2\^31/),
  refused({padTop: 2 ** 32 - 1}, /ERR_SHAPE.*2\^31/),
  ...[{yCol: 0}, {yRow: 2}, {yCol: -3}, {batch: 2, xBatch: 0, yBatch: 0}, {xCol: 0}, {xRow: 3}].map((change) =>
    refused(change, /ERR_SHAPE.*(overlap|reach)/),
  ),
  refused({}, /ERR_DTYPE/, () => new Int32Array(75)),
  refused({}, /ERR_INVALID_STEP.*missing/, () => undefined),
];
