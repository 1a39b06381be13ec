/** The words that docs/glossary.md rules out are not used: in documents, deployment files, examples and comments. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const GLOSSARY = 'docs/glossary.md';

/** Texts that have not been revised yet; everything else is held to the glossary. */
const NOT_YET = ['src/carota/guard', 'src/carota/schedules'];

const rows = [...read(GLOSSARY).matchAll(/^\| ([^|]*?) +\| ([^|]*?) +\| ([^|]*?) *\|$/gm)]
  .map(([, word = '', meaning = '', not = '']) => ({ word, meaning, not: not.trim() }))
  .filter(({ word }) => word !== 'word' && !word.startsWith('-'));
const ruledOut = rows.flatMap(({ word, not }) =>
  not === '' ? [] : not.split(';').map((phrase) => ({ phrase: phrase.trim(), word })),
);

function* filesBelow(path: string): Generator<string> {
  if (!statSync(join(ROOT, path)).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(join(ROOT, path))) yield* filesBelow(`${path}/${name}`);
}

/** Comments only: lines that are one, and what follows `//` on others. Keeps the number of lines. */
function commentsOf(source: string): string {
  return source
    .split('\n')
    .map(
      (line) => /^\s*(?:\/\*\*?|\*|\/\/)(.*)/.exec(line)?.[1] ?? / \/\/ (.*)/.exec(line)?.[1] ?? '',
    )
    .join('\n');
}

const TEXTS = /\.(md|yaml|conf|py)$|\/acl$|\.env\.example$/;
const documents = ['docs', 'deploy', 'examples']
  .flatMap((folder) => [...filesBelow(folder)])
  .concat('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md')
  .filter((path) => TEXTS.test(path) && path !== GLOSSARY && !NOT_YET.includes(path))
  .map((path) => ({ path, text: read(path) }));
const sources = [...filesBelow('src'), ...filesBelow('examples'), ...filesBelow('scripts')]
  .filter((path) => /\.(ts|tsx|mjs)$/.test(path))
  .filter((path) => !NOT_YET.some((folder) => path.startsWith(`${folder}/`)))
  .map((path) => ({ path, text: commentsOf(read(path)) }));

function usesOf(phrase: string): string[] {
  // A phrase may be broken over two lines; a part of a file's name or of a flag is no use of it.
  const words = phrase.split(' ');
  const pattern = new RegExp(
    String.raw`(?<![\w./-])${words.join(String.raw`[\s*]+`)}(?![\w/-]|\.\w)`,
    'giu',
  );
  return [...documents, ...sources].flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(
      ({ index }) => `${path}:${text.slice(0, index).split('\n').length}`,
    ),
  );
}

test('the glossary defines each word once, in one line', () => {
  expect(rows.length).toBeGreaterThan(50);
  const words = rows.map(({ word }) => word.toLowerCase());
  expect(words).toEqual([...new Set(words)]);
  for (const { word, meaning } of rows) expect(meaning, word).toMatch(/^[A-Z\d].*\.$/);
});

test('there is something to look through', () => {
  expect(documents.length).toBeGreaterThan(30);
  expect(sources.length).toBeGreaterThan(50);
  expect(ruledOut.length).toBeGreaterThan(20);
});

test.each(ruledOut)('"$phrase" is not used; we say "$word"', ({ phrase }) => {
  expect(usesOf(phrase)).toEqual([]);
});
