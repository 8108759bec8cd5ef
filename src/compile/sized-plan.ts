import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {native, type Slot, type TensorSpec} from '../native';
import type {NativeDType} from '../ops/schema';
import type {TensorData} from '../tensor-data';
import {type Anatomy, anatomyOf} from './anatomy';
import type {ConstantPool} from './constants';
import {labelOf} from './explain';
import {type FreeSize, sizesIn} from './free-sizes';
import {type Graph, valueOf} from './ir';
import {type ResultSpec, type Runnable, soleSegment} from './plan';
import {encodePlan, type PlanWord, type PlanWords, planWords, type Segment, storageKinds, storageWords} from './plan-words';
import type {InputSpec} from './recording';
import {type Count, isSame, SeenElements, SizedConstant, SizedElements, type VaryingConstant} from './sized-constant';
import {partsOf, productsAt, type Sized, sizedWords, valueAt} from './sizes';

/** A call that was recorded, to learn from it how plans depend on sizes. */
export interface Sample {
  readonly inputs: readonly InputSpec[];
  readonly recorded: Graph;
  /** The recorded graph after all passes. */
  readonly graph: Graph;
  readonly results: readonly ResultSpec[];
  /** What lies around the results' tensors. */
  readonly structure: string;
}

/** What the calls of a family have in common, and at which sizes samples of it were taken; the second has the largest of each. */
export interface Sampling {
  readonly samples: readonly Sample[];
  readonly free: readonly FreeSize[];
  readonly sizes: readonly (readonly number[])[];
  /** The smallest of each that the plan is for. */
  readonly least: readonly number[];
  /** Whether larger sizes than those of the samples may be cases of it, unless a constant is a part of the largest sample's. */
  readonly isOpen: boolean;
}

/** Constants of one place in all samples: the same, or one that goes with the sizes. */
type Constant = number | VaryingConstant;

/** `elems`: how many elements the constant has, if it is known. Undefined where the constants have nothing to do with each other. */
function commonConstant(
  ids: readonly number[],
  elems: PlanWord | undefined,
  sample: Graph,
  sizes: readonly (readonly number[])[],
  sized: Sized,
  pool: ConstantPool,
): Constant | undefined {
  const [first] = ids as [number];
  if (ids.every((id) => isSame(pool, id, first))) return first;
  const {dtype} = sample.values.find(({constant}) => constant === first) as {dtype: NativeDType};
  const units = sizes.map((own) => partsOf(sized, own) as number[]);
  return SizedConstant.of(ids, units, countOf(elems, sized), dtype, pool) ?? SizedElements.of(ids, sizes, dtype, pool);
}

/** A constant that the plan reads as it was recorded. */
function seenConstant(ids: readonly number[], {samples, sizes}: Sampling): SeenElements | undefined {
  const recorded = samples.map((sample) => anatomyOf(sample.recorded).constants);
  const place = recorded[0]?.findIndex((_, at) => ids.every((id, sample) => recorded[sample]?.[at] === id)) ?? -1;
  if (place < 0) return undefined;
  const constant = new SeenElements(place);
  for (const [sample, id] of ids.entries()) constant.see(sizes[sample] as readonly number[], id);
  return constant;
}

function countOf(elems: PlanWord | undefined, {products}: Sized): Count | undefined {
  const [term, ...others] = typeof elems === 'object' ? elems.terms : [];
  if (typeof elems !== 'object' || term === undefined || others.length > 0) return undefined;
  const [product, factor] = term;
  const exponents = products[product] as readonly number[];
  const more = elems.constant / factor;
  const isOneSize = exponents.reduce((a, b) => a + b, 0) === 1;
  return more === 0 || (isOneSize && Number.isInteger(more)) ? {factor, exponents, more} : undefined;
}

/** How the graph that calls record depends on sizes: for telling whether one more call is as the plans take it to be. */
class RecordedSizes {
  private constructor(
    private readonly structure: string,
    private readonly sized: Sized,
    private readonly constants: readonly Constant[],
    private readonly pool: ConstantPool,
  ) {}

  /** `seen`: constants that need not be alike. */
  static of({samples, sizes}: Sampling, seen: readonly SeenElements[], pool: ConstantPool): RecordedSizes | undefined {
    const anatomies = samples.map(({recorded}) => anatomyOf(recorded));
    const [first] = anatomies as [Anatomy];
    if (anatomies.some((a) => a.structure !== first.structure || a.numbers.length !== first.numbers.length)) return undefined;
    const sized = sizedWords(
      anatomies.map((a) => [...a.numbers, ...a.constantElems]),
      sizes,
    );
    if (sized === undefined) return undefined;
    const recorded = (samples[0] as Sample).recorded;
    const constants = first.constants.map((_, i) => {
      const known = seen.find(({place}) => place === i);
      if (known !== undefined) return known;
      const ids = anatomies.map((a) => a.constants[i] as number);
      return commonConstant(ids, sized.words[first.numbers.length + i], recorded, sizes, sized, pool);
    });
    if (constants.includes(undefined)) return undefined;
    return new RecordedSizes(first.structure, sized, constants as Constant[], pool);
  }

  get used(): number[] {
    return this.constants.flatMap((c) => (typeof c === 'number' ? c : c.used));
  }

  agrees(recorded: Graph, sizes: readonly number[]): boolean {
    const {structure, numbers, constants, constantElems} = anatomyOf(recorded);
    const products = productsAt(this.sized, sizes);
    if (structure !== this.structure || products === undefined) return false;
    if (![...numbers, ...constantElems].every((n, i) => Object.is(n, valueAt(this.sized.words[i] as PlanWord, products)))) return false;
    const units = partsOf(this.sized, sizes) as number[];
    return constants.every((id, i) => {
      const known = this.constants[i] as Constant;
      return typeof known === 'number' ? isSame(this.pool, id, known) : known.hasElements(this.pool.values(id), sizes, units, this.pool);
    });
  }

  dispose(): void {
    for (const constant of this.constants) if (typeof constant === 'object') constant.dispose();
  }
}

interface Parts {
  readonly base: Sample;
  readonly free: readonly FreeSize[];
  readonly ranges: readonly (readonly [least: number, most: number])[];
  readonly segment: Segment;
  readonly sized: Sized;
  readonly outputElems: readonly PlanWord[];
  readonly resultShapes: readonly (readonly PlanWord[])[];
  readonly fixed: readonly number[];
  readonly varying: readonly VaryingConstant[];
  readonly recorded: RecordedSizes | undefined;
}

/** One native plan for all calls that differ in free sizes only. */
export class SizedPlans {
  private constructor(
    private readonly parts: Parts,
    readonly plan: number,
    private readonly pool: ConstantPool,
    private readonly backend: GravitonBackend,
  ) {}

  /**
   * The plan of which every sample's is a case, or why there is none. `looks`: calls will be recorded and compared before they are taken for
   * cases of it; so they are where only that tells the elements of a constant.
   */
  static of(sampling: Sampling, looks: boolean, pool: ConstantPool, backend: GravitonBackend): SizedPlans | string {
    const {samples, free, sizes} = sampling;
    const [base] = samples as [Sample];
    const segments = samples.flatMap(({graph}) => soleSegment(graph) ?? []);
    const [segment] = segments;
    if (segment === undefined || segments.length !== samples.length) return 'parts of the plan run in JavaScript';
    const plans = samples.map(({graph}, i) => planWords(graph, segments[i] as Segment));
    const [first] = plans as [PlanWords];
    const shapeOf = ({results}: Sample) => results.flatMap(({shape}) => shape);
    const isAlike = samples.every((sample, i) => {
      const {body, storages, constants} = plans[i] as PlanWords;
      return (
        sample.structure === base.structure &&
        shapeOf(sample).length === shapeOf(base).length &&
        segments[i]?.inputs.join() === segment.inputs.join() &&
        body.length === first.body.length &&
        storages === first.storages &&
        constants.length === first.constants.length
      );
    });
    if (!isAlike) return 'other sizes give other steps';
    const sized = sizedWords(
      plans.map(({body}, i) => [...(body as readonly number[]), ...shapeOf(samples[i] as Sample)]),
      sizes,
    );
    if (sized === undefined) return 'steps depend on sizes in a way that is not understood';
    const body = sized.words.slice(0, first.body.length);
    const dims = sized.words.slice(first.body.length);
    const fixed: number[] = [];
    const varying: VaryingConstant[] = [];
    for (let at = 0; at < storageWords * first.storages; at += storageWords) {
      if (body[at] !== storageKinds.constant) continue;
      const index = body[at + 2] as number;
      const ids = plans.map(({constants}) => constants[index] as number);
      const common = () => commonConstant(ids, body[at + 3], base.graph, sizes, sized, pool);
      const seen = () => (ids.every((id) => isSame(pool, id, ids[0] as number)) ? undefined : seenConstant(ids, sampling));
      const constant = sampling.isOpen ? (seen() ?? common()) : (common() ?? seen());
      if (constant === undefined) return 'a constant depends on sizes in a way that is not understood';
      if (typeof constant === 'number') body[at + 2] = fixed.push(constant) - 1;
      else {
        body[at] = storageKinds.input;
        body[at + 2] = first.inputs + varying.push(constant) - 1;
      }
    }
    const seen = varying.filter((constant) => constant instanceof SeenElements);
    const recorded = looks || seen.length > 0 ? RecordedSizes.of(sampling, seen, pool) : undefined;
    if ((looks || seen.length > 0) && recorded === undefined) return 'calls of other sizes record other steps';
    const words = {...first, inputs: first.inputs + varying.length, freeSizes: sized.products.length, body, constants: fixed};
    const plan = native().makePlan(
      encodePlan(words),
      fixed.map((c) => pool.slot(c)),
    );
    backend.stepLabels.set(plan, segment.nodes.map(labelOf));
    let dim = 0;
    const isOpen = sampling.isOpen && !varying.some((constant) => constant instanceof SizedConstant);
    const parts: Parts = {
      base,
      free,
      ranges: free.map((_, i) => {
        const seen = sizes.map((own) => own[i] as number);
        return [sampling.least[i] as number, isOpen ? Number.POSITIVE_INFINITY : Math.max(...seen)];
      }),
      segment,
      sized,
      outputElems: segment.outputs.map((_, i) => body[storageWords * (first.inputs + i) + 3] as PlanWord),
      resultShapes: base.results.map(({shape}) => shape.map(() => dims[dim++] as PlanWord)),
      fixed,
      varying,
      recorded,
    };
    return new SizedPlans(parts, plan, pool, backend);
  }

  /** Whether a call must be recorded and compared before it is taken for a case of the plan. */
  get looks(): boolean {
    return this.parts.recorded !== undefined;
  }

  get usedConstants(): ReadonlySet<number> {
    const {fixed, varying, recorded} = this.parts;
    return new Set([...fixed, ...varying.flatMap((v) => v.used), ...(recorded?.used ?? [])]);
  }

  /** The inputs with the range of each free size. */
  get text(): string {
    const {base, free, ranges, sized} = this.parts;
    const names = base.inputs.map(({shape}) => shape.map(String));
    free.forEach((places, i) => {
      const [least, most] = ranges[i] as readonly [number, number];
      const step = sized.divisors[i] === 1 ? '' : ` by ${sized.divisors[i]}`;
      for (const [input, axis, more] of places)
        (names[input] as string[])[axis] = `${least + more}..${most === Number.POSITIVE_INFINITY ? '' : most + more}${step}`;
    });
    return base.inputs.map(({dtype}, i) => `${dtype}[${names[i]}]`).join(' ');
  }

  /** The free sizes of a call that is a case of the plan. */
  sizesOf(inputs: readonly InputSpec[]): number[] | undefined {
    const {base, free, ranges, sized} = this.parts;
    const sizes = sizesIn(inputs, base.inputs, free);
    const isWithin = sizes?.every((size, i) => {
      const [least, most] = ranges[i] as readonly [number, number];
      return size >= least && size <= most && size % (sized.divisors[i] as number) === 0;
    });
    return isWithin ? sizes : undefined;
  }

  private resultsAt(products: readonly number[]): ResultSpec[] {
    const {base, resultShapes} = this.parts;
    return base.results.map(({dtype}, i) => ({dtype, shape: (resultShapes[i] as PlanWord[]).map((word) => valueAt(word, products))}));
  }

  /** Whether a recorded call is what the plan takes it to be. */
  agrees({inputs, recorded, results, structure}: Omit<Sample, 'graph'>): boolean {
    const sizes = this.sizesOf(inputs);
    if (sizes === undefined || structure !== this.parts.base.structure) return false;
    const expected = this.resultsAt(productsAt(this.parts.sized, sizes) as number[]);
    const textOf = (specs: readonly ResultSpec[]) => specs.map(({dtype, shape}) => `${dtype}[${shape}]`).join();
    return textOf(expected) === textOf(results) && (this.parts.recorded?.agrees(recorded, sizes) ?? true);
  }

  /** Takes from a recorded call that agrees what only a recording tells. */
  see(inputs: readonly InputSpec[], recorded: Graph): void {
    const seen = this.parts.varying.filter((constant) => constant instanceof SeenElements);
    if (seen.length === 0) return;
    const {constants} = anatomyOf(recorded);
    for (const constant of seen) constant.see(this.sizesOf(inputs) as number[], constants[constant.place] as number);
  }

  /** The case of the plan for some sizes. */
  at(sizes: readonly number[]): SizedPlan {
    const {segment, base, sized, outputElems} = this.parts;
    const products = productsAt(sized, sizes) as number[];
    const outputs = segment.outputs.map((id, i): TensorSpec => {
      return {dtype: valueOf(base.graph, id).dtype, elems: valueAt(outputElems[i] as PlanWord, products)};
    });
    const inputs = segment.inputs.map((id) => base.graph.inputs.indexOf(id));
    return new SizedPlan(this, sizes, products, inputs, outputs, this.resultsAt(products), this.backend);
  }

  /** The constants that go with the sizes. */
  slots(sizes: readonly number[]): Slot[] {
    const units = partsOf(this.parts.sized, sizes) as number[];
    return this.parts.varying.map((constant) => constant.slot(sizes, units, this.pool));
  }

  dispose(): void {
    native().dropPlan(this.plan);
    this.backend.stepLabels.delete(this.plan);
    for (const constant of this.parts.varying) constant.dispose();
    this.parts.recorded?.dispose();
  }
}

/** The plan of one signature among those that SizedPlans serves. */
export class SizedPlan implements Runnable {
  constructor(
    readonly all: SizedPlans,
    private readonly sizes: readonly number[],
    private readonly products: readonly number[],
    /** Which of the call's inputs the native plan takes. */
    private readonly inputs: readonly number[],
    private readonly outputs: readonly TensorSpec[],
    private readonly results: readonly ResultSpec[],
    private readonly backend: GravitonBackend,
  ) {}

  get usedConstants(): ReadonlySet<number> {
    return this.all.usedConstants;
  }

  private slots(inputs: readonly TensorData[]): Slot[] {
    return [...this.inputs.map((i) => (inputs[i] as TensorData).slot), ...this.all.slots(this.sizes)];
  }

  private adopt(slots: readonly Slot[]): TensorInfo[] {
    return this.results.map(({shape, dtype}, i) => this.backend.adopt(slots[i] as Slot, shape, dtype));
  }

  run(inputs: readonly TensorData[]): TensorInfo[] {
    return this.adopt(native().runPlan(this.all.plan, this.slots(inputs), this.outputs, this.products));
  }

  async runAsync(inputs: readonly TensorData[]): Promise<TensorInfo[]> {
    return this.adopt(await native().runPlanAsync(this.all.plan, this.slots(inputs), this.outputs, this.products));
  }

  /** The native plan belongs to all sizes. */
  dispose(): void {}
}
