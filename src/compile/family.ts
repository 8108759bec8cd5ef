import type {Tensor} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import type {ConstantPool} from './constants';
import {type FreeSize, freeSizesOf, limitsOf, sampleSizes, sizesAt, withSizes} from './free-sizes';
import type {Optimized} from './optimize';
import type {Runnable} from './plan';
import type {Captures, InputSpec} from './recording';
import {type Sample, SizedPlan, SizedPlans} from './sized-plan';

/** The first call of a family, and all that another needs in its stead. */
export interface Founder extends Sample {
  readonly optimized: Optimized;
  readonly captures: Captures;
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
}

/** Calls that were seen are kept, to tell which sizes are free. */
const mostSeen = 8;
const mostFreeSizes = 3;
/** Besides the founder: two terms can be found, and checked. */
const samplesKept = 2;
/** Times that a family is generalised, or that it is tried: sizes may grow beyond what was thought of. */
const mostAttempts = 6;

/** What a plan for many sizes is looked for with. */
interface Search {
  /** The free sizes of the founder's call, and of others. */
  readonly own: readonly number[];
  readonly seen: readonly (readonly number[])[];
  readonly free: readonly FreeSize[];
  readonly record: (inputs: readonly InputSpec[]) => Sample | undefined;
  readonly pool: ConstantPool;
  readonly backend: GravitonBackend;
}

/** Calls that differ in sizes only. From the second on, one plan for all of them is looked for. */
export class Family {
  private founder: Founder | undefined;
  private readonly seen: (readonly InputSpec[])[] = [];
  private sized: SizedPlans | undefined;
  /** Of those seen, what was recorded: for calls that cannot be recorded for other shapes at will. */
  private readonly samples: Sample[] = [];
  private attempts = 0;
  private why: string | undefined;

  /** `polynomial`: all sizes are polynomials of the inputs' sizes, so that what holds for a few holds for those between. */
  constructor(private readonly polynomial: boolean) {}

  get base(): Founder | undefined {
    return this.founder;
  }

  /** Why its calls have plans of their own, once a plan for all of them has been looked for. */
  get reason(): string | undefined {
    return this.why;
  }

  get plans(): SizedPlans | undefined {
    return this.sized;
  }

  /** Whether a plan goes when this family's plans go. */
  owns(plan: Runnable | undefined): boolean {
    return plan instanceof SizedPlan && this.sized !== undefined && plan.all === this.sized;
  }

  add(call: Founder): void {
    if (this.founder === undefined) this.founder = call;
    else if (this.seen.length < mostSeen) this.seen.push(call.inputs);
    if (this.founder !== call && this.samples.length < samplesKept) this.samples.push(call);
  }

  /** By ConstantPool number: what later samples are compared with. */
  usedConstants(pool: ConstantPool): number[] {
    const {founder} = this;
    if (founder === undefined) return [];
    const graphs = [founder, ...this.samples].flatMap(({recorded, graph}) => [recorded, graph]);
    const constants = graphs.flatMap(({values}) => values.flatMap(({constant}) => constant ?? []));
    // Weights need no keeping: they have the same number in every call.
    const made = constants.filter((constant) => !pool.isCapture(constant));
    return [...made, ...(this.sized?.usedConstants ?? [])];
  }

  /** Whether it is worth trying to find a plan for these inputs and all others like them. */
  wants(inputs: readonly InputSpec[]): boolean {
    return this.founder !== undefined && this.sized?.sizesOf(inputs) === undefined && this.attempts < mostAttempts;
  }

  /**
   * Looks for a plan that serves `inputs` too. `record`: a call with other inputs, undefined where it cannot be recorded for its shapes.
   */
  generalise(
    inputs: readonly InputSpec[],
    record: (inputs: readonly InputSpec[]) => Sample | undefined,
    pool: ConstantPool,
    backend: GravitonBackend,
  ): void {
    const base = this.founder as Founder;
    const others = [...this.seen, inputs];
    this.adopt([base.inputs, ...others], (free) => {
      const own = sizesAt(base.inputs, free);
      const seen = others.map((specs) => sizesAt(specs, free));
      const sampling = {own, seen, free, record, pool, backend};
      // Where later calls are looked at, nothing is lost by taking all sizes for alike at first; strides of windows make them differ.
      const made = this.sample(sampling, true);
      return typeof made === 'string' && !this.polynomial ? this.sample(sampling, false) : made;
    });
  }

  /**
   * Looks for a plan that serves `inputs` too among the calls that were recorded as they came. It has no largest size, since each new one is
   * recorded for its shapes and compared before it is taken for a case of it.
   */
  join(inputs: readonly InputSpec[], pool: ConstantPool, backend: GravitonBackend): void {
    if (this.samples.length < samplesKept) return;
    const samples = [this.founder as Founder, ...this.samples];
    this.adopt([...samples.map((sample) => sample.inputs), inputs], (free) => {
      const largest = (sample: Sample) => sizesAt(sample.inputs, free).reduce((product, size) => product * size, 1);
      // The first is where the steps come from, the second the largest.
      const [first, second, ...rest] = [...samples].sort((a, b) => largest(b) - largest(a));
      const ordered = [second, first, ...rest] as Sample[];
      const sizes = ordered.map((sample) => sizesAt(sample.inputs, free));
      return SizedPlans.of({samples: ordered, free, sizes, least: free.map(() => 2), isOpen: true}, true, pool, backend);
    });
  }

  /** Takes the plan that `make` finds for the sizes in which calls differ, if it does. */
  private adopt(calls: readonly (readonly InputSpec[])[], make: (free: readonly FreeSize[]) => SizedPlans | string): void {
    this.attempts++;
    const [linked, apart] = [freeSizesOf(calls, true), freeSizesOf(calls, false)];
    if (linked.length === 0) return;
    let made: SizedPlans | string = '';
    // Two lengths may differ by the same number by chance.
    for (const free of linked.length === apart.length ? [linked] : [linked, apart]) {
      made = free.length > mostFreeSizes ? `calls differ in ${free.length} sizes` : make(free);
      if (typeof made !== 'string') break;
    }
    this.why = typeof made === 'string' ? made : undefined;
    if (typeof made === 'string') return;
    this.sized?.dispose();
    this.sized = made;
  }

  private sample({own, seen, free, record, pool, backend}: Search, anyStep: boolean): SizedPlans | string {
    const base = this.founder as Founder;
    // A model may not take sizes as large as those tried first: it has a table of so many positions, say.
    for (const limits of limitsOf([own, ...seen])) {
      const {least, samples: wanted} = sampleSizes(own, seen, limits, anyStep);
      const samples: Sample[] = [base];
      for (const sizes of wanted) {
        const isBase = sizes.every((size, i) => size === own[i]);
        const sample = isBase ? base : record(withSizes(base.inputs, free, sizes));
        if (sample === undefined) break;
        samples.push(sample);
      }
      if (samples.length === 1) continue;
      if (samples.length <= wanted.length) return 'calls of small sizes cannot be recorded for their shapes';
      return SizedPlans.of({samples, free, sizes: [own, ...wanted], least, isOpen: false}, !this.polynomial, pool, backend);
    }
    return 'calls of other sizes cannot be recorded for their shapes';
  }

  dispose(): void {
    this.sized?.dispose();
    this.sized = undefined;
  }
}
