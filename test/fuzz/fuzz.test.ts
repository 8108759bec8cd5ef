/** The fuzzer's corpus, and a few draws of every kernel; `npm run fuzz` draws for as long as it is told to. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import fc from 'fast-check';
import {packageRoot} from '../../src/binary';
import {fallbackKernels} from '../../src/kernels/names';
import {nativeKernels} from '../../src/kernels/registry';
import {seed} from '../compile/seed';
import {fromJson, toJson} from './call';
import {check, cpuVersion} from './check';
import {calls, kernelNames} from './kernels';

const corpus = join(packageRoot(), 'test/fuzz/corpus');

describe(`fuzz (seed ${seed})`, () => {
  before(async () => {
    for (const backend of ['cpu', 'graviton']) await tf.setBackend(backend);
    expect(cpuVersion).to.match(/^4\./);
  });
  after(() => tf.setBackend('graviton'));

  for (const file of readdirSync(corpus).sort()) {
    it(`found ${file}`, () => {
      check(fromJson(readFileSync(join(corpus, file), 'utf8')), {replay: true});
    });
  }

  it('draws calls of native kernels, and of others that both backends have', () => {
    const registered = [...Object.keys(nativeKernels), ...fallbackKernels];
    expect(kernelNames.filter((name) => !registered.includes(name))).to.deep.equal([]);
  });

  it('writes calls so that they read the same', () => {
    const odd = {kernel: 'Step', inputs: {}, attrs: {alpha: Number.NaN, other: [-0, Number.NEGATIVE_INFINITY]}};
    expect(fromJson(toJson(odd))).to.deep.equal(odd);
  });

  for (const kernel of kernelNames) {
    it(`draws ${kernel}`, () => {
      fc.assert(
        fc.property(calls(kernel, false), (call) => {
          check(call);
        }),
        {seed, numRuns: 4},
      );
      fc.assert(
        fc.property(calls(kernel, true), (call) => {
          check(call, {spoilt: true});
        }),
        {seed, numRuns: 2},
      );
    });
  }
});
