/** The documents hold together: links lead somewhere, and the list of decisions is complete. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Documents written by people, not those that are installed or built. */
const documents = readdirSync(ROOT)
  .filter((name) => !['node_modules', 'dist', 'reference', 'release', '.git'].includes(name))
  .flatMap((name) =>
    statSync(join(ROOT, name)).isDirectory()
      ? readdirSync(join(ROOT, name), { recursive: true }).map((file) => join(name, String(file)))
      : [name],
  )
  .filter((path) => path.endsWith('.md'))
  .map((path) => path.split(sep).join('/'))
  .sort();

/** Removes fenced blocks and spans of code: neither has links. */
function withoutCode(text: string): string {
  return text.replaceAll(/^(```+)[^]*?^\1$/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

function linksOf(path: string): string[] {
  return [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(
    ([, target = '']) => target,
  );
}

/** The anchors that GitHub and most other renderers give to headings. */
function anchorsOf(path: string): string[] {
  const headings = read(path)
    .replaceAll(/^(```+)[^]*?^\1$/gm, '')
    .matchAll(/^#{1,6} (.*)$/gm);
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('there are documents to check', () => {
  expect(documents).toEqual(
    expect.arrayContaining(['README.md', 'docs/glossary.md', 'docs/failures/README.md']),
  );
});

test.each(documents)('every link of %s leads somewhere', (path) => {
  const broken = linksOf(path)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
      if (!existsSync(join(ROOT, to))) return true;
      return anchor !== undefined && !anchorsOf(to).includes(anchor);
    });
  expect(broken).toEqual([]);
});

test('documents have no bare address of a machine on the internet over http', () => {
  for (const path of documents) {
    const outside = linksOf(path).filter((target) => target.startsWith('http://'));
    expect(outside, path).toEqual([]);
  }
});

describe('decisions', () => {
  const folder = 'docs/decisions';
  const records = readdirSync(join(ROOT, folder))
    .filter((name) => name !== 'README.md')
    .sort();

  test('are numbered from 0001 without gaps', () => {
    expect(records.map((name) => name.slice(0, 5))).toEqual(
      records.map((_, index) => `${String(index + 1).padStart(4, '0')}-`),
    );
  });

  test.each(records)('%s has number, date, status, context, decision and consequences', (name) => {
    const text = read(`${folder}/${name}`);
    expect(text).toMatch(
      new RegExp(
        `^# ${name.slice(0, 4)}\\. \\S.*\\n\\n` +
          String.raw`Date: \d{4}-\d{2}-\d{2}\. Status: (accepted|superseded by \[\d{4}\]\(\S+\))\.\n`,
      ),
    );
    expect([...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
      'Context',
      'Decision',
      'Consequences',
    ]);
  });

  test('are all listed, in order, with their date and title', () => {
    const rows = read(`${folder}/README.md`).matchAll(
      /^\| (\d{4}) +\| (\S+) +\| \[(.*)\]\((\S+)\) +\|$/gm,
    );
    const listed = [...rows].map(([, number, date, title, file]) => ({
      number,
      date,
      title,
      file,
    }));
    const written = records.map((file) => {
      const text = read(`${folder}/${file}`);
      return {
        number: file.slice(0, 4),
        date: /^Date: (\S+)\. /m.exec(text)?.[1],
        title: /^# \d{4}\. (.*)$/m.exec(text)?.[1],
        file,
      };
    });
    expect(listed).toEqual(written);
  });
});
