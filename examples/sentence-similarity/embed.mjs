/** From text to sentence embeddings: tokenise, run the encoder, mean over the tokens that are not padding, normalise. */
import {readFile} from 'node:fs/promises';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {Tokenizer} from '@huggingface/tokenizers';
import * as tf from '@tensorflow/tfjs-core';
import {loadGraphModel} from 'tfjs-backend-graviton';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const modelFolder = here('./model');

/** `folder`: holds model.json. */
export async function loadModel(folder = modelFolder) {
  return loadGraphModel(pathToFileURL(folder).href);
}

export async function loadTokenizer() {
  const [json, config] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map(async (name) => JSON.parse(await readFile(here(`./tokenizer/${name}`), 'utf8'))),
  );
  return new Tokenizer(json, config);
}

/** The model's three inputs for a batch of sentences, padded to the longest or to `length` tokens. */
export function encode(tokenizer, sentences, length = 0) {
  const tokens = sentences.map((sentence) => tokenizer.encode(sentence).ids);
  const longest = Math.max(length, ...tokens.map((ids) => ids.length));
  const pad = (row, filler) => [...row, ...new Array(longest - row.length).fill(filler)];
  const tensor = (rows) => tf.tensor2d(rows, [rows.length, longest], 'int32');
  return {
    input_ids: tensor(tokens.map((ids) => pad(ids, 0))),
    attention_mask: tensor(
      tokens.map((ids) =>
        pad(
          ids.map(() => 1),
          0,
        ),
      ),
    ),
    token_type_ids: tensor(tokens.map(() => pad([], 0))),
  };
}

/** One vector of length 1 per sentence, of last_hidden_state [batch, tokens, 384] and the mask [batch, tokens]. */
export function average(states, attentionMask) {
  return tf.tidy(() => {
    const mask = tf.expandDims(tf.cast(attentionMask, 'float32'), 2);
    const sum = tf.sum(tf.mul(states, mask), 1);
    const mean = tf.div(sum, tf.sum(mask, 1));
    return tf.div(mean, tf.norm(mean, 'euclidean', 1, true));
  });
}

export const lastHiddenState = 'Identity:0';

/** `model`: the GraphModel or a compiled one. */
export function pool(model, inputs) {
  return tf.tidy(() => average(model.execute(inputs, lastHiddenState), inputs.attention_mask));
}

export function embed(model, tokenizer, sentences) {
  return tf.tidy(() => pool(model, encode(tokenizer, sentences)));
}
