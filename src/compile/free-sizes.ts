import type {InputSpec} from './recording';

/** A size that differs from call to call: the axes of inputs where it stands. */
export type FreeSize = readonly (readonly [input: number, axis: number])[];

/** Axes of size 0 and 1 broadcast, so they are part of what makes calls alike; others may be free. */
export function familyKey(specs: readonly InputSpec[]): string {
  return specs.map(({dtype, shape}) => `${dtype}[${shape.map((size) => (size <= 1 ? size : 'n'))}]`).join(' ');
}

/** The axes on which the calls differ; axes that always agree share one free size. */
export function freeSizesOf(calls: readonly (readonly InputSpec[])[]): FreeSize[] {
  const bySizes = new Map<string, [number, number][]>();
  const [first = []] = calls;
  for (const [input, {shape}] of first.entries()) {
    for (const axis of shape.keys()) {
      const sizes = calls.map((specs) => specs[input]?.shape[axis] as number);
      if (sizes.every((size) => size === sizes[0])) continue;
      const key = sizes.join();
      bySizes.set(key, [...(bySizes.get(key) ?? []), [input, axis]]);
    }
  }
  return [...bySizes.values()];
}

export function withSizes(specs: readonly InputSpec[], free: readonly FreeSize[], sizes: readonly number[]): InputSpec[] {
  const shapes = specs.map(({shape}) => [...shape]);
  free.forEach((places, i) => {
    for (const [input, axis] of places) (shapes[input] as number[])[axis] = sizes[i] as number;
  });
  return specs.map(({dtype}, i) => ({dtype, shape: shapes[i] as number[]}));
}

/** The values of the free sizes in a call; undefined where it differs from `base` in other ways. */
export function sizesIn(specs: readonly InputSpec[], base: readonly InputSpec[], free: readonly FreeSize[]): number[] | undefined {
  const sizes = free.map((places) => {
    const [input, axis] = places[0] as readonly [number, number];
    return specs[input]?.shape[axis] as number;
  });
  const same = withSizes(base, free, sizes).every(({shape}, input) => shape.every((size, axis) => size === specs[input]?.shape[axis]));
  return same ? sizes : undefined;
}

/** A single free size is tried up to here, or up to the power of two above what was asked for; one of several up to so many times that. */
const usualLargest = 512;
const growth = 4;

/**
 * Sizes to record a call with, given one that was recorded, so that a plan for all sizes between the smallest and the largest can be made
 * of them. `limits`: how large each may become. `anyStep`: every size between is alike, not only those that lie as far apart as the calls
 * seen. The first has the largest of every size.
 */
export function sampleSizes(
  base: readonly number[],
  seen: readonly (readonly number[])[],
  limits: readonly number[],
  anyStep: boolean,
): number[][] {
  const step = base.map((size, i) => (anyStep ? 1 : seen.reduce((d, other) => gcd(d, Math.abs((other[i] as number) - size)), 0)));
  const upTo = (i: number, bound: number) =>
    (base[i] as number) + Math.floor((bound - (base[i] as number)) / (step[i] as number)) * (step[i] as number);
  const least = base.map((size, i) => {
    const lowest = size % (step[i] as number);
    return lowest < 2 ? lowest + Math.ceil((2 - lowest) / (step[i] as number)) * (step[i] as number) : lowest;
  });
  const most = base.map((size, i) => {
    const largest = upTo(i, limits[i] as number);
    return largest > size ? largest : size + (step[i] as number);
  });
  const isBase = (sizes: readonly number[], i: number) => sizes[i] === base[i];
  // A sample that agrees with the base in a size tells nothing about it.
  const low = least.map((size, i) => (isBase(least, i) ? size + (step[i] as number) : size));
  if (base.length === 1) return [most, low];
  return [most, low, ...base.map((_, i) => most.map((size, k) => (k === i ? (low[k] as number) + (step[k] as number) : size)))];
}

/** How large each free size is made at first: products of several sizes are to stay small, since masks may have as many elements. */
export function firstLimits(calls: readonly (readonly number[])[]): number[] {
  const [first = []] = calls;
  const nextPower = (size: number) => 2 ** Math.ceil(Math.log2(size));
  return first.map((_, i) => {
    const most = nextPower(Math.max(...calls.map((sizes) => sizes[i] as number)));
    return first.length === 1 ? Math.max(usualLargest, most) : growth * most;
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
