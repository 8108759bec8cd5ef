// npm run example [-- ROUNDS]: sentence embeddings of the real all-MiniLM-L6-v2 on the graviton backend, eager and compiled.
import * as tf from '@tensorflow/tfjs-core';
import {compile, profile, systemInfo} from 'tfjs-backend-graviton';
import {embed, encode, loadModel, loadTokenizer, pool} from './embed.mjs';
import {sentences} from './sentences.mjs';

const tokens = 128;
const rounds = Number(process.argv[2] ?? 40);

const section = (title) => console.log(`\n== ${title} ==\n`);

async function timed(run) {
  const start = performance.now();
  const result = await run();
  return [result, performance.now() - start];
}

/** Median times in ms of the given calls, taken in turn so that a busy machine slows all of them down alike. */
function medians(calls) {
  for (const call of calls) for (let i = 0; i < Math.min(3, rounds); i++) tf.dispose(call());
  const times = calls.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now();
      const result = call();
      times[i].push(performance.now() - start);
      tf.dispose(result);
    }
  }
  return times.map((list) => list.sort((a, b) => a - b)[rounds >> 1]);
}

function printMatrix(embeddings, names) {
  const similarity = tf.tidy(() => tf.matMul(embeddings, embeddings, false, true).arraySync());
  for (const [i, row] of similarity.entries()) {
    console.log(`${`[${i + 1}]`.padEnd(5)}${row.map((value) => value.toFixed(2).padStart(6)).join('')}   ${names[i]}`);
  }
}

await tf.setBackend('graviton');
const {isa, threads} = systemInfo();
console.log(`all-MiniLM-L6-v2, backend ${tf.getBackend()}, ${isa.used}, ${threads} threads, Node ${process.versions.node}`);

const tokenizer = await loadTokenizer();
const [model, loadMs] = await timed(() => loadModel());
console.log(`model loaded in ${loadMs.toFixed(0)} ms`);

section('Similarity of sentences');
const shown = sentences.slice(0, 7);
const embeddings = embed(model, tokenizer, shown);
printMatrix(embeddings, shown);

section(`Latency, one sentence padded to ${tokens} tokens`);
const compiled = compile(model);
const inputs = encode(tokenizer, shown.slice(0, 1), tokens);
const [first, firstMs] = await timed(() => pool(compiled, inputs));
const [eagerMs, compiledMs] = medians([() => pool(model, inputs), () => pool(compiled, inputs)]);
console.log(`eager     ${eagerMs.toFixed(2)} ms (median of ${rounds})`);
console.log(
  `compiled  ${compiledMs.toFixed(2)} ms (median of ${rounds}; the first call, which records and optimises, took ${firstMs.toFixed(0)} ms)`,
);
console.log(`ratio     ${(eagerMs / compiledMs).toFixed(2)}`);
const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(pool(model, inputs), pool(compiled, inputs)))).dataSync()[0]);
console.log(`largest difference between the two embeddings: ${difference.toExponential(1)}`);

section('What compile() did');
console.log(String(compiled.explain()));

for (const [name, target] of [
  ['eager', model],
  ['compiled', compiled],
]) {
  section(`Profile of one ${name} call`);
  const taken = await profile(() => pool(target, inputs));
  console.log(taken.table({rowLimit: 15}));
  tf.dispose(taken.result);
}

tf.dispose([embeddings, first, inputs]);
compiled.dispose();
model.dispose();
