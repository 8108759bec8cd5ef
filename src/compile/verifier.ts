import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {native} from '../native';
import type {TensorData} from '../tensor-data';
import type {ConstantPool} from './constants';
import {type Difference, differenceOf, errorOf, toleranceOf} from './difference';
import {labelOf, sizeTextOf} from './explain';
import {type Graph, type Node, type ValueId, valueOf} from './ir';
import {type HostKernel, Plan, type ResultSpec} from './plan';
import {type Unit, unitsOf} from './units';

/** What verification found for a step of the optimised graph. */
export interface StepDifference {
  readonly difference: Difference;
  /** Part of the largest magnitude that the step may be off by. */
  readonly tolerance: number;
}

interface RunnableUnit extends Unit {
  readonly plan: Plan;
}

/** Tensors by value number, given back together. */
class Values {
  private readonly held = new Map<ValueId, TensorInfo>();

  constructor(private readonly backend: GravitonBackend) {}

  set(id: ValueId, info: TensorInfo): void {
    this.held.set(id, info);
  }

  /** A share of a tensor that stays its owner's. */
  share(id: ValueId, data: TensorData): void {
    this.set(id, this.backend.adopt(native().share(data.slot), [data.elems], data.dtype));
  }

  data(id: ValueId): TensorData {
    return this.backend.data((this.held.get(id) as TensorInfo).dataId);
  }

  drop(id: ValueId): void {
    const info = this.held.get(id);
    if (info !== undefined) this.backend.disposeIntermediate(info);
    this.held.delete(id);
  }

  dispose(): void {
    for (const id of [...this.held.keys()]) this.drop(id);
  }
}

/**
 * Compares a plan with eager, step by step (GRAVITON_VERIFY=1). The recorded graph, as it was before any pass, runs node by node with the
 * steps that eager takes. Then each step of the optimised graph runs alone, on eager's values, so that errors do not add up and the step
 * that is wrong is the one that is named. Passes keep the numbers of values that they keep, so equal numbers are equal contents; what lies
 * between two such values in the optimised graph is compared as one. Last, the same steps run on their own values, each into tensors of
 * its own: that must give the results of the whole plan, bit by bit, or its buffers are at fault.
 */
export class Verifier {
  /** Value of the optimised graph → value of the recorded one that has the same elements. */
  private readonly counterparts = new Map<ValueId, ValueId>();
  private readonly recordedUnits: readonly RunnableUnit[];
  private readonly units: readonly RunnableUnit[];
  /** Recorded value → the recorded nodes between it and others that both graphs have. */
  private readonly origins = new Map<ValueId, Unit>();
  private found: ReadonlyMap<Node, StepDifference> = new Map();

  constructor(
    private readonly recorded: Graph,
    private readonly optimized: Graph,
    private readonly pool: ConstantPool,
    private readonly backend: GravitonBackend,
    private readonly hostKernel: HostKernel,
  ) {
    const written = (graph: Graph) => new Set(graph.nodes.flatMap((node) => node.outputs.map((o) => o.value)));
    const before = written(recorded);
    const after = written(optimized);
    for (const id of after) if (before.has(id)) this.counterparts.set(id, id);
    optimized.outputs.forEach((id, i) => {
      if (after.has(id) && !this.counterparts.has(id)) this.counterparts.set(id, recorded.outputs[i] as ValueId);
    });
    for (const unit of unitsOf(recorded, new Set(this.counterparts.values()))) {
      for (const id of unit.graph.outputs) this.origins.set(id, unit);
    }
    this.recordedUnits = unitsOf(recorded, before).map((unit) => this.runnable(unit));
    this.units = unitsOf(optimized, new Set(this.counterparts.keys())).map((unit) => this.runnable(unit));
  }

  private runnable(unit: Unit): RunnableUnit {
    return {...unit, plan: this.planOf(unit)};
  }

  private planOf({graph}: Unit): Plan {
    const specs = graph.outputs.map((id): ResultSpec => {
      const {dtype, elems} = valueOf(graph, id);
      return {dtype: dtype as ResultSpec['dtype'], shape: [elems]};
    });
    return new Plan(graph, specs, this.pool, this.backend);
  }

  /** The constants that it needs, by ConstantPool number. */
  get usedConstants(): ReadonlySet<number> {
    const read = [this.recorded, this.optimized].flatMap((graph) =>
      [...graph.nodes.flatMap((node) => node.inputs.flatMap((o) => (o === undefined ? [] : [o.value]))), ...graph.outputs].flatMap(
        (id) => valueOf(graph, id).constant ?? [],
      ),
    );
    return new Set(read);
  }

  /** What the last call differed by, by node of the optimised graph. */
  get differences(): ReadonlyMap<Node, StepDifference> {
    return this.found;
  }

  /**
   * Verifies one call: `results` are the plan's, `eager` those of the original function, where the plan is one of a whole call.
   * @throws ERR_VERIFY naming the first step that differs
   */
  check(inputs: readonly TensorInfo[], results: readonly TensorInfo[], eager?: readonly TensorInfo[]): void {
    const data = inputs.map((info) => this.backend.data(info.dataId));
    const recorded = this.runRecorded(data);
    try {
      this.checkSteps(recorded);
      this.checkBuffers(data, results);
      if (eager !== undefined) this.checkEager(recorded, eager);
    } finally {
      recorded.dispose();
    }
  }

  private valuesOf(graph: Graph, inputs: readonly TensorData[]): Values {
    const values = new Values(this.backend);
    graph.inputs.forEach((id, i) => {
      values.share(id, inputs[i] as TensorData);
    });
    return values;
  }

  private run(unit: RunnableUnit, values: Values, counterparts?: ReadonlyMap<ValueId, ValueId>): TensorInfo[] {
    return unit.plan.run(
      unit.graph.inputs.map((id) => values.data(counterparts?.get(id) ?? id)),
      this.hostKernel,
    );
  }

  /** The elements of a value that a unit has computed, or that is an input or a constant. Passes only add to the values of a graph. */
  private elements(values: Values, id: ValueId): ArrayLike<number> {
    const {constant} = valueOf(this.optimized, id);
    return constant === undefined ? this.read(values.data(id)) : this.pool.values(constant);
  }

  private read(tensor: TensorData | TensorInfo): ArrayLike<number> {
    return this.backend.values('dataId' in tensor ? tensor.dataId : tensor) as ArrayLike<number>;
  }

  /** Runs units in order; values that nothing reads any more go, but for those in `kept`. */
  private runAll(graph: Graph, units: readonly RunnableUnit[], inputs: readonly TensorData[], kept: ReadonlySet<ValueId>): Values {
    const values = this.valuesOf(graph, inputs);
    const readers = new Map<ValueId, number>();
    for (const unit of units) for (const id of unit.graph.inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
    try {
      for (const unit of units) {
        const results = this.run(unit, values);
        unit.graph.outputs.forEach((id, i) => {
          values.set(id, results[i] as TensorInfo);
          if (!kept.has(id) && !readers.has(id)) values.drop(id);
        });
        for (const id of unit.graph.inputs) {
          const left = (readers.get(id) as number) - 1;
          readers.set(id, left);
          if (left === 0 && !kept.has(id)) values.drop(id);
        }
      }
      return values;
    } catch (error) {
      values.dispose();
      throw error;
    }
  }

  private runRecorded(inputs: readonly TensorData[]): Values {
    const kept = new Set([...this.counterparts.values(), ...this.recorded.inputs, ...this.recorded.outputs]);
    return this.runAll(this.recorded, this.recordedUnits, inputs, kept);
  }

  private checkSteps(recorded: Values): void {
    const found = new Map<Node, StepDifference>();
    let first: {readonly unit: RunnableUnit; readonly output: ValueId; readonly step: StepDifference} | undefined;
    for (const unit of this.units) {
      const results = this.run(unit, recorded, this.counterparts);
      for (const [i, output] of unit.graph.outputs.entries()) {
        const wanted = this.elements(recorded, this.counterparts.get(output) as ValueId);
        const difference = differenceOf(this.read(results[i] as TensorInfo), wanted);
        const origin = this.origins.get(this.counterparts.get(output) as ValueId);
        const step = {difference, tolerance: toleranceOf([...unit.graph.nodes, ...(origin?.graph.nodes ?? [])])};
        const known = found.get(unit.last);
        if (known === undefined || errorOf(difference) > errorOf(known.difference)) found.set(unit.last, step);
        if (first === undefined && this.differs(step, output, recorded)) first = {unit, output, step};
      }
      for (const info of results) this.backend.disposeIntermediate(info);
    }
    this.found = found;
    if (first === undefined) return this.checkReplaced(recorded);
    const {unit, output, step} = first;
    const place = this.optimized.nodes.indexOf(unit.last) + 1;
    const name = `step ${place} of ${this.optimized.nodes.length}, ${labelOf(unit.last)} [${sizeTextOf(unit.last)}],`;
    const origin = this.origins.get(this.counterparts.get(output) as ValueId);
    const made = [...new Set(origin?.graph.nodes.map(labelOf))].join(', ');
    throw errors.differs(name, step.difference, step.tolerance, valueOf(this.optimized, output).elems, made);
  }

  /** Results for which passes have put another value that they take for the same. */
  private checkReplaced(recorded: Values): void {
    this.optimized.outputs.forEach((id, i) => {
      const [got, wanted] = [this.counterparts.get(id) ?? id, this.recorded.outputs[i] as ValueId];
      if (got === wanted) return;
      const difference = differenceOf(this.elements(recorded, got), this.elements(recorded, wanted));
      if (difference.distance !== 0)
        throw errors.differs(`result ${i}`, difference, 0, valueOf(this.optimized, wanted).elems, 'another value');
    });
  }

  /** Whether a step is off by more than rounding explains. */
  private differs({difference, tolerance}: StepDifference, output: ValueId, recorded: Values): boolean {
    const exact = valueOf(this.optimized, output).dtype !== 'float32';
    if (difference.distance <= (exact ? 0 : tolerance * difference.scale)) return false;
    if (!Number.isFinite(difference.distance) || tolerance === 0) return true;
    return difference.distance > 16 * this.sensitivity(this.counterparts.get(output) as ValueId, recorded);
  }

  /**
   * How far eager's own value moves when everything on the way to it moves by up to two roundings, so that sums that cancel (the deviation
   * of a row of equal elements, 1 + erf(x) far to the left) and jumps are not held against a step: Monte Carlo arithmetic (Parker 1997).
   */
  private sensitivity(id: ValueId, recorded: Values): number {
    const origin = this.origins.get(id);
    if (origin === undefined) return 0;
    const wanted = this.elements(recorded, id);
    const units = this.recordedUnits.filter((unit) => origin.graph.nodes.includes(unit.last));
    let largest = 0;
    for (let trial = 0; trial < 4; trial++) {
      const values = new Values(this.backend);
      let seed = 1000 * trial;
      try {
        for (const input of origin.graph.inputs) values.set(input, this.perturbed(recorded.data(input), seed++));
        for (const unit of units) {
          const results = this.run(unit, values);
          unit.graph.outputs.forEach((output, i) => {
            const info = results[i] as TensorInfo;
            values.set(output, this.perturbed(this.backend.data(info.dataId), seed++));
            this.backend.disposeIntermediate(info);
          });
        }
        largest = Math.max(largest, differenceOf(this.read(values.data(id)), wanted).distance);
      } finally {
        values.dispose();
      }
    }
    return largest;
  }

  private perturbed(data: TensorData, seed: number): TensorInfo {
    if (data.dtype !== 'float32') return this.backend.adopt(native().share(data.slot), [data.elems], data.dtype);
    let state = seed * 2654435761 + 1;
    const values = Float32Array.from(this.read(data), (v) => {
      // A linear congruential generator is random enough for signs.
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return v * (1 + (state / 2 ** 31) * 2 ** -22);
    });
    return this.backend.makeTensor(values, [data.elems], 'float32');
  }

  /** The plan against the same steps, each into tensors of its own. */
  private checkBuffers(inputs: readonly TensorData[], results: readonly TensorInfo[]): void {
    const values = this.runAll(this.optimized, this.units, inputs, new Set([...this.optimized.inputs, ...this.optimized.outputs]));
    try {
      this.optimized.outputs.forEach((id, i) => {
        const wanted = this.elements(values, id);
        const difference = differenceOf(this.read(results[i] as TensorInfo), wanted);
        if (difference.distance !== 0) throw errors.buffers(i, difference);
      });
    } finally {
      values.dispose();
    }
  }

  /** The recorded steps against the function itself, which may have taken others this time. */
  private checkEager(recorded: Values, eager: readonly TensorInfo[]): void {
    this.recorded.outputs.forEach((id, i) => {
      const info = eager[i];
      const wanted = info === undefined ? [] : this.read(info);
      const got = this.elements(recorded, id);
      const difference = differenceOf(got, wanted);
      if (wanted.length !== got.length || errorOf(difference) > toleranceOf(this.recorded.nodes)) throw errors.impure(i, difference);
    });
  }

  dispose(): void {
    for (const {plan} of [...this.recordedUnits, ...this.units]) plan.dispose();
  }
}
