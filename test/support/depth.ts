/**
 * Depth and random seed of a test run. `npm test` takes samples; `TEST_DEPTH=full`, which `npm run test:all` and CI set,
 * takes every case. `TEST_SEED` repeats the random choices of an earlier run.
 */

const depth = process.env.TEST_DEPTH ?? 'quick';
if (depth !== 'quick' && depth !== 'full') {
  throw new Error(`TEST_DEPTH is "quick" or "full", not "${depth}"`);
}

export const isFullDepth = depth === 'full';

/** The value for the depth of this run. */
export const byDepth = <T>({ quick, full }: { readonly quick: T; readonly full: T }): T =>
  isFullDepth ? full : quick;

/** 0 to 2³¹ - 1. Chosen by the run's configuration, so that all its processes share it. */
export const seed = seedFrom(process.env.TEST_SEED);

function seedFrom(text: string | undefined): number {
  if (text === undefined) return Date.now() % 2 ** 31;
  const number = Number(text);
  if (text === '' || !Number.isInteger(number) || number < 0 || number >= 2 ** 31) {
    throw new Error(`TEST_SEED is an integer from 0 to 2147483647, not "${text}"`);
  }
  return number;
}

/** fast-check parameters of a property test: number of cases, and seed. */
export const cases = (numbers: { readonly quick: number; readonly full: number }) => ({
  numRuns: byDepth(numbers),
  seed,
});

/** Each test has its turn within this many runs with consecutive seeds; its samples must differ between turns. */
const TURNS = 6;

/** Every n-th item; the seed determines the first one, so that runs with different seeds cover all items. */
export const everyNth = <T>(items: readonly T[], n: number): readonly T[] =>
  items.filter((_, place) => place % n === Math.floor(seed / TURNS) % n);

/** Every n-th item in a quick run, all items at full depth. */
export const sampleOf = <T>(items: readonly T[], n: number): readonly T[] =>
  isFullDepth ? items : everyNth(items, n);

/** Decides which tests have a turn. In a file named on the command line, all tests have one (vitest.config.ts). */
const thisRun = { isFullDepth: isFullDepth || process.env.TEST_TURNS === 'all', seed };

/**
 * For tests of a file that take turns: all run at full depth, and every n-th one in a quick run, where the seed
 * determines the first one. Call it once per test.
 */
export function takingTurns(n: number, run = thisRun): () => boolean {
  let asked = 0;
  return () => run.isFullDepth || asked++ % n === run.seed % n;
}

/** The same for files with real processes: whether the one at this place has its turn in this run. */
export const hasTurn = (place: 0 | 1 | 2, run = thisRun): boolean =>
  run.isFullDepth || run.seed % 3 === place;

/** `CHAOS=long` for the long form of the chaos suite. */
export const isLong = process.env.CHAOS === 'long';
