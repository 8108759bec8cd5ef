/** Benchmark models: topologies from the real converter (bench/models), weights synthesised from a seed. */
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {packageRoot} from '../src/binary';

export const root = packageRoot();
const folderOf = (name: string) => join(root, 'bench/models', name);
const readJson = <T>(path: string): T => JSON.parse(gunzipSync(readFileSync(path)).toString()) as T;

type Recipe =
  | {readonly kind: 'uniform'; readonly lo: number; readonly hi: number; readonly seed: number}
  | {readonly kind: 'bin'; readonly offset: number; readonly bytes: number};
type Init = {readonly kind: 'int' | 'uniform'; readonly lo: number; readonly hi: number; readonly seed: number};

interface InputSpec {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly values?: readonly number[];
  readonly init?: Init;
}

interface BenchSpec {
  readonly sets: readonly {readonly id: string; readonly inputs: readonly InputSpec[]}[];
}

/** One input as plain numbers. */
export interface Input {
  /** As in the model's signature. */
  readonly name: string;
  /** The placeholder that takes it. */
  readonly node: string;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** bench/models/suites.json. */
export interface Suites {
  readonly hf: readonly string[];
  readonly hfDetail: Readonly<Record<string, {readonly folders: readonly string[]; readonly task: string; readonly tiny: string}>>;
  readonly torchbench: Readonly<Record<string, string>>;
  /** The input set to measure, where it is not the model's first. */
  readonly sets: Readonly<Record<string, string>>;
}

export const suites = (): Suites => JSON.parse(readFileSync(join(root, 'bench/models/suites.json'), 'utf8')) as Suites;

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
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function modelNames(): string[] {
  return readdirSync(join(root, 'bench/models')).filter((name) => existsSync(join(folderOf(name), 'model.json.gz')));
}

/** Whether `name` is a folder of the repository with a model.json, rather than a topology in bench/models. */
export const isFolder = (name: string): boolean => name.includes('/') && existsSync(join(root, name, 'model.json'));

/** The graph of a model and its weights' names and shapes. */
export function modelJson(name: string): tf.io.ModelJSON {
  if (isFolder(name)) return JSON.parse(readFileSync(join(root, name, 'model.json'), 'utf8')) as tf.io.ModelJSON;
  return readJson<tf.io.ModelJSON>(join(folderOf(name), 'model.json.gz'));
}

/** The bytes of each weight, in the order of the manifest. */
function* synthesised(name: string, specs: readonly tf.io.WeightsManifestEntry[]): Generator<Uint8Array<ArrayBuffer>> {
  const recipes = readJson<Recipe[]>(join(folderOf(name), 'recipe.json.gz'));
  const constants = new Uint8Array(gunzipSync(readFileSync(join(folderOf(name), 'consts.bin.gz'))));
  for (const [i, {shape, dtype}] of specs.entries()) {
    const recipe = recipes[i] as Recipe;
    if (recipe.kind === 'bin') yield constants.subarray(recipe.offset, recipe.offset + sizeOf(shape) * (elemBytes[dtype] as number));
    else {
      const values = new Float32Array(sizeOf(shape));
      fillUniform(values, recipe);
      yield new Uint8Array(values.buffer);
    }
  }
}

/** The weights, one after the other. */
function synthesise(name: string, specs: readonly tf.io.WeightsManifestEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(specs.reduce((sum, {shape, dtype}) => sum + sizeOf(shape) * (elemBytes[dtype] as number), 0));
  let offset = 0;
  for (const weight of synthesised(name, specs)) {
    bytes.set(weight, offset);
    offset += weight.length;
  }
  return bytes;
}

const shardBytes = 256 * 2 ** 20;

/**
 * The folder where the model lies as a user's would: model.json and weight files, written where they are not there yet.
 * @example const url = `file://${join(onDisk('bert-base-qa'), 'model.json')}`;
 */
export function onDisk(name: string): string {
  if (isFolder(name)) return join(root, name);
  const folder = join(root, 'build/bench-models', name);
  if (existsSync(folder)) return folder;
  const model = modelJson(name);
  const weights = model.weightsManifest.flatMap((group) => group.weights);
  const bytes = synthesise(name, weights);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, {recursive: true});
  const paths = Array.from({length: Math.ceil(bytes.length / shardBytes)}, (_, i) => `weights-${i}.bin`);
  for (const [i, path] of paths.entries()) writeFileSync(join(unfinished, path), bytes.subarray(i * shardBytes, (i + 1) * shardBytes));
  writeFileSync(join(unfinished, 'model.json'), JSON.stringify({...model, weightsManifest: [{paths, weights}]}));
  renameSync(unfinished, folder);
  return folder;
}

/** Takes back what onDisk() wrote. */
export function removeFromDisk(name: string): void {
  if (!isFolder(name)) rmSync(join(root, 'build/bench-models', name), {recursive: true, force: true});
}

function valuesOf({dtype, shape, values, init}: InputSpec): Input['values'] {
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

interface Signature {
  readonly inputs?: Readonly<
    Record<string, {readonly name?: string; readonly dtype?: string; readonly tensorShape?: {dim?: {size: string}[]}}>
  >;
}

/** Ones of every input's shape, with 1 for the batch and 128 for other free sizes. */
function plainInputs(signature: Signature): Input[] {
  return Object.entries(signature.inputs ?? {}).map(([name, {name: node = name, dtype, tensorShape}]) => {
    const shape = (tensorShape?.dim ?? []).map(({size}, axis) => (Number(size) > 0 ? Number(size) : axis === 0 ? 1 : 128));
    const type = dtype === 'DT_FLOAT' ? 'float32' : 'int32';
    const ones = (type === 'float32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape))).fill(1);
    return {name, node: node.replace(/:0$/, ''), dtype: type, shape, values: ones};
  });
}

/** The inputs to measure with: `set`, else the one that suites.json names, else the first. `sequence` replaces the second axis of token inputs. */
export function inputsOf(name: string, {set, sequence}: {set?: string; sequence?: number} = {}): Input[] {
  const signature = (modelJson(name) as {signature?: Signature}).signature ?? {};
  if (isFolder(name)) return plainInputs(signature);
  const {sets} = readJson<BenchSpec>(join(folderOf(name), 'bench.json.gz'));
  const wanted = set ?? suites().sets[name];
  const spec = (sets.find(({id}) => id === wanted) ?? sets[0]) as BenchSpec['sets'][number];
  return spec.inputs.map((input) => {
    const node = (signature.inputs?.[input.name]?.name ?? input.name).replace(/:0$/, '');
    const longer = sequence !== undefined && input.dtype === 'int32' && input.shape.length === 2;
    const shape = longer ? [input.shape[0] as number, sequence] : input.shape;
    const values = valuesOf(input);
    const filled = longer ? Int32Array.from({length: sizeOf(shape)}, (_, i) => values[i % values.length] as number) : values;
    return {name: input.name, node, dtype: input.dtype, shape, values: filled};
  });
}

export const feedOf = (inputs: readonly Input[]): tf.NamedTensorMap =>
  Object.fromEntries(inputs.map(({node, values, shape, dtype}) => [node, tf.tensor(values, [...shape], dtype)]));

/** An IO handler for backends that have none for files: everything in memory. */
export function inMemory(name: string): tf.io.IOHandler {
  return {
    load: async () => {
      const {weightsManifest, ...model} = modelJson(name);
      const weightSpecs = weightsManifest.flatMap((group) => group.weights);
      const files = weightsManifest.flatMap((group) => group.paths).map((path) => readFileSync(join(root, name, path)));
      const bytes = isFolder(name) ? Uint8Array.from(Buffer.concat(files)) : synthesise(name, weightSpecs);
      return {...model, weightSpecs, weightData: bytes.buffer};
    },
  };
}

/** The same with each weight made when it is read, for loadGraphModel: no more than one is held twice. */
export function asStream(name: string): tf.io.IOHandler {
  return {
    load: async () => {
      const {weightsManifest, ...model} = modelJson(name);
      const weightSpecs = weightsManifest.flatMap((group) => group.weights);
      const getWeightStream = () => {
        const weights = synthesised(name, weightSpecs);
        const pull = (controller: ReadableStreamDefaultController<ArrayBuffer>) => {
          const {value} = weights.next();
          if (value === undefined) controller.close();
          else controller.enqueue(value.slice().buffer);
        };
        return new ReadableStream<ArrayBuffer>({pull}, {highWaterMark: 0});
      };
      return {...model, weightSpecs, getWeightStream};
    },
  };
}

/** All weights of the model; the feed's own tensors are not among them. */
export const weightIds = (model: GraphModel): ReadonlySet<number> =>
  new Set(Object.values(model.weights).flatMap((list) => list.map(({id}) => id)));
