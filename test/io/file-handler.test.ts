import {once} from 'node:events';
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Worker} from 'node:worker_threads';
import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import {expect} from 'chai';
import '../../src/index';
import {modelJson, specs, temporaryFolder, weightBytes, writeModel} from './small-model';

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  throw new Error('should have failed');
}

describe('file:// models', () => {
  const folder = temporaryFolder();
  const at = (...parts: string[]) => join(folder, ...parts);

  async function loads(url: string): Promise<void> {
    const model = await converter.loadGraphModel(url);
    expect(Object.keys(model.weights)).to.deep.equal(specs.map((spec) => spec.name));
    const y = tf.tidy(() => (model.predict(tf.tensor2d([[1, 0, 0]])) as tf.Tensor).arraySync());
    expect(y).to.deep.equal([[2, 128.5]]);
    model.dispose();
  }

  it('load by absolute and relative path, from the folder and percent-encoded', async () => {
    writeModel(at('one model'), 1000);
    await loads(`file://${at('one model', 'model.json')}`);
    await loads(`file://${at('one model')}`);
    await loads(`file://./${relative(process.cwd(), at('one model', 'model.json'))}`);
    await loads(pathToFileURL(at('one model', 'model.json')).href);
    writeModel(at('100%25 raw'), 1000);
    await loads(`file://${at('100%25 raw', 'model.json')}`);
    writeModel(at('50% raw'), 1000);
    await loads(`file://${at('50% raw', 'model.json')}`);
  });

  it('load from shards of any size', async () => {
    for (const bytes of [1, 7, 24, weightBytes.length]) {
      writeModel(at(`shards of ${bytes}`), bytes);
      await loads(`file://${at(`shards of ${bytes}`)}`);
    }
  });

  it('save a graph model as tfjs-node does: model.json and weights.bin', async () => {
    writeModel(at('to save'), 11);
    const model = await converter.loadGraphModel(`file://${at('to save')}`);
    const {modelArtifactsInfo} = await model.save(`file://${at('new', 'saved')}`);
    expect(modelArtifactsInfo.weightDataBytes).to.equal(weightBytes.length);
    expect(readdirSync(at('new', 'saved')).sort()).to.deep.equal(['model.json', 'weights.bin']);
    expect(readFileSync(at('new', 'saved', 'weights.bin'))).to.deep.equal(weightBytes);
    const saved = JSON.parse(readFileSync(at('new', 'saved', 'model.json'), 'utf8'));
    expect(saved).to.deep.equal(modelJson(['weights.bin']));
    await loads(`file://${at('new', 'saved', 'model.json')}`);
    await model.save(`file://${at('new', 'saved')}`); // over itself
    await loads(`file://${at('new', 'saved', 'model.json')}`);
    model.dispose();
  });

  it('save and load a layers model with its training state', async () => {
    const model = layers.sequential({layers: [layers.layers.dense({units: 2, inputShape: [3], useBias: true})]});
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    await model.save(`file://${at('layers')}`, {includeOptimizer: true});
    const loaded = await layers.loadLayersModel(`file://${at('layers', 'model.json')}`);
    const x = tf.tensor2d([[1, 2, 3]]);
    const [y, again] = [model.predict(x), loaded.predict(x)].map((t) => (t as tf.Tensor).arraySync());
    expect(again).to.deep.equal(y);
    expect(loaded.optimizer).not.to.equal(undefined);
    x.dispose();
    model.dispose();
    loaded.dispose();
  });

  it('name the path, the cause and the way out when they cannot be loaded', async () => {
    const load = (path: string) => failure(converter.loadGraphModel(`file://${path}`));
    expect(await load(at('missing', 'model.json'))).to.match(/ERR_FILE: .*missing.model\.json cannot be loaded \(ENOENT.*Give the path/);
    mkdirSync(at('empty'));
    expect(await load(at('empty'))).to.match(/ERR_FILE: .*empty cannot be loaded/);

    mkdirSync(at('broken'));
    const broken = at('broken', 'model.json');
    const write = (text: string) => writeFileSync(broken, text);
    write('{');
    expect(await load(broken)).to.match(/ERR_FILE: .*model\.json is not JSON/);
    write('[]');
    expect(await load(broken)).to.match(/neither a modelTopology nor a weightsManifest/);
    write('{"modelTopology": {}, "weightsManifest": [{"paths": [1], "weights": []}]}');
    expect(await load(broken)).to.match(/weightsManifest that lacks/);
    write(JSON.stringify(modelJson(['gone.bin'])));
    expect(await load(broken)).to.match(/ERR_FILE: .*gone\.bin cannot be read \(ENOENT.*model\.json names it/);
    for (const outside of ['../one model/group1-shard1.bin', '/etc/hostname', 'a/../../x']) {
      write(JSON.stringify(modelJson([outside])));
      expect(await load(broken)).to.match(/outside its folder/);
    }
    writeFileSync(at('broken', 'model.pb'), Buffer.from([8, 1]));
    expect(await load(at('broken', 'model.pb'))).to.match(/is not JSON .*\.pb files/);
  });

  it('name the path and the cause when they cannot be saved', async () => {
    writeModel(at('to keep'), 1000);
    const model = await converter.loadGraphModel(`file://${at('to keep')}`);
    writeFileSync(at('a file'), '');
    expect(await failure(model.save(`file://${at('a file')}`))).to.match(/ERR_FILE: .*a file cannot be written \(EEXIST/);
    mkdirSync(at('locked'));
    chmodSync(at('locked'), 0o500);
    if (process.getuid?.() !== 0) {
      expect(await failure(model.save(`file://${at('locked', 'new')}`))).to.match(/ERR_FILE: .* cannot be written \(EACCES/);
      expect(existsSync(at('locked', 'new'))).to.equal(false);
    }
    model.dispose();
  });

  it('leave other URLs to other handlers', () => {
    expect(tf.io.getLoadHandlers('localstorage://x')).to.have.length(0);
    expect(tf.io.getLoadHandlers('/plain/path')).to.have.length(0);
    expect(tf.io.getLoadHandlers(['file://a', 'file://b'])).to.have.length(0);
    expect(tf.io.getSaveHandlers('http://example.com')).to.have.length(1);
  });

  // Routers cannot be taken back, hence a worker, which has modules of its own, for each order.
  for (const order of ['before', 'after']) {
    it(`leave file:// to a router that is registered ${order} the import of this package`, async () => {
      const script = `
        const tf = require(${JSON.stringify(require.resolve('@tensorflow/tfjs-core'))});
        const foreign = {load: async () => ({}), save: async () => ({})};
        const answer = (url) => String(url).startsWith('file://theirs') ? foreign : null;
        const register = () => { tf.io.registerLoadRouter(answer); tf.io.registerSaveRouter(answer); };
        if ('${order}' === 'before') register();
        require(${JSON.stringify(join(__dirname, '../../src/index'))});
        if ('${order}' === 'after') register();
        for (const get of [tf.io.getLoadHandlers, tf.io.getSaveHandlers]) {
          const theirs = get('file://theirs/model.json');
          if (theirs.length !== 1 || theirs[0] !== foreign) throw new Error('two answers, or the wrong one');
          const ours = get('file://ours/model.json');
          if (ours.length !== 1 || ours[0] === foreign) throw new Error('no answer where nobody else has one');
        }`;
      expect(await once(new Worker(script, {eval: true}), 'exit')).to.deep.equal([0]); // an error event rejects
    });
  }
});
