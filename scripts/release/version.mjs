/** Versions by Semantic Versioning 2.0.0, without build metadata. */

const PATTERN =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*))?$/;

/** @param {string} version */
function partsOf(version) {
  const match = PATTERN.exec(version);
  if (!match) throw new Error(`"${version}" is not a version, such as 1.2.3 or 1.2.3-rc.1`);
  const [, major, minor, patch, pre] = match;
  const numbers = /** @type {[number, number, number]} */ ([major, minor, patch].map(Number));
  return { numbers, pre: pre === undefined ? [] : pre.split('.') };
}

/**
 * The version that follows.
 *
 * @param {string} current
 * @param {string} asked `major`, `minor`, `patch`, or a version
 * @throws {Error} where it is none, or not after the current one
 */
export function nextVersion(current, asked) {
  const { numbers, pre } = partsOf(current);
  const [major, minor, patch] = numbers;
  const isPre = pre.length > 0;
  switch (asked) {
    case 'major':
      return isPre && minor === 0 && patch === 0 ? `${major}.0.0` : `${major + 1}.0.0`;
    case 'minor':
      return isPre && patch === 0 ? `${major}.${minor}.0` : `${major}.${minor + 1}.0`;
    case 'patch':
      return isPre ? `${major}.${minor}.${patch}` : `${major}.${minor}.${patch + 1}`;
    default:
      if (compare(partsOf(asked), partsOf(current)) <= 0) {
        throw new Error(`${asked} does not come after ${current}`);
      }
      return asked;
  }
}

/** @typedef {ReturnType<typeof partsOf>} Parts */

/** @param {Parts} a @param {Parts} b */
function compare(a, b) {
  for (const [index, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  // A pre-release comes before its release (section 11.3).
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (const [index, identifier] of a.pre.entries()) {
    const other = b.pre[index];
    if (other === undefined) return 1;
    if (identifier !== other) return compareIdentifiers(identifier, other);
  }
  return a.pre.length - b.pre.length;
}

/** Numbers by value and before words; words by their characters. @param {string} a @param {string} b */
function compareIdentifiers(a, b) {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return Number(a) - Number(b);
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  return a < b ? -1 : 1;
}
