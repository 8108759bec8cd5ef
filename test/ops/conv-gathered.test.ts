/** Conv2D as a product of gathered windows, at every level of this machine: against double precision on operands rounded alike. */
import {expect} from 'chai';
import '../../src';
import {native, noSlot, type Slot} from '../../src/native';
import {Conv2D} from '../../src/ops/convolution';
import {PackWeights, packedTypes, packLayouts} from '../../src/ops/linear';
import {call, encodeProgram, input} from '../../src/ops/program';
import {randoms} from '../compile/pass-harness';

interface Case {
  readonly batch?: number;
  readonly image: readonly [height: number, width: number, channels: number];
  readonly filter: readonly [height: number, width: number, channels: number];
  readonly stride?: number;
  readonly dilation?: number;
  /** Above and to the left; as much again is below and to the right. */
  readonly pad?: number;
  /** Channels of x that lie between those of one pixel and the next. */
  readonly gap?: number;
  readonly follows?: boolean;
}

const cases: readonly Case[] = [
  {image: [5, 6, 3], filter: [3, 3, 5], pad: 1},
  {image: [9, 8, 3], filter: [3, 3, 32], stride: 2, pad: 1, follows: true},
  {batch: 2, image: [7, 5, 17], filter: [3, 3, 20], pad: 1, follows: true},
  {image: [6, 7, 16], filter: [1, 1, 50]},
  {image: [6, 7, 16], filter: [1, 1, 9], stride: 2, gap: 3},
  {image: [8, 8, 5], filter: [3, 2, 7], dilation: 2, pad: 2, gap: 4},
  {image: [4, 4, 2], filter: [7, 7, 3], pad: 3},
  {image: [3, 3, 200], filter: [3, 3, 49], pad: 1, follows: true},
  {image: [12, 12, 1], filter: [5, 5, 1]},
  {image: [2, 2, 4], filter: [3, 3, 6], pad: 3, dilation: 3},
];

/** So large that a matrix unit takes them in floats. */
const largeCases: readonly Case[] = [
  {image: [36, 33, 33], filter: [3, 3, 257], pad: 1, follows: true},
  {batch: 2, image: [44, 46, 31], filter: [3, 3, 260], stride: 2, pad: 1, gap: 3},
  {image: [63, 64, 260], filter: [1, 1, 256], stride: 2},
];

function roundedToBf16(values: Float32Array): Float32Array {
  const bits = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < bits.length; i++) {
    const own = bits[i] as number;
    bits[i] = (own + 0x7fff + ((own >>> 16) & 1)) & 0xffff0000;
  }
  return new Float32Array(bits.buffer);
}

function fill(count: number, seed: number): Float32Array {
  const random = randoms(seed);
  return Float32Array.from({length: count}, () => 2 * random() - 1);
}

interface Problem {
  readonly params: Record<string, number>;
  readonly x: Float32Array;
  readonly filter: Float32Array;
  readonly bias: Float32Array;
}

function problemOf(test: Case): Problem {
  const {batch = 1, stride = 1, dilation = 1, pad = 0, gap = 0} = test;
  const [inH, inW, inC] = test.image;
  const [filterH, filterW, outC] = test.filter;
  const out = (size: number, taps: number) => Math.floor((size + 2 * pad - (taps - 1) * dilation - 1) / stride) + 1;
  const [outH, outW] = [out(inH, filterH), out(inW, filterW)];
  const xCol = inC + gap;
  const [xRow, yRow] = [inW * xCol, outW * outC];
  const params = {batch, inH, inW, inC, outH, outW, outC, filterH, filterW, strideH: stride, strideW: stride, padTop: pad, padLeft: pad};
  const strides = {xBatch: inH * xRow, xRow, xCol, yBatch: outH * yRow, yRow, yCol: outC};
  return {
    params: {...params, dilationH: dilation, dilationW: dilation, ...strides, groups: 1},
    x: fill(batch * inH * xRow, 1),
    filter: fill(filterH * filterW * inC * outC, 2),
    bias: fill(outC, 3),
  };
}

function run({params: p, x, filter, bias}: Problem, layout: number, follows: boolean): Float32Array {
  const slots: Slot[] = [];
  const keep = (slot: Slot) => {
    slots.push(slot);
    return slot;
  };
  const n = (name: string) => p[name] as number;
  try {
    const plain = keep(native().store(filter, 'float32'));
    const [rowsK, colsN, taps] = [n('inC'), n('outC'), n('filterH') * n('filterW')];
    const elems = native().packedElems(layout, rowsK, colsN, taps);
    const words = {layout, rowsK, colsN, rowStride: colsN, colStride: 1, taps};
    const [packed] = native().run(PackWeights, [plain], [{dtype: packedTypes[layout] ?? 'float32', elems}], words) as [Slot];
    keep(packed);
    const count = n('batch') * n('outH') * n('outW') * n('outC');
    const inputs = [keep(native().store(x, 'float32')), packed, keep(native().store(bias, 'float32'))];
    const epilogue = follows ? (encodeProgram(call('Relu', input(0))) as number[]) : [];
    const [y] = native().run(Conv2D, inputs, [{dtype: 'float32', elems: count}], {
      ...p,
      packedFilter: layout,
      epilogue,
      epilogueStrides: [],
    } as never) as [Slot];
    keep(y);
    return new Float32Array(native().read(y)).slice();
  } finally {
    for (const slot of slots) if (slot !== noSlot) native().release(slot);
  }
}

/** In int8 nothing is rounded: windows hold ±127 and the zeros around the image, filters whole numbers whose largest is ±127. */
function exactInInt8({x, filter, params}: Problem): void {
  x.forEach((v, i) => {
    x[i] = v < 0 ? -127 : 127;
  });
  filter.forEach((v, i) => {
    filter[i] = i < (params.outC as number) ? 127 : Math.round(127 * v);
  });
}

function check(test: Case, layout: number): void {
  const problem = problemOf(test);
  if (layout === packLayouts.gemmInt8) exactInInt8(problem);
  const {params: p, bias} = problem;
  const n = (name: string) => p[name] as number;
  const rounds = layout === packLayouts.gemmBf16;
  const [x, filter] = rounds ? [roundedToBf16(problem.x), roundedToBf16(problem.filter)] : [problem.x, problem.filter];
  const y = run(problem, layout, test.follows === true);
  const [inC, outC] = [n('inC'), n('outC')];
  let at = 0;
  for (let b = 0; b < n('batch'); b++) {
    for (let h = 0; h < n('outH'); h++) {
      for (let w = 0; w < n('outW'); w++) {
        for (let o = 0; o < outC; o++) {
          let sum = bias[o] as number;
          let size = Math.abs(sum);
          for (let i = 0; i < n('filterH'); i++) {
            for (let j = 0; j < n('filterW'); j++) {
              const row = h * n('strideH') - n('padTop') + i * n('dilationH');
              const col = w * n('strideW') - n('padLeft') + j * n('dilationW');
              if (row < 0 || row >= n('inH') || col < 0 || col >= n('inW')) continue;
              const pixel = b * n('xBatch') + row * n('xRow') + col * n('xCol');
              const tap = (i * n('filterW') + j) * inC;
              for (let c = 0; c < inC; c++) {
                const product = (x[pixel + c] as number) * (filter[(tap + c) * outC + o] as number);
                sum += product;
                size += Math.abs(product);
              }
            }
          }
          // Sums in float32: (terms · 2⁻²⁴) Σ|x·w| at most, and hardly ever more than a few roundings of it.
          const wanted = test.follows ? Math.max(0, sum) : sum;
          const got = y[at++] as number;
          if (Math.abs(got - wanted) <= 4e-6 * size + 1e-30) continue;
          expect.fail(`${JSON.stringify({...test, b, h, w, o})}: ${got}, expected ${wanted}`);
        }
      }
    }
  }
}

const levels = native().info.isaNames.slice(0, native().info.isa + 1);
for (const [isa, level] of levels.entries()) {
  describe(`Conv2D of gathered windows (${level})`, () => {
    before(() => native().configure({isa, threads: 2}));
    after(() => native().configure({isa: native().info.isa, threads: native().info.cpus}));

    it('gathers every window in bfloat16, or says that the processor cannot', () => {
      if (level.endsWith('bf16')) for (const test of cases) check(test, packLayouts.gemmBf16);
      else expect(() => check(cases[0] as Case, packLayouts.gemmBf16)).to.throw(/ERR_UNSUPPORTED.* does not multiply bfloat16/);
    });

    it('gathers every window in int8, or says that the processor cannot', () => {
      if (level !== 'neon') for (const test of cases) check(test, packLayouts.gemmInt8);
      else expect(() => check(cases[0] as Case, packLayouts.gemmInt8)).to.throw(/ERR_UNSUPPORTED.* does not multiply int8/);
    });

    it('gathers windows of floats where a matrix unit multiplies them, else reads them in place', () => {
      const inTiles = native().gainsBySplitting(1024, 300, 256);
      for (const test of inTiles ? largeCases : cases) check(test, packLayouts.gemmF32);
    });
  });
}
