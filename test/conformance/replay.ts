/**
 * Each step that a kernel runs is run again as a plan of its own, on the same operands, and must give the same bits: what the suite shows
 * of kernels then holds for compiled calls, which replay the steps that kernels run.
 */
import type {TensorInfo} from '@tensorflow/tfjs-core';
import {GravitonBackend, nativeDType, type OutputSpec} from '../../src/backend';
import {encodePlan} from '../../src/compile/plan-words';
import {native, noSlot, type OperandRef, type Slot} from '../../src/native';
import {sizeOf} from '../../src/ops/geometry';
import {dtypes, type OpSpec, type ParamValue} from '../../src/ops/schema';
import {stepWords} from '../ops/harness';

interface Step {
  readonly op: OpSpec;
  readonly inputs: readonly (TensorInfo | undefined)[];
  readonly outputs: readonly OutputSpec[];
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly offsets: readonly number[] | undefined;
}

/** The results of the step as a plan. Storages and their words: csrc/plan/step_decoder.h. */
function replayed(backend: GravitonBackend, {op, inputs, outputs, params, offsets}: Step): Slot[] {
  const storages: number[] = [];
  const slots: Slot[] = [];
  const refs = inputs.map((input, i): OperandRef => {
    if (input === undefined) return {slot: noSlot, offset: 0};
    const {slot, dtype, elems} = backend.data(input.dataId);
    storages.push(1, dtypes.indexOf(nativeDType(dtype)), slots.push(slot) - 1, elems);
    return {slot: slots.length, offset: offsets?.[i] ?? 0};
  });
  const specs = outputs.map(({shape, dtype}) => ({dtype: nativeDType(dtype), elems: sizeOf(shape)}));
  const results = specs.map(({dtype, elems}, i): OperandRef => {
    storages.push(2, dtypes.indexOf(dtype), i, elems);
    return {slot: storages.length / 4, offset: 0};
  });
  const body = [...storages, ...stepWords({op, params}, refs, results)];
  const counts = {inputs: slots.length, outputs: outputs.length, freeSizes: 0, storages: storages.length / 4, steps: 1};
  const plan = native().makePlan(encodePlan({...counts, body, constants: []}), []);
  try {
    return native().runPlan(plan, slots, specs, []);
  } finally {
    native().dropPlan(plan);
  }
}

function compare(backend: GravitonBackend, step: Step, eager: readonly TensorInfo[]): void {
  const again = replayed(backend, step);
  try {
    again.forEach((slot, i) => {
      const wanted = Buffer.from(native().read(backend.data((eager[i] as TensorInfo).dataId).slot));
      if (!wanted.equals(Buffer.from(native().read(slot)))) {
        throw new Error(`${step.op.name}: output ${i} of its replay differs from eager's`);
      }
    });
  } finally {
    for (const slot of again) native().release(slot);
  }
}

/** From now on every step is replayed. @returns how many have been */
export function replaySteps(): () => number {
  let count = 0;
  const {run, step} = GravitonBackend.prototype;
  const check = (backend: GravitonBackend, made: Step, results: readonly TensorInfo[]): void => {
    count++;
    compare(backend, made, results);
  };
  GravitonBackend.prototype.run = function (op, inputs, output, params, offsets) {
    const result = run.call(this, op, inputs, output, params as never, offsets);
    check(this, {op, inputs, outputs: [output], params, offsets}, [result]);
    return result;
  };
  GravitonBackend.prototype.step = function (op, inputs, outputs, params, offsets) {
    const results = step.call(this, op, inputs, outputs, params as never, offsets);
    check(this, {op, inputs, outputs, params, offsets}, results);
    return results;
  };
  return () => count;
}
