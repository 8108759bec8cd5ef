import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {bisect} from '../../bench/bisect';
import {native} from '../../src/native';
import {broken, withPass} from './broken-pass';

const dims = (sizes: readonly number[]) => ({shape: {dim: sizes.map((size) => ({size: String(size)}))}});

/** y = x + square(x), with a size that is free. */
const model = {
  format: 'graph-model',
  modelTopology: {
    node: [
      {name: 'x', op: 'Placeholder', attr: {dtype: {type: 'DT_FLOAT'}, ...dims([-1, 3])}},
      {name: 'square', op: 'Square', input: ['x'], attr: {T: {type: 'DT_FLOAT'}}},
      {name: 'y', op: 'AddV2', input: ['x', 'square'], attr: {T: {type: 'DT_FLOAT'}}},
    ],
    library: {},
    versions: {producer: 1, minConsumer: 1},
  },
  weightsManifest: [],
};

describe('bisect', () => {
  let folder: string;
  before(async () => {
    await tf.setBackend('graviton');
    folder = mkdtempSync(join(tmpdir(), 'bisect-'));
    writeFileSync(join(folder, 'model.json'), JSON.stringify(model));
  });
  after(() => rmSync(folder, {recursive: true}));

  const run = async (lines: string[]) => bisect(folder, {tolerance: 1e-3, size: 4, log: (line) => lines.push(line)});

  it('says where no pass is at fault, and gives everything back', async () => {
    const before = [tf.memory().numTensors, native().stats().tensors];
    const lines: string[] = [];
    expect(await run(lines)).to.equal(undefined);
    expect(lines).to.have.length(1);
    expect([tf.memory().numTensors, native().stats().tensors]).to.deep.equal(before);
  });

  it('names the pass that makes the results wrong', async () => {
    // It looks for an addition at the root, which is there whether or not the square has been merged into it.
    const lines: string[] = [];
    await withPass(broken, async () => {
      expect(await run(lines)).to.deep.equal(['broken']);
    });
    const errorOf = (run: string) => Number.parseFloat(lines.find((line) => line.endsWith(run)) ?? '');
    expect(errorOf('with none')).to.equal(0);
    expect(errorOf('without linear')).to.be.greaterThan(1e-3);
  });
});
