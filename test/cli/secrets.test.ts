/** Secrets stay out of process arguments and standard output, which others on the machine can read. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { newDatabase } from '../support/databases.js';
import { sampleOf, takingTurns } from '../support/depth.js';
import { otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const folder = temporaryDirectory('secrets');
const fileWith = (text: string) => {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, text);
  return path;
};

const isTurn = takingTurns(2);

test.runIf(isTurn()).each(
  sampleOf(
    [
      ['serve', ADAPTER_SCHEMA, ['--mqtt-port', '0']],
      ['carota', CAROTA_SCHEMA, []],
    ] as const,
    2,
  ),
)('otaops %s prints where the first token is, not the token', async (command, schema, more) => {
  const dataDir = join(folder, command);
  const { url, drop } = await newDatabase(schema);
  const storage = ['--data-dir', dataDir, '--database-url', url];
  const args = [command, '--http-port', '0', ...storage, ...more];
  const server = otaops(args, {}, folder);
  const [, file = ''] = await server.says(/Initial admin token: in (\S+),/);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe(0);
  expect(file).toBe(join(dataDir, 'token'));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(server.output()).not.toContain(readFileSync(file, 'utf8').trim());
  expect(server.output()).not.toContain('otaops_');
  await drop();
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
])('exit code 2 for %s', async (_name, args, message) => {
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

/** All descendants of a process. */
function descendantsOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The state and the parent follow the name, which may contain anything.
        const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [[Number(name), Number(parent)] as const];
      } catch {
        // The process has ended meanwhile.
        return [];
      }
    });
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

const CALL_BACK_SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

test.runIf(isTurn() && existsSync('/proc/self/stat'))(
  'others on the machine see no secret in the arguments of a server, or in those or the environment of its database',
  async () => {
    const dataDir = join(folder, 'arguments');
    const server = otaops(
      [
        ...['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir],
        ...['--callback-url', 'https://carota.example/events'],
        ...['--callback-secret-file', fileWith(CALL_BACK_SECRET)],
      ],
      { OTAOPS_AUDIT_OTLP: 'https://127.0.0.1:1/', OTAOPS_AUDIT_OTLP_TOKEN: 'otlp-token-4711' },
    );
    await server.says(/Initial admin token: in (\S+),/);
    const pid = server.child.pid ?? 0;
    const started = descendantsOf(pid);
    // The database, at least.
    expect(started.length).toBeGreaterThan(2);
    const secrets = [
      CALL_BACK_SECRET,
      'otlp-token-4711',
      ...['token', 'secret.key', 'audit-key'].map((name) =>
        readFileSync(join(dataDir, name), 'utf8'),
      ),
    ].flatMap((text) => text.split('\n').filter((line) => line !== '' && !line.startsWith('---')));
    const seen = (pids: readonly number[], what: string) =>
      pids.map((each) =>
        existsSync(`/proc/${each}`) ? readFileSync(`/proc/${each}/${what}`, 'utf8') : '',
      );
    const texts = [...seen([pid, ...started], 'cmdline'), ...seen(started, 'environ')];
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(texts.join('\n')).toContain('--callback-secret-file');
    for (const secret of secrets) {
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
  },
);
