import {engine, type KernelConfig, type NamedTensorInfoMap, type Tensor, type TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {settingOf, settings} from '../config';
import {errors} from '../errors';
import {native} from '../native';
import type {TensorData} from '../tensor-data';
import {ConstantPool} from './constants';
import {flatten} from './containers';
import {type Optimized, optimize} from './optimize';
import {type HostKernel, Plan, type ResultSpec, withDistinctResults} from './plan';
import {LruCache} from './plan-cache';
import {type Precision, precisionFrom} from './precision';
import {type Captures, newestTensorId, Recording} from './recording';
import {Verifier} from './verifier';

export interface CompileOptions {
  /** Passes that are left out, by name: for finding the one at fault. */
  readonly disable?: readonly string[];
  /**
   * 'bf16': products and convolutions with constant weights round their operands to bfloat16 where the processor multiplies it (AVX512-BF16,
   * Arm BF16), and sum in float32. explain() says which do. Default: GRAVITON_FPMATH, DNNL_DEFAULT_FPMATH_MODE, else 'fp32'.
   */
  readonly fpmath?: 'fp32' | 'bf16';
  /**
   * 'int8': products and convolutions with constant weights take them as int8, with a scale for each column, and their other operand row by
   * row. explain() says which do. Comes before `fpmath`. Default: 'fp32'.
   */
  readonly weights?: 'fp32' | 'int8';
  /** Whether weights may give up their plain form where packing has replaced it. Default: true for a GraphModel. */
  readonly freeze?: boolean;
}

/** What one signature came to: a plan, or the reason why its calls run eagerly. */
export interface Entry extends Captures {
  readonly signature: string;
  readonly plan: Plan | undefined;
  readonly optimized: Optimized | undefined;
  /** Under GRAVITON_VERIFY=1: what compares each call of the plan with eager. */
  readonly verifier?: Verifier;
  readonly reason: string | undefined;
  readonly recordMs: number;
  readonly compileMs: number;
  /** The result's structure around its tensors. */
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
  calls: number;
}

export interface CompileStats {
  readonly plans: number;
  readonly eagerSignatures: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  /** Bytes of constants and packed weights that plans hold. */
  readonly constantBytes: number;
  /** Bytes of arenas and scratch memory of this environment. */
  readonly arenaBytes: number;
}

const hostKernel: HostKernel = (call, inputs, backend) => {
  const named: Record<string, unknown> = {};
  call.inputs.forEach(({name, index}, i) => {
    if (index === undefined) named[name] = inputs[i];
    else ((named[name] ??= []) as unknown[])[index] = inputs[i];
  });
  const result = backend.cpuKernels.run(call.kernelName, {inputs: named as never, attrs: call.attrs as never, backend});
  return [result].flat();
};

/** The original model or function on the inputs of a recording; returns tensors in any structure. */
type Runner = (inputs: readonly Tensor[]) => unknown;
type AsyncRunner = (inputs: readonly Tensor[]) => Promise<unknown>;

/** The plans of one compiled model or function, by signature. */
export class Recorder {
  private readonly pool = new ConstantPool();
  private readonly cache = new LruCache<Entry>(
    () => settingOf(settings.planCacheCapacity),
    (entry) => {
      entry.plan?.dispose();
      entry.verifier?.dispose();
      this.evictions++;
    },
  );
  private hits = 0;
  private misses = 0;
  private evictions = 0;
  private isDisposed = false;
  private readonly precision: Precision;

  constructor(
    private readonly options: CompileOptions,
    private readonly freezes: boolean,
  ) {
    this.precision = precisionFrom(options);
  }

  get disposed(): boolean {
    return this.isDisposed;
  }

  entries(): Entry[] {
    return [...this.cache.values()];
  }

  /** The entry for a signature whose captured variables have not been assigned to since. */
  find(signature: string): Entry | undefined {
    const entry = this.cache.get(signature);
    if (entry === undefined) return undefined;
    for (const data of entry.captured) if (data.disposed) throw errors.disposed('a tensor that the compiled function captured');
    if (entry.variables.some(({variable, data}) => variable.dataId !== data)) {
      this.cache.delete(signature);
      return undefined;
    }
    this.hits++;
    entry.calls++;
    return entry;
  }

  /** `run`: the original, with which verification compares. */
  replay(entry: Entry, inputs: readonly Tensor[], run: Runner): unknown {
    const named = Object.fromEntries(inputs.map((tensor, i) => [i, tensor]));
    const result = engine().runKernel('GravitonPlan', named, {plan: entry.plan as never}) as Tensor | Tensor[];
    const results = Array.isArray(result) ? result : [result];
    const {verifier} = entry;
    if (verifier !== undefined) {
      engine().tidy(() => verifyCall(verifier, inputs, results, flatten(run(inputs)).tensors));
    }
    return entry.rebuild(results);
  }

  async replayAsync(entry: Entry, inputs: readonly Tensor[], backend: GravitonBackend, run: AsyncRunner): Promise<unknown> {
    const data = inputs.map((tensor) => backend.data(tensor.dataId));
    const infos = await (entry.plan as Plan).runAsync(data, hostKernel);
    const results = infos.map((info) => engine().makeTensorFromTensorInfo(info, backend));
    if (entry.verifier !== undefined) {
      const firstId = newestTensorId();
      const eager = flatten(await run(inputs)).tensors;
      try {
        verifyCall(entry.verifier, inputs, results, eager);
      } finally {
        // Results that are inputs or captured tensors are older.
        for (const tensor of eager) if (tensor.id > firstId) tensor.dispose();
      }
    }
    return entry.rebuild(results);
  }

  /** Verifies the plan on the call that was recorded. */
  private verifyRecorded(entry: Entry, recording: Recording, eager: readonly Tensor[]): void {
    if (entry.plan === undefined || entry.verifier === undefined) return;
    const results = entry.plan.run(
      recording.inputs.map((tensor) => tensor.dataId as TensorData),
      hostKernel,
    );
    try {
      entry.verifier.check(recording.inputs, results, eager);
    } finally {
      for (const info of results) recording.backend.disposeIntermediate(info);
    }
  }

  /** Runs and records a call that is its own synchronous scope. */
  record(signature: string, inputs: readonly Tensor[], backend: GravitonBackend, run: Runner): unknown {
    if (this.cannotTrace(signature, inputs)) return run(inputs);
    const recording = Recording.of(this.pool, backend, inputs);
    try {
      const result = engine().tidy(() => run(recording.inputs) as Tensor);
      return this.finish(signature, recording, result, (entry) => this.replay(entry, inputs, run));
    } finally {
      recording.release();
    }
  }

  async recordAsync(signature: string, inputs: readonly Tensor[], backend: GravitonBackend, run: AsyncRunner): Promise<unknown> {
    if (this.cannotTrace(signature, inputs)) return run(inputs);
    const recording = Recording.of(this.pool, backend, inputs);
    try {
      const result = await run(recording.inputs);
      return await this.finish(signature, recording, result, (entry) => this.replayAsync(entry, inputs, backend, run));
    } finally {
      recording.release();
    }
  }

  /** Notes a signature whose inputs native steps cannot take. */
  private cannotTrace(signature: string, inputs: readonly Tensor[]): boolean {
    const other = inputs.find((tensor) => tensor.dtype === 'string' || tensor.dtype === 'complex64');
    if (other === undefined) return false;
    this.misses++;
    const reason = `an input is a ${other.dtype} tensor`;
    const nothing = {plan: undefined, optimized: undefined, variables: [], captured: [], rebuild: () => undefined};
    this.cache.set(signature, {signature, reason, recordMs: 0, compileMs: 0, calls: 0, ...nothing});
    return true;
  }

  /** What the recorded call returns: its plan computes it, unless elements were needed on the way. */
  private finish(signature: string, recording: Recording, result: unknown, replay: (entry: Entry) => unknown): unknown {
    this.misses++;
    const {tensors, rebuild} = flatten(result);
    if (this.isDisposed) recording.trace.compute();
    else {
      const entry = this.compile(signature, recording, tensors, rebuild);
      this.cache.set(signature, entry);
      if (entry.plan !== undefined && recording.trace.ghostly) {
        recording.drop(tensors);
        return replay(entry);
      }
      try {
        this.verifyRecorded(entry, recording, tensors);
      } catch (error) {
        recording.drop(tensors);
        throw error;
      }
    }
    return rebuild(recording.distinct(tensors));
  }

  private compile(signature: string, recording: Recording, results: readonly Tensor[], rebuild: Entry['rebuild']): Entry {
    const {trace, backend} = recording;
    trace.close();
    const recordMs = performance.now() - recording.start;
    const base = {signature, recordMs, rebuild, calls: 0, ...recording.captures()};
    const data = results.map((t) => backend.data(t.dataId));
    if (data.some((d) => d.host !== undefined)) trace.obstruct('a result is a string or complex tensor');
    if (trace.reason !== undefined) return {...base, plan: undefined, optimized: undefined, reason: trace.reason, compileMs: 0};
    const start = performance.now();
    const verifies = settingOf(settings.verify);
    // Verification reads the plain weights at each call.
    this.pool.prepare(this.freezes && !verifies, this.used());
    const graph = trace.graph(data);
    const optimized = optimize(graph, this.pool, new Set(this.options.disable), this.precision);
    const specs = results.map((t): ResultSpec => ({shape: t.shape, dtype: t.dtype as ResultSpec['dtype']}));
    const plan = new Plan(withDistinctResults(optimized.graph), specs, this.pool, backend);
    const verifier = verifies ? new Verifier(graph, optimized.graph, this.pool, backend, hostKernel) : undefined;
    const entry = {...base, plan, optimized, ...(verifier && {verifier}), reason: undefined, compileMs: performance.now() - start};
    this.sweep(entry);
    return entry;
  }

  /** Constants that the plans of the cache, and `added`, use. */
  private used(...added: readonly Entry[]): Set<number> {
    const used = new Set<number>();
    for (const {plan, verifier} of [...this.cache.values(), ...added]) {
      for (const constant of plan?.usedConstants ?? []) used.add(constant);
      for (const constant of verifier?.usedConstants ?? []) used.add(constant);
    }
    return used;
  }

  /** Gives back constants that were only steps on the way to packed ones, and plain weights that packed ones replace. */
  private sweep(added: Entry): void {
    const used = this.used(added);
    if (this.freezes) this.pool.freeze(used);
    this.pool.sweep(used);
  }

  stats(): CompileStats {
    const entries = this.entries();
    return {
      plans: entries.filter((e) => e.plan !== undefined).length,
      eagerSignatures: entries.filter((e) => e.plan === undefined).length,
      hits: this.hits,
      misses: this.misses,
      evictions: this.evictions,
      constantBytes: this.pool.bytes(),
      arenaBytes: native().stats().arenaBytes,
    };
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.cache.clear();
    this.pool.dispose();
    native().freeArenas();
  }
}

/** @throws ERR_VERIFY, after giving the results back */
function verifyCall(verifier: Verifier, inputs: readonly TensorInfo[], results: readonly Tensor[], eager: readonly TensorInfo[]): void {
  try {
    verifier.check(inputs, results, eager);
  } catch (error) {
    for (const tensor of results) tensor.dispose();
    throw error;
  }
}

/** The tfjs kernel through which a synchronous replay goes, so that tidy, memory and profiling are tfjs-core's own. */
export const planKernel: KernelConfig = {
  kernelName: 'GravitonPlan',
  backendName: 'graviton',
  kernelFunc: ({inputs, attrs, backend}) => {
    const {plan} = attrs as unknown as {plan: Plan};
    const own = backend as GravitonBackend;
    const data = Object.values(inputs as NamedTensorInfoMap).map((info) => own.data((info as TensorInfo).dataId));
    return plan.run(data, hostKernel);
  },
};
