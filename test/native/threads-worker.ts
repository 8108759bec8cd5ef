/** What ./threads.test.ts runs in workers: reductions that the thread pool shares, checked against sums known in advance. */
import {parentPort, workerData} from 'node:worker_threads';
import {native} from '../../src/native';
import {Reduce, reduceKinds} from '../../src/ops/reduction';

/** Each term is `seed`, so the sum, exact in int32, tells both a part left out and a part run for another environment. */
export function sumsAreRight(seed: number, threads: number, rounds: number): boolean {
  const runtime = native();
  runtime.configure({threads});
  const elems = 600_000;
  const x = runtime.store(new Int32Array(elems).fill(seed), 'int32');
  let right = true;
  for (let round = 0; round < rounds; round++) {
    const rows = round % 2 === 0 ? 1 : 1000;
    const [y] = runtime.run(Reduce, [x], [{dtype: 'int32', elems: rows}], {
      kind: reduceKinds.sum,
      outer: rows,
      reduce: elems / rows,
      inner: 1,
    });
    if (y === undefined) return false;
    right &&= new Int32Array(runtime.read(y)).every((sum) => sum === (seed * elems) / rows);
    runtime.release(y);
  }
  runtime.release(x);
  return right;
}

export interface Job {
  readonly seed: number;
  readonly threads: number;
  readonly rounds: number;
}
if (parentPort !== null) {
  const {seed, threads, rounds} = workerData as Job;
  parentPort.postMessage('started');
  parentPort.postMessage(sumsAreRight(seed, threads, rounds));
}
