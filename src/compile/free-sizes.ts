import type {InputSpec} from './recording';

/** A size that differs from call to call: the axes of inputs where it stands, or a size that is always so much larger. */
export type FreeSize = readonly (readonly [input: number, axis: number, more: number])[];

/** Axes of size 0 and 1 broadcast, so they are part of what makes calls alike; others may be free. */
export function familyKey(specs: readonly InputSpec[]): string {
  return specs.map(({dtype, shape}) => `${dtype}[${shape.map((size) => (size <= 1 ? size : 'n'))}]`).join(' ');
}

/**
 * The axes on which the calls differ. Axes that always agree share one free size; if `linked`, also those that always differ by the same
 * number: a mask is as long as the keys of the past and one more.
 */
export function freeSizesOf(calls: readonly (readonly InputSpec[])[], linked: boolean): FreeSize[] {
  const byGrowth = new Map<string, [number, number, number][]>();
  const [first = []] = calls;
  for (const [input, {shape}] of first.entries()) {
    for (const [axis, size] of shape.entries()) {
      const growth = calls.map((specs) => (specs[input]?.shape[axis] as number) - size);
      if (growth.every((more) => more === 0)) continue;
      const key = `${growth.join()} ${linked ? '' : size}`;
      byGrowth.set(key, [...(byGrowth.get(key) ?? []), [input, axis, size]]);
    }
  }
  return [...byGrowth.values()].map((places) => {
    const least = Math.min(...places.map(([, , size]) => size));
    return places.map(([input, axis, size]) => [input, axis, size - least] as const);
  });
}

/** The free sizes of a call. */
export function sizesAt(specs: readonly InputSpec[], free: readonly FreeSize[]): number[] {
  return free.map((places) => {
    const [input, axis, more] = places[0] as FreeSize[number];
    return (specs[input]?.shape[axis] as number) - more;
  });
}

export function withSizes(specs: readonly InputSpec[], free: readonly FreeSize[], sizes: readonly number[]): InputSpec[] {
  const shapes = specs.map(({shape}) => [...shape]);
  free.forEach((places, i) => {
    for (const [input, axis, more] of places) (shapes[input] as number[])[axis] = (sizes[i] as number) + more;
  });
  return specs.map(({dtype}, i) => ({dtype, shape: shapes[i] as number[]}));
}

/** The values of the free sizes in a call; undefined where it differs from `base` in other ways. */
export function sizesIn(specs: readonly InputSpec[], base: readonly InputSpec[], free: readonly FreeSize[]): number[] | undefined {
  const sizes = sizesAt(specs, free);
  const same = withSizes(base, free, sizes).every(({shape}, input) => shape.every((size, axis) => size === specs[input]?.shape[axis]));
  return same ? sizes : undefined;
}

/** A single free size is tried up to here, or up to the power of two above what was asked for; one of several up to so many times that. */
const usualLargest = 512;
const growth = 4;

/**
 * Sizes to record a call with, given one that was recorded, so that a plan for all sizes between the smallest and the largest can be made
 * of them. `limits`: how large each may become. `anyStep`: every size between is alike, not only those that lie as far apart as the calls
 * seen. The first has the largest of every size. `least`: the smallest of each size that the plan is to serve.
 */
export function sampleSizes(
  base: readonly number[],
  seen: readonly (readonly number[])[],
  limits: readonly number[],
  anyStep: boolean,
): {readonly least: readonly number[]; readonly samples: readonly (readonly number[])[]} {
  const step = base.map((size, i) => (anyStep ? 1 : seen.reduce((d, other) => gcd(d, Math.abs((other[i] as number) - size)), 0)));
  const upTo = (i: number, bound: number) =>
    (base[i] as number) + Math.floor((bound - (base[i] as number)) / (step[i] as number)) * (step[i] as number);
  // Sizes that are equal by chance make other steps: each sample has different ones, as far as may be.
  const apart = base.map((_, i) => i * (step[i] as number));
  const least = base.map((size, i) => {
    const lowest = size % (step[i] as number);
    return lowest < 2 ? lowest + Math.ceil((2 - lowest) / (step[i] as number)) * (step[i] as number) : lowest;
  });
  const most = base.map((size, i) => {
    const largest = upTo(i, limits[i] as number);
    const different = largest - (apart[i] as number);
    return different > size ? different : Math.max(largest, size);
  });
  // A sample that agrees with the base in a size tells nothing about it.
  const low = least.map((size, i) => {
    const different = size + (apart[i] as number);
    return different === base[i] ? different + (step[i] as number) : different;
  });
  const largestIsBase = most.every((size, i) => size === base[i]);
  const middle = low.map((size, i) => upTo(i, Math.floor((size + (most[i] as number)) / 2)));
  // Two sizes would leave nothing to check what is made of them.
  if (largestIsBase && low.some((size, i) => size === most[i] || size === middle[i])) return {least: low, samples: []};
  const more =
    base.length === 1
      ? largestIsBase
        ? [middle]
        : []
      : base.map((_, i) => most.map((size, k) => (k === i ? (low[k] as number) + (step[k] as number) : size)));
  return {least: least.map((size, i) => Math.min(size, base[i] as number)), samples: [most, low, ...more]};
}

/**
 * How large each free size may become, until that works: at first as large as may be wanted, but products of several sizes are to stay small,
 * since masks may have as many elements; then powers of two, which tables mostly have, or else numbers nearer and nearer to the largest seen.
 */
export function* limitsOf(calls: readonly (readonly number[])[]): Generator<number[]> {
  const [first = []] = calls;
  const seen = first.map((_, i) => Math.max(...calls.map((sizes) => sizes[i] as number)));
  const nextPower = (size: number) => 2 ** Math.ceil(Math.log2(size));
  let limits = seen.map((size) => (first.length === 1 ? Math.max(usualLargest, nextPower(size)) : growth * nextPower(size)));
  yield limits;
  while (limits.some((limit, i) => limit > (seen[i] as number))) {
    limits = limits.map((limit, i) => {
      const most = seen[i] as number;
      return limit / 2 >= most ? limit / 2 : Math.floor((limit + most) / 2);
    });
    yield limits;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
