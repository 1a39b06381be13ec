/** Passphrases at a real terminal (a pty opened by Python). */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openKeyFile } from '../../src/uptane/signing/key-file.js';
import { takingTurns } from '../support/depth.js';
import { MAIN } from '../support/process.js';
import { temporaryDirectory } from '../support/servers.js';

const folder = temporaryDirectory('passphrase');
const person = fileURLToPath(new URL('passphrase.py', import.meta.url));

/** @param steps prompts, each with what is typed in reply */
function atTerminal(args: string[], steps: [string, string][]) {
  const { stdout } = spawnSync('python3', [person, process.execPath, MAIN, ...args], {
    input: JSON.stringify(steps),
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  return { code: Number(lines.pop()), shown: lines.join('\n') };
}

const generate = (name: string, first: string, second = first) =>
  atTerminal(
    ['keys', 'generate', join(folder, name)],
    [
      [`passphrase of ${join(folder, name)}: `, `${first}\r`],
      [`passphrase of ${join(folder, name)} again: `, `${second}\r`],
    ],
  );

test('a passphrase is asked for twice, can be corrected while typing, and is never shown', async () => {
  const { code, shown } = generate('alice', 'sEcrüx\u007ft', 'sEcrüt');
  expect(code).toBe(0);
  expect(shown).not.toContain('sEcr');
  await openKeyFile(join(folder, 'alice'), async () => 'sEcrüt');
});

const isTurn = takingTurns(2);

test.runIf(isTurn())('two different entries create no key', () => {
  const { code, shown } = generate('bob', 'one', 'two');
  expect(code).toBe(2);
  expect(shown).toContain('the two passphrases differ');
  expect(existsSync(join(folder, 'bob'))).toBe(false);
});

test.runIf(isTurn())('Ctrl-C aborts without creating a key', () => {
  const path = join(folder, 'carol');
  const { code, shown } = atTerminal(
    ['keys', 'generate', path],
    [[`passphrase of ${path}: `, 'abc\u0003']],
  );
  expect(code).toBe(2);
  expect(shown).toContain('no passphrase was given');
  expect(existsSync(path)).toBe(false);
});
