/** Secrets stay out of process arguments and standard output, which others on the machine can read. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const folder = temporaryDirectory('secrets');
const fileWith = (text: string) => {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, text);
  return path;
};

test.each([
  ['serve', 'Initial admin token', ['--mqtt-port', '0']],
  ['carota', 'Initial admin token', []],
])('otaops %s says where the first token is, and not what it is', async (command, says, more) => {
  const dataDir = join(folder, command);
  const args = [command, '--http-port', '0', '--data-dir', dataDir, ...more];
  const server = otaops(args, {}, folder);
  const [, file = ''] = await server.says(new RegExp(`${says}: in (\\S+),`));
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe(0);
  expect(file).toBe(join(dataDir, 'token'));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(server.output()).not.toContain(readFileSync(file, 'utf8').trim());
  expect(server.output()).not.toContain('otaops_');
});

test('a secret is read from a file named by a flag or a variable', async () => {
  const file = fileWith('postgres://127.0.0.1:1/x\n');
  const byFlag = await runCommand(['serve', '--database-url-file', file], {});
  expect(byFlag.output).toContain('ECONNREFUSED 127.0.0.1:1');
  const byVariable = await runCommand(['serve'], { OTAOPS_DATABASE_URL_FILE: file });
  expect(byVariable.output).toContain('ECONNREFUSED 127.0.0.1:1');
});

test.each<[string, string[], RegExp]>([
  ['no file', ['--database-url-file', join(folder, 'none')], /--database-url-file: ENOENT/],
  [
    'an empty file',
    ['--callback-secret-file', fileWith('\n')],
    /--callback-secret-file: .* is empty/,
  ],
  ['a bad value', ['--callback-secret-file', fileWith('x')], /--callback-secret-file: .*whsec_/],
  [
    'both',
    ['--database-url', 'postgres://h/x', '--database-url-file', fileWith('postgres://h/x')],
    /give either --database-url or --database-url-file/,
  ],
])('%s', async (_name, args, message) => {
  const { code, output } = await runCommand(['serve', ...args], {});
  expect([code, output]).toEqual([2, expect.stringMatching(message)]);
});

test('every secret can come from a file', async () => {
  for (const [command, names] of [
    ['serve', ['database-url', 'mqtt-url', 'callback-secret']],
    ['carota', ['adapter-token', 'adapter-control-token', 'callback-secret', 'database-url']],
    ['vehicle', ['credential', 'carota-token', 'mqtt-url']],
    ['trigger', ['token']],
  ] as const) {
    const { output } = await runCommand([command, '--help'], {});
    for (const name of names) expect(output).toContain(`--${name}-file <file>`);
  }
});
