import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {native, type Slot, type TensorSpec} from '../native';
import {StridedCopy} from '../ops/movement';
import type {TensorData} from '../tensor-data';
import type {ConstantPool} from './constants';
import {labelOf} from './explain';
import {type Graph, type HostCall, inputsOf, type Node, type Value, type ValueId, valueOf} from './ir';
import {encodePlan, planWords, type Segment} from './plan-words';

/** A result as the caller sees it. */
export interface ResultSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/** Runs a kernel of tfjs-backend-cpu on tensors of ours: src/kernels/fallback.ts. */
export type HostKernel = (call: HostCall, inputs: readonly TensorInfo[], backend: GravitonBackend) => TensorInfo[];

type Stage =
  | {readonly kind: 'native'; readonly plan: number; readonly segment: Segment; readonly outputs: readonly TensorSpec[]}
  | {readonly kind: 'host'; readonly call: HostCall; readonly inputs: readonly ValueId[]; readonly outputs: readonly ValueId[]};

/** Every result its own value that some node writes: an input, a constant or a repeated result is copied. */
export function withDistinctResults(graph: Graph): Graph {
  const values: Value[] = [...graph.values];
  const nodes: Node[] = [...graph.nodes];
  const taken = new Set<ValueId>(graph.inputs);
  const outputs = graph.outputs.map((id) => {
    const {dtype, elems, constant} = values[id] as Value;
    if (constant === undefined && !taken.has(id)) {
      taken.add(id);
      return id;
    }
    const copy = values.push({dtype, elems}) - 1;
    const params = {shape: [elems], srcStrides: [1], dstStrides: [1]};
    nodes.push({op: StridedCopy, inputs: [{value: id, offset: 0}], outputs: [{value: copy, offset: 0}], params, notes: ['result']});
    return copy;
  });
  return {...graph, values, nodes, outputs};
}

/** The nodes cut at host calls, with what each part takes and leaves. */
function cut(graph: Graph): (Segment | Node)[] {
  const parts: (Node[] | Node)[] = [];
  for (const node of graph.nodes) {
    const last = parts.at(-1);
    if (node.host !== undefined) parts.push(node);
    else if (Array.isArray(last)) last.push(node);
    else parts.push([node]);
  }
  return parts.map((part, at) => {
    if (!Array.isArray(part)) return part;
    const written = new Set(part.flatMap((n) => n.outputs.map((o) => o.value)));
    const read = new Set(part.flatMap((n) => inputsOf(n).map((o) => o.value)));
    const later = new Set(graph.outputs);
    for (const other of parts.slice(at + 1)) {
      for (const node of Array.isArray(other) ? other : [other]) for (const {value} of inputsOf(node)) later.add(value);
    }
    return {
      nodes: part,
      inputs: [...read].filter((v) => !written.has(v) && valueOf(graph, v).constant === undefined),
      outputs: [...written].filter((v) => later.has(v)),
    };
  });
}

/** The whole graph as one native plan, where nothing runs in JavaScript and results need no copy. */
export function soleSegment(graph: Graph): Segment | undefined {
  const parts = cut(graph);
  const [part] = parts;
  if (parts.length !== 1 || part === undefined || 'op' in part) return undefined;
  const outputs = new Set(graph.outputs);
  const isAll =
    outputs.size === graph.outputs.length && part.outputs.length === outputs.size && part.outputs.every((id) => outputs.has(id));
  return isAll ? {...part, outputs: graph.outputs} : undefined;
}

/** What runs a call of one signature. */
export interface Runnable {
  /** By ConstantPool number. */
  readonly usedConstants: ReadonlySet<number>;
  run(inputs: readonly TensorData[], hostKernel: HostKernel): TensorInfo[];
  runAsync(inputs: readonly TensorData[], hostKernel: HostKernel): Promise<TensorInfo[]>;
  dispose(): void;
}

/** A compiled signature: native plans, and host calls between them where a kernel has no native op. */
export class Plan implements Runnable {
  private readonly stages: readonly Stage[];
  private readonly constants: ReadonlySet<number>;

  constructor(
    readonly graph: Graph,
    private readonly results: readonly ResultSpec[],
    private readonly pool: ConstantPool,
    private readonly backend: GravitonBackend,
  ) {
    const constants = new Set<number>();
    const stages: Stage[] = [];
    try {
      const sole = soleSegment(graph);
      for (const part of sole === undefined ? cut(graph) : [sole]) stages.push(this.stageOf(part, constants));
    } catch (error) {
      this.drop(stages);
      throw error;
    }
    this.stages = stages;
    this.constants = constants;
  }

  private stageOf(part: Segment | Node, constants: Set<number>): Stage {
    if ('op' in part) {
      for (const {value} of inputsOf(part)) {
        const {constant} = valueOf(this.graph, value);
        if (constant !== undefined) constants.add(constant);
      }
      return {
        kind: 'host',
        call: part.host as HostCall,
        inputs: inputsOf(part).map((o) => o.value),
        outputs: part.outputs.map((o) => o.value),
      };
    }
    const words = planWords(this.graph, part);
    for (const constant of words.constants) constants.add(constant);
    const plan = native().makePlan(
      encodePlan(words),
      words.constants.map((c) => this.pool.slot(c)),
    );
    this.backend.stepLabels.set(plan, part.nodes.map(labelOf));
    return {kind: 'native', plan, segment: part, outputs: part.outputs.map((id) => valueOf(this.graph, id))};
  }

  /** The constants that it needs, by ConstantPool number. */
  get usedConstants(): ReadonlySet<number> {
    return this.constants;
  }

  /** The slots that the only stage takes, where there is one native stage and its results are the call's: the common case needs no Call. */
  private single(inputs: readonly TensorData[]): {readonly stage: Stage & {kind: 'native'}; readonly slots: Slot[]} | undefined {
    const [stage] = this.stages;
    if (this.stages.length !== 1 || stage?.kind !== 'native') return undefined;
    const {segment} = stage;
    if (!segment.outputs.every((id, i) => id === this.graph.outputs[i]) || segment.outputs.length !== this.graph.outputs.length)
      return undefined;
    return {stage, slots: segment.inputs.map((id) => (inputs[this.graph.inputs.indexOf(id)] as TensorData).slot)};
  }

  private adopt(slots: readonly Slot[]): TensorInfo[] {
    return this.results.map(({shape, dtype}, i) => this.backend.adopt(slots[i] as Slot, shape, dtype));
  }

  run(inputs: readonly TensorData[], hostKernel: HostKernel): TensorInfo[] {
    const single = this.single(inputs);
    if (single !== undefined) return this.adopt(native().runPlan(single.stage.plan, single.slots, single.stage.outputs, []));
    const call = new Call(this.graph, this.pool, inputs);
    try {
      for (const stage of this.stages) {
        if (stage.kind === 'host') call.host(stage, this.backend, hostKernel);
        else call.finish(stage, native().runPlan(stage.plan, call.slots(stage.segment.inputs), stage.outputs, []));
      }
      return call.results(this.backend, this.results);
    } finally {
      call.release();
    }
  }

  async runAsync(inputs: readonly TensorData[], hostKernel: HostKernel): Promise<TensorInfo[]> {
    const single = this.single(inputs);
    if (single !== undefined) return this.adopt(await native().runPlanAsync(single.stage.plan, single.slots, single.stage.outputs, []));
    const call = new Call(this.graph, this.pool, inputs);
    try {
      for (const stage of this.stages) {
        if (stage.kind === 'host') call.host(stage, this.backend, hostKernel);
        else call.finish(stage, await native().runPlanAsync(stage.plan, call.slots(stage.segment.inputs), stage.outputs, []));
      }
      return call.results(this.backend, this.results);
    } finally {
      call.release();
    }
  }

  private drop(stages: readonly Stage[]): void {
    for (const stage of stages) {
      if (stage.kind !== 'native') continue;
      native().dropPlan(stage.plan);
      this.backend.stepLabels.delete(stage.plan);
    }
  }

  dispose(): void {
    this.drop(this.stages);
  }
}

/** The values of one running call that cross from stage to stage. */
class Call {
  private readonly held = new Map<ValueId, Slot>();
  private readonly own = new Set<Slot>();

  constructor(
    private readonly graph: Graph,
    private readonly pool: ConstantPool,
    inputs: readonly TensorData[],
  ) {
    // A share of each input: what the caller disposes of meanwhile stays until the call has ended.
    graph.inputs.forEach((id, i) => {
      this.held.set(id, this.keep(native().share((inputs[i] as TensorData).slot)));
    });
  }

  private keep(slot: Slot): Slot {
    this.own.add(slot);
    return slot;
  }

  private slot(id: ValueId): Slot {
    const {constant} = valueOf(this.graph, id);
    return constant === undefined ? (this.held.get(id) as Slot) : this.pool.slot(constant);
  }

  slots(ids: readonly ValueId[]): Slot[] {
    return ids.map((id) => this.slot(id));
  }

  finish(stage: Stage & {kind: 'native'}, slots: readonly Slot[]): void {
    stage.segment.outputs.forEach((id, i) => {
      this.held.set(id, this.keep(slots[i] as Slot));
    });
  }

  host(stage: Stage & {kind: 'host'}, backend: GravitonBackend, hostKernel: HostKernel): void {
    const inputs = stage.inputs.map((id, i) => {
      const {shape, dtype} = stage.call.inputs[i] as HostCall['inputs'][number];
      return backend.adopt(native().share(this.slot(id)), shape, dtype as ResultSpec['dtype']);
    });
    const outputs = hostKernel(stage.call, inputs, backend);
    for (const tensor of inputs) backend.disposeIntermediate(tensor);
    outputs.forEach((tensor, i) => {
      this.held.set(stage.outputs[i] as ValueId, this.keep(native().share((tensor.dataId as TensorData).slot)));
      backend.disposeIntermediate(tensor);
    });
  }

  results(backend: GravitonBackend, specs: readonly ResultSpec[]): TensorInfo[] {
    return this.graph.outputs.map((id, i) => {
      const slot = this.slot(id);
      this.own.delete(slot);
      const {shape, dtype} = specs[i] as ResultSpec;
      return backend.adopt(slot, shape, dtype);
    });
  }

  release(): void {
    for (const slot of this.own) native().release(slot);
  }
}
