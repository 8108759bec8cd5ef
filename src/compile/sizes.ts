import type {PlanWord} from './plan-words';

/** The exponent of each free size in a product of them. */
type Monomial = readonly number[];

/** Numbers that depend on free sizes n₀, n₁, … as integer combinations of products of nᵢ / divisorᵢ. */
export interface Sized {
  /** One for each number that was fitted. */
  readonly words: readonly PlanWord[];
  /** What the terms of a word refer to. */
  readonly products: readonly Monomial[];
  /** The free sizes must be multiples of these. */
  readonly divisors: readonly number[];
}

/** coefficient · product */
interface Term {
  readonly product: Monomial;
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const highestExponent = 2;
const highestDegree = 3;

/** Products of at most third degree, simple ones first; the first is 1. */
function candidates(sizes: number): Monomial[] {
  let all: Monomial[] = [[]];
  for (let i = 0; i < sizes; i++) {
    all = all.flatMap((monomial) => Array.from({length: highestExponent + 1}, (_, exponent) => [...monomial, exponent]));
  }
  const degree = (m: Monomial) => m.reduce((a, b) => a + b, 0);
  return all.filter((m) => degree(m) <= highestDegree).sort((a, b) => degree(a) - degree(b));
}

const powerOf = (product: Monomial, at: readonly number[]): number =>
  product.reduce((value, exponent, i) => value * (at[i] as number) ** exponent, 1);

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));

function termOf(product: Monomial, numerator: bigint, denominator: bigint): Term {
  const common = gcd(numerator, denominator);
  return {product, numerator: numerator / common, denominator: denominator / common};
}

/** c₁ p₁ + c₂ p₂ through all points (p₁, p₂, value), exactly; undefined where there is none. */
function through(p1: readonly bigint[], p2: readonly bigint[], values: readonly bigint[]): [bigint, bigint, bigint] | undefined {
  for (let i = 0; i < values.length; i++) {
    for (let j = i + 1; j < values.length; j++) {
      const det = (p1[i] as bigint) * (p2[j] as bigint) - (p1[j] as bigint) * (p2[i] as bigint);
      if (det === 0n) continue;
      const c1 = (values[i] as bigint) * (p2[j] as bigint) - (values[j] as bigint) * (p2[i] as bigint);
      const c2 = (p1[i] as bigint) * (values[j] as bigint) - (p1[j] as bigint) * (values[i] as bigint);
      return values.every((v, k) => c1 * (p1[k] as bigint) + c2 * (p2[k] as bigint) === v * det) ? [c1, c2, det] : undefined;
    }
  }
  return undefined;
}

/**
 * The sum of at most two terms that gives `values` at `samples`, of which there must be more than terms, so that chance has no part in it:
 * each further sample is a check.
 */
function fit(values: readonly number[], products: readonly Monomial[], at: readonly (readonly bigint[])[]): Term[] | undefined {
  if (!values.every(Number.isSafeInteger)) return undefined;
  const exact = values.map(BigInt);
  for (const [i, product] of products.entries()) {
    const powers = at[i] as readonly bigint[];
    const ratio = exact.every((v, k) => v * (powers[0] as bigint) === (exact[0] as bigint) * (powers[k] as bigint));
    if (ratio) return [termOf(product, exact[0] as bigint, powers[0] as bigint)];
  }
  for (let i = 0; i < products.length; i++) {
    for (let j = i + 1; j < products.length; j++) {
      const found = through(at[i] as readonly bigint[], at[j] as readonly bigint[], exact);
      if (found === undefined) continue;
      const [c1, c2, det] = found;
      return [termOf(products[i] as Monomial, c1, det), termOf(products[j] as Monomial, c2, det)];
    }
  }
  return undefined;
}

/** The smallest divisor of each size that makes all coefficients whole; undefined where there is none up to 64. */
function divisorsFor(terms: Iterable<Term>, sizes: number): number[] | undefined {
  const divisors = new Array<number>(sizes).fill(1);
  const wanting = [...terms].filter((t) => t.denominator !== 1n);
  for (const {product, denominator} of wanting) {
    const own = product.flatMap((exponent, i) => (exponent > 0 ? [i] : []));
    if (own.length !== 1) continue;
    const size = own[0] as number;
    let d = divisors[size] as number;
    const step = d;
    while (d <= 64 && BigInt(d) ** BigInt(product[size] as number) % denominator !== 0n) d += step;
    divisors[size] = d;
  }
  const whole = wanting.every(({product, denominator}) => BigInt(powerOf(product, divisors)) % denominator === 0n);
  return whole && divisors.every((d) => d <= 64) ? divisors : undefined;
}

/**
 * Expresses numbers that were seen at several samples of the free sizes by those sizes.
 * `columns`: for each sample, the numbers; `samples`: for each, the free sizes.
 * Undefined where no short sum of products explains one of them.
 */
export function sizedWords(columns: readonly (readonly number[])[], samples: readonly (readonly number[])[]): Sized | undefined {
  const sizes = (samples[0] as readonly number[]).length;
  const all = candidates(sizes);
  const at = all.map((product) => samples.map((sample) => BigInt(powerOf(product, sample))));
  const known = new Map<string, Term[]>();
  const [first = []] = columns;
  const fits: (number | Term[])[] = [];
  for (let word = 0; word < first.length; word++) {
    const values = columns.map((column) => column[word] as number);
    if (values.every((v) => Object.is(v, values[0]))) {
      fits.push(values[0] as number);
      continue;
    }
    const key = values.join();
    const terms = known.get(key) ?? fit(values, all, at);
    if (terms === undefined) return undefined;
    known.set(key, terms);
    fits.push(terms);
  }
  const divisors = divisorsFor([...known.values()].flat(), sizes);
  if (divisors === undefined) return undefined;
  const products: Monomial[] = [];
  const indexOf = new Map<string, number>();
  const words = fits.map((terms): PlanWord => {
    if (typeof terms === 'number') return terms;
    let constant = 0;
    const own: [number, number][] = [];
    for (const {product, numerator, denominator} of terms) {
      const factor = Number((numerator * BigInt(powerOf(product, divisors))) / denominator);
      if (product.every((exponent) => exponent === 0)) {
        constant = factor;
        continue;
      }
      const key = product.join();
      if (!indexOf.has(key)) indexOf.set(key, products.push(product) - 1);
      own.push([indexOf.get(key) as number, factor]);
    }
    return {constant, terms: own};
  });
  return {words, products, divisors};
}

/** Free sizes in units of their divisors; undefined where one is not a multiple. */
export function partsOf({divisors}: Sized, sizes: readonly number[]): number[] | undefined {
  const parts = sizes.map((size, i) => size / (divisors[i] as number));
  return parts.every(Number.isInteger) ? parts : undefined;
}

/** The values of the products at some free sizes; undefined where a size is not a multiple of its divisor. */
export function productsAt(sized: Sized, sizes: readonly number[]): number[] | undefined {
  const parts = partsOf(sized, sizes);
  return parts && sized.products.map((product) => powerOf(product, parts));
}

export function valueAt(word: PlanWord, products: readonly number[]): number {
  if (typeof word === 'number') return word;
  return word.terms.reduce((sum, [product, factor]) => sum + factor * (products[product] as number), word.constant);
}
