import {rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile, loadGraphModel} from '../../src/index';
import {native} from '../../src/native';
import {modelJson, specs, temporaryFolder, topology, weightBytes, writeModel} from './small-model';

const artifacts = (weightData: tf.io.WeightData): tf.io.ModelArtifacts => ({modelTopology: topology, weightSpecs: specs, weightData});
const pieces = (bytes: number): ArrayBuffer[] => {
  const list: ArrayBuffer[] = [];
  for (let at = 0; at < weightBytes.length; at += bytes) list.push(new Uint8Array(weightBytes.subarray(at, at + bytes)).buffer);
  return list;
};
const whole = pieces(weightBytes.length)[0] as ArrayBuffer;

async function valuesOf(model: converter.GraphModel): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, list] of Object.entries(model.weights)) {
    const weight = list[0] as tf.Tensor;
    values[name] = {shape: weight.shape, dtype: weight.dtype, values: [...(await weight.data<tf.DataType>())]};
  }
  return values;
}

describe('loadGraphModel', () => {
  const folder = temporaryFolder();
  let expected: Record<string, unknown>;
  before(async () => {
    const stock = await converter.loadGraphModel(tf.io.fromMemory(artifacts(whole)));
    expected = await valuesOf(stock);
    stock.dispose();
  });

  const sources: Record<string, () => string | tf.io.IOHandler> = {
    'one shard': () => writeModel(join(folder, 'one'), 1000),
    'shards of one byte': () => writeModel(join(folder, 'bytes'), 1),
    'shards that weights straddle': () => writeModel(join(folder, 'seven'), 7),
    'a handler with one buffer': () => tf.io.fromMemory(artifacts(whole)),
    'a handler with several buffers': () => tf.io.fromMemory(artifacts(pieces(5))),
    'a handler with a Buffer': () => ({
      load: async () => artifacts(Buffer.concat([Buffer.alloc(3), weightBytes]).subarray(3) as unknown as ArrayBuffer),
    }),
    'a handler with a stream': () => ({
      load: async () => {
        const {weightData, ...rest} = artifacts([]);
        return {
          ...rest,
          getWeightStream: () => new Blob(pieces(9)).stream() as unknown as ReadableStream<ArrayBuffer>,
        };
      },
    }),
  };

  type Callable = Pick<converter.GraphModel, 'execute' | 'executeAsync'>;
  const callables: Record<string, (handler: tf.io.IOHandler) => Promise<[converter.GraphModel, Callable]>> = {
    eager: async (handler) => {
      const model = await loadGraphModel(handler);
      return [model, model];
    },
    compiled: async (handler) => {
      const model = await loadGraphModel(handler);
      return [model, compile(model)];
    },
    'compiled, loaded by tfjs-converter': async (handler) => {
      const model = await converter.loadGraphModel(handler);
      return [model, compile(model)];
    },
  };
  for (const [name, callable] of Object.entries(callables)) {
    it(`a weight that is a result may be disposed of: ${name}`, async () => {
      const [model, calls] = await callable(tf.io.fromMemory(artifacts(whole)));
      const x = tf.tensor2d([1, 0, 2], [1, 3]);
      for (let i = 0; i < 4; i++) {
        const results = i % 2 === 0 ? calls.execute(x, ['bias', 'y']) : await calls.executeAsync(x, ['bias', 'y']);
        const [bias, y] = results as [tf.Tensor, tf.Tensor];
        expect([...bias.dataSync()]).to.deep.equal([1, 126.5]);
        expect([...y.dataSync()]).to.deep.equal([12, 140.5]);
        tf.dispose(results);
      }
      x.dispose();
      model.dispose();
    });
  }

  for (const [name, source] of Object.entries(sources)) {
    it(`reads the bits that tfjs reads, from ${name}`, async () => {
      const before = {tensors: tf.memory().numTensors, native: native().stats().tensors, bytes: native().stats().tensorBytes};
      const model = await loadGraphModel(source());
      expect(await valuesOf(model)).to.deep.equal(expected);
      expect(model).to.be.instanceOf(converter.GraphModel);
      const y = tf.tidy(() => (model.predict(tf.tensor2d([[1, 0, 0]])) as tf.Tensor).arraySync());
      expect(y).to.deep.equal([[2, 128.5]]);
      model.dispose();
      const after = {tensors: tf.memory().numTensors, native: native().stats().tensors, bytes: native().stats().tensorBytes};
      expect(after).to.deep.equal(before);
    });
  }

  it('keeps signature, metadata and names', async () => {
    writeModel(join(folder, 'names'), 20);
    const model = await loadGraphModel(`file://${folder}/names`);
    expect(model.modelSignature).to.have.nested.property('inputs.x.name', 'x:0');
    expect(model.metadata).to.deep.equal({about: 'a test'});
    expect(model.inputNodes).to.deep.equal(['x']);
    expect(model.outputNodes).to.deep.equal(['y']);
    model.dispose();
  });

  it('saves what it was given, read again from its files', async () => {
    writeModel(join(folder, 'original'), 20);
    const model = await loadGraphModel(`file://${folder}/original`);
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save({
      save: async (given) => {
        saved = given;
        return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(given)};
      },
    });
    expect(saved?.modelTopology).to.deep.equal(topology);
    expect(Buffer.from(tf.io.CompositeArrayBuffer.join(saved?.weightData ?? []))).to.deep.equal(weightBytes);
    await model.save(`file://${folder}/copy`);
    const copy = await loadGraphModel(`file://${folder}/copy`);
    expect(await valuesOf(copy)).to.deep.equal(expected);
    copy.dispose();
    rmSync(join(folder, 'original'), {recursive: true});
    const error = await model.save(`file://${folder}/other`).then(String, String);
    expect(error).to.match(/ERR_FILE: .*original cannot be loaded/);
    model.dispose();
  });

  it('saves a model whose weights came as a stream', async () => {
    const model = await loadGraphModel((sources['a handler with a stream'] as () => tf.io.IOHandler)());
    await model.save(`file://${folder}/streamed`);
    model.dispose();
    const copy = await loadGraphModel(`file://${folder}/streamed`);
    expect(await valuesOf(copy)).to.deep.equal(expected);
    copy.dispose();
  });

  it('reports progress', async () => {
    writeModel(join(folder, 'progress'), 20);
    const fractions: number[] = [];
    const model = await loadGraphModel(`file://${folder}/progress`, {onProgress: (fraction) => fractions.push(fraction)});
    expect(fractions).to.have.length(specs.length);
    expect(fractions.at(-1)).to.equal(1);
    model.dispose();
  });

  it('leaves nothing behind when a model is broken', async () => {
    const before = {tensors: tf.memory().numTensors, native: native().stats().tensors};
    const fails = async (source: string | tf.io.IOHandler) => loadGraphModel(source).then(() => 'loaded', String);

    writeModel(join(folder, 'short'), 1000);
    truncateSync(join(folder, 'short', 'group1-shard1.bin'), weightBytes.length - 3);
    expect(await fails(`file://${folder}/short`)).to.match(/ERR_FILE: .*short.model\.json describes more weights.*3 bytes are missing/);
    expect(await fails(tf.io.fromMemory(artifacts(whole.slice(3))))).to.match(/ERR_FILE/);
    expect(
      await fails({load: async () => ({...artifacts([]), getWeightStream: () => new ReadableStream({start: (c) => c.close()})})}),
    ).to.match(/ERR_FILE: .*stream gave: 24 bytes are missing/);
    expect(await fails({})).to.match(/ERR_FILE: the IO handler has no load/);

    const kernel = specs[0] as tf.io.WeightsManifestEntry;
    const bad: [Partial<Record<keyof tf.io.WeightsManifestEntry, unknown>>, RegExp][] = [
      [{dtype: 'int64'}, /weight 'kernel' is of the unknown type 'int64'/],
      [{dtype: 'toString'}, /unknown type/],
      [{shape: [-1]}, /the shape \[-1\]/],
      [{shape: [1e200]}, /the shape/],
      [{shape: [2 ** 40, 2 ** 40]}, /too many/],
      [{shape: [2 ** 31]}, /ERR_FILE.*bytes are missing/],
      [{shape: 'x'}, /the shape "x"/],
      [{name: 7}, /has no name/],
      [{quantization: {dtype: 'int4'}}, /quantised as 'int4'/],
      [{quantization: {dtype: 'uint8', scale: 1}}, /lacks a finite scale and min/],
      [{quantization: {dtype: 'uint8', scale: '1', min: 0}}, /lacks a finite scale and min/],
      [{dtype: 'int32', quantization: {dtype: 'float16'}}, /int32 quantised as float16/],
      [{dtype: 'string', shape: [1e9]}, /bytes are missing/],
    ];
    for (const [change, message] of bad) {
      const spec = {...kernel, ...change} as tf.io.WeightsManifestEntry;
      const handler = tf.io.fromMemory({
        modelTopology: topology,
        weightSpecs: [specs[3] as tf.io.WeightsManifestEntry, spec],
        weightData: new ArrayBuffer(64),
      });
      expect(await fails(handler), JSON.stringify(change)).to.match(message);
    }
    writeFileSync(join(folder, 'short', 'model.json'), JSON.stringify({...modelJson(['group1-shard1.bin']), modelTopology: {node: 5}}));
    expect(await fails(`file://${folder}/short`)).to.match(/Error/);
    expect({tensors: tf.memory().numTensors, native: native().stats().tensors}).to.deep.equal(before);
  });
});
