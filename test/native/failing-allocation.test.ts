/**
 * Memory that runs out, at every allocation in turn: of eager calls, of recording, planning and packing, of replays, of loading. The call
 * must fail with ERR_OUT_OF_MEMORY or do without, leave nothing behind, and succeed when it is made again.
 */
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {type CompileOptions, compile, GravitonError, loadGraphModel} from '../../src';
import {native} from '../../src/native';
import {floats, ints} from '../kernels/compare';
import {Fixture} from '../models/fixture';

type Result = readonly (readonly number[])[];

/** Enough for the longest of the calls; a walk that gets there has lost count of allocations. */
const most = 3000;

const read = (made: tf.Tensor | readonly tf.Tensor[]): Result => [made].flat().map((t) => Array.from((t as tf.Tensor).dataSync()));
const tidily = (run: () => tf.Tensor | readonly tf.Tensor[]): Result => {
  const made: Result[] = [];
  tf.tidy(() => {
    made.push(read(run()));
  });
  return made[0] as Result;
};

/** What must be as before, once kept blocks are given back and the message of the last failure is gone. */
function footprint(): object {
  native().freeArenas();
  native().release(native().store(new Int32Array(1), 'int32'));
  const {tensors, tensorBytes, allocatedBytes, arenaBytes} = native().stats();
  return {...tf.memory(), ids: tf.backend().numDataIds(), tensors, tensorBytes, allocatedBytes, arenaBytes};
}

/** `run` starts from nothing each time. */
async function walk(run: () => Result | Promise<Result>): Promise<void> {
  const expected = await run(); // lists of slots, plans and workspaces stay as long as they once were
  await run();
  const before = footprint();
  let failures = 0;
  for (let nth = 1; nth <= most; nth++) {
    native().failAllocation(nth);
    let result: Result | undefined;
    let error: unknown;
    try {
      result = await run();
    } catch (thrown) {
      error = thrown;
    }
    const away = native().failAllocation(0);
    if (error !== undefined) {
      expect(error, `allocation ${nth}`).to.be.instanceOf(GravitonError);
      expect((error as GravitonError).code, `allocation ${nth}: ${(error as Error).message}`).to.equal('ERR_OUT_OF_MEMORY');
      failures++;
    } else {
      expect(result, `allocation ${nth}`).to.deep.equal(expected);
    }
    expect(await run(), `after allocation ${nth} failed`).to.deep.equal(expected);
    expect(footprint(), `after allocation ${nth} failed`).to.deep.equal(before);
    if (away > 0) {
      expect(failures, 'failures').to.be.greaterThan(0);
      return;
    }
  }
  expect.fail(`more than ${most} allocations`);
}

const eager: Readonly<Record<string, () => tf.Tensor | readonly tf.Tensor[]>> = {
  'a tensor of its own': () => tf.tensor1d([1, 2, 3]),
  addition: () => tf.add(floats([40, 50]), floats([50])),
  product: () => tf.matMul(floats([33, 70]), floats([70, 45])),
  'products of batches': () => tf.matMul(floats([3, 8, 20]), floats([3, 20, 9])),
  convolution: () => tf.conv2d(floats([1, 9, 9, 8]) as tf.Tensor4D, floats([3, 3, 8, 16]) as tf.Tensor4D, 1, 'same'),
  'depthwise convolution': () => tf.depthwiseConv2d(floats([1, 9, 9, 8]) as tf.Tensor4D, floats([3, 3, 8, 1]) as tf.Tensor4D, 2, 'same'),
  'transposed convolution': () =>
    tf.conv2dTranspose(floats([1, 4, 4, 3]) as tf.Tensor4D, floats([3, 3, 2, 3]) as tf.Tensor4D, [1, 8, 8, 2], 2, 'same'),
  'convolution of three axes': () => tf.conv3d(floats([1, 4, 5, 6, 2]) as tf.Tensor5D, floats([2, 2, 2, 2, 3]) as tf.Tensor5D, 1, 'same'),
  pool: () => tf.maxPool(floats([1, 9, 9, 3]) as tf.Tensor4D, 3, 2, 'same'),
  reduction: () => [tf.sum(floats([70, 80]), 0), tf.mean(floats([70, 80])), tf.argMax(floats([70, 80]), 1)],
  softmax: () => tf.softmax(floats([30, 40])),
  transpose: () => tf.transpose(floats([5, 6, 7]), [2, 0, 1]),
  einsum: () => tf.einsum('bihd,bjhd->bhij', floats([2, 5, 3, 4]), floats([2, 6, 3, 4])),
  'the largest': () => tf.topk(floats([20, 300]), 5).values,
  unique: () => Object.values(tf.unique(ints([300]))),
  spectrum: () => tf.real(tf.spectral.rfft(floats([4, 60]))),
  'suppressed boxes': () => tf.image.nonMaxSuppression(floats([40, 4], [0, 9]) as tf.Tensor2D, floats([40], [0, 1], 2) as tf.Tensor1D, 10),
  scatter: () => tf.scatterND(ints([50, 1], [0, 19]), floats([50, 3]), [20, 3]),
};

/** Products, a convolution, normalisation and a softmax: what packs, fuses and needs an arena. */
function model(weights: readonly tf.Tensor[]): (x: tf.Tensor) => tf.Tensor {
  const [filter, first, second] = weights as [tf.Tensor4D, tf.Tensor2D, tf.Tensor2D];
  return (x) => {
    const image = tf.relu(tf.conv2d(tf.reshape(x, [1, 8, 8, 4]) as tf.Tensor4D, filter, 1, 'same'));
    const rows = tf.reshape(image, [16, 64]) as tf.Tensor2D;
    const {mean, variance} = tf.moments(rows, 1, true);
    const normal = tf.div(tf.sub(rows, mean), tf.sqrt(tf.add(variance, 1e-5)));
    return tf.softmax(tf.matMul(tf.tanh(tf.matMul(normal as tf.Tensor2D, first)), second));
  };
}
const weightsOf = (): tf.Tensor[] => [floats([3, 3, 4, 16]), floats([64, 48], [-1, 1], 2), floats([48, 5], [-1, 1], 3)];

describe('memory that runs out', function () {
  this.timeout(120_000);
  beforeEach(async () => {
    await tf.setBackend('graviton');
    tf.env().set('GRAVITON_FALLBACK', 'error');
  });
  afterEach(() => {
    native().failAllocation(0);
    tf.env().set('GRAVITON_FALLBACK', 'allow');
  });

  it('fails one allocation, and says how far away it was', () => {
    expect(native().failAllocation(1_000_000)).to.equal(0);
    const away = native().failAllocation(1);
    expect(away).to.be.within(1, 1_000_000);
    expect(() => tf.tensor1d([1])).to.throw(GravitonError, /ERR_OUT_OF_MEMORY/);
    expect(native().failAllocation(0)).to.equal(0);
    tf.tensor1d([1]).dispose();
  });

  for (const [name, run] of Object.entries(eager)) {
    it(`eager: ${name}`, () => walk(() => tidily(run)));
  }

  const options: readonly CompileOptions[] = [{}, {freeze: true}, {weights: 'int8'}, {fpmath: 'bf16'}];
  for (const option of options) {
    it(`compiled for the first time, ${JSON.stringify(option)}`, async () => {
      const weights = weightsOf();
      await walk(() => {
        const fast = compile(model(weights), option);
        try {
          return tidily(() => fast(floats([8, 32])));
        } finally {
          fast.dispose();
        }
      });
      tf.dispose(weights);
    });
  }

  it('replayed', async () => {
    const weights = weightsOf();
    const fast = compile(model(weights));
    await walk(() => tidily(() => fast(floats([8, 32]))));
    fast.dispose();
    tf.dispose(weights);
  });

  it('replayed for other sizes', async () => {
    const weights = [floats([64, 48], [-1, 1], 2), floats([48, 5], [-1, 1], 3)] as tf.Tensor2D[];
    const made = () =>
      compile((x: tf.Tensor) =>
        tf.softmax(tf.matMul(tf.relu(tf.matMul(x as tf.Tensor2D, weights[0] as tf.Tensor2D)), weights[1] as tf.Tensor2D)),
      );
    await walk(() => {
      const fast = made();
      try {
        return [3, 7, 12].flatMap((rows) => tidily(() => fast(floats([rows, 64]))));
      } finally {
        fast.dispose();
      }
    });
    tf.dispose(weights);
  });

  for (const name of ['mlp-quant-uint8', 'mlp-quant-float16', 'conv-quant-uint8']) {
    it(`loaded, compiled and run: ${name}`, async () => {
      const fixture = new Fixture(name);
      const set = fixture.sets[0];
      if (set === undefined) throw new Error(`${name} has no inputs`);
      await walk(async () => {
        const loaded = await loadGraphModel(fixture.handler());
        let fast: {dispose(): void} | undefined;
        try {
          const compiled = compile(loaded);
          fast = compiled;
          return tidily(() => {
            const y = compiled.predict(fixture.feed(set));
            return y instanceof tf.Tensor ? y : (Object.values(y) as tf.Tensor[]);
          });
        } finally {
          loaded.dispose(); // first: weights that outlive what has packed them are unpacked again, which needs memory
          fast?.dispose();
        }
      });
    });
  }

  it('run on the dispatcher', async () => {
    const fixture = new Fixture('mlp-quant-uint8');
    const set = fixture.sets[0];
    if (set === undefined) throw new Error('no inputs');
    const loaded = await loadGraphModel(fixture.handler());
    const fast = compile(loaded);
    await walk(async () => {
      const feed = fixture.feed(set);
      try {
        const y = await fast.predictAsync(feed);
        const list = y instanceof tf.Tensor ? [y] : (Object.values(y) as tf.Tensor[]);
        const result = read(list);
        tf.dispose(list);
        return result;
      } finally {
        tf.dispose(feed);
      }
    });
    fast.dispose();
    loaded.dispose();
  });
});
