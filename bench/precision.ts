/**
 * npm run bench:precision -- MODEL,… [--sequence N]
 *
 * How far bfloat16 and int8 move each model's results from float32's: the largest error of any element as a part of the largest magnitude,
 * and the root mean square as a part of the results' own; and which part of the multiply-adds was rounded. One model at a time.
 */
import {execFileSync} from 'node:child_process';
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import Table from 'cli-table3';
import {Command} from 'commander';
import {type CompileOptions, compile, type ExplainedStep, loadGraphModel} from '../src';
import {feedOf, inMemory, inputsOf} from './topology';

/** Small and large ones of every family whose weights are synthesised. */
const familiar = [
  ...['bert-base-qa', 'distilbert-base-qa', 'albert-base-v2', 'gpt2', 't5-small-encoder', 'bart-base-encoder', 'vit-base-patch16'],
  ...['resnet50', 'vgg16', 'mobilenet-v2', 'mobilenet-v3-large', 'efficientnet-b0', 'shufflenet-v2-x1-0', 'densenet121', 'dlrm'],
];

const modes: Readonly<Record<string, CompileOptions>> = {bf16: {fpmath: 'bf16'}, int8: {fpmath: 'fp32', weights: 'int8'}};

interface Errors {
  readonly largest: number;
  readonly meanSquare: number;
}

function errorOf(got: readonly Float32Array[], wanted: readonly Float32Array[]): Errors {
  let [most, scale, squares, power] = [0, 0, 0, 0];
  wanted.forEach((values, output) => {
    values.forEach((value, i) => {
      const apart = Math.abs(value - (got[output]?.[i] as number));
      most = Math.max(most, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
      scale = Math.max(scale, Math.abs(value));
      squares += apart * apart;
      power += value * value;
    });
  });
  return {largest: most / scale, meanSquare: Math.sqrt(squares / power)};
}

/** Multiply-adds of a product or convolution, from its size as explain() prints it. */
function workOf({op, size}: ExplainedStep): number {
  return op === 'MatMul' || op === 'Conv2D' ? size.split('x').reduce((product, n) => product * Number(n), 1) : 0;
}

function run(model: GraphModel, feed: tf.NamedTensorMap, options: CompileOptions) {
  const fast = compile(model, {...options, freeze: false});
  const results = [fast.execute(feed, model.outputNodes)].flat();
  const values = results.filter((t) => t.dtype === 'float32').map((t) => t.dataSync() as Float32Array);
  const steps = fast.explain().plans[0]?.steps ?? [];
  tf.dispose(results);
  fast.dispose();
  return {values, steps};
}

/** One row of the table, in this process. */
async function measure(name: string, sequence: number | undefined): Promise<string[]> {
  await tf.setBackend('graviton');
  const model = await loadGraphModel(inMemory(name));
  const feed = feedOf(inputsOf(name, sequence === undefined ? {} : {sequence}));
  const wanted = run(model, feed, {fpmath: 'fp32'});
  const row = [name];
  for (const [mode, options] of Object.entries(modes)) {
    const got = run(model, feed, options);
    const {largest, meanSquare} = errorOf(got.values, wanted.values);
    const sum = (steps: readonly ExplainedStep[]) => steps.reduce((work, step) => work + workOf(step), 0);
    const part = sum(got.steps.filter((step) => step.precision === mode)) / sum(got.steps);
    row.push(largest.toExponential(1), meanSquare.toExponential(1), `${Math.round(100 * part)} %`);
  }
  return row;
}

async function main(): Promise<void> {
  const command = new Command('bench:precision')
    .argument('[models]', 'names in bench/models', familiar.join())
    .option('--sequence <n>', 'tokens of text inputs')
    .option('--row', 'only the numbers of one model, as JSON');
  command.parse();
  const {sequence, row} = command.opts<{sequence?: string; row?: boolean}>();
  const names = (command.processedArgs[0] as string).split(',');
  if (row) return console.log(JSON.stringify(await measure(names[0] as string, sequence === undefined ? undefined : Number(sequence))));
  const head = ['model', 'bf16: largest', 'rms', 'of the work', 'int8: largest', 'rms', 'of the work'];
  const table = new Table({head, style: {head: [], border: []}});
  const more = sequence === undefined ? [] : ['--sequence', sequence];
  // A process each: a model's memory goes with it.
  for (const name of names) {
    const text = execFileSync(process.execPath, [__filename, name, '--row', ...more], {encoding: 'utf8', maxBuffer: 1 << 24});
    table.push(JSON.parse(text.trim().split('\n').at(-1) as string) as string[]);
  }
  console.log(table.toString());
}

if (require.main === module) void main();
