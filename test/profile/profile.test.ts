import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import type {GravitonBackend} from '../../src/backend';
import {encodePlan} from '../../src/compile/plan-words';
import {type ProfileEvent, profile} from '../../src/index';
import {native, opNumber} from '../../src/native';
import {StridedCopy} from '../../src/ops/movement';
import {rowsOf} from '../../src/profile/table';

const event = (name: string, beginNs: number, endNs: number, kind: ProfileEvent['kind'] = 'kernel', lane = 0): ProfileEvent => ({
  ...{name, kind, lane, beginNs, endNs},
});

async function withTensor(body: (a: tf.Tensor2D) => Promise<void>): Promise<void> {
  const a = tf.ones<tf.Rank.R2>([4, 8]);
  await body(a).finally(() => a.dispose());
}

describe('profile rows', () => {
  it('split time between a call and those nested in it', () => {
    const rows = rowsOf([event('inner', 20, 50, 'step'), event('outer', 0, 100), event('inner', 60, 70, 'step'), event('outer', 100, 130)]);
    expect(rows).to.deep.equal([
      {name: 'outer', selfNs: 90, totalNs: 130, count: 2},
      {name: 'inner', selfNs: 40, totalNs: 40, count: 2},
    ]);
  });

  it('count a call nested in one of its own name once', () => {
    const rows = rowsOf([event('A', 0, 100), event('B', 10, 90), event('A', 20, 60)]);
    expect(rows).to.deep.equal([
      {name: 'A', selfNs: 60, totalNs: 100, count: 2},
      {name: 'B', selfNs: 40, totalNs: 80, count: 1},
    ]);
  });

  it('keep lanes apart, and a kernel outside a step of the same times', () => {
    expect(rowsOf([event('step', 0, 10, 'step', 1), event('kernel', 0, 10)])).to.deep.equal([
      {name: 'kernel', selfNs: 10, totalNs: 10, count: 1},
      {name: 'step', selfNs: 10, totalNs: 10, count: 1},
    ]);
    expect(rowsOf([event('step', 0, 10, 'step'), event('kernel', 0, 10)]).map(({selfNs}) => selfNs)).to.deep.equal([0, 10]);
  });
});

describe('profile', () => {
  before(async () => {
    await tf.setBackend('graviton');
  });

  it('shows kernels and the native steps inside them', () =>
    withTensor(async (a) => {
      const taken = await profile(() => tf.transpose(a));
      const [kernel, step] = taken.events as [ProfileEvent, ProfileEvent];
      expect(taken.events.map(({name}) => name)).to.deep.equal(['Transpose', 'graviton::StridedCopy']);
      expect(step.beginNs).to.be.at.least(kernel.beginNs);
      expect(step.endNs).to.be.at.most(kernel.endNs);
      expect(step.endNs).to.be.above(step.beginNs);
      expect(taken.result.shape).to.deep.equal([8, 4]);
      taken.result.dispose();
    }));

  it('names kernels that ran on tfjs-backend-cpu', async () => {
    const taken = await profile(() =>
      tf.tidy(() => {
        const [indices, from, to] = [tf.tensor2d([[0, 1]], [1, 2], 'int32'), tf.tensor1d([2, 3], 'int32'), tf.tensor1d([6], 'int32')];
        return tf.sparse.sparseReshape(indices, from, to).outputIndices?.dataSync();
      }),
    );
    expect(taken.events.map(({name}) => name)).to.include('SparseReshape (fallback)');
  });

  it('follows asynchronous functions to their end', () =>
    withTensor(async (a) => {
      const taken = await profile(async () => {
        const first = tf.transpose(a);
        const values = await first.data();
        await new Promise((resolve) => setImmediate(resolve));
        const second = tf.exp(first);
        tf.dispose([first, second]);
        return values.length;
      });
      expect(taken.result).to.equal(32);
      const kernels = taken.events.filter(({kind}) => kind === 'kernel').map(({name}) => name);
      expect(kernels).to.deep.equal(['Transpose', 'Exp']);
    }));

  it('measures nothing before and after', () =>
    withTensor(async (a) => {
      const configs = tf.getKernelsForBackend('graviton').map(({kernelFunc}) => kernelFunc);
      tf.transpose(a).dispose();
      (await profile(() => tf.transpose(a))).result.dispose();
      tf.transpose(a).dispose();
      expect(tf.getKernelsForBackend('graviton').map(({kernelFunc}) => kernelFunc)).to.deep.equal(configs);
      expect(native().takeEvents()).to.deep.equal({events: [], dropped: 0});
    }));

  it('stops when the function throws, and takes one profile at a time', () =>
    withTensor(async (a) => {
      for (const fails of [() => Promise.reject(new Error('mine')), () => tf.matMul(a, a)]) {
        expect(await profile(fails as () => unknown).then(String, String)).to.match(/mine|MatMul/i);
        tf.transpose(a).dispose();
        expect(native().takeEvents().events).to.have.length(0);
      }
      const nested = profile(() => profile(() => 0));
      expect(await nested.then(String, String)).to.match(/ERR_BACKEND: a profile is being taken already/);
      expect((await profile(() => 5)).result).to.equal(5);
    }));

  it('names the steps of a plan by its labels, on either thread', async () => {
    const copy = [opNumber(StridedCopy), 1, 1, 6, 1, 0, 2, 0, ...[1, 3, 1, 1, 1, 1]];
    const storages = [1, 0, 0, 3, 2, 0, 0, 3];
    const plan = native().makePlan(
      encodePlan({inputs: 1, outputs: 1, freeSizes: 0, storages: 2, steps: 1, body: [...storages, ...copy], constants: []}),
      [],
    );
    const from = native().store(Float32Array.of(1, 2, 3), 'float32');
    const outputs = [{dtype: 'float32', elems: 3}] as const;
    const backend = tf.backend() as GravitonBackend;
    const namesOf = async () => {
      const taken = await profile(async () => [
        ...native().runPlan(plan, [from], outputs, []),
        ...(await native().runPlanAsync(plan, [from], outputs, [])),
      ]);
      for (const slot of taken.result) native().release(slot);
      return taken.events.map(({name, lane}) => [name, lane]);
    };
    expect(await namesOf()).to.deep.equal([
      ['graviton::StridedCopy', 0],
      ['graviton::StridedCopy', 1],
    ]);
    backend.stepLabels.set(plan, ['Copy of the input']);
    expect(await namesOf()).to.deep.equal([
      ['graviton::Copy of the input', 0],
      ['graviton::Copy of the input', 1],
    ]);
    backend.stepLabels.delete(plan);
    native().dropPlan(plan);
    native().release(from);
  });

  it("prints torch.profiler's columns, sorted and cut as asked", () =>
    withTensor(async (a) => {
      const taken = await profile(() =>
        tf.tidy(() => {
          for (let i = 0; i < 3; i++) tf.exp(tf.transpose(a));
        }),
      );
      const lines = taken.table({sortBy: 'name'}).split('\n');
      expect(lines[1]?.trim().split(/ {2,}/)).to.deep.equal([
        ...['Name', 'Self CPU %', 'Self CPU', 'CPU total %', 'CPU total', 'CPU time avg', '# of Calls'],
      ]);
      const names = (text: string) =>
        text
          .split('\n')
          .slice(3, -3)
          .map((line) => line.trim().split(/ {2,}/)[0]);
      expect(names(taken.table({sortBy: 'name'}))).to.deep.equal(['Exp', 'Transpose', 'graviton::Pointwise', 'graviton::StridedCopy']);
      expect(names(taken.table({sortBy: 'name', rowLimit: 2}))).to.deep.equal(['Exp', 'Transpose']);
      for (const sortBy of ['self_cpu_time_total', 'cpu_time_total', 'cpu_time', 'count'] as const) {
        expect(names(taken.table({sortBy}))).to.have.members(['Exp', 'Transpose', 'graviton::Pointwise', 'graviton::StridedCopy']);
      }
      expect(taken.table()).to.match(/Transpose +\d+\.\d\d% +\d+\.\d{3}us +\d+\.\d\d% +\d+\.\d{3}us +\d+\.\d{3}us +3/);
      expect(taken.table()).to.match(/Self CPU time total: \d+\.\d{3}(us|ms)\n$/);
      expect(() => taken.table({sortBy: 'cuda_time_total' as 'count'})).to.throw(
        /ERR_OPTION: sortBy is 'cuda_time_total'; it must be one of self_cpu/,
      );
      expect(() => taken.table({rowLimit: Number.NaN})).to.throw(/ERR_OPTION: rowLimit/);
      expect((await profile(() => 0)).table()).to.match(/Self CPU time total: 0\.000us/);
    }));

  it('writes a Chrome trace of complete events in microseconds', () =>
    withTensor(async (a) => {
      const taken = await profile(() => tf.transpose(a));
      taken.result.dispose();
      const trace = JSON.parse(taken.toChromeTrace());
      const complete = trace.traceEvents.filter(({ph}: {ph: string}) => ph === 'X');
      expect(complete).to.have.length(taken.events.length);
      expect(complete[0]).to.include({name: 'Transpose', cat: 'kernel', ts: 0, tid: 0, pid: process.pid});
      const [kernel, step] = complete;
      expect(step.ts + step.dur).to.be.at.most(kernel.ts + kernel.dur + 1e-3);
      expect(trace.traceEvents.filter(({ph}: {ph: string}) => ph === 'M')[0]).to.deep.include({
        name: 'thread_name',
        args: {name: 'JavaScript'},
      });
      expect(JSON.parse((await profile(() => 0)).toChromeTrace()).traceEvents).to.deep.equal([]);
    }));
});
