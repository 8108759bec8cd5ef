import {engine, env, type KernelConfig, type NamedTensorInfoMap, type Tensor, type TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {settingOf, settings} from '../config';
import {errors} from '../errors';
import {native} from '../native';
import {TensorData} from '../tensor-data';
import {ConstantPool} from './constants';
import {type Flattened, flatten} from './containers';
import {Family, type Founder} from './family';
import {familyKey} from './free-sizes';
import {Given, type LastCall} from './given';
import {type Graph, valueOf} from './ir';
import {type Optimized, optimize} from './optimize';
import {type HostKernel, Plan, type ResultSpec, type Runnable, withDistinctResults} from './plan';
import {LruCache} from './plan-cache';
import {type PartPlan, PlanTree, Unplanned} from './plan-tree';
import {type Precision, precisionFrom} from './precision';
import {type Captures, type InputSpec, newestTensorId, Recording} from './recording';
import type {Sample, SizedPlans} from './sized-plan';
import type {Known, Path} from './trace';
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

/** What tells calls apart. */
export interface Signature {
  readonly inputs: readonly Tensor[];
  /** All but types and shapes: the structure around the inputs, and which results are wanted. */
  readonly structure: string;
}

const textOf = ({inputs, structure}: Signature): string => `${inputs.map((t) => `${t.dtype}[${t.shape}]`).join(' ')} ${structure}`;

/** What one signature came to: a plan, or the reason why its calls run eagerly. */
export interface Entry {
  readonly signature: string;
  captures: Captures;
  readonly plan: Runnable | undefined;
  readonly optimized: Optimized | undefined;
  /** The plan, where calls take different ways or end eagerly. */
  readonly tree?: PlanTree | undefined;
  /** The inputs with ranges of sizes, where the plan is one for many. */
  readonly sizes?: string;
  /** Calls that differ in sizes only. */
  readonly family?: Family;
  /** Under GRAVITON_VERIFY=1: what compares each call of the plan with eager. */
  readonly verifier?: Verifier;
  readonly reason: string | undefined;
  readonly recordMs: number;
  readonly compileMs: number;
  /** The result's structure around its tensors, and as a text. */
  readonly structure?: string;
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
  calls: number;
}

export interface CompileStats {
  readonly plans: number;
  readonly eagerSignatures: number;
  /** Calls that were recorded and optimised: each signature's first, and those by which plans for many sizes are found. */
  readonly traces: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  /** Bytes of constants and packed weights that plans hold. */
  readonly constantBytes: number;
  /** Bytes of weights that are equal to others, kept once, and of packed ones that serve transposes of each other. */
  readonly sharedBytes: number;
  /** Bytes of arenas and scratch memory of this environment. */
  readonly arenaBytes: number;
  /** Native bytes of the process now, with blocks that are kept for reuse, and the most that tensors, weights and arenas have taken. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

const impure = {
  plan: undefined,
  optimized: undefined,
  reason: 'calls with the same inputs take different steps: the function is not pure',
};

const familyOf = ({inputs, structure}: Signature): string => `${familyKey(inputs)} ${structure}`;

/** What was recorded as one graph, where nothing was read on the way. */
function graphOf({values, nodes, inputs, reads, ending}: Path): Graph | undefined {
  return ending.kind === 'results' && reads.length === 0 ? {values, nodes, inputs, outputs: ending.values} : undefined;
}

const resultSpec = ({shape, dtype}: Tensor): ResultSpec => ({shape, dtype: dtype as ResultSpec['dtype']});

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
  private readonly families = new LruCache<Family>(
    () => settingOf(settings.planCacheCapacity),
    (family) => {
      for (const [signature, entry] of this.cache.entries()) if (family.owns(entry.plan)) this.cache.delete(signature);
      family.dispose();
    },
  );
  /** Calls that are being recorded; asynchronous ones overlap. */
  private readonly recordings = new Set<Recording>();
  private hits = 0;
  private misses = 0;
  private traces = 0;
  private evictions = 0;
  private isDisposed = false;
  private last: LastCall | undefined;
  private readonly precision: Precision;

  /** `polynomial`: whether all sizes of the model are polynomials of its inputs' sizes. */
  constructor(
    private readonly options: CompileOptions,
    private readonly freezes: boolean,
    private readonly polynomial: () => boolean,
  ) {
    this.precision = precisionFrom(options);
  }

  get disposed(): boolean {
    return this.isDisposed;
  }

  entries(): Entry[] {
    return [...this.cache.values()];
  }

  /** The arguments of a call; for `results` and `describe` see Given. */
  given(value: unknown, results?: readonly string[], describe: () => string = () => ''): Given {
    return new Given(value, results, describe, this.last);
  }

  /** The entry for a call whose captured variables have not been assigned to since. */
  find(given: Given): Entry | undefined {
    const {recalled} = given;
    const isKnown = recalled !== undefined && this.cache.get(recalled.signature) === recalled && !this.isStale(recalled.captures);
    const entry = isKnown ? recalled : this.search(given);
    if (entry === undefined) return undefined;
    if (!isKnown) this.last = given.answeredBy(entry);
    this.hits++;
    entry.calls++;
    return entry;
  }

  private search(signature: Signature): Entry | undefined {
    const text = textOf(signature);
    const known = this.cache.get(text);
    if (known !== undefined && this.isStale(known.captures)) {
      this.cache.delete(text);
      this.families.delete(familyOf(signature));
      return undefined;
    }
    return known ?? this.sizedEntry(signature);
  }

  /** @throws ERR_DISPOSED where a captured tensor is gone */
  private isStale(captures: Captures): boolean {
    const {captured, variables} = captures;
    if (captures.foundAt !== TensorData.watchedReleases) {
      for (const data of captured) if (data.disposed) throw errors.disposed('a tensor that the compiled function captured');
      captures.foundAt = TensorData.watchedReleases;
    }
    return variables.some(({variable, data}) => variable.dataId !== data);
  }

  /** A new entry for a signature that a plan for many sizes serves, unless it has to be looked at. */
  private sizedEntry(signature: Signature): Entry | undefined {
    const family = this.families.get(familyOf(signature));
    const {plans, base} = family ?? {};
    if (plans === undefined || base === undefined || plans.looks || plans.sizesOf(signature.inputs) === undefined) return undefined;
    if (this.isStale(base.captures)) {
      this.families.delete(familyOf(signature));
      return undefined;
    }
    return this.addSized(signature, plans, base);
  }

  private addSized(signature: Signature, plans: SizedPlans, {captures, optimized, rebuild}: Founder): Entry {
    const plan = plans.at(plans.sizesOf(signature.inputs) as number[]);
    const entry = {
      captures,
      signature: textOf(signature),
      plan,
      optimized,
      sizes: plans.text,
      reason: undefined,
      recordMs: 0,
      compileMs: 0,
      rebuild,
      calls: 0,
    };
    this.cache.set(entry.signature, entry);
    return entry;
  }

  /** `run`: the original, with which verification compares, and which does what has no plan. */
  replay(entry: Entry, signature: Signature, backend: GravitonBackend, run: Runner): unknown {
    const {inputs} = signature;
    let results: Tensor[];
    try {
      results = runPlan(entry.plan as Runnable, inputs, backend);
    } catch (error) {
      if (!(error instanceof Unplanned)) throw error;
      return this.follow(entry, signature, backend, run, error);
    }
    const {verifier} = entry;
    if (verifier !== undefined) {
      engine().tidy(() => verifyCall(verifier, inputs, results, flatten(run(inputs)).tensors));
    }
    return entry.rebuild(results);
  }

  /** Does a call that plans have computed up to a point. */
  private follow(entry: Entry, signature: Signature, backend: GravitonBackend, run: Runner, unplanned: Unplanned): unknown {
    const recording = this.open(signature, backend, unplanned.known);
    try {
      const result = engine().tidy(() => recording.run(run) as Tensor);
      return this.finishFollowed(entry, recording, unplanned, flatten(result));
    } finally {
      this.end(recording);
      unplanned.release();
    }
  }

  private async followAsync(entry: Entry, signature: Signature, backend: GravitonBackend, run: AsyncRunner, unplanned: Unplanned) {
    const recording = this.open(signature, backend, unplanned.known);
    try {
      const result = await recording.run(run);
      return this.finishFollowed(entry, recording, unplanned, flatten(result));
    } finally {
      this.end(recording);
      unplanned.release();
    }
  }

  private finishFollowed(entry: Entry, recording: Recording, {known}: Unplanned, flat: Flattened): unknown {
    const {trace} = recording;
    const path = this.pathOf(recording, flat.tensors);
    trace.compute();
    if (known.tail === undefined) {
      this.hits--;
      this.misses++;
      this.traces++;
    }
    // It may have been evicted meanwhile.
    if (this.cache.get(entry.signature) === entry) this.grow(entry, recording, path, flat);
    return flat.rebuild(recording.distinct(flat.tensors));
  }

  /** Adds to a plan tree what one more call did. */
  private grow(entry: Entry, recording: Recording, path: Path, {tensors, key}: Flattened): void {
    const isAlike = key === entry.structure || path.ending.kind === 'tail';
    const added = isAlike ? entry.tree?.add(path, tensors.map(resultSpec)) : undefined;
    if (added === undefined) this.cache.set(entry.signature, {...entry, ...impure, tree: undefined});
    if (added) {
      const {variables, captured} = recording.captures(tensors);
      const old = entry.captures;
      entry.captures = {
        variables: [...old.variables, ...variables.filter((v) => !old.variables.some(({variable}) => variable === v.variable))],
        captured: [...new Set([...old.captured, ...captured])],
      };
    }
    if (added !== false) this.sweep();
  }

  async replayAsync(entry: Entry, signature: Signature, backend: GravitonBackend, run: AsyncRunner): Promise<unknown> {
    const {inputs} = signature;
    const data = inputs.map((tensor) => backend.data(tensor.dataId));
    let infos: TensorInfo[];
    try {
      infos = await (entry.plan as Runnable).runAsync(data, hostKernel);
    } catch (error) {
      if (!(error instanceof Unplanned)) throw error;
      return this.followAsync(entry, signature, backend, run, error);
    }
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

  private open({inputs}: Signature, backend: GravitonBackend, known?: Known): Recording {
    const recording = Recording.of(this.pool, backend, inputs, known);
    this.recordings.add(recording);
    return recording;
  }

  private end(recording: Recording): void {
    this.recordings.delete(recording);
    recording.release();
    // What an asynchronous call has captured since.
    if (this.isDisposed) this.pool.dispose();
  }

  /** Runs and records a call that is its own synchronous scope. */
  record(signature: Signature, backend: GravitonBackend, run: Runner): unknown {
    const {inputs} = signature;
    if (this.cannotTrace(signature)) return run(inputs);
    this.generalise(signature, backend, run);
    const entry = this.sizedEntry(signature);
    if (entry !== undefined) return this.replay(entry, signature, backend, run);
    const recording = this.open(signature, backend);
    try {
      const result = engine().tidy(() => recording.run(run) as Tensor);
      return this.finish(signature, recording, result, (made) => this.replay(made, signature, backend, run));
    } finally {
      this.end(recording);
    }
  }

  /** `probe`: the same as a synchronous call, if there is one: other sizes are then tried. */
  async recordAsync(signature: Signature, backend: GravitonBackend, run: AsyncRunner, probe: Runner | undefined): Promise<unknown> {
    const {inputs} = signature;
    if (this.cannotTrace(signature)) return run(inputs);
    if (probe !== undefined) this.generalise(signature, backend, probe);
    else this.familyFor(signature)?.join(signature.inputs, this.pool, backend);
    const entry = this.sizedEntry(signature);
    if (entry !== undefined) return this.replayAsync(entry, signature, backend, run);
    const recording = this.open(signature, backend);
    try {
      const result = await recording.run(run);
      return await this.finish(signature, recording, result, (made) => this.replayAsync(made, signature, backend, run));
    } finally {
      this.end(recording);
    }
  }

  /** Looks for a plan for many sizes, where this call is one of a family. */
  private generalise(signature: Signature, backend: GravitonBackend, run: Runner): void {
    const family = this.familyFor(signature);
    if (family === undefined) return;
    const founder = family.base as Founder;
    family.generalise(signature.inputs, (inputs) => this.sample(inputs, founder, backend, run), this.pool, backend);
  }

  /** The family of a call for which a plan for many sizes is to be looked for. Plans of another such plan go. */
  private familyFor(signature: Signature): Family | undefined {
    const family = this.families.get(familyOf(signature));
    // Verified plans are those of one signature.
    if (!family?.wants(signature.inputs) || settingOf(settings.verify)) return undefined;
    for (const [text, entry] of this.cache.entries()) if (family.owns(entry.plan)) this.cache.delete(text);
    return family;
  }

  /** A call recorded for its shapes; undefined where it needs elements, or refuses the shapes. */
  private sample(inputs: readonly InputSpec[], founder: Founder, backend: GravitonBackend, run: Runner): Sample | undefined {
    const recording = Recording.ofShapes(this.pool, backend, inputs, founder.recorded.nodes.length);
    try {
      return engine().tidy(() => this.sampleOf(recording, inputs, founder, recording.run(run)) as never);
    } catch {
      return undefined;
    } finally {
      recording.release();
    }
  }

  private sampleOf(recording: Recording, inputs: readonly InputSpec[], founder: Founder, result: unknown): Sample | undefined {
    const {tensors, key} = flatten(result);
    const recorded = graphOf(this.pathOf(recording, tensors));
    const results = tensors.map(resultSpec);
    if (recorded === undefined) return undefined;
    this.traces++;
    const {graph} = this.optimise(recorded, founder);
    return {inputs, recorded, graph: withDistinctResults(graph), results, structure: key};
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

  /** Notes a signature whose inputs native steps cannot take. */
  private cannotTrace(signature: Signature): boolean {
    const other = signature.inputs.find((tensor) => tensor.dtype === 'string' || tensor.dtype === 'complex64');
    if (other === undefined) return false;
    this.misses++;
    const reason = `an input is a ${other.dtype} tensor`;
    const nothing = {plan: undefined, optimized: undefined, captures: {variables: [], captured: []}, rebuild: () => undefined};
    const text = textOf(signature);
    this.cache.set(text, {signature: text, reason, recordMs: 0, compileMs: 0, calls: 0, ...nothing});
    return true;
  }

  /** What the recorded call returns: its plan computes it, unless elements were needed on the way. */
  private finish(signature: Signature, recording: Recording, result: unknown, replay: (entry: Entry) => unknown): unknown {
    this.misses++;
    const flat = flatten(result);
    const path = this.pathOf(recording, flat.tensors);
    const {trace} = recording;
    const data = flat.tensors.map(({dataId}) => dataId as TensorData);
    // What the call keeps apart from its results must be computed before it is forgotten what it was.
    const isLeftToPlan = !this.isDisposed && trace.untouched && !trace.waitsForOthers(data);
    if (!isLeftToPlan) trace.compute();
    if (!this.isDisposed) {
      const entry = this.sizedAfterLook(signature, recording, path, flat) ?? this.compile(signature, recording, path, flat);
      if (isLeftToPlan) {
        recording.drop(flat.tensors);
        return replay(entry);
      }
      try {
        this.verifyRecorded(entry, recording, flat.tensors);
      } catch (error) {
        recording.drop(flat.tensors);
        throw error;
      }
    }
    return flat.rebuild(recording.distinct(flat.tensors));
  }

  /** The entry for a recorded call that turns out to be a case of a plan for many sizes. */
  private sizedAfterLook(signature: Signature, {trace}: Recording, path: Path, {tensors, key}: Flattened): Entry | undefined {
    const {plans, base} = this.families.get(familyOf(signature)) ?? {};
    if (!plans?.looks || base === undefined || !trace.untouched) return undefined;
    const recorded = graphOf(path);
    const {inputs} = signature;
    if (recorded === undefined || !plans.agrees({inputs, recorded, results: tensors.map(resultSpec), structure: key})) return undefined;
    plans.see(inputs, recorded);
    return this.addSized(signature, plans, base);
  }

  /** What was recorded. Closes the trace. */
  private pathOf({trace, backend}: Recording, results: readonly Tensor[]): Path {
    const data = results.map((t) => backend.data(t.dataId));
    if (data.some((d) => d.host !== undefined)) trace.obstruct('a result is a string or complex tensor');
    trace.close();
    return trace.path(results.flatMap((t) => backend.leaves(t.dataId)));
  }

  /** `founder`: the call with which this one is to share a plan. */
  private optimise(graph: Graph, founder?: Founder): Optimized {
    // Verification reads the plain weights at each call.
    this.pool.prepare(this.freezes && !settingOf(settings.verify), this.used());
    return optimize(graph, this.pool, new Set(this.options.disable), this.precision, founder?.optimized.choices);
  }

  private compile(signature: Signature, recording: Recording, path: Path, {tensors, key, rebuild}: Flattened): Entry {
    const {trace, backend, start} = recording;
    const text = textOf(signature);
    const recordMs = performance.now() - start;
    const known = this.cache.get(text);
    // Recorded by an asynchronous call that began before this one had ended.
    if (known?.tree !== undefined) {
      this.grow(known, recording, path, {tensors, key, rebuild});
      return known;
    }
    const captures = recording.captures(tensors);
    const base = {signature: text, structure: key, recordMs, rebuild, calls: 0, captures};
    const {ending, nodes} = path;
    if (ending.kind === 'tail' && nodes.length === 0) {
      const eager = {...base, plan: undefined, optimized: undefined, reason: ending.reason, compileMs: 0};
      this.cache.set(text, eager);
      return eager;
    }
    this.traces++;
    const results = tensors.map(resultSpec);
    const entry = {...base, reason: undefined, compileMs: 0};
    const elapsed = () => performance.now() - start - recordMs;
    const graph = graphOf(path);
    if (graph === undefined) {
      const tree = new PlanTree(path, results, (graph) => this.partPlan(graph, backend), this.pool, backend);
      const made = {...entry, plan: tree, tree, optimized: undefined, compileMs: elapsed()};
      this.cache.set(text, made);
      this.sweep();
      return made;
    }
    const {plan, optimized, verifier} = this.planOf(graph, results, backend);
    const family = trace.untouched ? this.familyAt(signature) : undefined;
    const made = {...entry, plan, optimized, ...(family && {family}), ...(verifier && {verifier}), compileMs: elapsed()};
    this.cache.set(text, made);
    if (family !== undefined) {
      const {inputs} = signature;
      const specs = inputs.map(({shape, dtype}) => ({shape, dtype}));
      family.add({
        inputs: specs,
        recorded: graph,
        graph: plan.graph,
        results,
        structure: key,
        optimized,
        captures,
        rebuild,
      });
    }
    this.sweep();
    return made;
  }

  private planOf(graph: Graph, results: readonly ResultSpec[], backend: GravitonBackend): PartPlan {
    const optimized = this.optimise(graph);
    const plan = new Plan(withDistinctResults(optimized.graph), results, this.pool, backend);
    const verifier = settingOf(settings.verify) ? new Verifier(graph, optimized.graph, this.pool, backend, hostKernel) : undefined;
    return {plan, optimized, verifier};
  }

  /** The plan of a part of a call, whose results are values without a shape. */
  private partPlan(graph: Graph, backend: GravitonBackend): PartPlan {
    const results = graph.outputs.map((id): ResultSpec => {
      const {dtype, elems} = valueOf(graph, id);
      return {dtype: dtype as ResultSpec['dtype'], shape: [elems]};
    });
    return this.planOf(graph, results, backend);
  }

  private familyAt(signature: Signature): Family {
    const key = familyOf(signature);
    const family = this.families.get(key) ?? new Family(this.polynomial());
    this.families.set(key, family);
    return family;
  }

  /** Constants that plans use. */
  private used(): Set<number> {
    const used = this.usedBy([...this.cache.values()], [...this.families.values()]);
    // A trace that is closed has become a plan, or has been computed.
    for (const {trace} of this.recordings) if (trace.open) for (const constant of trace.constants) used.add(constant);
    return used;
  }

  private usedBy(entries: readonly Entry[], families: readonly Family[]): Set<number> {
    const used = new Set<number>();
    const add = (constants: Iterable<number> = []) => {
      for (const constant of constants) used.add(constant);
    };
    for (const {plan, verifier} of entries) {
      add(plan?.usedConstants);
      add(verifier?.usedConstants);
    }
    for (const family of families) add(family.usedConstants(this.pool));
    return used;
  }

  /** Gives back constants that were only steps on the way to packed ones, and plain weights that packed ones replace. */
  private sweep(): void {
    const used = this.used();
    if (this.freezes) this.pool.freeze(used);
    this.pool.sweep(used);
    native().freeArenas(); // blocks of the sizes of weights, which calls do not ask for
    this.evictForBytes();
  }

  /** What the latest plan uses is no other's burden: weights that all plans share do not count. */
  private evictForBytes(): void {
    const entries = this.cache.entries();
    const [, latest] = entries.pop() ?? [];
    if (latest === undefined) return;
    const most = settingOf(settings.planCacheMiB) * 2 ** 20;
    const isOf = (family: Family, entry: Entry) => entry.family === family || family.owns(entry.plan);
    const own = this.usedBy(
      [latest],
      [...this.families.values()].filter((family) => isOf(family, latest)),
    );
    for (const [signature] of entries) {
      if (this.pool.bytes(own) <= most) return;
      this.cache.delete(signature);
      const left = [...this.cache.values()];
      for (const [key, family] of this.families.entries()) if (!left.some((entry) => isOf(family, entry))) this.families.delete(key);
      this.pool.sweep(this.used());
    }
  }

  stats(): CompileStats {
    const entries = this.entries();
    const {arenaBytes, allocatedBytes, cachedBytes, peakBytes} = native().stats();
    return {
      plans: entries.filter((e) => e.plan !== undefined).length,
      eagerSignatures: entries.filter((e) => e.plan === undefined).length,
      hits: this.hits,
      misses: this.misses,
      traces: this.traces,
      evictions: this.evictions,
      constantBytes: this.pool.bytes(),
      sharedBytes: this.pool.sharedBytes(),
      arenaBytes,
      residentBytes: allocatedBytes + cachedBytes,
      peakBytes,
    };
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.last = undefined;
    this.cache.clear();
    this.families.clear();
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

/** The results of a plan as tensors of the scope that calls. While tfjs-core watches kernels, a plan is one of them. */
function runPlan(plan: Runnable, inputs: readonly Tensor[], backend: GravitonBackend): Tensor[] {
  if (backend.profiling || engine().state.profiling || env().getBool('DEBUG')) {
    const named = Object.fromEntries(inputs.map((tensor, i) => [i, tensor]));
    return [engine().runKernel('GravitonPlan', named, {plan: plan as never})].flat() as Tensor[];
  }
  const infos = plan.run(
    inputs.map((tensor) => backend.data(tensor.dataId)),
    hostKernel,
  );
  return infos.map((info) => engine().makeTensorFromTensorInfo(info, backend));
}

/** The tfjs kernel that a plan is to tf.profile() and in debug mode. */
export const planKernel: KernelConfig = {
  kernelName: 'GravitonPlan',
  backendName: 'graviton',
  kernelFunc: ({inputs, attrs, backend}) => {
    const {plan} = attrs as unknown as {plan: Runnable};
    const own = backend as GravitonBackend;
    const data = Object.values(inputs as NamedTensorInfoMap).map((info) => own.data((info as TensorInfo).dataId));
    return plan.run(data, hostKernel);
  },
};
