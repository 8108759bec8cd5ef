/**
 * Op tests are rows. A family is a file in ./cases that exports `cases`, and a line in ./ops.test.ts; a case is one step: its inputs, its
 * parameters, and what it must give, computed in double precision by other code than ours. Every case runs at every instruction-set level
 * of this machine with one thread and with two, and once more as the only step of a plan; levels above the machine's are reported as
 * skipped.
 *
 *   {name: 'Softmax 3x17', op: Softmax, inputs: () => [uniform([-5, 5], 51)], outputs: [{dtype: 'float32', elems: 51}],
 *    params: {rows: 3, cols: 17, logarithm: false}, expected: ([x]) => [softmax(x)], tolerance: {ulp: 4}}
 *
 * Families add builders of rows next to their rows (see `unary` in ./cases/pointwise.ts).
 */
import {expect} from 'chai';
import {encodePlan} from '../../src/compile/plan-words';
import {type Native, native, noSlot, type OperandRef, opNumber, type Slot} from '../../src/native';
import {doubleBits, floatBits} from '../../src/ops/bits';
import {dtypes, type NativeDType, type OpSpec, type Params, type ParamValue, type ParamValues} from '../../src/ops/schema';

/** The element type follows from the array: bool is Uint8Array. */
export type Values = Float32Array | Int32Array | Uint8Array;
/** `from`: the element that the strides start at; `dtype`: where the array's own is not meant (bfloat16 as Uint16Array). */
export interface View {
  readonly values: ArrayBufferView;
  readonly from?: number;
  readonly dtype?: NativeDType;
}
/** Undefined: the optional operand is not given. A function makes a native tensor at the level under test (packed weights). */
export type Input = Values | View | undefined | ((native: Native) => Slot);

export interface Tolerance {
  /** In units in the last place of the right result, as float32 rounds it. */
  readonly ulp?: number;
  readonly abs?: number;
  /** Tells -0 from 0. */
  readonly signedZero?: boolean;
}
/** What an output must be; `bound`: tolerance of each element, such as c·ε·Σ|a||b|. NaN stands for any NaN. */
export type Expected = ArrayLike<number> | {readonly values: ArrayLike<number>; readonly bound: ArrayLike<number>};

interface Step<P extends Params> {
  readonly name: string;
  readonly op: OpSpec<P>;
  readonly inputs: () => readonly Input[];
  readonly outputs: readonly {readonly dtype: NativeDType; readonly elems: number}[];
  readonly params: ParamValues<P>;
}
interface Gives {
  /** From the inputs as plain arrays. */
  readonly expected: (inputs: readonly ArrayLike<number>[]) => readonly Expected[];
  /** Left out: equal. */
  readonly tolerance?: Tolerance;
}
interface Fails {
  /** The message it must fail with, its ERR_ code included. */
  readonly fails: RegExp;
}
export type OpCase<P extends Params = Params> = Step<P> & (Gives | Fails);

/** Keeps the parameters' types checked where the row is written. */
export function opCase<const P extends Params>(row: OpCase<P>): OpCase {
  return row as unknown as OpCase;
}

/** Printed with every failure; set GRAVITON_TEST_SEED to repeat one. */
export const seed = Number(process.env.GRAVITON_TEST_SEED ?? 20240601);

/** Numbers in [0, 1), the same for the same seed and salt (mulberry32). */
export function random(salt: number): () => number {
  let state = (seed + Math.imul(salt, 0x9e3779b9)) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
export function uniform([low, high]: readonly [number, number], elems: number, salt = 1): Float32Array {
  const draw = random(salt);
  return Float32Array.from({length: elems}, () => low + (high - low) * draw());
}
/** Whole numbers in [low, high]. */
export function integers([low, high]: readonly [number, number], elems: number, salt = 1): Int32Array {
  const draw = random(salt);
  return Int32Array.from({length: elems}, () => low + Math.floor((high - low + 1) * draw()));
}

/** The distance of two float32 numbers next to each other at `value`. */
export function ulpOf(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -126) return 2 ** -149;
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--; // log2 rounds up just below a power
  return 2 ** (Math.min(exponent, 127) - 23);
}

/** How far `actual` is beyond what is allowed, in multiples of it; at most 1 is right. */
function excess(actual: number, wanted: number, allowed: number, signedZero: boolean): number {
  if (Object.is(actual, wanted) || (Number.isNaN(actual) && Number.isNaN(wanted))) return 0;
  if (signedZero && actual === 0 && wanted === 0) return Number.POSITIVE_INFINITY;
  if (actual === wanted) return 0;
  // What float32 cannot hold is infinite, as is what comes within the tolerance of that.
  const largest = 2 ** 128 - 2 ** 103;
  if (!Number.isFinite(actual) && Math.sign(actual) === Math.sign(wanted) && Math.abs(wanted) + allowed >= largest) return 0;
  const error = Math.abs(actual - wanted) / allowed;
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

function check(output: number, actual: ArrayLike<number>, expected: Expected, {ulp = 0, abs = 0, signedZero = false}: Tolerance): void {
  const {values, bound} = 'bound' in expected ? expected : {values: expected, bound: undefined};
  expect(actual.length, `size of output ${output}`).to.equal(values.length);
  let worst = 0;
  let worstAt = 0;
  for (let i = 0; i < actual.length; i++) {
    const wanted = values[i] as number;
    const error = excess(actual[i] as number, wanted, Math.max(ulp * ulpOf(wanted), abs, bound?.[i] ?? 0), signedZero);
    if (error > worst) {
      worst = error;
      worstAt = i;
    }
  }
  if (worst <= 1) return;
  const [got, wanted] = [actual[worstAt] as number, values[worstAt] as number];
  const ulps = Math.abs(got - wanted) / ulpOf(wanted);
  expect.fail(`output ${output}, element ${worstAt}: ${got}, not ${wanted} (${ulps.toPrecision(3)} ulp); seed ${seed}`);
}

function isValues(input: Values | View): input is Values {
  return ArrayBuffer.isView(input);
}
function arrayOf(input: Input): ArrayLike<number> {
  if (input === undefined || typeof input === 'function') return [];
  return (isValues(input) ? input : input.values) as unknown as ArrayLike<number>;
}
function dtypeOf(values: ArrayBufferView): NativeDType {
  return values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'bool';
}
function tensorOf(input: Input): {dtype: NativeDType; elems: number} {
  if (input === undefined || typeof input === 'function') throw new Error('no array to take a type and a size from');
  const values = isValues(input) ? input : input.values;
  const dtype = isValues(input) ? dtypeOf(input) : (input.dtype ?? dtypeOf(values));
  return {dtype, elems: (values as Values).length};
}
function store(runtime: Native, input: Input): Slot | OperandRef {
  if (input === undefined) return noSlot;
  if (typeof input === 'function') return input(runtime);
  if (isValues(input)) return runtime.store(input, dtypeOf(input));
  return {slot: runtime.store(input.values, input.dtype ?? dtypeOf(input.values)), offset: input.from ?? 0};
}
export function valuesOf(bytes: ArrayBuffer, dtype: NativeDType): ArrayLike<number> {
  switch (dtype) {
    case 'float32':
      return new Float32Array(bytes);
    case 'int32':
      return new Int32Array(bytes);
    case 'bfloat16':
      return Float32Array.from(new Uint16Array(bytes), (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0] as number);
    case 'int8':
      return new Int8Array(bytes);
    default:
      return new Uint8Array(bytes);
  }
}

/** Inputs and right results are made once a row, not once a level. */
interface Prepared {
  readonly inputs: readonly Input[];
  expected?: readonly Expected[];
}
const prepared = new Map<OpCase, Prepared>();

function checkOutputs(row: Step<Params> & Gives, made: Prepared, outputs: readonly Slot[]): void {
  made.expected ??= row.expected(made.inputs.map(arrayOf));
  row.outputs.forEach(({dtype}, i) => {
    const [output, expected] = [outputs[i], made.expected?.[i]];
    if (output === undefined || expected === undefined) throw new Error(`${row.name} has no output or no expectation ${i}`);
    check(i, valuesOf(native().read(output), dtype), expected, row.tolerance ?? {});
  });
}

type Run = (row: Step<Params>, inputs: readonly (Slot | OperandRef)[]) => Slot[];
const runEager: Run = (row, inputs) => native().run(row.op, inputs, row.outputs, row.params);

/** The words of one step over storages (csrc/plan/step_decoder.h). */
export function stepWords(
  {op, params}: {readonly op: OpSpec; readonly params: Readonly<Record<string, ParamValue>>},
  inputs: readonly OperandRef[],
  outputs: readonly OperandRef[],
): number[] {
  const words = Object.entries(op.params).flatMap(([name, word]) => {
    const value = params[name];
    if (word === 'f32') return [floatBits(Number(value))];
    if (word === 'f64') return doubleBits(Number(value));
    return Array.isArray(value) ? [value.length, ...(value as readonly number[])] : [Number(value)];
  });
  return [
    opNumber(op),
    inputs.length,
    outputs.length,
    words.length,
    ...[...inputs, ...outputs].flatMap((o) => [o.slot, o.offset]),
    ...words,
  ];
}

const runAsPlan: Run = (row, operands) => {
  const inputs: Slot[] = [];
  const storages: number[] = [];
  const refs = operands.map((operand, i): OperandRef => {
    const {slot, offset} = typeof operand === 'number' ? {slot: operand, offset: 0} : operand;
    if (slot === noSlot) return {slot, offset};
    const {dtype, elems} = tensorOf(row.inputs()[i]);
    storages.push(1, dtypes.indexOf(dtype), inputs.push(slot as Slot) - 1, elems);
    return {slot: inputs.length, offset};
  });
  const outputs = row.outputs.map(({dtype, elems}, i): OperandRef => {
    storages.push(2, dtypes.indexOf(dtype), i, elems);
    return {slot: storages.length / 4, offset: 0};
  });
  const body = [...storages, ...stepWords(row, refs, outputs)];
  const counts = {inputs: inputs.length, outputs: outputs.length, freeSizes: 0, storages: storages.length / 4, steps: 1};
  const plan = native().makePlan(encodePlan({...counts, body, constants: []}), []);
  try {
    return native().runPlan(plan, inputs, row.outputs, []);
  } finally {
    native().dropPlan(plan);
  }
};

function runCase(row: OpCase, how: Run): void {
  const runtime = native();
  const made = prepared.get(row) ?? {inputs: row.inputs()};
  prepared.set(row, made);
  const inputs = made.inputs.map((input) => store(runtime, input));
  let outputs: Slot[] = [];
  const run = () => {
    outputs = how(row, inputs);
  };
  try {
    if ('fails' in row) {
      expect(run).to.throw(row.fails);
    } else {
      run();
      checkOutputs(row, made, outputs);
    }
  } finally {
    const slots = inputs.map((input) => (typeof input === 'number' ? input : (input.slot as Slot)));
    for (const slot of [...slots, ...outputs]) if (slot !== noSlot) runtime.release(slot);
  }
}

/** Registers mocha tests for the rows of one family. */
export function describeOps(family: string, cases: readonly OpCase[]): void {
  const {isa: highest, isaNames, cpus} = native().info;
  describe(`ops: ${family}`, () => {
    after(() => {
      native().configure({isa: highest, threads: cpus});
      prepared.clear();
    });
    isaNames.forEach((name, isa) => {
      if (isa > highest) {
        it(`${name}: not run, this processor lacks it`, function () {
          this.skip();
        });
        return;
      }
      if (isa === highest) {
        describe('as a step of a plan', () => {
          before(() => native().configure({isa, threads: 2}));
          // Tensors that functions make (packed weights) have tests of their own.
          const plain = (row: OpCase) => row.inputs().every((input) => typeof input !== 'function');
          for (const row of cases.filter(plain)) it(row.name, () => runCase(row, runAsPlan));
        });
      }
      for (const threads of [1, 2]) {
        describe(`${name}, ${threads === 1 ? '1 thread' : '2 threads'}`, () => {
          before(() => native().configure({isa, threads}));
          for (const row of cases) it(row.name, () => runCase(row, runEager));
        });
      }
    });
  });
}
