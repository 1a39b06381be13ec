/** CHANGELOG.md as Keep a Changelog lays it out: what is unreleased becomes a release. */

const UNRELEASED = '## Unreleased';

/**
 * What was written under "Unreleased", without its heading.
 *
 * @param {string} changelog
 * @throws {Error} where the heading is missing, or nothing stands under it
 */
export function unreleasedOf(changelog) {
  const lines = changelog.split('\n');
  const first = lines.indexOf(UNRELEASED);
  if (first === -1) throw new Error(`CHANGELOG.md has no line "${UNRELEASED}"`);
  const next = lines.findIndex((line, index) => index > first && line.startsWith('## '));
  const text = lines
    .slice(first + 1, next === -1 ? undefined : next)
    .join('\n')
    .trim();
  if (!/^- \S/m.test(text)) throw new Error(`CHANGELOG.md has no entry under "${UNRELEASED}"`);
  return text;
}

/**
 * The changelog in which the entries under "Unreleased" are those of the release.
 *
 * @param {string} changelog
 * @param {string} version
 * @param {string} date YYYY-MM-DD
 * @throws {Error} as {@link unreleasedOf}, and where the version is there already
 */
export function released(changelog, version, date) {
  unreleasedOf(changelog);
  if (changelog.split('\n').some((line) => line.startsWith(`## [${version}]`))) {
    throw new Error(`CHANGELOG.md already has ${version}`);
  }
  return changelog.replace(`${UNRELEASED}\n`, `${UNRELEASED}\n\n## [${version}] - ${date}\n`);
}
