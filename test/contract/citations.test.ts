/** Every section of the contract that code, tests and documents cite exists: a heading, or an item below one. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SPEC = 'src/contract/SPEC.md';
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const NUMBER = String.raw`\d+(?:\.\d+)*`;
const citationOf = (document: string) =>
  new RegExp(
    String.raw`\b(?:${document}),? sections? (${NUMBER}(?:(?:,? and |, | to )${NUMBER})*)`,
    'gi',
  );
const CITATION = citationOf(String.raw`contract|SPEC(?:\.md)?`);
const POUF_CITATION = citationOf('POUF');

/** Comments and paragraphs are broken over lines; a citation may be too. */
const unbroken = (text: string) => text.replaceAll(/\s+(?:\*\s+|\/\/\s+|--\s+)?/g, ' ');

/** The numbers that a text cites, such as `5.2` and `10` of "contract sections 5.2 and 10". */
const citedIn = (text: string, citation = CITATION): string[] =>
  [...unbroken(text).matchAll(citation)].flatMap(
    ([, numbers = '']) => numbers.match(new RegExp(NUMBER, 'g')) ?? [],
  );

/** `5` of "## 5. …", and `5.2` of the item "2. …" below it. */
function sectionsOf(spec: string): Set<string> {
  let section = '';
  const numbers = spec.split('\n').flatMap((line) => {
    const heading = /^## (\d+)\. /.exec(line)?.[1];
    if (heading !== undefined) section = heading;
    const item = /^(\d+)\. /.exec(line)?.[1];
    return heading ?? (item === undefined ? [] : `${section}.${item}`);
  });
  return new Set(numbers);
}

function* filesBelow(path: string): Generator<string> {
  if (!statSync(join(ROOT, path)).isDirectory()) yield path;
  else for (const name of readdirSync(join(ROOT, path))) yield* filesBelow(`${path}/${name}`);
}

const texts = [
  ...['src', 'docs', 'test', 'examples', 'deploy', 'scripts'].flatMap((folder) => [
    ...filesBelow(folder),
  ]),
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
].filter((path) => /\.(ts|tsx|mjs|md|sql|py|yaml|json|conf)$/.test(path));
const citations = texts.flatMap((path) => citedIn(read(path)).map((number) => ({ path, number })));
const sections = sectionsOf(read(SPEC));

test('citations are found however they are written', () => {
  expect(citedIn('(contract sections 5.5 and 10). SPEC.md, section 4')).toEqual(['5.5', '10', '4']);
  expect(citedIn(' * a rank (contract section\n   * 5.2). Contract section 3:')).toEqual([
    '5.2',
    '3',
  ]);
  expect(citedIn('RFC 9457 section 3; the contract; section 12 of X.509')).toEqual([]);
  expect(citations.length).toBeGreaterThan(100);
  expect(new Set(citations.map(({ path }) => path)).size).toBeGreaterThan(50);
});

test('sections are numbered from 1 without gaps', () => {
  const headings = [...sections].filter((number) => !number.includes('.'));
  expect(headings).toEqual(headings.map((_, index) => String(index + 1)));
});

test('every cited section exists', () => {
  expect(citations.filter(({ number }) => !sections.has(number))).toEqual([]);
});

test('every cited section of the POUF exists', () => {
  const pouf = sectionsOf(read('docs/uptane-format.md'));
  const cited = texts.flatMap((path) =>
    citedIn(read(path), POUF_CITATION).map((number) => ({ path, number })),
  );
  expect(new Set(cited.map(({ number }) => number)).size).toBeGreaterThan(8);
  expect(cited.filter(({ number }) => !pouf.has(number))).toEqual([]);
});
