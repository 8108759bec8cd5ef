import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {packageRoot} from '../../src/binary';
import {loadGraphModel} from '../../src/index';

interface Reference {
  readonly sentences: readonly string[];
  readonly tokens: readonly (readonly number[])[];
  /** Float32 values, base64. */
  readonly embeddings: readonly string[];
}

const folder = join(packageRoot(), 'examples', 'sentence-similarity');
const json = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
const cosine = (a: Float32Array, b: Float32Array) => {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

describe('the model of examples/sentence-similarity', () => {
  const reference = json('reference.json') as Reference;
  let model: GraphModel;
  before(async () => {
    await tf.setBackend('graviton');
    model = await loadGraphModel(`file://${join(folder, 'model')}`);
  });
  after(() => model.dispose());

  it('comes with the tokenizer of the reference', async () => {
    const {Tokenizer} = await import('@huggingface/tokenizers');
    const tokenizer = new Tokenizer(json('tokenizer', 'tokenizer.json'), json('tokenizer', 'tokenizer_config.json'));
    for (const [i, sentence] of reference.sentences.entries())
      expect([...tokenizer.encode(sentence).ids]).to.deep.equal(reference.tokens[i]);
  });

  it("keeps each sentence embedding within cosine 0.999 of TensorFlow's", () => {
    for (const [i, ids] of reference.tokens.entries()) {
      const row = (value: (id: number) => number) => tf.tensor2d([ids.map(value)], undefined, 'int32');
      const embedding = tf.tidy(() => {
        const inputs = {input_ids: row((id) => id), attention_mask: row(() => 1), token_type_ids: row(() => 0)};
        return (model.execute(inputs, 'Identity_1:0') as tf.Tensor).dataSync<'float32'>();
      });
      const expected = new Float32Array(new Uint8Array(Buffer.from(reference.embeddings[i] as string, 'base64')).buffer);
      expect(cosine(embedding, expected)).to.be.above(0.999);
    }
  });
});
