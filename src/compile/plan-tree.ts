import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {native} from '../native';
import type {TensorData} from '../tensor-data';
import {anatomyOf} from './anatomy';
import type {ConstantPool} from './constants';
import {type Graph, inputsOf, type Node, type Operand, type Value, type ValueId} from './ir';
import type {Optimized} from './optimize';
import type {HostKernel, Plan, ResultSpec, Runnable} from './plan';
import {type Ending, isSameNode, type Known, outcomeOf, type Path, type Read} from './trace';
import type {Verifier} from './verifier';

/** The plan of a part of a call. */
export interface PartPlan {
  readonly plan: Plan;
  readonly optimized: Optimized;
  readonly verifier: Verifier | undefined;
}

/** A plan with the parts that run it: iterations of a loop that take the same steps are one plan. */
interface SharedPlan extends PartPlan {
  readonly key: string;
  users: number;
}

/** What comes after a part: elements are read on which the rest depends, or the call ends. */
type Next = {readonly kind: 'read'; readonly value: ValueId; readonly parts: Map<string, Part>} | TreeEnding;
type TreeEnding =
  | Exclude<Ending, {kind: 'results'}>
  | {readonly kind: 'results'; readonly values: readonly ValueId[]; readonly specs: readonly ResultSpec[]};

/** The steps between two reads. */
interface Part {
  /** Those of the trace that found it; values have the same numbers in each call that comes this way. */
  readonly values: readonly Value[];
  readonly nodes: readonly Node[];
  readonly defines: ReadonlySet<ValueId>;
  /** What its nodes read of what was there before. */
  readonly takes: readonly ValueId[];
  next: Next;
  /** What it and all that follow need of what was there before. */
  needs: ReadonlySet<ValueId>;
  outputs: readonly ValueId[];
  shared: SharedPlan | undefined;
}

/** More outcomes than this are data rather than a decision: what follows runs eagerly. */
const mostOutcomes = 16;
/** Of all parts together. */
const mostNodes = 50_000;
/** Constants up to this size are compared by their elements. */
const comparedElems = 64;

/** Thrown where a call goes on as no call before, or in a part that runs eagerly. Whoever catches it releases it. */
export class Unplanned extends Error {
  constructor(
    readonly known: Known,
    private readonly held: Held,
  ) {
    super('the call has a part without a plan');
  }

  release(): void {
    this.held.release();
  }
}

/** The values of a running call that later parts need. */
class Held {
  readonly values = new Map<ValueId, TensorData>();

  constructor(private readonly backend: GravitonBackend) {}

  set(id: ValueId, info: TensorInfo): void {
    this.values.set(id, info.dataId as TensorData);
  }

  keepOnly(needed: ReadonlySet<ValueId>): void {
    for (const [id, data] of this.values) {
      if (needed.has(id)) continue;
      this.values.delete(id);
      this.backend.disposeData(data);
    }
  }

  release(): void {
    this.keepOnly(new Set());
  }
}

/** One run of a part's plan, which the walk through the tree asks for. */
interface PartRun {
  readonly plan: PartPlan;
  readonly inputs: readonly TensorData[];
}

const endUses = (next: Next): readonly ValueId[] => {
  if (next.kind === 'read') return [next.value];
  return next.kind === 'results' ? next.values : next.demand;
};

/**
 * The plans of one signature whose calls depend on elements that JavaScript reads: conditions, loop counters, sizes. Each part between two
 * reads is a plan of its own; after a read the walk goes on in the part that calls with these elements came to before.
 */
export class PlanTree implements Runnable {
  private readonly root: Part;
  private readonly inputs: readonly ValueId[];
  private readonly plans = new Map<string, SharedPlan>();
  private count = 0;

  /** `planOf`: makes the plan of a part, whose results are distinct. */
  constructor(
    path: Path,
    specs: readonly ResultSpec[],
    private readonly planOf: (graph: Graph) => PartPlan,
    private readonly pool: ConstantPool,
    private readonly backend: GravitonBackend,
  ) {
    this.inputs = path.inputs;
    this.root = this.partOf(path, 0, specs);
    this.add(path, specs);
  }

  /** Parts between reads, each with how many nodes of the path lie before its end. */
  private endOf(path: Path, index: number): number {
    return path.reads[index]?.at ?? path.nodes.length;
  }

  private partOf(path: Path, index: number, specs: readonly ResultSpec[]): Part {
    const start = index === 0 ? 0 : this.endOf(path, index - 1);
    const nodes = path.nodes.slice(start, this.endOf(path, index));
    const defines = new Set(nodes.flatMap((node) => node.outputs.map((o) => o.value)));
    const read = new Set(nodes.flatMap((node) => inputsOf(node).map((o) => o.value)));
    const takes = [...read].filter((id) => !defines.has(id) && path.values[id]?.constant === undefined);
    this.count += nodes.length + 1;
    return {values: path.values, nodes, defines, takes, next: nextOf(path, index, specs), needs: new Set(), outputs: [], shared: undefined};
  }

  /**
   * Adds what a call did that began as others did: whether that is new. Undefined where it did not begin as others did: such calls cannot be
   * replayed.
   */
  add(path: Path, specs: readonly ResultSpec[]): boolean | undefined {
    const before = this.count;
    const way = [this.root];
    let at = 0;
    for (let index = 0; ; index++) {
      const part = way[index] as Part;
      const end = this.endOf(path, index);
      const isSame =
        end - at === part.nodes.length &&
        (end <= path.agreed || part.nodes.every((node, i) => isSameNode(node, path.nodes[at + i] as Node)));
      if (!isSame) return undefined;
      at = end;
      const read = path.reads[index];
      if (part.next.kind === 'tail') {
        // What was read later is the tail's.
        const more = path.ending.kind === 'tail' ? path.ending.demand : [];
        part.next = {...part.next, demand: [...new Set([...part.next.demand, ...more])]};
        break;
      }
      const {next} = part;
      if (read === undefined) {
        const own = nextOf(path, index, specs);
        if (next.kind === 'results' && own.kind === 'results' && own.values.join() === next.values.join()) break;
        if (own.kind !== 'tail') return undefined;
        this.cutOff(part, own.reason, own.demand);
        break;
      }
      if (next.kind !== 'read' || next.value !== read.value) return undefined;
      let following = next.parts.get(read.outcome);
      if (following === undefined) {
        const reason = this.refusal(part, next.parts.size);
        if (reason !== undefined) {
          this.cutOff(part, reason, [read.value]);
          break;
        }
        following = this.partOf(path, index + 1, specs);
        next.parts.set(read.outcome, following);
      }
      way.push(following);
    }
    let isNew = this.count !== before;
    for (const part of way.reverse()) if (this.settle(part)) isNew = true;
    return isNew;
  }

  private refusal(part: Part, outcomes: number): string | undefined {
    const {dtype, elems} = part.values[endUses(part.next)[0] as number] as Value;
    if (outcomes >= mostOutcomes)
      return `the elements of a derived ${dtype} tensor (${elems} elements) have had more than ${mostOutcomes} values`;
    return this.count >= mostNodes ? `the plans of this signature have more than ${mostNodes} steps` : undefined;
  }

  /** From the end of `part` on, calls run eagerly. */
  private cutOff(part: Part, reason: string, demand: readonly ValueId[]): void {
    const {next} = part;
    const wanted = new Set(demand);
    if (next.kind === 'read') {
      for (const following of next.parts.values()) {
        for (const id of following.needs) wanted.add(id);
        this.drop(following);
      }
    }
    part.next = {kind: 'tail', reason, demand: [...wanted]};
  }

  /** Finds what a part must leave for those that follow, and makes its plan accordingly. Whether that has changed. */
  private settle(part: Part): boolean {
    const later = new Set(endUses(part.next).filter((id) => part.values[id]?.constant === undefined));
    if (part.next.kind === 'read') for (const {needs} of part.next.parts.values()) for (const id of needs) later.add(id);
    const outputs = [...later].filter((id) => part.defines.has(id)).sort((a, b) => a - b);
    part.needs = new Set([...part.takes, ...[...later].filter((id) => !part.defines.has(id))]);
    if (outputs.join() === part.outputs.join()) return false;
    part.outputs = outputs;
    this.unshare(part);
    if (outputs.length > 0) part.shared = this.share(part);
    return true;
  }

  private share(part: Part): SharedPlan {
    const graph = alone(part);
    const key = keyOf(graph, this.pool);
    let shared = this.plans.get(key);
    if (shared === undefined) {
      shared = {...this.planOf(graph), key, users: 0};
      this.plans.set(key, shared);
    }
    shared.users++;
    return shared;
  }

  private unshare(part: Part): void {
    const {shared} = part;
    part.shared = undefined;
    if (shared === undefined || --shared.users > 0) return;
    this.plans.delete(shared.key);
    shared.plan.dispose();
    shared.verifier?.dispose();
  }

  private drop(top: Part): void {
    for (const part of this.under(top)) {
      this.unshare(part);
      this.count -= part.nodes.length + 1;
    }
  }

  private *under(top: Part): Generator<Part> {
    const left = [top];
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      yield part;
      if (part.next.kind === 'read') left.push(...[...part.next.parts.values()].reverse());
    }
  }

  /** The different plans, in the order in which calls come to them. */
  get parts(): PartPlan[] {
    return [...new Set([...this.under(this.root)].flatMap(({shared}) => shared ?? []))];
  }

  /** For explain(): what is read, with how many outcomes, and why parts run eagerly. */
  describe(): {readonly guards: string[]; readonly tails: string[]} {
    const guards: string[] = [];
    const tails = new Set<string>();
    for (const {next, values} of this.under(this.root)) {
      if (next.kind === 'tail') tails.add(next.reason);
      if (next.kind !== 'read') continue;
      const {dtype, elems} = values[next.value] as Value;
      guards.push(`${dtype}[${elems}]: ${[...next.parts.keys()].join(' | ')}`);
    }
    return {guards, tails: [...tails]};
  }

  get usedConstants(): ReadonlySet<number> {
    const used = new Set<number>();
    for (const {plan, verifier} of this.plans.values())
      for (const id of [...plan.usedConstants, ...(verifier?.usedConstants ?? [])]) used.add(id);
    // Plans are made again from the graphs when later parts need more of them. Weights need no keeping.
    for (const {nodes, values, next} of this.under(this.root)) {
      const ids = [...nodes.flatMap((node) => inputsOf(node).map((o) => o.value)), ...endUses(next)];
      for (const id of ids) {
        const {constant} = values[id] as Value;
        if (constant !== undefined && (next.kind === 'results' || !this.pool.isCapture(constant))) used.add(constant);
      }
    }
    return used;
  }

  private *walk(inputs: readonly TensorData[], held: Held): Generator<PartRun, TensorInfo[], TensorInfo[]> {
    this.inputs.forEach((id, i) => {
      const {slot, dtype, elems} = inputs[i] as TensorData;
      held.set(id, this.backend.adopt(native().share(slot), [elems], dtype));
    });
    const way: Part[] = [];
    const reads: Read[] = [];
    for (let part = this.root; ; ) {
      const {shared, outputs, next, nodes} = part;
      const given = part.takes.map((id) => held.values.get(id));
      // Plans may have been made before later parts needed more of them; the tree may be disposed of between two steps of an asynchronous walk.
      const isRunnable = shared === undefined ? outputs.length === 0 : !given.includes(undefined);
      if (!isRunnable) throw this.unplanned(way, reads, held);
      if (shared !== undefined) {
        const infos = yield {plan: shared, inputs: given as TensorData[]};
        outputs.forEach((id, i) => {
          held.set(id, infos[i] as TensorInfo);
        });
      }
      way.push(part);
      if (next.kind === 'results') return this.results(next, part.values, held);
      if (next.kind === 'tail') throw this.unplanned(way, reads, held, next.reason);
      const data = held.values.get(next.value);
      if (data === undefined) throw this.unplanned(way, reads, held);
      const outcome = outcomeOf(data);
      const following = next.parts.get(outcome);
      if (following === undefined) throw this.unplanned(way, reads, held);
      reads.push({at: (reads.at(-1)?.at ?? 0) + nodes.length, value: next.value, outcome});
      held.keepOnly(following.needs);
      part = following;
    }
  }

  private unplanned(way: readonly Part[], reads: readonly Read[], held: Held, tail?: string): Unplanned {
    const nodes = way.flatMap((part) => part.nodes);
    return new Unplanned({nodes, reads, values: way.at(-1)?.values ?? [], computed: held.values, tail}, held);
  }

  private results({values: ids, specs}: TreeEnding & {kind: 'results'}, values: readonly Value[], held: Held): TensorInfo[] {
    return ids.map((id, i) => {
      const {shape, dtype} = specs[i] as ResultSpec;
      const {constant} = values[id] as Value;
      const slot = constant === undefined ? (held.values.get(id) as TensorData).slot : this.pool.slot(constant);
      return this.backend.adopt(native().share(slot), shape, dtype);
    });
  }

  /** Verification looks at each part by itself. */
  private verify({plan: {verifier}, inputs}: PartRun, results: readonly TensorInfo[]): void {
    const infos = inputs.map((data): TensorInfo => ({dataId: data, shape: [data.elems], dtype: data.dtype}));
    try {
      verifier?.check(infos, results);
    } catch (error) {
      for (const info of results) this.backend.disposeIntermediate(info);
      throw error;
    }
  }

  run(inputs: readonly TensorData[], hostKernel: HostKernel): TensorInfo[] {
    const held = new Held(this.backend);
    try {
      const walk = this.walk(inputs, held);
      let step = walk.next();
      while (!step.done) {
        const infos = step.value.plan.plan.run(step.value.inputs, hostKernel);
        this.verify(step.value, infos);
        step = walk.next(infos);
      }
      held.release();
      return step.value;
    } catch (error) {
      if (!(error instanceof Unplanned)) held.release();
      throw error;
    }
  }

  async runAsync(inputs: readonly TensorData[], hostKernel: HostKernel): Promise<TensorInfo[]> {
    const held = new Held(this.backend);
    try {
      const walk = this.walk(inputs, held);
      let step = walk.next();
      while (!step.done) {
        const infos = await step.value.plan.plan.runAsync(step.value.inputs, hostKernel);
        this.verify(step.value, infos);
        step = walk.next(infos);
      }
      held.release();
      return step.value;
    } catch (error) {
      if (!(error instanceof Unplanned)) held.release();
      throw error;
    }
  }

  dispose(): void {
    for (const part of this.under(this.root)) this.unshare(part);
  }
}

function nextOf(path: Path, index: number, specs: readonly ResultSpec[]): Next {
  const read = path.reads[index];
  if (read !== undefined) return {kind: 'read', value: read.value, parts: new Map()};
  return path.ending.kind === 'tail' ? path.ending : {...path.ending, specs};
}

/** A part as a graph of its own, with values numbered as they come. */
function alone({nodes, values, takes, outputs}: Part): Graph {
  const numbers = new Map<ValueId, ValueId>();
  const own: Value[] = [];
  const numberOf = (id: ValueId): ValueId => {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    const number = own.push(values[id] as Value) - 1;
    numbers.set(id, number);
    return number;
  };
  const operand = <O extends Operand | undefined>(o: O): O => (o === undefined ? o : {...o, value: numberOf(o.value)});
  const inputs = takes.map(numberOf);
  const renumbered = nodes.map((node) => ({...node, inputs: node.inputs.map(operand), outputs: node.outputs.map(operand)}));
  return {values: own, nodes: renumbered, inputs, outputs: outputs.map(numberOf)};
}

/** Equal for graphs whose plans do the same. */
function keyOf(graph: Graph, pool: ConstantPool): string {
  const {structure, numbers, constants, constantElems} = anatomyOf(graph);
  const contents = constants.map((id, i) => ((constantElems[i] as number) <= comparedElems ? `(${pool.values(id).join()})` : `#${id}`));
  const calls = graph.nodes.map(({host}) => (host === undefined ? '' : JSON.stringify(host)));
  return `${structure} ${numbers.join()} ${contents.join(' ')} ${calls.join('')}`;
}
