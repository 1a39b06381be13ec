/**
 * The words that docs/glossary.md rules out are not used in documents, deployment files, examples, migrations, comments
 * or the texts that the program shows.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const GLOSSARY = 'docs/glossary.md';

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

/** The comments and messages of SQL. Keeps the number of lines. */
const commentsOfSql = (source: string): string =>
  source
    .split('\n')
    .map((line) => /(?:--|raise exception) (.*)/.exec(line)?.[1] ?? '')
    .join('\n');

/** At least two words, and not an SQL statement: a text for people rather than a key or a name. */
const isProse = (text: string) =>
  /[A-Za-z]{2,}[^A-Za-z]+[A-Za-z]{2,}/.test(text) &&
  !/^\s*(?:select|insert|update|delete|with|create|alter|lock|from|join|union) [$a-z_]/.test(text);

/**
 * Literals with text for people, in place; everything else is blank, except for a bar where a literal does not continue
 * the previous one. Keeps the number of lines.
 */
function literalsOf(path: string, source: string): string {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false, kind);
  let [text, end] = ['', 0];
  const blank = (code: string) =>
    code.replace(/[^\n|]+/g, (part) => (/[^\s+'"`]/.test(part) ? '|' : ' '));
  const take = (from: number, to: number) => {
    text += blank(source.slice(end, from)) + source.slice(from, to);
    end = to;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) take(node.pos, node.end);
    else if (ts.isStringLiteralLike(node)) {
      if (isProse(node.text)) take(node.getStart(file) + 1, node.end - 1);
      return;
    } else if (ts.isTemplateExpression(node)) {
      const parts = [node.head, ...node.templateSpans.map(({ literal }) => literal)];
      const wanted = isProse(parts.map((part) => part.text).join(' … '));
      if (wanted) take(node.head.getStart(file) + 1, node.head.end - 2);
      for (const { expression, literal } of node.templateSpans) {
        visit(expression);
        if (wanted)
          take(literal.getStart(file) + 1, literal.end - (ts.isTemplateTail(literal) ? 1 : 2));
      }
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return text;
}

interface Text {
  readonly path: string;
  readonly file: string;
  /** In lower case, for a first check, which is faster than a regular expression. */
  readonly small: string;
  /** The part of the file that is searched. */
  readonly text: () => string;
}
function textAt(path: string, file: string, part: (file: string) => string): Text {
  let text: string | undefined;
  return { path, file, small: file.toLowerCase(), text: () => (text ??= part(file)) };
}

const TEXTS = /\.(md|yaml|conf|py)$|\/acl$|\.env\.example$/;
const documents = ['docs', 'deploy', 'examples', 'src']
  .flatMap((folder) => [...filesBelow(folder)])
  .concat('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md')
  .filter((path) => TEXTS.test(path) && path !== GLOSSARY)
  .map((path) => textAt(path, read(path), (file) => file));
const sources = [...filesBelow('src'), ...filesBelow('examples'), ...filesBelow('scripts')]
  .filter((path) => /\.(ts|tsx|mjs)$/.test(path))
  .map((path) => ({ path, file: read(path) }));
const migrations = [...filesBelow('migrations')];
const comments = [
  ...sources.map(({ path, file }) => textAt(path, file, commentsOf)),
  ...migrations.map((path) => textAt(path, read(path), commentsOfSql)),
];
/** Found by the compiler, which is slow: only in files that may contain a phrase. */
const literals = sources.map(({ path, file }) => textAt(path, file, () => literalsOf(path, file)));

function usesOf(phrase: string): string[] {
  const words = phrase.split(' ');
  const small = words.map((word) => word.toLowerCase());
  // Part of a file name or of a flag does not count.
  const pattern = (between: string) =>
    new RegExp(String.raw`(?<![\w./-])${words.join(between)}(?![\w/-]|\.\w)`, 'giu');
  // A phrase may be broken over two lines, and in code over two literals.
  const inText = pattern(String.raw`[\s*]+`);
  const inCode = pattern('[\\s*+\'"`]+');
  const isPossible = (one: Text) => small.every((word) => one.small.includes(word));
  return [
    ...[...documents, ...comments].filter(isPossible),
    ...literals.filter((one) => isPossible(one) && one.file.search(inCode) >= 0),
  ].flatMap(({ path, text }) =>
    [...text().matchAll(inText)].map(
      ({ index }) => `${path}:${text().slice(0, index).split('\n').length}`,
    ),
  );
}

test('the glossary defines each word once, in one line', () => {
  expect(rows.length).toBeGreaterThan(50);
  const words = rows.map(({ word }) => word.toLowerCase());
  expect(words).toEqual([...new Set(words)]);
  for (const { word, meaning } of rows) expect(meaning, word).toMatch(/^[A-Z\d].*\.$/);
});

test('literals are found in place, in code, templates and JSX', () => {
  const source = [
    "const a = 'one text ' + 'in two parts';",
    'const b = `a ${c} template ${`an inner ${d} one`} with`; // not this',
    "const c = ['first item', 'second item', 'key'];",
    'const d = <p title="the title">Some <b>words</b></p>;',
  ].join('\n');
  const words = literalsOf('a.tsx', source)
    .split('\n')
    .map((line) => line.replace(/[\s|]+/g, (gap) => (gap.includes('|') ? '|' : ' ')));
  expect(words).toEqual([
    '|one text in two parts|',
    '|a|template|an inner|one|with|',
    '|first item|second item|',
    '|the title|Some|words',
  ]);
});

test('there are texts to search and phrases to find', () => {
  expect(documents.length).toBeGreaterThan(30);
  expect(sources.length).toBeGreaterThan(50);
  expect(migrations.length).toBeGreaterThan(30);
  expect(ruledOut.length).toBeGreaterThan(20);
});

test.each(ruledOut)('"$phrase" is not used; we say "$word"', ({ phrase }) => {
  expect(usesOf(phrase)).toEqual([]);
});

/** Words that say nothing about what a name stands for, and those with one meaning that names must not stretch. */
const VAGUE = /^(?:settle[ds]?|settling|nowhere|(?:un)?told|(?:un)?heard|whole)$/;

/** `settle` is what JavaScript's and TanStack Query's promises do, and in the glossary a receiver; the metric has that word. */
const SETTLING = new Set([
  'allSettled',
  'onSettled',
  'settleBatch',
  'isSettled',
  'limitAfterSettled',
  'onNotSettled',
  'settled_at',
]);

const wordsOf = (name: string) =>
  (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase());

/** `known` says nothing without its noun: `KnownImage`, but not `imageKnown`. */
const isVague = (name: string) => {
  const words = wordsOf(name);
  return (
    !SETTLING.has(name) && (words.some((word) => VAGUE.test(word)) || words.at(-1) === 'known')
  );
};

/** Names in SQL: its words outside comments and literals. */
const sqlNamesIn = (sql: string) => sql.replace(/--.*|'[^'\n]*'/g, '').match(/\w+/g) ?? [];
const isSql = (text: string) =>
  /(?:^|[\s(])(?:select [$a-z_(*]|insert into [a-z]|delete from [a-z]|update [a-z_]+ set)/.test(
    text,
  );

function namesIn(path: string, source: string): Set<string> {
  const names = new Set<string>();
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const add = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) names.add(node.text);
    else if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const text = ts.isTemplateExpression(node)
        ? [node.head, ...node.templateSpans.map(({ literal }) => literal)]
            .map((part) => part.text)
            .join(' ')
        : node.text;
      if (isSql(text)) for (const name of sqlNamesIn(text)) names.add(name);
    }
    ts.forEachChild(node, add);
  };
  add(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false, kind));
  return names;
}

test('names are found in code and in SQL, and are told apart by their words', () => {
  const source = [
    '/** nowhere */',
    "const { #whole: a } = told(`select a = 'heard' as is_known -- settled`, 'nowhere to be found');",
  ].join('\n');
  const names = [...namesIn('a.ts', source)].filter(isVague);
  expect(names.sort()).toEqual(['#whole', 'is_known', 'told']);
  expect(['knownImage', 'isKnownKeyType', 'threshold', 'unknown'].filter(isVague)).toEqual([]);
});

test('names in src say what they stand for', () => {
  const vague = sources
    .filter(
      ({ path, file }) =>
        path.startsWith('src/') && /settl|nowhere|told|heard|whole|known/i.test(file),
    )
    .flatMap(({ path, file }) =>
      [...namesIn(path, file)].filter(isVague).map((name) => `${path}: ${name}`),
    );
  expect(vague).toEqual([]);
});
