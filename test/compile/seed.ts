import fc from 'fast-check';

/** The seed of random tests. GRAVITON_TEST_SEED=n draws other cases; a failure prints seed, path and the smallest case that fails. */
export const seed = Number(process.env.GRAVITON_TEST_SEED ?? 20240601);

/** Fails where the property does not hold for one of `numRuns` random cases. GRAVITON_TEST_RUNS=n multiplies their number. */
export function holds<T>(property: fc.IPropertyWithHooks<T>, numRuns = 500): void {
  fc.assert(property, {seed, numRuns: numRuns * Number(process.env.GRAVITON_TEST_RUNS ?? 1)});
}
