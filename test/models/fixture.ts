import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import {packageRoot} from '../../src/binary';

/** One tensor that goes into a model or that TensorFlow got out of it. */
export interface Entry {
  readonly name: string;
  /** Graph node to feed or fetch, where it is not named by the signature. */
  readonly node?: string;
  readonly dtype: 'float32' | 'int32' | 'bool' | 'string';
  readonly shape: readonly number[];
  /** Into the values; strings stand in `values`. */
  readonly offset?: number;
  readonly bytes?: number;
  readonly values?: readonly string[];
  /** The graph does not read this input. */
  readonly unused?: boolean;
  /** Only so many elements are defined. */
  readonly count?: number;
}

export interface InputSet {
  readonly id: string;
  readonly inputs: readonly Entry[];
  readonly outputs: readonly Entry[];
}

type ModelJson = tf.io.ModelJSON & {readonly signature?: Partial<Record<'inputs' | 'outputs', Record<string, {name: string}>>>};

interface Packed {
  readonly model: ModelJson;
  readonly io: {readonly sets: readonly InputSet[]; readonly rtol?: number};
  readonly weightBytes: number;
}

const folder = join(packageRoot(), 'test', 'models');

export const modelNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json.gz'))
  .map((file) => file.slice(0, -'.json.gz'.length))
  .sort();

export type Values = ArrayLike<number | string>;

/** A packed test model (pack.mjs). */
export class Fixture {
  readonly sets: readonly InputSet[];
  /** Largest error that is accepted, relative to the largest element of the reference. */
  readonly tolerance: number;
  private readonly model: ModelJson;
  private readonly weights: Uint8Array;
  private readonly values: Uint8Array;

  constructor(readonly name: string) {
    const unpack = (end: string) => gunzipSync(readFileSync(join(folder, name + end)));
    const {model, io, weightBytes} = JSON.parse(unpack('.json.gz').toString()) as Packed;
    const bytes = unpack('.bin.gz');
    this.model = model;
    this.sets = io.sets;
    this.tolerance = io.rtol ?? 2e-3;
    this.weights = bytes.subarray(0, weightBytes);
    this.values = bytes.subarray(weightBytes);
  }

  handler(): tf.io.IOHandler {
    const weightData = new Uint8Array(this.weights).buffer;
    return {load: () => tf.io.getModelArtifactsForJSON(this.model, async (manifest) => [tf.io.getWeightSpecs(manifest), weightData])};
  }

  valuesOf({dtype, offset = 0, bytes = 0, values}: Entry): Values {
    if (dtype === 'string') return values ?? [];
    const {buffer} = new Uint8Array(this.values.subarray(offset, offset + bytes));
    if (dtype === 'bool') return new Uint8Array(buffer);
    return dtype === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer);
  }

  /** The tensors of a set by the names that the model wants. */
  feed(set: InputSet): tf.NamedTensorMap {
    const given = set.inputs.filter(({unused}) => !unused);
    const entries = given.map((entry): [string, tf.Tensor] => {
      const tensor = tf.tensor(this.valuesOf(entry) as tf.TensorLike, [...entry.shape], entry.dtype);
      return [this.nodeOf('inputs', entry).replace(/:0$/, ''), tensor];
    });
    return Object.fromEntries(entries);
  }

  outputNodes(set: InputSet): string[] {
    return set.outputs.map((entry) => this.nodeOf('outputs', entry));
  }

  private nodeOf(side: 'inputs' | 'outputs', {name, node}: Entry): string {
    return node ?? this.model.signature?.[side]?.[name]?.name ?? name;
  }
}

/** Attention masks are filled with the lowest float or -1e9; a sum with one is only as exact as the fill is large. */
const fill = 1e30;

/** Largest |got − expected| ÷ largest |expected|; for other types than float32 0 where all are equal, else Infinity. */
export function relativeError(got: Values, expected: Values, {dtype, count = expected.length}: Entry): number {
  let error = 0;
  let scale = 0;
  for (let i = 0; i < count; i++) {
    const [a, b] = [got[i], expected[i]];
    if (dtype === 'float32' && Math.abs(b as number) < fill) scale = Math.max(scale, Math.abs(b as number));
    if (Object.is(a, b) || a === b) continue;
    if (dtype !== 'float32') return Number.POSITIVE_INFINITY;
    const [x, y] = [a as number, b as number];
    if (Math.abs(x) > fill && Math.abs(y) > fill && Math.sign(x) === Math.sign(y)) continue;
    const difference = Math.abs(x - y);
    if (!(difference <= error)) error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return error === 0 ? 0 : error / Math.max(scale, 1e-6);
}
