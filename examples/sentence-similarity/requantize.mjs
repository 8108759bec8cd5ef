// node requantize.mjs SOURCE TARGET [PATTERN …]
// Makes the model of this example: reads a converted model whose matrices are float16 (folder with model.json) and writes it with those whose names
// match a pattern as uint8, one scale and minimum per matrix, as tensorflowjs_converter --quantize_uint8 does. Then prints the cosine between
// the sentence embeddings of both. README.md has the table that led to the patterns.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import {embed, loadModel, loadTokenizer} from './embed.mjs';
import {sentences} from './sentences.mjs';

// The names are those that TensorFlow gave: `unknown` is the table of word embeddings.
const chosen = ['^unknown$', 'query', 'key', 'attention/output', 'layer_._[012]/attention/self/value', 'layer_._[15]/intermediate'];

const [source, target, ...given] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node requantize.mjs SOURCE TARGET [PATTERN …]');
  process.exit(1);
}
const patterns = (given.length > 0 ? given : chosen).map((pattern) => new RegExp(pattern));

/** IEEE 754 binary16. */
function fromFloat16(half) {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half >> 15 ? -size : size;
}

function toUint8(halves) {
  const values = Float32Array.from(halves, fromFloat16);
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) throw new Error('a weight is not finite');
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const scale = (max - min) / 255 || 1;
  return {codes: Uint8Array.from(values, (value) => Math.round((value - min) / scale)), quantization: {dtype: 'uint8', scale, min}};
}

const model = JSON.parse(await readFile(join(source, 'model.json'), 'utf8'));
const [group] = model.weightsManifest;
if (model.weightsManifest.length !== 1) throw new Error('expected one group of weights');
const bytes = Buffer.concat(await Promise.all(group.paths.map((path) => readFile(join(source, path)))));

const parts = [];
const weights = [];
let at = 0;
for (const spec of group.weights) {
  const elems = spec.shape.reduce((a, b) => a * b, 1);
  const isHalf = spec.quantization?.dtype === 'float16';
  if (spec.dtype === 'string' || (spec.quantization !== undefined && !isHalf)) throw new Error(`${spec.name} is neither plain nor float16`);
  const part = bytes.subarray(at, (at += elems * (isHalf ? 2 : spec.dtype === 'bool' ? 1 : 4)));
  const turns = isHalf && patterns.some((pattern) => pattern.test(spec.name));
  const {codes, quantization} = turns
    ? toUint8(new Uint16Array(new Uint8Array(part).buffer))
    : {codes: part, quantization: spec.quantization};
  parts.push(codes);
  weights.push({...spec, ...(quantization && {quantization: {original_dtype: spec.dtype, ...quantization}})});
}
await mkdir(target, {recursive: true});
const weightsManifest = [{paths: ['weights.bin'], weights}];
await writeFile(join(target, 'weights.bin'), Buffer.concat(parts));
await writeFile(join(target, 'model.json'), JSON.stringify({...model, weightsManifest}));

const tokenizer = await loadTokenizer();
const [before, after] = await Promise.all([source, target].map((folder) => loadModel(folder)));
const cosines = sentences.map((sentence) => {
  const [a, b] = [before, after].map((m) => embed(m, tokenizer, [sentence]).dataSync());
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
});
const megabytes = parts.reduce((sum, part) => sum + part.length, 0) / 1e6;
const mean = cosines.reduce((a, b) => a + b, 0) / cosines.length;
console.log(
  `${megabytes.toFixed(1)} MB; cosine to the source over ${cosines.length} sentences: least ${Math.min(...cosines).toFixed(5)}, mean ${mean.toFixed(5)}`,
);
