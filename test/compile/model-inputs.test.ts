import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {type CompiledModel, compile, loadGraphModel} from '../../src';
import {Fixture} from '../models/fixture';

describe('compile: inputs of a model', () => {
  let fast: CompiledModel;
  let close: () => void;
  const ids = (shape: number[]) => tf.ones(shape, 'int32');
  const good = () => ({input_ids: ids([1, 8]), attention_mask: ids([1, 8]), token_type_ids: ids([1, 8])});

  before(async () => {
    await tf.setBackend('graviton');
    const model = await loadGraphModel(new Fixture('bert-model-tiny').handler());
    fast = compile(model);
    close = () => {
      fast.dispose();
      model.dispose();
    };
  });
  after(() => close());

  /** Misuse throws, names what is wrong, and leaves tensors as they were. */
  function refuses(title: string, inputs: () => object, message: RegExp): void {
    it(title, () => {
      const given = inputs() as tf.NamedTensorMap;
      const before = tf.memory().numTensors;
      expect(() => fast.predict(given)).to.throw(message);
      expect(tf.memory().numTensors).to.equal(before);
      tf.dispose(given);
    });
  }

  refuses(
    'a wrong type',
    () => ({...good(), attention_mask: tf.ones([1, 8])}),
    /ERR_INPUT: input 'attention_mask' must be int32; given was float32/,
  );
  refuses(
    'a wrong rank',
    () => ({...good(), input_ids: ids([8])}),
    /ERR_INPUT: input 'input_ids' must have the shape \[-1,-1\].*given was \[8\]/,
  );
  refuses(
    'a missing input',
    () => ({input_ids: ids([1, 8]), token_type_ids: ids([1, 8])}),
    /ERR_INPUT: input 'attention_mask' is missing; it must be int32/,
  );
  refuses(
    'an input that the model does not have',
    () => ({...good(), labels: ids([1])}),
    /ERR_INPUT: input 'labels' is not an input of the model/,
  );

  it('what is no tensor', () => {
    expect(() => fast.predict(null as unknown as tf.Tensor)).to.throw(/ERR_INPUT: inputs must be a tensor/);
    expect(() => fast.predict([ids([1, 8])])).to.throw(/ERR_INPUT: the model takes 3 inputs/);
  });
});
