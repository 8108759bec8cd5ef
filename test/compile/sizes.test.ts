import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile, loadGraphModel} from '../../src';
import {freeSizesOf, limitsOf, sampleSizes, sizesIn, withSizes} from '../../src/compile/free-sizes';
import {hasPolynomialSizes} from '../../src/compile/polynomial-sizes';
import type {InputSpec} from '../../src/compile/recording';
import {productsAt, sizedWords, valueAt} from '../../src/compile/sizes';
import {native} from '../../src/native';
import {Fixture, type InputSet} from '../models/fixture';

describe('numbers that depend on sizes', () => {
  /** Fits f at the samples and evaluates it at `at`. */
  const fitted = (f: (...sizes: number[]) => number, samples: number[][], at: number[]): number | undefined => {
    const sized = sizedWords(
      samples.map((sizes) => [f(...sizes)]),
      samples,
    );
    const products = sized && productsAt(sized, at);
    return products && valueAt(sized.words[0] as number, products);
  };

  it('finds sums of two products', () => {
    expect(fitted(() => 5, [[2], [9], [512]], [77])).to.equal(5);
    expect(fitted((n) => 768 * n, [[2], [9], [512]], [77])).to.equal(768 * 77);
    expect(fitted((n) => 3 * n - 7, [[2], [9], [512]], [77])).to.equal(224);
    expect(fitted((n) => 12 * n * n, [[2], [9], [512]], [77])).to.equal(12 * 77 * 77);
    expect(fitted((n) => n * n + 4 * n, [[2], [9], [512]], [77])).to.equal(77 * 77 + 4 * 77);
    const pairs = [
      [4, 10],
      [64, 512],
      [2, 3],
      [5, 512],
    ];
    expect(fitted((b, n) => 8 * b * n * n, pairs, [7, 11])).to.equal(8 * 7 * 121);
    expect(fitted((b, n) => 3 * b * n + b, pairs, [7, 11])).to.equal(231 + 7);
  });

  it('takes quotients for what they are where the size is a multiple', () => {
    const samples = [[64], [512], [32]];
    expect(fitted((n) => n / 32, samples, [96])).to.equal(3);
    expect(fitted((n) => (n / 8) * (n / 8) * 24, samples, [96])).to.equal(144 * 24);
    expect(fitted((n) => n / 32, samples, [100])).to.equal(undefined);
  });

  it('refuses what is no such sum', () => {
    const samples = [[2], [9], [512]];
    expect(fitted((n) => Math.min(n, 100), samples, [77])).to.equal(undefined);
    expect(fitted((n) => Math.floor(n / 2), samples, [77])).to.equal(undefined);
    expect(fitted((n) => 1 / n, samples, [77])).to.equal(undefined);
    expect(fitted((n) => n ** 3, samples, [77])).to.equal(undefined);
  });

  it('takes axes that always agree for one size', () => {
    const call = (...shapes: number[][]) => shapes.map((shape) => ({dtype: 'float32' as const, shape}));
    const calls = [call([1, 8, 3], [8, 8]), call([1, 9, 3], [9, 8])];
    expect(freeSizesOf(calls, true)).to.deep.equal([
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
    ]);
  });

  it('takes an axis that is always so much longer for the same size', () => {
    const call = (past: number, batch: number) =>
      [
        [batch, past + 1],
        [past, 4],
      ].map((shape) => ({dtype: 'float32' as const, shape}));
    const calls = [call(3, 2), call(7, 3), call(8, 3)];
    expect(freeSizesOf(calls, false)).to.have.length(3);
    const free = freeSizesOf(calls, true);
    expect(free).to.deep.equal([
      [[0, 0, 0]],
      [
        [0, 1, 1],
        [1, 0, 0],
      ],
    ]);
    expect(withSizes(call(3, 2), free, [5, 9])).to.deep.equal(call(9, 5));
    expect(sizesIn(call(12, 4), call(3, 2), free)).to.deep.equal([4, 12]);
    const [first, second] = call(12, 4);
    expect(sizesIn([first as InputSpec, {...(second as InputSpec), shape: [11, 4]}], call(3, 2), free)).to.equal(undefined);
  });

  it('samples the largest and the smallest size, as far apart as the calls seen where that may matter', () => {
    expect(sampleSizes([17], [[40]], [512], true)).to.deep.equal({least: [2], samples: [[512], [2]]});
    expect(sampleSizes([2], [[3]], [512], true)).to.deep.equal({least: [2], samples: [[512], [3]]});
    // The largest is the base itself.
    expect(sampleSizes([512], [[511]], [512], true)).to.deep.equal({least: [2], samples: [[512], [2], [257]]});
    expect(sampleSizes([3], [[2]], [3], true).samples).to.deep.equal([]);
    expect(sampleSizes([224], [[256]], [512], false)).to.deep.equal({least: [32], samples: [[512], [32]]});
    expect(sampleSizes([4, 10], [[6, 13]], [32, 64], false).samples).to.have.length(4);
    // Not 2 and 2, nor 512 and 512, which might make other steps by chance.
    const {least, samples} = sampleSizes([7, 4], [[8, 5]], [512, 512], true);
    expect([least, samples.slice(0, 2)]).to.deep.equal([
      [2, 2],
      [
        [512, 511],
        [2, 3],
      ],
    ]);
  });
});

describe('sizes that a model may take', () => {
  it('are tried from above, down to what has been seen', () => {
    expect([...limitsOf([[40], [33]])]).to.deep.equal([[512], [256], [128], [64], [52], [46], [43], [41], [40]]);
    expect([...limitsOf([[512], [600]])]).to.deep.equal([[1024], [812], [706], [653], [626], [613], [606], [603], [601], [600]]);
    expect([...limitsOf([[2, 3]])]).to.deep.equal([
      [8, 16],
      [4, 8],
      [2, 4],
      [2, 3],
    ]);
  });
});

describe('sizes that go through a graph', () => {
  const node = (name: string, op: string, ...input: string[]) => ({name, op, input, attr: {}});
  const reshape = (...arithmetic: object[]) => ({
    node: [
      node('x', 'Placeholder'),
      node('c', 'Const'),
      node('s', 'Shape', 'x'),
      node('part', 'StridedSlice', 's', 'c', 'c', 'c'),
      ...arithmetic,
      node('y', 'Reshape', 'x', 'to'),
    ],
  });

  it('stay polynomials under sums and products', () => {
    expect(hasPolynomialSizes(reshape(node('m', 'Mul', 'part', 'c'), node('to', 'Pack', 'm', 'c')))).to.equal(true);
  });

  it('do not where they are divided, compared, bounded or decide what runs', () => {
    for (const op of ['FloorDiv', 'FloorMod', 'Minimum', 'Less', 'Select'])
      expect(hasPolynomialSizes(reshape(node('m', op, 'part', 'c'), node('to', 'Pack', 'm', 'c'))), op).to.equal(false);
    expect(hasPolynomialSizes({node: [node('x', 'Placeholder'), node('y', 'If', 'x')]})).to.equal(false);
    expect(hasPolynomialSizes({node: [node('x', 'Placeholder'), node('y', 'Conv2D', 'x', 'x')]})).to.equal(false);
  });
});

describe('compile: one plan for many sizes', () => {
  beforeEach(async () => {
    await tf.setBackend('graviton');
  });

  type Fn = (...inputs: tf.Tensor[]) => tf.Tensor;

  /** Calls `f` compiled with inputs of each of the shapes, compares with eager, and returns how often it was traced. */
  function serve(f: Fn, calls: readonly (readonly number[][])[]): number {
    const tensors = tf.memory().numTensors;
    const natives = native().stats().tensors;
    const compiled = compile(f);
    for (const shapes of calls) {
      tf.tidy(() => {
        const inputs = shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', 7 + i));
        const [got, wanted] = [compiled(...inputs), f(...inputs)];
        expect(got.shape, `shape for ${shapes.join(' ')}`).to.deep.equal(wanted.shape);
        const error = tf.max(tf.abs(tf.sub(got, wanted))).dataSync()[0] as number;
        expect(error, `error for ${shapes.join(' ')}`).to.be.at.most(2e-5);
      });
    }
    const {traces} = compiled.stats();
    compiled.dispose();
    expect(tf.memory().numTensors).to.equal(tensors);
    expect(native().stats().tensors).to.equal(natives);
    return traces;
  }

  const lengths = (list: readonly number[], shape: (n: number) => number[]) => list.map((n) => [shape(n)]);

  it('of rows', () => {
    const f: Fn = (x) => tf.softmax(tf.relu(tf.matMul(x as tf.Tensor2D, tf.ones([6, 5]))));
    const calls = lengths([1, 3, 9, 4, 2, 100, 33, 400, 1, 77], (n) => [n, 6]);
    expect(serve(f, calls)).to.be.at.most(4);
  });

  it('where masks and positions are made from the size', () => {
    const f: Fn = (x) => {
      const [n] = x.shape as [number];
      const scores = tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true);
      const position = tf.range(0, n, 1, 'int32');
      const causal = tf.lessEqual(tf.reshape(position, [1, n]), tf.reshape(position, [n, 1]));
      const masked = tf.where(causal, scores, tf.fill([n, n], -1e9));
      return tf.add(tf.matMul(tf.softmax(masked), x as tf.Tensor2D), tf.sin(tf.cast(tf.reshape(position, [n, 1]), 'float32')));
    };
    const calls = lengths([5, 8, 3, 60, 2, 31, 7], (n) => [n, 8]);
    expect(serve(f, calls)).to.be.at.most(4);
  });

  it('beyond the sizes thought of at first', () => {
    const f: Fn = (x) => tf.mul(tf.sum(x, 1, true), tf.reshape(tf.range(0, x.shape[0] as number), [-1, 1]));
    expect(
      serve(
        f,
        lengths([5, 8, 700, 701, 1500, 12], (n) => [n, 4]),
      ),
    ).to.be.at.most(9);
  });

  it('of two sizes at once', () => {
    const f: Fn = (x, w) => tf.softmax(tf.matMul(x as tf.Tensor3D, tf.tile(tf.expandDims(w as tf.Tensor2D), [x.shape[0] as number, 1, 1])));
    const calls = [
      [2, 3],
      [4, 9],
      [3, 5],
      [7, 7],
      [2, 20],
    ].map(([b, n]) => [
      [b as number, n as number, 4],
      [4, 5],
    ]);
    expect(serve(f, calls)).to.be.at.most(6);
  });

  it('of steps with a growing past: the position, a mask that is longer, biases by distance, a row of a table', () => {
    const table = tf.randomUniform([64, 4], -1, 1, 'float32', 1);
    const distances = (n: number) => tf.tensor1d(Array.from({length: n}, (_, i) => Math.sin(n - i)));
    const f: Fn = (keys, mask) => {
      const past = keys.shape[0] as number;
      const scores = tf.sum(tf.mul(keys, tf.gather(table, tf.tensor1d([past], 'int32'))), 1);
      const biased = tf.add(tf.concat([scores, [past]]), distances(past + 1));
      return tf.mul(biased, mask);
    };
    const calls = [3, 4, 5, 6, 20, 2, 11, 19].map((past) => [[past, 4], [past + 1]]);
    expect(serve(f, calls)).to.be.at.most(4);
    table.dispose();
  });

  it('of images, whose convolutions may be faster in another way at other sizes', () => {
    const filter = tf.randomUniform([3, 3, 16, 16], -1, 1, 'float32', 3) as tf.Tensor4D;
    const f: Fn = (x) => tf.conv2d(x as tf.Tensor4D, filter, 1, 'same');
    const calls = lengths([2, 3, 5, 64, 9], (n) => [n, 4, 4, 16]);
    expect(serve(f, calls)).to.be.at.most(4);
    filter.dispose();
  });

  it('of a model that is called asynchronously, whose nodes come in the same order', async () => {
    const model = await loadGraphModel(new Fixture('bert-model-tiny').handler());
    const compiled = compile(model);
    for (const n of [3, 4, 5, 7, 9]) {
      const feed = Object.fromEntries(model.inputs.map(({name}) => [name, tf.ones([1, n], 'int32')]));
      tf.dispose([await compiled.predictAsync(feed), feed]);
    }
    expect(compiled.stats().traces).to.be.at.most(4);
    compiled.dispose();
    model.dispose();
  });

  it('of a model whose conditions depend on sizes, which only runs asynchronously, and leaves nothing behind', async () => {
    const fixture = new Fixture('marian-decoder-past-tiny');
    const model = await loadGraphModel(fixture.handler());
    const feed = fixture.feed(fixture.sets[0] as InputSet);
    const counts = () => [tf.memory().numTensors, tf.memory().numDataBuffers, native().stats().tensors];
    const before = counts();
    const compiled = compile(model);
    for (const past of [3, 4, 5, 6, 9, 20]) {
      const own = Object.fromEntries(
        Object.entries(feed).map(([name, t]) => {
          const grows = /past_._[01]/.test(name);
          const shape = grows ? t.shape.map((size, axis) => (axis === 2 ? past : size)) : t.shape;
          return [name, grows ? tf.randomUniform(shape, -1, 1, 'float32', 5) : t.clone()];
        }),
      );
      const [got, wanted] = [(await compiled.predictAsync(own)) as tf.Tensor[], (await model.executeAsync(own)) as tf.Tensor[]];
      const error = tf.tidy(() => tf.max(tf.abs(tf.sub(got[0] as tf.Tensor, wanted[0] as tf.Tensor))).dataSync()[0]);
      expect(error, `past of ${past}`).to.be.at.most(1e-5);
      tf.dispose([got, wanted, own]);
    }
    expect(compiled.stats().traces).to.be.at.most(4);
    compiled.dispose();
    expect(counts()).to.deep.equal(before);
    tf.dispose(feed);
    model.dispose();
  });

  it('or says why not', () => {
    const f = compile((x: tf.Tensor) => ((x.shape[0] as number) > 3 ? tf.neg(x) : tf.exp(x)));
    for (const n of [3, 4]) tf.tidy(() => f(tf.ones([n, 2])));
    expect(f.explain().plans[0]?.ownPlan).to.match(/steps/);
    expect(f.explain().text).to.include('a plan for these sizes alone: ');
    f.dispose();
  });

  it('of images, where strides divide them', () => {
    const f: Fn = (x) => {
      const first = tf.relu(tf.conv2d(x as tf.Tensor4D, tf.ones([3, 3, 2, 4]), 2, 'same'));
      const second = tf.maxPool(tf.conv2d(first, tf.ones([3, 3, 4, 3]), 2, 'same'), 2, 2, 'valid');
      return tf.mean(second, [1, 2]);
    };
    const calls = [32, 64, 40, 96, 33, 47, 16, 128].map((n) => [[1, n, n + 16, 2]]);
    serve(f, calls);
  });

  it('unless the function does something else at some of them', () => {
    const f: Fn = (x) => ((x.shape[0] as number) % 5 === 0 || (x.shape[0] as number) > 40 ? tf.neg(x) : tf.exp(x));
    serve(
      f,
      lengths([3, 7, 4, 6, 10, 11, 41, 45, 9, 50, 8], (n) => [n, 2]),
    );
  });

  it('unless a value that it makes depends on them in another way', () => {
    const f: Fn = (x) => tf.mul(x, tf.fill(x.shape, (x.shape[0] as number) % 4));
    serve(
      f,
      lengths([4, 8, 12, 7, 10, 16, 11], (n) => [n, 2]),
    );
  });

  it('where a result is made from the size alone', () => {
    const compiled = compile((x: tf.Tensor) => [tf.neg(x), tf.tensor1d(x.shape)]);
    for (const n of [3, 5, 4, 7]) {
      const [y, shape] = compiled(tf.ones([n, 2])) as [tf.Tensor, tf.Tensor];
      expect(Array.from(shape.dataSync()), `for ${n} rows`).to.deep.equal([n, 2]);
      tf.dispose([y, shape]);
    }
    compiled.dispose();
  });

  /** A sequence of `n` tokens for each of the model's inputs. */
  function sequence(fixture: Fixture, n: number): tf.NamedTensorMap {
    const feed: tf.NamedTensorMap = {};
    for (const {name, node} of fixture.sets[0]?.inputs ?? []) {
      const values = Array.from({length: n}, (_, i) => (name.includes('ids') ? i % 2 : 1));
      feed[node ?? name] = tf.tensor(values, [1, n], 'int32');
    }
    return feed;
  }

  it('of a model whose positions end somewhere', async () => {
    const fixture = new Fixture('bert-model-tiny');
    const model = await loadGraphModel(fixture.handler());
    const compiled = compile(model);
    for (const n of [1, 2, 3, 4, 5, 7, 9, 16, 31, 20, 6]) {
      const feed = sequence(fixture, n);
      const [got] = [compiled.execute(feed)].flat() as [tf.Tensor];
      const [wanted] = [model.execute(feed)].flat() as [tf.Tensor];
      const error = tf.tidy(() => tf.max(tf.abs(tf.sub(got, wanted))).dataSync()[0]);
      expect(error, `length ${n}`).to.be.at.most(1e-4);
    }
    expect(compiled.stats().traces).to.be.at.most(4);
    compiled.dispose();
    model.dispose();
    tf.disposeVariables();
  });

  it('of a model that serves every length that it has positions for, whatever comes first', async () => {
    const fixture = new Fixture('bert-model-tiny');
    const model = await loadGraphModel(fixture.handler());
    // 32 of its 40, as models have a power of two of them.
    const lengths = Array.from({length: 32}, (_, i) => i + 1);
    const orders = [lengths, [...lengths].reverse(), lengths.map((_, i) => 1 + ((i * 13 + 20) % lengths.length))];
    for (const order of orders) {
      const compiled = compile(model);
      for (const n of order) {
        const feed = sequence(fixture, n);
        tf.dispose([compiled.execute(feed), feed]);
      }
      expect(compiled.stats()).to.include({eagerSignatures: 0});
      expect(compiled.stats().traces).to.be.at.most(4);
      compiled.dispose();
    }
    model.dispose();
  });
});
