/** docs/security.md: each chapter is present, each row names its evidence, and that evidence exists. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const text = readFileSync(new URL('docs/security.md', ROOT), 'utf8');
const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Rows of a table as cells, without its head. */
function rowsBelow(heading: string): string[][] {
  const [, section = ''] = text.split(`\n## ${heading}`);
  const [own = ''] = section.split('\n## ');
  const lines = own.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
const asvs = rowsBelow('ASVS 5.0, level 2');
const threats = rowsBelow('UN Regulation No. 155');

test('every test and script that it names exists', () => {
  const named = [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(60);
  const missing = named.filter((path) => !existsSync(fileURLToPath(new URL(path, ROOT))));
  expect(missing).toEqual([]);
  const runs = [...text.matchAll(/`npm run ([\w:]+)`/g)].map(([, name = '']) => name);
  expect(runs.filter((name) => !(name in scripts))).toEqual([]);
});

test('every chapter of ASVS 5.0 has rows, and each is met, not met or not applicable for a reason', () => {
  const chapters = new Set(asvs.flatMap(([section = '']) => section.match(/V\d+/g) ?? []));
  expect([...chapters].sort()).toEqual(Array.from({ length: 17 }, (_, n) => `V${n + 1}`).sort());
  for (const [section = '', holds = '', shown = ''] of asvs) {
    expect(holds, section).not.toBe('');
    const isOpen = /\*\*Not (met|applicable)\*\*/.test(holds);
    // A test, a setting elsewhere, or a document; `none` only where there is nothing to show.
    expect(shown !== '' && (shown !== 'none' || isOpen), section).toBe(true);
  }
});

test('every threat of UN R155 has its mitigation, what we do, and a test', () => {
  expect(threats.length).toBeGreaterThan(25);
  for (const [threat = '', mitigation = '', , what = '', shown = ''] of threats) {
    expect(threat).toMatch(/^\d+\.\d/);
    expect(mitigation, threat).toMatch(/^M\d+(, M\d+)*$/);
    expect(what, threat).not.toBe('');
    expect(shown, threat).toMatch(/`(test\/|npm run )/);
  }
});
