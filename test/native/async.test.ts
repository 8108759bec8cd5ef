/** Calls on the dispatcher's thread: their results, and environments and processes that end in the middle of them. */
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import {expect} from 'chai';
import {native, type Slot} from '../../src/native';
import {expectedSum, type Job, type SumPlan, sumOf, sumPlan} from './async-worker';

const workerFile = join(__dirname, 'async-worker.js');

async function started(job: Job): Promise<Worker> {
  const worker = new Worker(workerFile, {workerData: job});
  await once(worker, 'message');
  return worker;
}
function inProcess(script: string): string {
  return execFileSync(process.execPath, ['-e', script], {encoding: 'utf8', timeout: 30_000, env: {...process.env, WORKER: workerFile}});
}

describe('asynchronous calls', () => {
  let at = native().stats();
  // Lists of slots, plans and workspaces stay as long as they once were.
  before(async () => {
    const plans = Array.from({length: 8}, () => sumPlan(1, 1));
    await Promise.all(Array.from({length: 500}, (_, i) => sumOf(plans[i % 8] as SumPlan)));
    for (const plan of plans) plan.free();
  });
  beforeEach(() => {
    native().freeArenas();
    at = native().stats();
  });
  afterEach(() => {
    native().freeArenas();
    native().release(native().store(new Int32Array(1), 'int32')); // a call that succeeds: the last failure's message goes
    const {tensors, allocatedBytes, arenaBytes} = native().stats();
    expect({tensors, allocatedBytes, arenaBytes}).to.deep.equal({
      tensors: at.tensors,
      allocatedBytes: at.allocatedBytes,
      arenaBytes: 0,
    });
  });

  it('give their results in order, however many wait', async () => {
    const plans = [1, 2, 3].map((of) => sumPlan(3, of));
    const order: number[] = [];
    const sums = Array.from({length: 300}, async (_, i) => {
      const sum = await sumOf(plans[i % 3] as SumPlan);
      order.push(i);
      return sum;
    });
    expect(await Promise.all(sums)).to.deep.equal(sums.map((_, i) => expectedSum(1 + (i % 3))));
    expect(order).to.deep.equal(sums.map((_, i) => i));
    for (const plan of plans) plan.free();
  });

  it('hold their plan and inputs while these are given up', async () => {
    const plan = sumPlan(20, 7);
    const sums = [sumOf(plan), sumOf(plan), sumOf(plan)];
    plan.free();
    expect(await Promise.all(sums)).to.deep.equal(sums.map(() => expectedSum(7)));
  });

  it('that fail before or while they run give their memory back', async () => {
    const plan = sumPlan(2, 1);
    const few = native().store(new Int32Array(8), 'int32');
    const calls: [number, Slot][] = [
      [plan.plan, few], // too small: found by the run
      [plan.plan + 1000, plan.input],
      [plan.plan, 123_456 as Slot],
    ];
    for (const [number, input] of calls) {
      let failure: unknown;
      await native()
        .runPlanAsync(number, [input], [{dtype: 'int32', elems: 1}], [])
        .catch((error: unknown) => {
          failure = error;
        });
      expect(failure).to.be.instanceOf(Error);
    }
    native().release(few);
    plan.free();
  });

  it('go on when what waits for one of them throws', () => {
    const script = `
      const {sumPlan, sumOf} = require(process.env.WORKER);
      const plan = sumPlan(1, 1);
      process.on('unhandledRejection', () => console.log('thrown'));
      void sumOf(plan).then(() => { throw new Error('by the caller'); });
      void sumOf(plan).then(console.log);`;
    // Both come; the second call may have ended before the first one's error is reported.
    expect(inProcess(script).trim().split('\n').sort()).to.deep.equal([String(expectedSum(1)), 'thrown']);
  });

  it('end with the worker that made them, and leave nothing', async () => {
    const own = sumPlan(2, 3);
    for (let round = 0; round < 24; round++) {
      // Short calls, so that the dispatcher is often just between a call and the news of it; long ones, to be in the middle.
      const worker = await started(round % 2 === 0 ? {steps: 1, calls: 50} : {steps: 100, calls: 3});
      if (round % 3 === 0) await new Promise((resolve) => setTimeout(resolve, round % 7));
      if (round % 4 === 0) expect(await sumOf(own)).to.equal(expectedSum(3));
      await worker.terminate();
    }
    own.free();
  });

  it('end with several workers at once', async () => {
    const workers = await Promise.all(Array.from({length: 8}, (_, i) => started({steps: 1 + 10 * i, calls: 20})));
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('do not hold up the exit of their process, and keep it alive while they are wanted', () => {
    const begin = `const {sumPlan, sumOf} = require(process.env.WORKER); const plan = sumPlan(300, 1); const sum = sumOf(plan);`;
    expect(inProcess(`${begin} for (let i = 0; i < 2000; i++) void sumOf(plan); console.log('leaving'); process.exit(0)`)).to.equal(
      'leaving\n',
    );
    expect(inProcess(`${begin} void sum.then(console.log)`)).to.equal(`${expectedSum(1)}\n`);
    expect(inProcess(`${begin} void sum.then(() => plan.free()); console.log('last line')`)).to.equal('last line\n');
  });
});
