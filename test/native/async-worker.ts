/** What ./async.test.ts runs, here and in workers: plans on the dispatcher's thread. */
import {parentPort, workerData} from 'node:worker_threads';
import {native, opNumber, type Slot} from '../../src/native';
import {Reduce, reduceKinds} from '../../src/ops/reduction';

const elems = 300_000;

export interface SumPlan {
  readonly plan: number;
  readonly input: Slot;
  free(): void;
}

/** A plan that sums its input `steps` times over; of the last sum, one element, is the result. */
export function sumPlan(steps: number, of: number): SumPlan {
  const input = native().store(new Int32Array(elems).fill(of), 'int32');
  const step = [opNumber(Reduce), 1, 1, 4, 1, 0, 2, 0, reduceKinds.sum, 1, elems, 1];
  const storages = [1, 1, 0, elems, 2, 1, 0, 1];
  const words = [1, 1, 0, 2, steps, 0, 0, ...storages, ...new Array<number[]>(steps).fill(step).flat()];
  const plan = native().makePlan(Int32Array.from(words), []);
  return {
    plan,
    input,
    free: () => {
      native().dropPlan(plan);
      native().release(input);
    },
  };
}

export async function sumOf({plan, input}: SumPlan): Promise<number> {
  const [y] = await native().runPlanAsync(plan, [input], [{dtype: 'int32', elems: 1}], []);
  const [sum] = new Int32Array(native().read(y as Slot));
  native().release(y as Slot);
  return sum as number;
}
export const expectedSum = (of: number): number => of * elems;

/** `steps`: how long a call takes; `calls`: how many wait at a time, without end. */
export interface Job {
  readonly steps: number;
  readonly calls: number;
}
if (parentPort !== null) {
  const {steps, calls} = workerData as Job;
  const plan = sumPlan(steps, 1);
  const again = (): Promise<void> => sumOf(plan).then(again);
  for (let i = 0; i < calls; i++) void again();
  parentPort.postMessage('started');
}
