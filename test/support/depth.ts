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

/** Of so many runs with seeds in a row, each test has its turn: what is sampled in it must not be the same each time. */
const TURNS = 6;

/** Every n-th item; the seed determines the first one, so that runs with different seeds cover all items. */
export const everyNth = <T>(items: readonly T[], n: number): readonly T[] =>
  items.filter((_, place) => place % n === Math.floor(seed / TURNS) % n);

/** Every n-th item in a quick run, all items at full depth. */
export const sampleOf = <T>(items: readonly T[], n: number): readonly T[] =>
  isFullDepth ? items : everyNth(items, n);

/** What decides who has a turn. The tests of a file that is named on the command line all have one (vitest.config.ts). */
const thisRun = { isFullDepth: isFullDepth || process.env.TEST_TURNS === 'all', seed };

/**
 * For the tests of a file that take turns: all at full depth, and in a quick run every n-th one of them, where the seed
 * determines the first one. Each call asks for one test.
 */
export function takingTurns(n: number, run = thisRun): () => boolean {
  let asked = 0;
  return () => run.isFullDepth || asked++ % n === run.seed % n;
}

/** The same for files of real processes: whether the one at this place has its turn in this run. */
export const hasTurn = (place: 0 | 1 | 2, run = thisRun): boolean =>
  run.isFullDepth || run.seed % 3 === place;

/** `CHAOS=long` for the long form of the chaos suite. */
export const isLong = process.env.CHAOS === 'long';
