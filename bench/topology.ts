/** Benchmark models: topologies from the real converter (bench/models), weights synthesised from a seed. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';

const folder = (root: string, name: string) => join(root, 'bench/models', name);
const readJson = <T>(path: string): T => JSON.parse(gunzipSync(readFileSync(path)).toString()) as T;

type Recipe =
  | {readonly kind: 'uniform'; readonly lo: number; readonly hi: number; readonly seed: number}
  | {readonly kind: 'bin'; readonly offset: number; readonly bytes: number};
type Init = {readonly kind: 'int' | 'uniform'; readonly lo: number; readonly hi: number; readonly seed: number};

interface InputSpec {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: number[];
  readonly values?: number[];
  readonly init?: Init;
}

interface BenchSpec {
  readonly sets: readonly {readonly id: string; readonly inputs: readonly InputSpec[]}[];
}

/** Counter-based mulberry32: value i = lo + (hi − lo) · u32(seed, i) / 2³². */
function fillUniform(out: Float32Array | Float64Array, {seed, lo, hi}: {seed: number; lo: number; hi: number}): void {
  let a = seed | 0;
  const scale = (hi - lo) / 4294967296;
  for (let i = 0; i < out.length; i++) {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    out[i] = lo + scale * ((t ^ (t >>> 14)) >>> 0);
  }
}

const elemBytes: Readonly<Record<string, number>> = {float32: 4, int32: 4, bool: 1, complex64: 8};
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

export function modelNames(root: string): string[] {
  return readdirSync(join(root, 'bench/models')).filter((name) => existsSync(join(folder(root, name), 'model.json.gz')));
}

/** An IO handler for loadGraphModel. */
export function synthesised(root: string, name: string): tf.io.IOHandler {
  return {
    load: async () => {
      const model = readJson<tf.io.ModelJSON>(join(folder(root, name), 'model.json.gz'));
      const recipes = readJson<Recipe[]>(join(folder(root, name), 'recipe.json.gz'));
      const constants = gunzipSync(readFileSync(join(folder(root, name), 'consts.bin.gz')));
      const weightSpecs = model.weightsManifest.flatMap((group) => group.weights);
      const bytesOf = (w: tf.io.WeightsManifestEntry) => sizeOf(w.shape) * (elemBytes[w.dtype] as number);
      const bytes = new Uint8Array(weightSpecs.reduce((sum, w) => sum + bytesOf(w), 0));
      let offset = 0;
      weightSpecs.forEach((spec, i) => {
        const recipe = recipes[i] as Recipe;
        if (recipe.kind === 'bin') bytes.set(constants.subarray(recipe.offset, recipe.offset + recipe.bytes), offset);
        else {
          const values = new Float32Array(sizeOf(spec.shape));
          fillUniform(values, recipe);
          bytes.set(new Uint8Array(values.buffer), offset);
        }
        offset += bytesOf(spec);
      });
      const {weightsManifest: _, ...artifacts} = model;
      return {...artifacts, weightSpecs, weightData: bytes.buffer} as tf.io.ModelArtifacts;
    },
  };
}

function valuesOf({dtype, shape, values, init}: InputSpec): Float32Array | Int32Array | Uint8Array {
  const count = sizeOf(shape);
  if (values !== undefined)
    return dtype === 'bool' ? Uint8Array.from(values) : dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
  const {kind, ...range} = init as Init;
  if (kind !== 'int') {
    const uniform = new Float32Array(count);
    fillUniform(uniform, range);
    return uniform;
  }
  const unit = new Float64Array(count);
  fillUniform(unit, {seed: range.seed, lo: 0, hi: 1});
  return Int32Array.from(unit, (x) => range.lo + Math.floor(x * (range.hi - range.lo)));
}

/** Where `name` is a folder with a model.json, its URL. */
export function urlOf(root: string, name: string): string | undefined {
  const file = join(root, name, 'model.json');
  return name.includes('/') && existsSync(file) ? `file://${file}` : undefined;
}

/** Ones of every input's shape, with 1 for the batch and `sequence` for other free sizes. */
export function plainInputs(model: GraphModel, sequence: number): tf.NamedTensorMap {
  const entries = model.inputs.map(({name, shape, dtype}) => {
    const sizes = (shape ?? []).map((size, axis) => (size > 0 ? size : axis === 0 ? 1 : sequence));
    return [name, tf.ones(sizes, dtype as 'float32' | 'int32')] as const;
  });
  return Object.fromEntries(entries);
}

/** The inputs of the model's first set; `sequence` replaces the second axis of token inputs. */
export function inputsFor(root: string, name: string, model: GraphModel, sequence?: number): tf.NamedTensorMap {
  const spec = readJson<BenchSpec>(join(folder(root, name), 'bench.json.gz')).sets[0] as BenchSpec['sets'][number];
  const signature = (model.modelSignature as {inputs?: Record<string, {name?: string}>} | undefined)?.inputs;
  const feed: tf.NamedTensorMap = {};
  for (const input of spec.inputs) {
    const node = (signature?.[input.name]?.name ?? input.name).replace(/:0$/, '');
    const longer = sequence !== undefined && input.dtype === 'int32' && input.shape.length === 2;
    const shape = longer ? [input.shape[0] as number, sequence] : input.shape;
    const values = valuesOf(input);
    const filled = longer ? Int32Array.from({length: sizeOf(shape)}, (_, i) => values[i % values.length] as number) : values;
    feed[node] = tf.tensor(filled, shape, input.dtype);
  }
  return feed;
}
