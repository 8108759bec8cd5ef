/** Valid steps as words, for tests that change them: rows of the op tests, a few small ones of each op. */
import {type Native, native, opNumber, type Slot} from '../../src/native';
import {ops} from '../../src/ops';
import {doubleBits, floatBits} from '../../src/ops/bits';
import {MatMul, PackWeights, packLayouts, UnpackWeights} from '../../src/ops/linear';
import {DecodeWeights} from '../../src/ops/quantization';
import {dtypes, type OpSpec, type ParamValue} from '../../src/ops/schema';
import {cases as attention} from '../ops/cases/attention';
import {cases as convolution} from '../ops/cases/convolution';
import {cases as movement} from '../ops/cases/movement';
import {cases as normalize} from '../ops/cases/normalize';
import {cases as pointwise} from '../ops/cases/pointwise';
import {cases as pool} from '../ops/cases/pool';
import {cases as recurrence} from '../ops/cases/recurrence';
import {cases as reduce} from '../ops/cases/reduce';
import {cases as resize} from '../ops/cases/resize';
import {cases as scan} from '../ops/cases/scan';
import {cases as scatter} from '../ops/cases/scatter';
import {cases as search} from '../ops/cases/search';
import {cases as spectrum} from '../ops/cases/spectrum';
import {cases as unfold} from '../ops/cases/unfold';
import {cases as warp} from '../ops/cases/warp';
import {type Input, type OpCase, opCase, uniform} from '../ops/harness';

export const bytesPerElem = [4, 4, 1, 2, 1, 1] as const;

export interface SampleInput {
  readonly dtype: number;
  readonly elems: number;
  readonly offset: number;
  /** A new tensor of the values. */
  readonly make: () => Slot;
}
export interface Sample {
  readonly name: string;
  readonly op: OpSpec;
  /** Those that are given; `given` tells which of the op's operands they are. */
  readonly inputs: readonly SampleInput[];
  readonly given: readonly boolean[];
  readonly outputs: readonly {readonly dtype: number; readonly elems: number}[];
  readonly params: readonly number[];
}

function paramWords(op: OpSpec, params: Readonly<Record<string, unknown>>): number[] {
  return Object.entries(op.params).flatMap(([name, word]) => {
    const value = params[name] as ParamValue;
    if (word === 'list') return [(value as readonly number[]).length, ...(value as readonly number[])];
    if (word === 'f64') return doubleBits(value as number);
    return [word === 'f32' ? floatBits(value as number) : Number(value)];
  });
}

function inputOf(input: Input): SampleInput | undefined {
  if (input === undefined) return undefined;
  if (typeof input === 'function') {
    const slot = input(native());
    const elems = native().read(slot).byteLength / 4;
    native().release(slot);
    return {dtype: 0, elems, offset: 0, make: () => input(native())};
  }
  const isView = !ArrayBuffer.isView(input);
  const values = isView ? input.values : input;
  const own = values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'bool';
  const dtype = (isView ? input.dtype : undefined) ?? own;
  const number = dtypes.indexOf(dtype);
  return {
    dtype: number,
    elems: Math.floor(values.byteLength / (bytesPerElem[number] ?? 1)),
    offset: isView ? (input.from ?? 0) : 0,
    make: () => native().store(values, dtype),
  };
}

function sampleOf(row: OpCase): Sample {
  const given = row.inputs().map(inputOf);
  return {
    name: row.name,
    op: row.op,
    inputs: given.filter((input) => input !== undefined),
    given: given.map((input) => input !== undefined),
    outputs: row.outputs.map(({dtype, elems}) => ({dtype: dtypes.indexOf(dtype), elems})),
    params: paramWords(row.op, row.params),
  };
}

const rest = {expected: () => []};
const packParams = {layout: packLayouts.gemmF32, rowsK: 30, colsN: 70, rowStride: 70, colStride: 1, taps: 1};
const weights = () => uniform([-1, 1], 30 * 70);
const packedElems = native().packedElems(packLayouts.gemmF32, 30, 70, 1);
function pack(runtime: Native): Slot {
  const source = runtime.store(weights(), 'float32');
  const packed = runtime.runOne(PackWeights, [source], 'float32', packedElems, packParams);
  runtime.release(source);
  return packed;
}
const matMul = {
  batch1: 1,
  batch2: 2,
  rowsM: 5,
  colsN: 70,
  depthK: 30,
  aBatch1: 0,
  aBatch2: 150,
  aRow: 30,
  aCol: 1,
  bBatch1: 0,
  bBatch2: 0,
  bRow: 70,
  bCol: 1,
  cBatch1: 0,
  cBatch2: 350,
  cRow: 70,
  packedB: 0,
  epilogue: [],
  epilogueStrides: [],
};
/** Ops whose tests are no rows. */
const others: readonly OpCase[] = [
  opCase({
    ...rest,
    name: 'MatMul',
    op: MatMul,
    outputs: [{dtype: 'float32', elems: 700}],
    params: matMul,
    inputs: () => [uniform([-1, 1], 300), weights(), uniform([-1, 1], 70)],
  }),
  opCase({
    ...rest,
    name: 'MatMul, packed',
    op: MatMul,
    outputs: [{dtype: 'float32', elems: 700}],
    params: {...matMul, packedB: packLayouts.gemmF32},
    inputs: () => [uniform([-1, 1], 300), pack, undefined],
  }),
  opCase({
    ...rest,
    name: 'PackWeights',
    op: PackWeights,
    inputs: () => [weights()],
    outputs: [{dtype: 'float32', elems: packedElems}],
    params: packParams,
  }),
  opCase({
    ...rest,
    name: 'UnpackWeights',
    op: UnpackWeights,
    inputs: () => [pack],
    outputs: [{dtype: 'float32', elems: 2100}],
    params: packParams,
  }),
  opCase({
    ...rest,
    name: 'DecodeWeights',
    op: DecodeWeights,
    inputs: () => [{values: new Uint8Array(40), dtype: 'uint8'}],
    outputs: [{dtype: 'float32', elems: 20}],
    params: {code: 0, count: 20, affine: []},
  }),
];

/** Up to `perOp` rows of each op, evenly over the family's file, of at most 40 KB an operand. */
export function samples(perOp: number): Sample[] {
  const families = [
    pointwise,
    movement,
    convolution,
    pool,
    resize,
    recurrence,
    reduce,
    normalize,
    scan,
    attention,
    scatter,
    search,
    spectrum,
    unfold,
    warp,
  ];
  const rows = [...families.flat(), ...others];
  return ops.flatMap((op) => {
    const mine = rows.filter((row) => row.op === op && !('fails' in row) && row.outputs.every(({elems}) => elems > 0 && elems <= 4000));
    const step = Math.max(1, Math.floor(mine.length / perOp));
    const chosen = mine.filter((_, i) => i % step === 0).slice(0, perOp);
    return chosen.map(sampleOf).filter(({inputs}) => inputs.every(({elems}) => elems <= 10_000));
  });
}

/**
 * The words of a sample's step; operands are numbered from `first`: those given, then the results. A step is op, counts of inputs, outputs
 * and parameters, (number, offset) of each operand, parameters.
 */
export function stepWords(sample: Sample, first: number): number[] {
  let next = 0;
  const inputs = sample.given.flatMap((given) => (given ? [first + next, sample.inputs[next++]?.offset ?? 0] : [0, 0]));
  const outputs = sample.outputs.flatMap((_, i) => [first + sample.inputs.length + i, 0]);
  return [opNumber(sample.op), sample.given.length, sample.outputs.length, sample.params.length, ...inputs, ...outputs, ...sample.params];
}
