/** Order of software versions. Pure. */

/**
 * Compares the parts between `.`, `-`, `_` and `+`: numbers numerically and before words, words as text. Of two
 * versions of which one continues the other, the longer one is newer if it continues with a number
 * (`1.4` < `1.4.1`), and older if it continues with a word (`1.4-rc1` < `1.4`).
 *
 * @returns below 0 if a is older than b, above 0 if it is newer, 0 if they are equal
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
 * @param pattern a version, or a prefix followed by `.*`
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
