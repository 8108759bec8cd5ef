// Generated from src/ops by src/ops/generate.ts (npm run generate). Do not edit.

import {doubleBits} from './bits';

type List = readonly number[];
type End = number | undefined;

interface PointwiseParams {
  readonly shape: List;
  readonly strides: List;
  readonly program: List;
}

function writePointwise(words: Int32Array, _floats: Float32Array, from: number, p: PointwiseParams): End {
  let at = from;
  if (at + p.shape.length >= words.length) return undefined;
  words[at++] = p.shape.length;
  for (let i = 0; i < p.shape.length; i++) words[at++] = p.shape[i] as number;
  if (at + p.strides.length >= words.length) return undefined;
  words[at++] = p.strides.length;
  for (let i = 0; i < p.strides.length; i++) words[at++] = p.strides[i] as number;
  if (at + p.program.length >= words.length) return undefined;
  words[at++] = p.program.length;
  for (let i = 0; i < p.program.length; i++) words[at++] = p.program[i] as number;
  return at;
}

interface MatMulParams {
  readonly batch1: number;
  readonly batch2: number;
  readonly rowsM: number;
  readonly colsN: number;
  readonly depthK: number;
  readonly aBatch1: number;
  readonly aBatch2: number;
  readonly aRow: number;
  readonly aCol: number;
  readonly bBatch1: number;
  readonly bBatch2: number;
  readonly bRow: number;
  readonly bCol: number;
  readonly cBatch1: number;
  readonly cBatch2: number;
  readonly cRow: number;
  readonly packedB: number;
  readonly epilogue: List;
  readonly epilogueStrides: List;
}

function writeMatMul(words: Int32Array, _floats: Float32Array, from: number, p: MatMulParams): End {
  let at = from;
  words[at++] = p.batch1;
  words[at++] = p.batch2;
  words[at++] = p.rowsM;
  words[at++] = p.colsN;
  words[at++] = p.depthK;
  words[at++] = p.aBatch1;
  words[at++] = p.aBatch2;
  words[at++] = p.aRow;
  words[at++] = p.aCol;
  words[at++] = p.bBatch1;
  words[at++] = p.bBatch2;
  words[at++] = p.bRow;
  words[at++] = p.bCol;
  words[at++] = p.cBatch1;
  words[at++] = p.cBatch2;
  words[at++] = p.cRow;
  words[at++] = p.packedB;
  if (at + p.epilogue.length >= words.length) return undefined;
  words[at++] = p.epilogue.length;
  for (let i = 0; i < p.epilogue.length; i++) words[at++] = p.epilogue[i] as number;
  if (at + p.epilogueStrides.length >= words.length) return undefined;
  words[at++] = p.epilogueStrides.length;
  for (let i = 0; i < p.epilogueStrides.length; i++) words[at++] = p.epilogueStrides[i] as number;
  return at;
}

interface PackWeightsParams {
  readonly layout: number;
  readonly rowsK: number;
  readonly colsN: number;
  readonly rowStride: number;
  readonly colStride: number;
  readonly taps: number;
}

function writePackWeights(words: Int32Array, _floats: Float32Array, from: number, p: PackWeightsParams): End {
  let at = from;
  words[at++] = p.layout;
  words[at++] = p.rowsK;
  words[at++] = p.colsN;
  words[at++] = p.rowStride;
  words[at++] = p.colStride;
  words[at++] = p.taps;
  return at;
}

interface AttentionParams {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth: number;
  readonly scale: number;
  readonly causal: boolean;
  readonly causalOffset: number;
  readonly queryBatch: number;
  readonly queryHead: number;
  readonly queryRow: number;
  readonly keyBatch: number;
  readonly keyHead: number;
  readonly keyRow: number;
  readonly valueBatch: number;
  readonly valueHead: number;
  readonly valueRow: number;
  readonly maskBatch: number;
  readonly maskHead: number;
  readonly maskRow: number;
  readonly maskCol: number;
  readonly outBatch: number;
  readonly outHead: number;
  readonly outRow: number;
  readonly epilogue: List;
  readonly epilogueStrides: List;
}

function writeAttention(words: Int32Array, floats: Float32Array, from: number, p: AttentionParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.heads;
  words[at++] = p.queries;
  words[at++] = p.keys;
  words[at++] = p.depth;
  words[at++] = p.valueDepth;
  floats[at++] = p.scale;
  words[at++] = p.causal ? 1 : 0;
  words[at++] = p.causalOffset;
  words[at++] = p.queryBatch;
  words[at++] = p.queryHead;
  words[at++] = p.queryRow;
  words[at++] = p.keyBatch;
  words[at++] = p.keyHead;
  words[at++] = p.keyRow;
  words[at++] = p.valueBatch;
  words[at++] = p.valueHead;
  words[at++] = p.valueRow;
  words[at++] = p.maskBatch;
  words[at++] = p.maskHead;
  words[at++] = p.maskRow;
  words[at++] = p.maskCol;
  words[at++] = p.outBatch;
  words[at++] = p.outHead;
  words[at++] = p.outRow;
  if (at + p.epilogue.length >= words.length) return undefined;
  words[at++] = p.epilogue.length;
  for (let i = 0; i < p.epilogue.length; i++) words[at++] = p.epilogue[i] as number;
  if (at + p.epilogueStrides.length >= words.length) return undefined;
  words[at++] = p.epilogueStrides.length;
  for (let i = 0; i < p.epilogueStrides.length; i++) words[at++] = p.epilogueStrides[i] as number;
  return at;
}

interface Conv2DParams {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outH: number;
  readonly outW: number;
  readonly outC: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly xBatch: number;
  readonly xRow: number;
  readonly xCol: number;
  readonly yBatch: number;
  readonly yRow: number;
  readonly yCol: number;
  readonly groups: number;
  readonly packedFilter: number;
  readonly epilogue: List;
  readonly epilogueStrides: List;
}

function writeConv2D(words: Int32Array, _floats: Float32Array, from: number, p: Conv2DParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.inC;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.outC;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.xBatch;
  words[at++] = p.xRow;
  words[at++] = p.xCol;
  words[at++] = p.yBatch;
  words[at++] = p.yRow;
  words[at++] = p.yCol;
  words[at++] = p.groups;
  words[at++] = p.packedFilter;
  if (at + p.epilogue.length >= words.length) return undefined;
  words[at++] = p.epilogue.length;
  for (let i = 0; i < p.epilogue.length; i++) words[at++] = p.epilogue[i] as number;
  if (at + p.epilogueStrides.length >= words.length) return undefined;
  words[at++] = p.epilogueStrides.length;
  for (let i = 0; i < p.epilogueStrides.length; i++) words[at++] = p.epilogueStrides[i] as number;
  return at;
}

interface DepthwiseConv2DParams {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outH: number;
  readonly outW: number;
  readonly outC: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly xBatch: number;
  readonly xRow: number;
  readonly xCol: number;
  readonly yBatch: number;
  readonly yRow: number;
  readonly yCol: number;
  readonly multiplier: number;
  readonly epilogue: List;
  readonly epilogueStrides: List;
}

function writeDepthwiseConv2D(words: Int32Array, _floats: Float32Array, from: number, p: DepthwiseConv2DParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.inC;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.outC;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.xBatch;
  words[at++] = p.xRow;
  words[at++] = p.xCol;
  words[at++] = p.yBatch;
  words[at++] = p.yRow;
  words[at++] = p.yCol;
  words[at++] = p.multiplier;
  if (at + p.epilogue.length >= words.length) return undefined;
  words[at++] = p.epilogue.length;
  for (let i = 0; i < p.epilogue.length; i++) words[at++] = p.epilogue[i] as number;
  if (at + p.epilogueStrides.length >= words.length) return undefined;
  words[at++] = p.epilogueStrides.length;
  for (let i = 0; i < p.epilogueStrides.length; i++) words[at++] = p.epilogueStrides[i] as number;
  return at;
}

interface Pool2DParams {
  readonly kind: number;
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outH: number;
  readonly outW: number;
  readonly outC: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly xBatch: number;
  readonly xRow: number;
  readonly xCol: number;
  readonly yBatch: number;
  readonly yRow: number;
  readonly yCol: number;
}

function writePool2D(words: Int32Array, _floats: Float32Array, from: number, p: Pool2DParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.inC;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.outC;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.xBatch;
  words[at++] = p.xRow;
  words[at++] = p.xCol;
  words[at++] = p.yBatch;
  words[at++] = p.yRow;
  words[at++] = p.yCol;
  return at;
}

interface Resize2DParams {
  readonly kind: number;
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

function writeResize2D(words: Int32Array, _floats: Float32Array, from: number, p: Resize2DParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.channels;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.alignCorners ? 1 : 0;
  words[at++] = p.halfPixelCenters ? 1 : 0;
  return at;
}

interface ReduceParams {
  readonly kind: number;
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

function writeReduce(words: Int32Array, _floats: Float32Array, from: number, p: ReduceParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.outer;
  words[at++] = p.reduce;
  words[at++] = p.inner;
  return at;
}

interface ArgReduceParams {
  readonly kind: number;
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

function writeArgReduce(words: Int32Array, _floats: Float32Array, from: number, p: ArgReduceParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.outer;
  words[at++] = p.reduce;
  words[at++] = p.inner;
  return at;
}

interface SoftmaxParams {
  readonly rows: number;
  readonly cols: number;
  readonly logarithm: boolean;
}

function writeSoftmax(words: Int32Array, _floats: Float32Array, from: number, p: SoftmaxParams): End {
  let at = from;
  words[at++] = p.rows;
  words[at++] = p.cols;
  words[at++] = p.logarithm ? 1 : 0;
  return at;
}

interface NormalizeParams {
  readonly kind: number;
  readonly rows: number;
  readonly cols: number;
  readonly positions: number;
  readonly groups: number;
  readonly xRow: number;
  readonly yRow: number;
  readonly correction: number;
  readonly epsilon: number;
  readonly spreadEpsilon: number;
  readonly epilogue: List;
  readonly epilogueStrides: List;
}

function writeNormalize(words: Int32Array, floats: Float32Array, from: number, p: NormalizeParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.rows;
  words[at++] = p.cols;
  words[at++] = p.positions;
  words[at++] = p.groups;
  words[at++] = p.xRow;
  words[at++] = p.yRow;
  floats[at++] = p.correction;
  floats[at++] = p.epsilon;
  floats[at++] = p.spreadEpsilon;
  if (at + p.epilogue.length >= words.length) return undefined;
  words[at++] = p.epilogue.length;
  for (let i = 0; i < p.epilogue.length; i++) words[at++] = p.epilogue[i] as number;
  if (at + p.epilogueStrides.length >= words.length) return undefined;
  words[at++] = p.epilogueStrides.length;
  for (let i = 0; i < p.epilogueStrides.length; i++) words[at++] = p.epilogueStrides[i] as number;
  return at;
}

interface CumulativeParams {
  readonly kind: number;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

function writeCumulative(words: Int32Array, _floats: Float32Array, from: number, p: CumulativeParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.outer;
  words[at++] = p.length;
  words[at++] = p.inner;
  words[at++] = p.exclusive ? 1 : 0;
  words[at++] = p.reverse ? 1 : 0;
  return at;
}

interface TopKParams {
  readonly rows: number;
  readonly cols: number;
  readonly k: number;
}

function writeTopK(words: Int32Array, _floats: Float32Array, from: number, p: TopKParams): End {
  let at = from;
  words[at++] = p.rows;
  words[at++] = p.cols;
  words[at++] = p.k;
  return at;
}

interface StridedCopyParams {
  readonly shape: List;
  readonly srcStrides: List;
  readonly dstStrides: List;
}

function writeStridedCopy(words: Int32Array, _floats: Float32Array, from: number, p: StridedCopyParams): End {
  let at = from;
  if (at + p.shape.length >= words.length) return undefined;
  words[at++] = p.shape.length;
  for (let i = 0; i < p.shape.length; i++) words[at++] = p.shape[i] as number;
  if (at + p.srcStrides.length >= words.length) return undefined;
  words[at++] = p.srcStrides.length;
  for (let i = 0; i < p.srcStrides.length; i++) words[at++] = p.srcStrides[i] as number;
  if (at + p.dstStrides.length >= words.length) return undefined;
  words[at++] = p.dstStrides.length;
  for (let i = 0; i < p.dstStrides.length; i++) words[at++] = p.dstStrides[i] as number;
  return at;
}

interface ConcatParams {
  readonly outer: number;
  readonly inner: List;
}

function writeConcat(words: Int32Array, _floats: Float32Array, from: number, p: ConcatParams): End {
  let at = from;
  words[at++] = p.outer;
  if (at + p.inner.length >= words.length) return undefined;
  words[at++] = p.inner.length;
  for (let i = 0; i < p.inner.length; i++) words[at++] = p.inner[i] as number;
  return at;
}

interface PadParams {
  readonly mode: number;
  readonly value: number;
  readonly shape: List;
  readonly before: List;
  readonly after: List;
}

function writePad(words: Int32Array, _floats: Float32Array, from: number, p: PadParams): End {
  let at = from;
  words[at++] = p.mode;
  words[at++] = p.value;
  if (at + p.shape.length >= words.length) return undefined;
  words[at++] = p.shape.length;
  for (let i = 0; i < p.shape.length; i++) words[at++] = p.shape[i] as number;
  if (at + p.before.length >= words.length) return undefined;
  words[at++] = p.before.length;
  for (let i = 0; i < p.before.length; i++) words[at++] = p.before[i] as number;
  if (at + p.after.length >= words.length) return undefined;
  words[at++] = p.after.length;
  for (let i = 0; i < p.after.length; i++) words[at++] = p.after[i] as number;
  return at;
}

interface FillParams {
  readonly count: number;
  readonly value: number;
}

function writeFill(words: Int32Array, _floats: Float32Array, from: number, p: FillParams): End {
  let at = from;
  words[at++] = p.count;
  words[at++] = p.value;
  return at;
}

interface GatherParams {
  readonly batch: number;
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
  readonly count: number;
}

function writeGather(words: Int32Array, _floats: Float32Array, from: number, p: GatherParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.outer;
  words[at++] = p.axis;
  words[at++] = p.inner;
  words[at++] = p.count;
  return at;
}

interface GatherNdParams {
  readonly slices: number;
  readonly inner: number;
  readonly dims: List;
}

function writeGatherNd(words: Int32Array, _floats: Float32Array, from: number, p: GatherNdParams): End {
  let at = from;
  words[at++] = p.slices;
  words[at++] = p.inner;
  if (at + p.dims.length >= words.length) return undefined;
  words[at++] = p.dims.length;
  for (let i = 0; i < p.dims.length; i++) words[at++] = p.dims[i] as number;
  return at;
}

interface OneHotParams {
  readonly count: number;
  readonly depth: number;
  readonly on: number;
  readonly off: number;
}

function writeOneHot(words: Int32Array, _floats: Float32Array, from: number, p: OneHotParams): End {
  let at = from;
  words[at++] = p.count;
  words[at++] = p.depth;
  words[at++] = p.on;
  words[at++] = p.off;
  return at;
}

interface DecodeWeightsParams {
  readonly code: number;
  readonly count: number;
  readonly affine: List;
}

function writeDecodeWeights(words: Int32Array, _floats: Float32Array, from: number, p: DecodeWeightsParams): End {
  let at = from;
  words[at++] = p.code;
  words[at++] = p.count;
  if (at + p.affine.length >= words.length) return undefined;
  words[at++] = p.affine.length;
  for (let i = 0; i < p.affine.length; i++) words[at++] = p.affine[i] as number;
  return at;
}

interface UnpackWeightsParams {
  readonly layout: number;
  readonly rowsK: number;
  readonly colsN: number;
  readonly rowStride: number;
  readonly colStride: number;
  readonly taps: number;
}

function writeUnpackWeights(words: Int32Array, _floats: Float32Array, from: number, p: UnpackWeightsParams): End {
  let at = from;
  words[at++] = p.layout;
  words[at++] = p.rowsK;
  words[at++] = p.colsN;
  words[at++] = p.rowStride;
  words[at++] = p.colStride;
  words[at++] = p.taps;
  return at;
}

interface ScatterParams {
  readonly kind: number;
  readonly outside: number;
  readonly batch: number;
  readonly count: number;
  readonly inner: number;
  readonly sameUpdate: boolean;
  readonly sameBase: boolean;
  readonly dims: List;
}

function writeScatter(words: Int32Array, _floats: Float32Array, from: number, p: ScatterParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.outside;
  words[at++] = p.batch;
  words[at++] = p.count;
  words[at++] = p.inner;
  words[at++] = p.sameUpdate ? 1 : 0;
  words[at++] = p.sameBase ? 1 : 0;
  if (at + p.dims.length >= words.length) return undefined;
  words[at++] = p.dims.length;
  for (let i = 0; i < p.dims.length; i++) words[at++] = p.dims[i] as number;
  return at;
}

interface UnfoldParams {
  readonly batch: number;
  readonly channels: number;
  readonly inD: number;
  readonly inH: number;
  readonly inW: number;
  readonly outD: number;
  readonly outH: number;
  readonly outW: number;
  readonly filterD: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideD: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padFront: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationD: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

function writeUnfold(words: Int32Array, _floats: Float32Array, from: number, p: UnfoldParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.channels;
  words[at++] = p.inD;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.outD;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.filterD;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideD;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padFront;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationD;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  return at;
}

interface FoldParams {
  readonly batch: number;
  readonly channels: number;
  readonly inD: number;
  readonly inH: number;
  readonly inW: number;
  readonly outD: number;
  readonly outH: number;
  readonly outW: number;
  readonly filterD: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideD: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padFront: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationD: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly colsWindow: number;
  readonly colsTap: number;
}

function writeFold(words: Int32Array, _floats: Float32Array, from: number, p: FoldParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.channels;
  words[at++] = p.inD;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.outD;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.filterD;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideD;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padFront;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationD;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.colsWindow;
  words[at++] = p.colsTap;
  return at;
}

interface WindowMaxParams {
  readonly batch: number;
  readonly channels: number;
  readonly inD: number;
  readonly inH: number;
  readonly inW: number;
  readonly outD: number;
  readonly outH: number;
  readonly outW: number;
  readonly filterD: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideD: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padFront: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationD: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly result: number;
  readonly acrossBatch: boolean;
}

function writeWindowMax(words: Int32Array, _floats: Float32Array, from: number, p: WindowMaxParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.channels;
  words[at++] = p.inD;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.outD;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.filterD;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideD;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padFront;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationD;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.result;
  words[at++] = p.acrossBatch ? 1 : 0;
  return at;
}

interface DepthwiseFilterGradParams {
  readonly batch: number;
  readonly channels: number;
  readonly inD: number;
  readonly inH: number;
  readonly inW: number;
  readonly outD: number;
  readonly outH: number;
  readonly outW: number;
  readonly filterD: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideD: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padFront: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationD: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly multiplier: number;
}

function writeDepthwiseFilterGrad(words: Int32Array, _floats: Float32Array, from: number, p: DepthwiseFilterGradParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.channels;
  words[at++] = p.inD;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.outD;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.filterD;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideD;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padFront;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationD;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.multiplier;
  return at;
}

interface Resize2DGradParams {
  readonly kind: number;
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

function writeResize2DGrad(words: Int32Array, _floats: Float32Array, from: number, p: Resize2DGradParams): End {
  let at = from;
  words[at++] = p.kind;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.channels;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.alignCorners ? 1 : 0;
  words[at++] = p.halfPixelCenters ? 1 : 0;
  return at;
}

interface CropAndResizeParams {
  readonly method: number;
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly boxes: number;
  readonly cropH: number;
  readonly cropW: number;
  readonly extrapolation: number;
}

function writeCropAndResize(words: Int32Array, floats: Float32Array, from: number, p: CropAndResizeParams): End {
  let at = from;
  words[at++] = p.method;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.channels;
  words[at++] = p.boxes;
  words[at++] = p.cropH;
  words[at++] = p.cropW;
  floats[at++] = p.extrapolation;
  return at;
}

interface TransformParams {
  readonly method: number;
  readonly fillMode: number;
  readonly sharedTransform: boolean;
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
}

function writeTransform(words: Int32Array, _floats: Float32Array, from: number, p: TransformParams): End {
  let at = from;
  words[at++] = p.method;
  words[at++] = p.fillMode;
  words[at++] = p.sharedTransform ? 1 : 0;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.channels;
  words[at++] = p.outH;
  words[at++] = p.outW;
  return at;
}

interface SearchSortedParams {
  readonly rows: number;
  readonly cols: number;
  readonly values: number;
  readonly right: boolean;
}

function writeSearchSorted(words: Int32Array, _floats: Float32Array, from: number, p: SearchSortedParams): End {
  let at = from;
  words[at++] = p.rows;
  words[at++] = p.cols;
  words[at++] = p.values;
  words[at++] = p.right ? 1 : 0;
  return at;
}

interface UniqueParams {
  readonly rows: number;
  readonly cols: number;
}

function writeUnique(words: Int32Array, _floats: Float32Array, from: number, p: UniqueParams): End {
  let at = from;
  words[at++] = p.rows;
  words[at++] = p.cols;
  return at;
}

interface NonMaxSuppressionParams {
  readonly count: number;
  readonly most: number;
  readonly iou: number;
  readonly score: number;
  readonly sigma: number;
}

function writeNonMaxSuppression(words: Int32Array, floats: Float32Array, from: number, p: NonMaxSuppressionParams): End {
  let at = from;
  words[at++] = p.count;
  words[at++] = p.most;
  floats[at++] = p.iou;
  floats[at++] = p.score;
  floats[at++] = p.sigma;
  return at;
}

interface BroadcastArgsParams {
  readonly first: number;
  readonly second: number;
}

function writeBroadcastArgs(words: Int32Array, _floats: Float32Array, from: number, p: BroadcastArgsParams): End {
  let at = from;
  words[at++] = p.first;
  words[at++] = p.second;
  return at;
}

interface FftParams {
  readonly rows: number;
  readonly cols: number;
  readonly inverse: boolean;
}

function writeFft(words: Int32Array, _floats: Float32Array, from: number, p: FftParams): End {
  let at = from;
  words[at++] = p.rows;
  words[at++] = p.cols;
  words[at++] = p.inverse ? 1 : 0;
  return at;
}

interface WindowSumParams {
  readonly rows: number;
  readonly cols: number;
  readonly radius: number;
}

function writeWindowSum(words: Int32Array, _floats: Float32Array, from: number, p: WindowSumParams): End {
  let at = from;
  words[at++] = p.rows;
  words[at++] = p.cols;
  words[at++] = p.radius;
  return at;
}

interface RecurrenceParams {
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
  readonly gates: number;
  readonly bRow: number;
  readonly bCol: number;
  readonly packedB: number;
  readonly outStep: number;
  readonly outRow: number;
  readonly cell: List;
  readonly hidden: List;
  readonly strides: List;
}

function writeRecurrence(words: Int32Array, _floats: Float32Array, from: number, p: RecurrenceParams): End {
  let at = from;
  words[at++] = p.steps;
  words[at++] = p.batch;
  words[at++] = p.units;
  words[at++] = p.gates;
  words[at++] = p.bRow;
  words[at++] = p.bCol;
  words[at++] = p.packedB;
  words[at++] = p.outStep;
  words[at++] = p.outRow;
  if (at + p.cell.length >= words.length) return undefined;
  words[at++] = p.cell.length;
  for (let i = 0; i < p.cell.length; i++) words[at++] = p.cell[i] as number;
  if (at + p.hidden.length >= words.length) return undefined;
  words[at++] = p.hidden.length;
  for (let i = 0; i < p.hidden.length; i++) words[at++] = p.hidden[i] as number;
  if (at + p.strides.length >= words.length) return undefined;
  words[at++] = p.strides.length;
  for (let i = 0; i < p.strides.length; i++) words[at++] = p.strides[i] as number;
  return at;
}

interface ExpandDepthwiseConv2DParams {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outH: number;
  readonly outW: number;
  readonly outC: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly xBatch: number;
  readonly xRow: number;
  readonly xCol: number;
  readonly yBatch: number;
  readonly yRow: number;
  readonly yCol: number;
  readonly depthK: number;
  readonly packedFilter: number;
  readonly expansion: List;
  readonly epilogue: List;
  readonly epilogueStrides: List;
}

function writeExpandDepthwiseConv2D(words: Int32Array, _floats: Float32Array, from: number, p: ExpandDepthwiseConv2DParams): End {
  let at = from;
  words[at++] = p.batch;
  words[at++] = p.inH;
  words[at++] = p.inW;
  words[at++] = p.inC;
  words[at++] = p.outH;
  words[at++] = p.outW;
  words[at++] = p.outC;
  words[at++] = p.filterH;
  words[at++] = p.filterW;
  words[at++] = p.strideH;
  words[at++] = p.strideW;
  words[at++] = p.padTop;
  words[at++] = p.padLeft;
  words[at++] = p.dilationH;
  words[at++] = p.dilationW;
  words[at++] = p.xBatch;
  words[at++] = p.xRow;
  words[at++] = p.xCol;
  words[at++] = p.yBatch;
  words[at++] = p.yRow;
  words[at++] = p.yCol;
  words[at++] = p.depthK;
  words[at++] = p.packedFilter;
  if (at + p.expansion.length >= words.length) return undefined;
  words[at++] = p.expansion.length;
  for (let i = 0; i < p.expansion.length; i++) words[at++] = p.expansion[i] as number;
  if (at + p.epilogue.length >= words.length) return undefined;
  words[at++] = p.epilogue.length;
  for (let i = 0; i < p.epilogue.length; i++) words[at++] = p.epilogue[i] as number;
  if (at + p.epilogueStrides.length >= words.length) return undefined;
  words[at++] = p.epilogueStrides.length;
  for (let i = 0; i < p.epilogueStrides.length; i++) words[at++] = p.epilogueStrides[i] as number;
  return at;
}

interface RampParams {
  readonly count: number;
  readonly start: number;
  readonly step: number;
}

function writeRamp(words: Int32Array, _floats: Float32Array, from: number, p: RampParams): End {
  let at = from;
  words[at++] = p.count;
  [words[at], words[at + 1]] = doubleBits(p.start);
  at += 2;
  [words[at], words[at + 1]] = doubleBits(p.step);
  at += 2;
  return at;
}

interface DiagParams {
  readonly count: number;
}

function writeDiag(words: Int32Array, _floats: Float32Array, from: number, p: DiagParams): End {
  let at = from;
  words[at++] = p.count;
  return at;
}

/**
 * Writes the parameters of a step from word `from` on and returns where they end; undefined where they do not fit. One function an op: the
 * engine compiles each for the one form of its parameters, and a shared loop over names took a tenth of a small step and more.
 */
export type WriteParams = (words: Int32Array, floats: Float32Array, from: number, params: object) => End;

/** By op number. */
export const writers = [
  writePointwise,
  writeMatMul,
  writePackWeights,
  writeAttention,
  writeConv2D,
  writeDepthwiseConv2D,
  writePool2D,
  writeResize2D,
  writeReduce,
  writeArgReduce,
  writeSoftmax,
  writeNormalize,
  writeCumulative,
  writeTopK,
  writeStridedCopy,
  writeConcat,
  writePad,
  writeFill,
  writeGather,
  writeGatherNd,
  writeOneHot,
  writeDecodeWeights,
  writeUnpackWeights,
  writeScatter,
  writeUnfold,
  writeFold,
  writeWindowMax,
  writeDepthwiseFilterGrad,
  writeResize2DGrad,
  writeCropAndResize,
  writeTransform,
  writeSearchSorted,
  writeUnique,
  writeNonMaxSuppression,
  writeBroadcastArgs,
  writeFft,
  writeWindowSum,
  writeRecurrence,
  writeExpandDepthwiseConv2D,
  writeRamp,
  writeDiag,
] as readonly unknown[] as readonly WriteParams[];
