/** Order of software versions: pure. */

/**
 * Compares by parts between `.`, `-`, `_` and `+`: numbers as numbers and before words, words as text. A
 * version that goes on after another's end is the newer one where it goes on with a number (`1.4` < `1.4.1`),
 * and the older one where it goes on with a word (`1.4-rc1` < `1.4`).
 *
 * @returns below 0 where a is older than b, above 0 where it is newer, 0 where they are the same
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let place = 0; place < Math.max(left.length, right.length); place++) {
    const order = compareParts(left[place], right[place]);
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Whether a version matches a pattern.
 *
 * @param pattern a version, or the beginning of one and `.*`
 */
export function matchesVersion(pattern: string, version: string): boolean {
  return pattern.endsWith('.*')
    ? version.startsWith(pattern.slice(0, -1))
    : compareVersions(pattern, version) === 0;
}

type Part = number | string;

const partsOf = (version: string): Part[] =>
  version
    .split(/[.\-_+]|(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)/)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

function compareParts(a: Part | undefined, b: Part | undefined): number {
  if (a === undefined) return b === undefined ? 0 : -compareParts(b, a);
  if (b === undefined) return typeof a === 'number' ? 1 : -1;
  if (typeof a === 'number') return typeof b === 'number' ? a - b : 1;
  if (typeof b === 'number') return -1;
  return a < b ? -1 : Number(a > b);
}
