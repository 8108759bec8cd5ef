import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import '@tensorflow/tfjs-backend-cpu';
import '../../src';

describe('calls past tfjs-core', () => {
  let x: tf.Tensor1D;
  beforeEach(async () => {
    await tf.setBackend('graviton');
    x = tf.tensor1d([-1, 2]);
  });
  afterEach(() => x.dispose());

  const replaced: tf.KernelConfig = {
    kernelName: 'Relu',
    backendName: 'graviton',
    kernelFunc: ({inputs}) => tf.neg(inputs.x as tf.Tensor),
  };

  it('run a kernel that was registered in place of ours', () => {
    const ours = tf.getKernel('Relu', 'graviton');
    try {
      tf.unregisterKernel('Relu', 'graviton');
      expect(() => tf.relu(x)).to.throw("Kernel 'Relu' not registered for backend 'graviton'");
      tf.registerKernel(replaced);
      expect([...tf.tidy(() => tf.relu(x).dataSync())]).to.deep.equal([1, -2]);
    } finally {
      if (tf.getKernel('Relu', 'graviton') !== undefined) tf.unregisterKernel('Relu', 'graviton');
      tf.registerKernel(ours);
    }
    expect([...tf.tidy(() => tf.relu(x).dataSync())]).to.deep.equal([0, 2]);
  });

  it('leave gradients, profiles and checks for leaks to it', async () => {
    // tfjs-core leaves gradients to the union package; one of an own name does not meet those of other tests.
    const doubled = {
      kernelName: 'Doubled',
      backendName: 'graviton',
      kernelFunc: ({inputs}: {inputs: tf.NamedTensorInfoMap}) => tf.add(inputs.x as tf.Tensor, inputs.x as tf.Tensor),
    };
    tf.registerKernel(doubled);
    tf.registerGradient({kernelName: 'Doubled', gradFunc: (dy) => ({x: () => tf.mul(dy as tf.Tensor, 2)})});
    try {
      const gradient = tf.grad((v) => tf.engine().runKernel('Doubled', {x: v}) as tf.Tensor);
      expect([...tf.tidy(() => gradient(x).dataSync())]).to.deep.equal([2, 2]);
    } finally {
      tf.unregisterKernel('Doubled', 'graviton');
      tf.unregisterGradient('Doubled');
    }
    const {kernels, result} = await tf.profile(() => tf.relu(x));
    expect(kernels.map(({name}) => name)).to.deep.equal(['Relu']);
    tf.dispose(result as tf.Tensor);
    tf.env().set('IS_TEST', true);
    try {
      const leaking = {kernelName: 'Leaking', backendName: 'graviton', kernelFunc: () => tf.relu(tf.relu(x))};
      tf.registerKernel(leaking);
      expect(() => tf.tidy(() => tf.engine().runKernel('Leaking', {x}))).to.throw('internal memory leak');
    } finally {
      tf.env().set('IS_TEST', false);
      tf.unregisterKernel('Leaking', 'graviton');
    }
  });

  it('leave the depth of kernels as it was where one throws', () => {
    const depth = () => tf.engine().state.kernelDepth;
    const before = [depth(), tf.memory().numTensors];
    expect(() => tf.reshape(x, [3])).to.throw();
    expect(() => tf.engine().runKernel('Reshape', {x}, {shape: [3]})).to.throw('ERR_SHAPE');
    expect([depth(), tf.memory().numTensors]).to.deep.equal(before);
  });

  it('count tensors and data as it does', () => {
    const counts = (): number[] => [tf.memory().numTensors, tf.memory().numDataBuffers];
    const [tensors = 0, buffers = 0] = counts();
    const made = [tf.relu(x), tf.reshape(x, [2, 1]), ...tf.split(x, 2)];
    expect(counts()).to.deep.equal([tensors + 4, buffers + 3]);
    tf.dispose(made);
    expect(counts()).to.deep.equal([tensors, buffers]);
  });

  it('are for this backend alone', async () => {
    await tf.setBackend('cpu');
    const y = tf.relu(x);
    expect([...y.dataSync()]).to.deep.equal([0, 2]);
    expect(tf.engine().state.tensorInfo.get(y.dataId)?.backend).to.equal(tf.findBackend('cpu'));
    y.dispose();
    await tf.setBackend('graviton');
  });
});
