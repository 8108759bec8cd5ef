import {promises as files} from 'node:fs'; // node:fs/promises would take a millisecond of everybody's start-up
import type {FileHandle} from 'node:fs/promises';
import {dirname, isAbsolute, join, relative} from 'node:path';
import {io} from '@tensorflow/tfjs-core';
import {errors} from '../errors';
import {isFileUrl, pathOf} from './file-path';
import {readFully, type Shard} from './weight-reader';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function isManifest(value: unknown): value is io.WeightsManifestConfig {
  const isGroup = (group: unknown) =>
    isObject(group) && Array.isArray(group.paths) && group.paths.every((p) => typeof p === 'string') && Array.isArray(group.weights);
  return Array.isArray(value) && value.every(isGroup);
}

/** Loads and saves models in a folder: model.json and, beside it, weight files. */
export class FileHandler implements io.IOHandler {
  constructor(private readonly path: string) {}

  /** The path of model.json: the one given, or inside the folder given. @throws ERR_FILE */
  private async modelPath(): Promise<string> {
    const advice = 'Give the path of a model.json, or of the folder that holds it.';
    try {
      const path = (await files.stat(this.path)).isDirectory() ? join(this.path, 'model.json') : this.path;
      if ((await files.stat(path)).isFile()) return path;
    } catch (error) {
      throw errors.file(this.path, `cannot be loaded (${messageOf(error)})`, advice);
    }
    throw errors.file(this.path, 'is no file', advice);
  }

  /** The parsed model.json and its path. @throws ERR_FILE */
  async readJson(): Promise<{path: string; json: io.ModelJSON}> {
    const path = await this.modelPath();
    let json: unknown;
    try {
      json = JSON.parse(await files.readFile(path, 'utf8'));
    } catch (error) {
      const advice = path.endsWith('.pb')
        ? 'Convert it with tensorflowjs_converter 4: .pb files are not read since TensorFlow.js 1.0.'
        : 'Give the path of the model.json that tensorflowjs_converter or model.save() wrote.';
      throw errors.file(path, `is not JSON (${messageOf(error)})`, advice);
    }
    if (!isObject(json) || (json.modelTopology === undefined && json.weightsManifest === undefined)) {
      throw errors.file(path, 'has neither a modelTopology nor a weightsManifest', 'It is not a TensorFlow.js model.');
    }
    if (json.weightsManifest !== undefined && json.weightsManifest !== null && !isManifest(json.weightsManifest)) {
      throw errors.file(path, 'has a weightsManifest that lacks paths or weights', 'Convert the model again.');
    }
    return {path, json: json as unknown as io.ModelJSON};
  }

  /** The weight files with their sizes, in order. @throws ERR_FILE */
  async shards(path: string, manifest: io.WeightsManifestConfig): Promise<Shard[]> {
    const folder = dirname(path);
    return Promise.all(
      manifest
        .flatMap((group) => group.paths)
        .map(async (name) => {
          const shard = join(folder, name);
          const inside = relative(folder, shard);
          if (isAbsolute(name) || inside.startsWith('..')) {
            throw errors.file(
              path,
              `names the weight file '${name}' outside its folder`,
              'Weight files must lie beside model.json or below it.',
            );
          }
          try {
            return {path: shard, bytes: (await files.stat(shard)).size};
          } catch (error) {
            throw errors.file(shard, `cannot be read (${messageOf(error)})`, `${path} names it: copy all weight files of the model.`);
          }
        }),
    );
  }

  async load(): Promise<io.ModelArtifacts> {
    const {path, json} = await this.readJson();
    return io.getModelArtifactsForJSON(json, async (manifest) => [
      io.getWeightSpecs(manifest),
      await readAll(await this.shards(path, manifest)),
    ]);
  }

  /**
   * Writes model.json and weights.bin into the folder, which is made where it does not exist. Each file is written beside its final
   * name and renamed, so that a crash leaves the old model or the new one's parts, never half a file.
   */
  async save(artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
    if (artifacts.modelTopology instanceof ArrayBuffer) {
      throw errors.file(this.path, 'cannot hold a model whose topology is binary', 'Only models with a JSON topology can be saved.');
    }
    const weights = new Uint8Array(io.CompositeArrayBuffer.join(artifacts.weightData ?? new ArrayBuffer(0)));
    const manifest = [{paths: ['weights.bin'], weights: artifacts.weightSpecs ?? []}];
    try {
      await files.mkdir(this.path, {recursive: true});
      await replace(join(this.path, 'weights.bin'), weights);
      await replace(join(this.path, 'model.json'), JSON.stringify(modelJson(artifacts, manifest)));
    } catch (error) {
      throw errors.file(
        this.path,
        `cannot be written (${messageOf(error)})`,
        'Give the path of a folder, existing or not, that may be written.',
      );
    }
    return {modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts)};
  }
}

async function replace(path: string, data: string | Uint8Array): Promise<void> {
  const partial = `${path}.${process.pid}.tmp`;
  await files.writeFile(partial, data);
  await files.rename(partial, path);
}

async function readAll(shards: readonly Shard[]): Promise<ArrayBuffer> {
  const whole = new Uint8Array(shards.reduce((sum, {bytes}) => sum + bytes, 0));
  let at = 0;
  for (const {path, bytes} of shards) {
    const file: FileHandle = await files.open(path);
    try {
      await readFully(file, whole.subarray(at, at + bytes), 0, path);
    } finally {
      await file.close();
    }
    at += bytes;
  }
  return whole.buffer;
}

/** The keys that tfjs gives to a model.json; those that the model lacks are left out. */
function modelJson(artifacts: io.ModelArtifacts, weightsManifest: io.WeightsManifestConfig): object {
  const {weightSpecs, weightData, getWeightStream, ...rest} = artifacts;
  return {...rest, weightsManifest};
}

type Router = Parameters<typeof io.registerLoadRouter>[0];

/**
 * A router that answers for file:// URLs unless another one does, registered before or after it: tfjs refuses two answers. It asks the registry
 * itself, and stays silent while it does so.
 */
function yieldingRouter(others: (...call: Parameters<Router>) => readonly io.IOHandler[]): Router {
  const none = null as unknown as io.IOHandler; // what tfjs wants from a router that does not answer
  let asking = false;
  return (url, options) => {
    if (asking || !isFileUrl(url)) return none;
    asking = true;
    try {
      if (others(url, options).length > 0) return none;
    } finally {
      asking = false;
    }
    return new FileHandler(pathOf(url));
  };
}

/** Makes tf.loadGraphModel, tf.loadLayersModel and model.save take file:// URLs in plain Node. */
export function registerFileRouters(): void {
  io.registerLoadRouter(yieldingRouter((url, options) => io.getLoadHandlers(url, options)));
  io.registerSaveRouter(yieldingRouter((url) => io.getSaveHandlers(url)));
}
