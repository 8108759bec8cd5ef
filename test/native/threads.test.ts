/** The thread pool under several JavaScript environments, their ends, and the process's. */
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import {expect} from 'chai';
import {native} from '../../src/native';
import {type Job, sumsAreRight} from './threads-worker';

const workerFile = join(__dirname, 'threads-worker.js');

function start(job: Job): Worker {
  return new Worker(workerFile, {workerData: job});
}
async function resultOf(worker: Worker): Promise<unknown> {
  // Not once() after once(): messages that arrive together would be missed.
  let last: unknown;
  worker.on('message', (message) => {
    last = message;
  });
  await once(worker, 'exit');
  return last;
}
/** Runs JavaScript in a process of its own; throws when that ends with a signal or a code. */
function inProcess(script: string): string {
  return execFileSync(process.execPath, ['-e', script], {encoding: 'utf8', timeout: 30_000, env: {...process.env, WORKER: workerFile}});
}

describe('thread pool', () => {
  const {cpus} = native().info;
  let tensors: number;
  before(() => {
    tensors = native().stats().tensors;
  });
  after(() => {
    native().configure({threads: cpus});
    native().freeArenas();
    expect(native().stats().tensors).to.equal(tensors);
  });

  it('gives every environment right results while several use it at once', async () => {
    const workers = [2, 3, 8].map((threads, i) => start({seed: i + 2, threads, rounds: 200}));
    const results = workers.map(resultOf);
    expect(sumsAreRight(1, 2, 200)).to.equal(true);
    expect(await Promise.all(results)).to.deep.equal([true, true, true]);
  });

  it('runs more parts than there are processors, or workers', () => {
    for (const threads of [cpus + 1, 40, 64, 400]) expect(sumsAreRight(3, threads, 4), `${threads} threads`).to.equal(true);
  });

  it('survives the termination of a worker in the middle of its jobs', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = start({seed: 5, threads: 2, rounds: 1_000_000});
      await once(worker, 'message');
      expect(sumsAreRight(2, 2, 3)).to.equal(true);
      await worker.terminate();
    }
    expect(sumsAreRight(2, 2, 20)).to.equal(true);
  });

  it('stays loaded when the only environment that used it has ended: its threads run on', () => {
    const script = `
      const {Worker} = require('node:worker_threads');
      const job = {workerData: {seed: 1, threads: 2, rounds: 3}};
      const next = (left) => left === 0 ? setTimeout(() => console.log('alive'), 20)
        : new Worker(process.env.WORKER, job).on('exit', () => next(left - 1));
      next(5);`;
    expect(inProcess(script)).to.equal('alive\n');
  });

  it('lets the process exit at once, its threads spinning or asleep', () => {
    const run = `console.log(require(process.env.WORKER).sumsAreRight(1, 3, 3)); `;
    expect(inProcess(`${run} process.exit(0)`)).to.equal('true\n');
    expect(inProcess(`${run} setTimeout(() => process.exit(0), 5)`)).to.equal('true\n');
    expect(inProcess(run)).to.equal('true\n');
  });

  it('does not hold up the exit of a process whose worker is in the middle of a job', () => {
    const script = `
      const {Worker} = require('node:worker_threads');
      const worker = new Worker(process.env.WORKER, {workerData: {seed: 1, threads: 2, rounds: 1e6}});
      worker.once('message', () => setTimeout(() => { console.log('leaving'); process.exit(0); }, 50));`;
    expect(inProcess(script)).to.equal('leaving\n');
  });

  it('burns no processor time while the process is idle', async () => {
    expect(sumsAreRight(1, 2, 5)).to.equal(true);
    const used = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const {user, system} = process.cpuUsage(used);
    // Microseconds. Two threads that spin would take 300,000 or more; the rest is the test runner's own.
    expect(user + system).to.be.below(100_000);
  });
});
