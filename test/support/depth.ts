/**
 * How deep a run tests, and the seed of everything random in it. `npm test` takes samples; `TEST_DEPTH=full`, which
 * `npm run test:all` and CI set, takes every case. `TEST_SEED` repeats the random choices of an earlier run.
 */

const depth = process.env.TEST_DEPTH ?? 'quick';
if (depth !== 'quick' && depth !== 'full') {
  throw new Error(`TEST_DEPTH is "quick" or "full", not "${depth}"`);
}

export const isFullDepth = depth === 'full';

/** The value for the depth of this run. */
export const byDepth = <T>({ quick, full }: { readonly quick: T; readonly full: T }): T =>
  isFullDepth ? full : quick;

/** From 0 to 2³¹ - 1. The configuration of the run chooses it, so that all of its processes have the same one. */
export const seed = seedFrom(process.env.TEST_SEED);

function seedFrom(text: string | undefined): number {
  if (text === undefined) return Date.now() % 2 ** 31;
  const number = Number(text);
  if (text === '' || !Number.isInteger(number) || number < 0 || number >= 2 ** 31) {
    throw new Error(`TEST_SEED is an integer from 0 to 2147483647, not "${text}"`);
  }
  return number;
}

/** Parameters of a property test with fast-check: how many cases, and from which seed. */
export const cases = (numbers: { readonly quick: number; readonly full: number }) => ({
  numRuns: byDepth(numbers),
  seed,
});

/**
 * Every n-th of the items in a quick run, all of them at full depth. Where it begins depends on the seed, so runs with
 * different seeds cover all of them.
 */
export const sampleOf = <T>(items: readonly T[], every: number): readonly T[] =>
  isFullDepth ? items : items.filter((_, place) => place % every === seed % every);
