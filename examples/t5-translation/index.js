// node examples/t5-translation -m eager|compile -n N: one forward pass of T5-small, 16 encoder and 5 decoder tokens, N times under the profiler.
const tf = require('@tensorflow/tfjs-core');
const {Command, Option} = require('commander');
const {compile, loadGraphModel, profile, systemInfo} = require('tfjs-backend-graviton');
const {inMemory} = require('../../build/ts/bench/topology.js');

const warmups = 50;
const encoderTokens = 16;
const decoderTokens = 5;

const countOf = (text) => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`-n ${text}: a whole number from 1`);
  return count;
};

/** "translate English to German: The house is wonderful." has as many tokens; the weights are random, so any numbers do. */
function inputs() {
  const ids = (count) => Int32Array.from({length: count}, (_, i) => 3 + ((i * 7919) % 32000));
  return {
    input_ids: tf.tensor2d(ids(encoderTokens), [1, encoderTokens], 'int32'),
    attention_mask: tf.ones([1, encoderTokens], 'int32'),
    decoder_input_ids: tf.tensor2d(ids(decoderTokens), [1, decoderTokens], 'int32'),
  };
}

async function main() {
  const {m: mode, n: count} = new Command('t5-translation')
    .addOption(new Option('-m <mode>', 'how to run it').choices(['eager', 'compile']).default('compile'))
    .addOption(new Option('-n <count>', 'runs that are profiled').argParser(countOf).default(100))
    .parse()
    .opts();
  await tf.setBackend('graviton');
  const model = await loadGraphModel(inMemory('t5-small'));
  const runner = mode === 'compile' ? compile(model) : model;
  const feed = inputs();
  const run = () => {
    const logits = runner.execute(feed, model.outputNodes);
    for (const tensor of [logits].flat()) tensor.dataSync();
    tf.dispose(logits);
  };
  for (let i = 0; i < warmups; i++) run();

  const begin = performance.now();
  for (let i = 0; i < count; i++) run();
  const ms = (performance.now() - begin) / count;
  const profiled = await profile(() => {
    for (let i = 0; i < count; i++) run();
  });
  const {isa, threads} = systemInfo();
  console.log(profiled.table({sortBy: 'self_cpu_time_total', rowLimit: 10}));
  console.log(
    `T5-small, ${encoderTokens} encoder and ${decoderTokens} decoder tokens, ${mode}: ${ms.toFixed(2)} ms a run without the profiler`,
  );
  console.log(`mean of ${count} after ${warmups} to warm up, ${isa.used}, ${threads} threads`);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
