import type {GraphModel} from '@tensorflow/tfjs-converter';
import {findBackend, io, type NamedTensorMap} from '@tensorflow/tfjs-core';
import {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {decodeWeights} from './decode-weights';
import {FileHandler} from './file-handler';
import {MemoryReader, readWhole, ShardReader, StreamReader, type WeightReader} from './weight-reader';

/** A model that is being loaded: what tfjs needs to build it, and its weights as bytes. */
interface Source {
  /** Without weight data. */
  readonly artifacts: io.ModelArtifacts;
  readonly specs: readonly io.WeightsManifestEntry[];
  readonly reader: WeightReader;
  /** The model as it was given, for save(). */
  readonly original: () => Promise<io.ModelArtifacts>;
}

/** What extends tf.GraphModel. tfjs-converter takes as long to load as all of this package, so only those who load or compile such a model pay for it. */
const graphModels = () => require('./loaded-graph-model') as typeof import('./loaded-graph-model');

/**
 * The model itself where nothing in it needs mending, else a model of the mended topology over the same weights: for one that stock
 * tfjs-converter has loaded. Never dispose of the copy: the weights are the original's.
 */
export const mendedModel = (model: GraphModel): GraphModel => graphModels().mendedModel(model);

/** The handler that tf.loadGraphModel would use. */
function handlerOf(model: string | io.IOHandler, options: io.LoadOptions): io.IOHandler {
  if (typeof model !== 'string') return model;
  const url = options.fromTFHub ? `${model.endsWith('/') ? model : `${model}/`}model.json?tfjs-format=file` : model;
  if (options.requestInit !== undefined) return io.browserHTTPRequest(url, options);
  const handlers = io.getLoadHandlers(url, options);
  if (handlers.length > 1) {
    throw errors.file(url, `is claimed by ${handlers.length} load handlers`, 'Give the handler itself instead of a URL.');
  }
  return handlers[0] ?? io.browserHTTPRequest(url, options);
}

async function openFile(handler: FileHandler): Promise<Source> {
  const {path, json} = await handler.readJson();
  const manifest = json.weightsManifest ?? [];
  const shards = await handler.shards(path, manifest);
  const artifacts = await io.getModelArtifactsForJSON(json, async () => [[], new ArrayBuffer(0)]);
  return {artifacts, specs: io.getWeightSpecs(manifest), reader: new ShardReader(path, shards), original: () => handler.load()};
}

async function openHandler(handler: io.IOHandler): Promise<Source> {
  if (handler.load === undefined) throw errors.file('the IO handler', 'has no load()', 'Give a URL or a handler that loads models.');
  const whole = await handler.load();
  const {weightData, getWeightStream, ...artifacts} = whole;
  const reader = getWeightStream === undefined ? new MemoryReader(weightData ?? []) : new StreamReader(getWeightStream());
  const original = async () => (getWeightStream === undefined ? whole : {...artifacts, weightData: await readWhole(getWeightStream())});
  return {artifacts, specs: whole.weightSpecs ?? [], reader, original};
}

/**
 * As tf.loadGraphModel, but weights go to native memory without a detour: shards of a file:// model are read block by block, and float16, uint8
 * and uint16 weights are decoded by native code. Any other URL or handler works too; then `weightData` is decoded in place of a copy.
 * The caller owns the model: dispose() frees its weights.
 * @throws ERR_FILE naming the file or weight and what is wrong with it
 * @example const model = await loadGraphModel('file://models/mobilenet/model.json');
 */
export async function loadGraphModel(model: string | io.IOHandler, options: io.LoadOptions = {}): Promise<GraphModel> {
  const backend = findBackend('graviton');
  if (!(backend instanceof GravitonBackend)) throw errors.notRegistered();
  const handler = handlerOf(model, options);
  const isFile = handler instanceof FileHandler;
  const source = isFile ? await openFile(handler) : await openHandler(handler);
  let weights: NamedTensorMap;
  try {
    weights = await decodeWeights(source.specs, source.reader, backend, isFile ? options.onProgress : undefined);
  } finally {
    await source.reader.close();
  }
  try {
    const loaded = new (graphModels().LoadedGraphModel)(source.artifacts, weights, source.original);
    await loaded.load();
    return loaded;
  } catch (error) {
    for (const weight of Object.values(weights)) weight.dispose();
    throw error;
  }
}
