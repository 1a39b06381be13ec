/** The build bundles the schema library into one file, as reading its modules took half of each process's startup. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const DIST = join(import.meta.dirname, '..', 'dist');
const BUNDLE = join('contract', 'typebox.js');
const read = (file: string) => readFileSync(join(DIST, file), 'utf8');

test('the file imports nothing, and contains the licence of the library', () => {
  const text = read(BUNDLE);
  expect(text).not.toMatch(/^\s*(import|export .* from)\b/m);
  expect(text).toContain(readFileSync('node_modules/typebox/license', 'utf8').trim());
});

test('no other file of the build reads the library', () => {
  // Only files that have a source: a build leaves those of deleted sources.
  const scripts = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('console'),
    )
    .map((file) => file.replace(/\.ts$/, '.js'))
    .filter((file) => file !== BUNDLE);
  expect(scripts.length).toBeGreaterThan(100);
  expect(scripts.filter((file) => /from ['"]typebox/.test(read(file)))).toEqual([]);
});

test('the file exports what the sources import from it, and works as the library does', async () => {
  const bundle = (await import(pathToFileURL(join(DIST, BUNDLE)).href)) as Record<string, unknown>;
  const source = await import('../src/contract/typebox.js');
  expect(Object.keys(bundle).toSorted()).toEqual(Object.keys(source).toSorted());
  const { default: Type, Compile } = bundle as unknown as typeof source;
  const check = Compile(Type.Object({ count: Type.Integer({ minimum: 1 }) }));
  expect([check.Check({ count: 1 }), check.Check({ count: 0 })]).toEqual([true, false]);
});
