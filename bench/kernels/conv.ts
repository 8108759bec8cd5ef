/**
 * Times Conv2D, DepthwiseConv2D and Pool2D on the problems of bench/problems/conv.txt and prints GFLOP/s and the share of the
 * multiply-add peak.
 *
 *   node build/ts/bench/kernels/conv.js [--isa=avx2] [--threads=1] [--only=text] [--seconds=0.3] [--peak=234]
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {native, type Slot} from '../../src/native';
import {Conv2D, DepthwiseConv2D, Pool2D, poolKinds} from '../../src/ops/convolution';
import {PackWeights, packLayouts} from '../../src/ops/linear';
import {call, encodeProgram, input} from '../../src/ops/program';
import {option, peakOf, repeatedStep, root, type StepPlan, stepWords, timeSteps} from './step-plan';

const {info} = native();
const isa = info.isaNames.indexOf(option('isa', info.isaNames[info.isa] as string));
const threads = Number(option('threads', String(info.cpus)));

interface Problem {
  readonly kind: string;
  readonly image: ReturnType<typeof imageOf>;
  readonly flags: readonly string[];
}

function imageOf(sizes: string, outputs: string, filter: string, flags: readonly string[], depthwise: boolean) {
  const [inH = 1, inW = 1, inC = 1] = sizes.split('x').map(Number);
  const [filterH = 1, filterW = 1] = filter.split('x').map(Number);
  const outC = depthwise ? inC * Number(outputs) : Number(outputs);
  const stride = flags.includes('s2') ? 2 : 1;
  const batch = Number(flags.find((f) => f.startsWith('batch='))?.slice(6) ?? 1);
  const valid = flags.includes('valid');
  const out = (size: number, taps: number) => (valid ? Math.floor((size - taps) / stride) + 1 : Math.ceil(size / stride));
  const pad = (size: number, taps: number) => (valid ? 0 : Math.max(0, (out(size, taps) - 1) * stride + taps - size) >> 1);
  const [outH, outW] = [out(inH, filterH), out(inW, filterW)];
  return {
    batch,
    inH,
    inW,
    inC,
    outH,
    outW,
    outC,
    filterH,
    filterW,
    strideH: stride,
    strideW: stride,
    padTop: pad(inH, filterH),
    padLeft: pad(inW, filterW),
    dilationH: 1,
    dilationW: 1,
    xBatch: inH * inW * inC,
    xRow: inW * inC,
    xCol: inC,
    yBatch: outH * outW * outC,
    yRow: outW * outC,
    yCol: outC,
  };
}

function parse(line: string): Problem {
  const [kind = '', sizes = '', outputs = '', filter = '', ...flags] = line.trim().split(/\s+/);
  return {kind, image: imageOf(sizes, outputs, filter, flags, kind !== 'conv'), flags};
}

const uniform = (elems: number): {slot: Slot; elems: number} => ({
  slot: native().store(
    Float32Array.from({length: elems}, () => Math.random() - 0.5),
    'float32',
  ),
  elems,
});

function epilogueOf({image, flags}: Problem) {
  if (flags.includes('relu')) return {epilogue: encodeProgram(call('Relu', input(0))) ?? [], epilogueStrides: []};
  if (flags.includes('relu6')) return {epilogue: encodeProgram(call('Relu6', input(0))) ?? [], epilogueStrides: []};
  if (!flags.includes('add')) return {epilogue: [], epilogueStrides: []};
  return {epilogue: encodeProgram(call('Add', input(0), input(1))) ?? [], epilogueStrides: [image.yBatch, image.yRow, image.yCol, 1]};
}

/** The layout that a problem names. */
function layoutOf({kind, flags}: Problem): number {
  if (kind !== 'conv' || flags.includes('plain')) return packLayouts.none;
  if (flags.includes('winograd4')) return packLayouts.winograd4F32;
  return flags.includes('winograd2') ? packLayouts.winograd2F32 : packLayouts.gemmF32;
}

function packed(
  plain: {slot: Slot; elems: number},
  layout: number,
  taps: number,
  rowsK: number,
  colsN: number,
): {slot: Slot; elems: number} {
  const elems = native().packedElems(layout, rowsK, colsN, taps);
  const params = {layout, rowsK, colsN, rowStride: colsN, colStride: 1, taps};
  const [slot] = native().run(PackWeights, [plain.slot], [{dtype: 'float32', elems}], params) as [Slot];
  native().release(plain.slot);
  return {slot, elems};
}

/** The problem's step over storages x, filter, bias and residual. */
function stepOf(problem: Problem): {words: number[]; constants: {slot: Slot; elems: number}[]} {
  const {kind, image, flags} = problem;
  const taps = image.filterH * image.filterW;
  const x = uniform(image.batch * image.xBatch);
  if (kind === 'max' || kind === 'average') return {words: stepWords(Pool2D, [1], 2, {kind: poolKinds[kind], ...image}), constants: [x]};
  const depthwise = kind === 'depthwise';
  const layout = layoutOf(problem);
  const plain = uniform(taps * (depthwise ? 1 : image.inC) * image.outC);
  const filter = layout === 0 ? plain : packed(plain, layout, taps, image.inC, image.outC);
  const constants = [x, filter, uniform(image.outC), uniform(image.batch * image.yBatch)];
  const inputs = [1, 2, 3, ...(flags.includes('add') ? [4] : [])];
  const epilogue = epilogueOf(problem);
  const words = depthwise
    ? stepWords(DepthwiseConv2D, inputs, 5, {...image, multiplier: image.outC / image.inC, ...epilogue})
    : stepWords(Conv2D, inputs, 5, {...image, groups: 1, packedFilter: layout, ...epilogue});
  return {words, constants};
}

function prepare(problem: Problem): StepPlan {
  const {image} = problem;
  const {words, constants} = stepOf(problem);
  const steps = Math.max(1, Math.min(64, Math.ceil(2e8 / flopsOf(problem))));
  return repeatedStep(words, constants, image.batch * image.yBatch, steps);
}

function flopsOf({kind, image}: Problem): number {
  const perOutput = kind === 'conv' ? 2 * image.inC : kind === 'depthwise' ? 2 : 1;
  return image.batch * image.yBatch * image.filterH * image.filterW * perOutput;
}

native().setHugePages(true);
native().configure({isa, threads});
const level = info.isaNames[isa] as string;
const peak = Number(option('peak', String(peakOf(threads))));
console.log(`${level}, ${threads} thread(s), peak ${peak} GFLOP/s`);
for (const line of readFileSync(join(root, 'bench/problems/conv.txt'), 'utf8').split('\n')) {
  if (line.startsWith('#') || line.trim() === '' || !line.includes(option('only', ''))) continue;
  const problem = parse(line);
  const plan = prepare(problem);
  const {least, median} = timeSteps(plan, Number(option('seconds', '0.3')), threads);
  plan.free();
  const rate = flopsOf(problem) / least / 1e9;
  console.log(
    `${line.padEnd(36)} ${(least * 1e6).toFixed(1).padStart(8)} us (median ${(median * 1e6).toFixed(1)})`.padEnd(70),
    `${rate.toFixed(1).padStart(6)} GFLOP/s ${((100 * rate) / peak).toFixed(0).padStart(3)} %`,
  );
}
