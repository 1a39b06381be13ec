/** PATTERN of a delegation (POUF, section 5): `*` and `?`, matched part by part, case-sensitive. */

/** Whether a pattern matches a target path; neither wildcard matches `/`. */
export function matchesPath(pattern: string, path: string): boolean {
  const patternParts = pattern.split('/');
  const pathParts = path.split('/');
  return (
    patternParts.length === pathParts.length &&
    patternParts.every((part, index) => matchesPart(part, pathParts[index] ?? ''))
  );
}

/**
 * Backtracks only to the last `*`, so that a hostile pattern costs at most the product of both lengths. A
 * character is a code point.
 */
function matchesPart(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern);
  const given = Array.from(text);
  let at = 0;
  let star = -1;
  let starMatched = 0;
  for (let index = 0; index < given.length;) {
    if (wanted[at] === '*') {
      star = at;
      starMatched = index;
      at += 1;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      starMatched += 1;
      index = starMatched;
      at = star + 1;
    } else return false;
  }
  return wanted.slice(at).every((character) => character === '*');
}
