// An HTTP server of sentence embeddings: POST / with {"sentences": ["…"]} answers {"embeddings": [[…]]}; GET /health answers 200 once it can.
//   PORT=8080 node serve.mjs
import {createServer} from 'node:http';
import {json} from 'node:stream/consumers';
import * as tf from '@tensorflow/tfjs-core';
import {compile} from 'tfjs-backend-graviton';
import {average, encode, lastHiddenState, loadModel, loadTokenizer} from './embed.mjs';

const mostSentences = 64;
const mostTokens = 256; // what the model was trained with

await tf.setBackend('graviton');
const tokenizer = await loadTokenizer();
const model = compile(await loadModel());

/** The plan runs on a thread of its own, so that requests are read meanwhile. */
async function embeddingsOf(sentences) {
  const inputs = encode(tokenizer, sentences);
  try {
    if (inputs.input_ids.shape[1] > mostTokens) return undefined;
    const states = await model.executeAsync(inputs, lastHiddenState);
    const embeddings = average(states, inputs.attention_mask);
    const rows = await embeddings.array();
    tf.dispose([states, embeddings]);
    return rows;
  } finally {
    tf.dispose(inputs);
  }
}

async function answer(request) {
  if (request.url === '/health') return [200, {}];
  if (request.method !== 'POST' || request.url !== '/') return [404, {error: 'POST / with {"sentences": ["…"]}'}];
  const body = await json(request).catch(() => undefined);
  const sentences = body?.sentences;
  if (!Array.isArray(sentences) || sentences.length < 1 || sentences.length > mostSentences || sentences.some((s) => typeof s !== 'string'))
    return [400, {error: `"sentences" takes 1 to ${mostSentences} strings`}];
  const embeddings = await embeddingsOf(sentences);
  return embeddings === undefined ? [400, {error: `a sentence has more than ${mostTokens} tokens`}] : [200, {embeddings}];
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => [500, {error: String(error)}]);
  response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body));
});

await embeddingsOf(['plans and packs before traffic']);
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening on port ${server.address().port}`));
// Docker stops a container by SIGTERM: requests at hand are answered first.
process.once('SIGTERM', () => server.close());
