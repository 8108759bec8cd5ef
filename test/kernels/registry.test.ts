import {readFileSync} from 'node:fs';
import * as cpu from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '../../src';
import {fallbackReasons} from '../../src/kernels/fallback-reasons';
import {kernelsPage} from '../../src/kernels/generate-docs';
import {fallbackKernels} from '../../src/kernels/names';
import {nativeKernels} from '../../src/kernels/registry';

const namesOf = (backend: string): string[] => tf.getKernelsForBackend(backend).map((k) => k.kernelName);

/** The element at [1, 1] of a 2x2 matrix, as an element of a vector. */
function reshaped(): tf.TypedArray {
  return tf.tidy(() => {
    const [at, from, to] = [tf.tensor2d([0, 0, 1, 1], [2, 2], 'int32'), tf.tensor1d([2, 2], 'int32'), tf.tensor1d([4], 'int32')] as const;
    return tf.sparse.sparseReshape(at, from, to).outputIndices?.dataSync() as tf.TypedArray;
  });
}

describe('kernel registry', () => {
  beforeEach(async () => {
    await tf.setBackend('graviton');
  });
  afterEach(() => tf.env().reset());

  it('knows every kernel of the installed tfjs-backend-cpu', () => {
    expect(cpu.version_cpu).to.match(/^4\./);
    expect([...fallbackKernels].sort()).to.deep.equal(namesOf('cpu').sort());
  });

  it('has a kernel for every name that any tfjs backend registers', () => {
    expect(namesOf('graviton')).to.include.members([...namesOf('cpu'), 'LogicalXor']);
  });

  it('registers every native kernel', () => {
    expect(namesOf('graviton')).to.include.members(Object.keys(nativeKernels));
  });

  it('gives a reason for every kernel that falls back, and for no other', () => {
    const without = fallbackKernels.filter((name) => nativeKernels[name] === undefined);
    expect(Object.keys(fallbackReasons).sort()).to.deep.equal(without.sort());
  });

  it('is documented as it is', () => {
    expect(readFileSync('docs/kernels.md', 'utf8')).to.equal(kernelsPage());
  });

  it('is the default backend', () => {
    expect(tf.engine().registryFactory.graviton?.priority).to.be.greaterThan(2);
  });

  it('runs a kernel without native steps on tfjs-backend-cpu, and gives everything back', () => {
    const before = tf.memory();
    expect([...reshaped()]).to.deep.equal([0, 3]);
    expect(tf.memory()).to.deep.equal(before);
  });

  it('says which kernel fell back under GRAVITON_FALLBACK=error', () => {
    tf.env().set('GRAVITON_FALLBACK', 'error');
    expect(reshaped).to.throw(/ERR_FALLBACK: kernel SparseReshape/);
    expect([...tf.relu(tf.tensor1d([1, 2, 1])).dataSync()]).to.deep.equal([1, 2, 1]);
  });

  it('refuses bad settings', () => {
    expect(() => tf.env().set('GRAVITON_FALLBACK', 'maybe')).to.throw(
      "ERR_OPTION: flag GRAVITON_FALLBACK is 'maybe'; it must be allow or error",
    );
    expect(() => tf.env().set('GRAVITON_THREADS', 0)).to.throw(/ERR_OPTION: flag GRAVITON_THREADS is '0'/);
    expect(() => tf.env().set('GRAVITON_ISA', 'z80')).to.throw(/ERR_OPTION: flag GRAVITON_ISA is 'z80'; it must be one of/);
  });
});
