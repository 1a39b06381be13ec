/** The list of programs that tests need has existing files only, and every file that starts such a program. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NEEDED } from './support/needed-programs.js';

/** Code that starts a program by its name. */
const START =
  /\b(?:exec|execFile|execFileSync|run|spawn|spawnSync)\)?\(\s*'(?:bash|curl|openssl|python3)'/;
/** Code that checks whether the program is installed. */
const ASKS = /\b(?:isInstalled|ifInstalled)\(/;

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `test/${name}`);
const textOf = (file: string) => readFileSync(file, 'utf8');
const starters = files.filter((file) => START.test(textOf(file)));

test('files of the list exist', () => {
  expect(Object.keys(NEEDED).filter((file) => !existsSync(file))).toEqual([]);
});

test('a test that starts an external program is skipped where that is missing', () => {
  expect(starters.length).toBeGreaterThan(5);
  const support = starters.filter((file) => !file.endsWith('.test.ts'));
  /** Tests that start a program themselves, or through an import. */
  const tests = files.filter(
    (file) =>
      file.endsWith('.test.ts') &&
      (starters.includes(file) ||
        support.some((one) =>
          textOf(file).includes(`/${one.split('/').at(-1)?.replace('.ts', '.js') ?? ''}'`),
        )),
  );
  const unlisted = tests.filter((file) => !(file in NEEDED) && !ASKS.test(textOf(file)));
  expect(unlisted).toEqual([]);
});
