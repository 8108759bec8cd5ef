import type {GraphModel} from '@tensorflow/tfjs-converter';
import {engine, getBackend, type NamedTensorMap, registerKernel, type Tensor, tidy, zeros} from '@tensorflow/tfjs-core';
import {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {mendedModel} from '../io/load-graph-model';
import {TensorData} from '../tensor-data';
import {type ExplainOptions, type Explanation, explainEntries} from './explain';
import type {Given} from './given';
import {hasPolynomialSizes} from './polynomial-sizes';
import {type CompileOptions, type CompileStats, planKernel, Recorder} from './recorder';

registerKernel(planKernel);

/** What model calls take: one tensor, tensors in the order of `model.inputs`, or tensors by name. */
export type ModelInputs = Tensor | Tensor[] | NamedTensorMap;
export type ModelOutputs = Tensor | Tensor[] | NamedTensorMap;

export interface AsyncOptions {
  /** Aborts the call: the promise is rejected with ERR_ABORTED and its results are given back. */
  readonly signal?: AbortSignal;
}

export interface Compiled {
  /** What was fused, what runs eagerly and why. */
  explain(options?: ExplainOptions): Explanation;
  stats(): CompileStats;
  /** Gives plans and packed weights back. Later calls throw ERR_DISPOSED. */
  dispose(): void;
}

/** The function with its call signature as it was. */
export type CompiledFunction<F> = F & Compiled;

function activeBackend(): GravitonBackend {
  const backend = getBackend() === 'graviton' ? engine().backend : undefined;
  if (!(backend instanceof GravitonBackend)) throw errors.backend(getBackend());
  return backend;
}

/** Inside another recording, and under a gradient tape, the original runs: it is recorded or differentiated as it is. */
function mustRunEagerly(tensors: readonly Tensor[]): boolean {
  return engine().isTapeOn() || tensors.some((t) => t.dataId instanceof TensorData && t.dataId.traced?.trace.open === true);
}

type Call = (...args: readonly unknown[]) => unknown;
const asyncFunction = (async () => {}).constructor;

function compileFunction(target: Call, options: CompileOptions): Call & Compiled {
  const recorder = new Recorder(options, options.freeze ?? false, () => false);
  const isAsync = target instanceof asyncFunction;
  const call = (...args: readonly unknown[]): unknown => {
    if (recorder.disposed) throw errors.disposed('the compiled function');
    const given = recorder.given(args);
    if (mustRunEagerly(given.inputs)) return target(...args);
    const backend = activeBackend();
    const entry = recorder.find(given);
    // Tidy, as calls with plans are.
    if (entry !== undefined && entry.plan === undefined) return isAsync ? target(...args) : tidy(() => target(...args) as Tensor);
    const run = (inputs: readonly Tensor[]) => target(...(given.rebuild(inputs) as unknown[]));
    const runAsync = run as (inputs: readonly Tensor[]) => Promise<unknown>;
    if (entry !== undefined)
      return isAsync ? recorder.replayAsync(entry, given, backend, runAsync) : recorder.replay(entry, given, backend, run);
    return isAsync ? recorder.recordAsync(given, backend, runAsync, undefined) : recorder.record(given, backend, run);
  };
  return Object.assign(call, {
    explain: (explainOptions?: ExplainOptions) => explainEntries(recorder.entries(), explainOptions),
    stats: () => recorder.stats(),
    dispose: () => recorder.dispose(),
  });
}

/** A compiled GraphModel or LayersModel: the model's own calls, replayed. */
export class CompiledModel implements Compiled {
  private readonly recorder: Recorder;
  private readonly model: GraphModel;
  /** Outputs on the way to which there is control flow that waits for data. */
  private readonly waiting = new Set<string>();

  constructor(model: GraphModel, options: CompileOptions) {
    this.model = mendedModel(model);
    const {artifacts} = model as unknown as {artifacts?: {modelTopology?: unknown}};
    this.recorder = new Recorder(options, options.freeze ?? true, () => hasPolynomialSizes(artifacts?.modelTopology));
  }

  /** As of the model. */
  get inputs(): GraphModel['inputs'] {
    return this.model.inputs;
  }

  get outputs(): GraphModel['outputs'] {
    return this.model.outputs;
  }

  get modelSignature(): GraphModel['modelSignature'] {
    return this.model.modelSignature;
  }

  /** All outputs for `inputs`, as GraphModel.predict gives them. Synchronous. @throws ERR_INPUT naming the input, ERR_ASYNC_ONLY */
  predict(inputs: ModelInputs): ModelOutputs {
    return this.structured(this.run(inputs, undefined));
  }

  /** The named outputs (a node name may stand for any intermediate result), as GraphModel.execute gives them. Synchronous. */
  execute(inputs: ModelInputs, outputs?: string | string[]): Tensor | Tensor[] {
    const results = this.run(inputs, outputs === undefined ? undefined : [outputs].flat());
    return results.length > 1 ? results : (results[0] as Tensor);
  }

  /** predict() off the event loop. Calls may overlap; inputs are held until the promise settles. */
  async predictAsync(inputs: ModelInputs, options: AsyncOptions = {}): Promise<ModelOutputs> {
    return this.structured(await this.runAsync(inputs, undefined, options));
  }

  async executeAsync(inputs: ModelInputs, outputs?: string | string[], options: AsyncOptions = {}): Promise<Tensor | Tensor[]> {
    const results = await this.runAsync(inputs, outputs === undefined ? undefined : [outputs].flat(), options);
    return results.length > 1 ? results : (results[0] as Tensor);
  }

  /** Plans and packs for these input shapes before traffic comes, on zeros. `shapes`: by input name. */
  async warmup(shapes: Readonly<Record<string, number[]>>): Promise<void> {
    const inputs: NamedTensorMap = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const known = this.model.inputs.find((input) => input.name === name);
      inputs[name] = zeros(shape, known?.dtype === 'int32' || known?.dtype === 'bool' ? known.dtype : 'float32');
    }
    const results = await this.runAsync(inputs, undefined, {});
    for (const tensor of [...results, ...Object.values(inputs)]) tensor.dispose();
  }

  explain(options?: ExplainOptions): Explanation {
    return explainEntries(this.recorder.entries(), options);
  }

  stats(): CompileStats {
    return this.recorder.stats();
  }

  /** Gives plans and packed weights back; the model itself stays. */
  dispose(): void {
    this.recorder.dispose();
  }

  private structured(results: Tensor[]): ModelOutputs {
    const keys = (this.model as unknown as {structuredOutputKeys?: string[]}).structuredOutputKeys;
    if (keys === undefined) return results.length > 1 ? results : (results[0] as Tensor);
    return Object.fromEntries(results.map((tensor, i) => [keys[i], tensor])) as NamedTensorMap;
  }

  /** `outputs`: names, undefined for all of the model's. */
  private given(inputs: ModelInputs, outputs: readonly string[] | undefined): Given {
    if (this.recorder.disposed) throw errors.disposed('the compiled model');
    if (inputs === null || typeof inputs !== 'object') {
      throw errors.inputs(`inputs must be a tensor, an array or a map of tensors; given was ${inputs === null ? 'null' : typeof inputs}`);
    }
    return this.recorder.given(inputs, outputs, () => ` to ${(outputs ?? this.model.outputNodes).join()}`);
  }

  /** The inputs' tensors replaced. */
  private rebuilt(given: Given, tensors: readonly Tensor[]): ModelInputs {
    return given.rebuild(tensors) as ModelInputs;
  }

  private run(inputs: ModelInputs, outputs: string[] | undefined): Tensor[] {
    const given = this.given(inputs, outputs);
    const original = (own: ModelInputs) => {
      try {
        return [this.model.execute(own, outputs ?? this.model.outputNodes)].flat();
      } catch (error) {
        throw isForExecuteAsync(error) ? errors.asyncOnly('its control flow waits for data') : error;
      }
    };
    if (mustRunEagerly(given.inputs)) return original(inputs);
    const backend = activeBackend();
    const entry = this.recorder.find(given);
    // What checkInputs looks at is all in the signature: what has an entry has passed.
    if (entry === undefined) checkInputs(this.model, inputs);
    const run = (own: readonly Tensor[]) => original(this.rebuilt(given, own));
    if (entry === undefined) return this.recorder.record(given, backend, run) as Tensor[];
    return entry.plan === undefined ? tidy(() => original(inputs)) : (this.recorder.replay(entry, given, backend, run) as Tensor[]);
  }

  /**
   * As execute() runs it, where it can: executeAsync() takes nodes in another order, and calls of different sizes are alike only where their
   * steps come in the same order.
   */
  private async executeOriginal(inputs: ModelInputs, outputs: string[]): Promise<Tensor[]> {
    const key = outputs.join();
    if (!this.waiting.has(key)) {
      try {
        return [this.model.execute(inputs, outputs)].flat();
      } catch (error) {
        if (!isForExecuteAsync(error)) throw error;
        this.waiting.add(key);
      }
    }
    return [await this.model.executeAsync(inputs, outputs)].flat();
  }

  private async runAsync(inputs: ModelInputs, outputs: string[] | undefined, {signal}: AsyncOptions): Promise<Tensor[]> {
    const given = this.given(inputs, outputs);
    if (signal?.aborted) throw errors.aborted();
    const names = () => outputs ?? this.model.outputNodes;
    const original = (own: ModelInputs) => this.executeOriginal(own, names());
    if (mustRunEagerly(given.inputs)) return original(inputs);
    const backend = activeBackend();
    const entry = this.recorder.find(given);
    if (entry === undefined) checkInputs(this.model, inputs);
    const run = (own: readonly Tensor[]) => original(this.rebuilt(given, own));
    const synchronous = (own: readonly Tensor[]) => [this.model.execute(this.rebuilt(given, own), names())].flat();
    const results = (await (entry === undefined
      ? this.recorder.recordAsync(given, backend, run, this.waiting.has(names().join()) ? undefined : synchronous)
      : entry.plan === undefined
        ? original(inputs)
        : this.recorder.replayAsync(entry, given, backend, run))) as Tensor[];
    if (!signal?.aborted) return results;
    for (const tensor of results) tensor.dispose();
    throw errors.aborted();
  }
}

/** Whether tfjs-converter says that a graph has nodes that only executeAsync() runs. */
function isForExecuteAsync(error: unknown): boolean {
  return error instanceof Error && /executeAsync\(\)/.test(error.message);
}

interface Declared {
  readonly name: string;
  readonly dtype: string;
  readonly shape?: readonly number[] | undefined;
}

const tensorTypes: ReadonlySet<string> = new Set(['float32', 'int32', 'bool', 'string', 'complex64']);

/** Names, types and shapes of what is given against what the model declares. @throws ERR_INPUT */
function checkInputs(model: GraphModel, inputs: ModelInputs): void {
  const declared = model.inputs as readonly Declared[];
  const signature = (model.modelSignature as {inputs?: Record<string, {name?: string; resourceId?: unknown}>} | undefined)?.inputs ?? {};
  // Hash tables and other resources are inputs of the graph that the model fills in itself.
  const wanted = declared.filter((d) => tensorTypes.has(d.dtype) && signature[d.name]?.resourceId == null);
  const given = namedInputs(inputs, wanted, signature);
  const nodes = (model as unknown as {executor?: {graph?: {nodes?: object}}}).executor?.graph?.nodes;
  for (const [name, tensor] of given) {
    const known = wanted.find((d) => d.name === name);
    const list = () => wanted.map((d) => `${d.name}: ${d.dtype}[${d.shape ?? '...'}]`).join(', ');
    if (known === undefined && !(nodes !== undefined && (name.split(':')[0] as string) in nodes))
      throw errors.input(name, `is not an input of the model; it has ${list()}`);
    if (!(tensor as Tensor | undefined)?.dataId)
      throw errors.input(name, `must be a tensor; given was ${tensor === null ? 'null' : typeof tensor}`);
    if (known !== undefined) checkInput(known, tensor);
  }
  const intermediate = [...given.keys()].some((name) => !wanted.some((d) => d.name === name));
  const missing = wanted.find((d) => !given.has(d.name));
  if (missing !== undefined && !intermediate)
    throw errors.input(missing.name, `is missing; it must be ${missing.dtype}[${missing.shape ?? '...'}]`);
}

function checkInput({name, dtype, shape}: Declared, tensor: Tensor): void {
  if (tensor.isDisposed) throw errors.disposed(`input '${name}'`);
  if (tensor.dtype !== dtype) throw errors.input(name, `must be ${dtype}; given was ${tensor.dtype}. Cast it with tf.cast(x, '${dtype}')`);
  if (shape === undefined || shape === null) return;
  const fits =
    shape.length === tensor.shape.length && shape.every((size, axis) => size === -1 || size === null || size === tensor.shape[axis]);
  if (!fits) throw errors.input(name, `must have the shape [${shape}] (-1: any size); given was [${tensor.shape}]`);
}

function namedInputs(inputs: ModelInputs, wanted: readonly Declared[], signature: Record<string, {name?: string}>): Map<string, Tensor> {
  const single = 'dataId' in inputs;
  if (!single && !Array.isArray(inputs)) {
    return new Map(Object.entries(inputs).map(([name, tensor]) => [(signature[name]?.name ?? name).replace(/:0$/, ''), tensor as Tensor]));
  }
  const list = (single ? [inputs] : inputs) as Tensor[];
  if (list.length !== wanted.length)
    throw errors.inputs(`the model takes ${wanted.length} inputs (${wanted.map((d) => d.name).join(', ')}); ${list.length} were given`);
  return new Map(list.map((tensor, i) => [(wanted[i] as Declared).name, tensor]));
}

export interface LayersModelLike {
  predict(x: Tensor | Tensor[], config?: object): Tensor | Tensor[];
  readonly layers: readonly unknown[];
}

const isGraphModel = (target: object): target is GraphModel => 'executeAsync' in target && 'outputNodes' in target;
const isLayersModel = (target: object): target is LayersModelLike => 'predict' in target && 'layers' in target;

/** What the public compile() (src/compiler.ts) returns. */
export function compiled(target: object, options: CompileOptions): unknown {
  if (typeof target === 'function') return compileFunction(target as Call, options);
  if (isGraphModel(target)) return new CompiledModel(target, options);
  if (isLayersModel(target)) {
    const predict = compileFunction((...args) => target.predict(...(args as [Tensor])), options);
    return {predict, explain: predict.explain, stats: predict.stats, dispose: predict.dispose};
  }
  throw errors.option('target', typeof target, 'a GraphModel, a LayersModel or a function');
}
