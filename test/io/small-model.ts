/** Hand-written models for the tests of loading and saving, in the formats that tensorflowjs_converter and model.save() write. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {io} from '@tensorflow/tfjs-core';

const dims = (shape: readonly number[]) => ({shape: {dim: shape.map((size) => ({size: String(size)}))}});
const constant = (name: string, type: string, shape: readonly number[]) => ({
  name,
  op: 'Const',
  attr: {value: {tensor: {dtype: type, tensorShape: {dim: shape.map((size) => ({size: String(size)}))}}}, dtype: {type}},
});

/** y = x · kernel + bias, and weights of every kind that a model file may hold. */
export const specs: io.WeightsManifestEntry[] = [
  {name: 'kernel', shape: [3, 2], dtype: 'float32'},
  {name: 'half', shape: [5], dtype: 'float32', quantization: {dtype: 'float16'}},
  {name: 'bias', shape: [2], dtype: 'float32', quantization: {dtype: 'uint8', scale: 0.5, min: -1}},
  {name: 'words', shape: [2, 1], dtype: 'string'},
  {name: 'wide', shape: [3], dtype: 'int32', quantization: {dtype: 'uint16', scale: 3, min: -7}},
  {name: 'flags', shape: [3], dtype: 'bool'},
  {name: 'steps', shape: [2], dtype: 'int32'},
  {name: 'wave', shape: [1], dtype: 'complex64'},
  {name: 'nothing', shape: [0, 4], dtype: 'float32'},
  {name: 'scalar', shape: [], dtype: 'float32'},
];

export const weightBytes = Buffer.concat([
  Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer),
  Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555).buffer),
  Buffer.from([4, 255]),
  Buffer.from([4, 0, 0, 0, ...Buffer.from('grün'.slice(0, 3)), 0, 0, 0, 0]), // 'grü' is four bytes, then an empty string
  Buffer.from(Uint16Array.of(0, 1, 65535).buffer),
  Buffer.from([0, 1, 1]),
  Buffer.from(Int32Array.of(-1, 2 ** 31 - 1).buffer),
  Buffer.from(Float32Array.of(0.5, -2).buffer),
  Buffer.from(Float32Array.of(42).buffer),
]);

export const topology = {
  node: [
    {name: 'x', op: 'Placeholder', attr: {dtype: {type: 'DT_FLOAT'}, ...dims([-1, 3])}},
    constant('kernel', 'DT_FLOAT', [3, 2]),
    constant('bias', 'DT_FLOAT', [2]),
    {name: 'product', op: 'MatMul', input: ['x', 'kernel'], attr: {T: {type: 'DT_FLOAT'}}},
    {name: 'y', op: 'BiasAdd', input: ['product', 'bias'], attr: {T: {type: 'DT_FLOAT'}}},
  ],
  library: {},
  versions: {producer: 1, minConsumer: 1},
};

export const signature = {
  inputs: {x: {name: 'x:0', dtype: 'DT_FLOAT', tensorShape: {dim: [{size: '-1'}, {size: '3'}]}}},
  outputs: {y: {name: 'y:0', dtype: 'DT_FLOAT', tensorShape: {dim: [{size: '-1'}, {size: '2'}]}}},
};

export function modelJson(paths: readonly string[]): object {
  return {
    format: 'graph-model',
    generatedBy: 'test',
    convertedBy: null,
    signature,
    userDefinedMetadata: {about: 'a test'},
    modelTopology: topology,
    weightsManifest: [{paths, weights: specs}],
  };
}

/** Writes the model with its weights cut into files of `shardBytes`; returns its URL. */
export function writeModel(folder: string, shardBytes: number): string {
  mkdirSync(folder, {recursive: true});
  const paths: string[] = [];
  for (let at = 0; at < weightBytes.length; at += shardBytes) {
    const name = `group1-shard${paths.length + 1}.bin`;
    writeFileSync(join(folder, name), weightBytes.subarray(at, at + shardBytes));
    paths.push(name);
  }
  writeFileSync(join(folder, 'model.json'), JSON.stringify(modelJson(paths)));
  return `file://${folder}`;
}

/** A folder that is removed after the suite that asks for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'graviton-io-'));
  after(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}
