/** `otaops audit` on a running adapter and on exported files. */
import { readFileSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

let t: TestAdapter;
const folder = temporaryDirectory('audit-cli');
const inFolder = (name: string) => join(folder, name);
beforeAll(async () => {
  t = await startTestAdapter();
  await t.tokenFor('viewer');
  await eventually(
    async () => (await t.call('GET', '/v1.0/audit/status')).body,
    ({ pending, seal }) => pending === 0 && seal !== null,
  );
});
afterAll(async () => {
  await t.stop();
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) =>
  runCommand(['audit', ...args, '--url', t.adapter.httpUrl, '--token', t.token]);

test('the log is verified with its key, on the server and as an export', async () => {
  const key = await run('key');
  expect(key.code).toBe(0);
  writeFileSync(inFolder('key.pub'), key.stdout);
  const live = await run('verify', '--key', inFolder('key.pub'));
  expect(live.output).toMatch(
    /^intact {2}\d+ entries, 1 seals, sealed up to entry \d+\nhash of entry \d+: [0-9a-f]{64}\n$/,
  );
  expect(live.code).toBe(0);
  expect((await run('export', '--output', inFolder('log.jsonl'))).code).toBe(0);
  expect((await run('export', '--output', inFolder('log.jsonl'))).output).toMatch(/EEXIST/);
  const file = await runCommand([
    'audit',
    'verify',
    inFolder('log.jsonl'),
    '--key',
    inFolder('key.pub'),
    '--json',
  ]);
  expect(file.code).toBe(0);
  expect(JSON.parse(file.stdout)).toMatchObject({ intact: true, faults: [], seals: 1 });
  const untrusting = await runCommand(['audit', 'verify', inFolder('log.jsonl')]);
  expect(untrusting.output).toMatch(
    /without --key, the seals are checked only against the keys in the log itself/,
  );
});

test('a changed export, another key and an invalid file fail verification', async () => {
  const text = readFileSync(inFolder('log.jsonl'), 'utf8');
  writeFileSync(
    inFolder('changed.jsonl'),
    text.replace('"test viewer"', '"test wiever"').replace('"server"', '"nobody"'),
  );
  const changed = await runCommand(['audit', 'verify', inFolder('changed.jsonl')]);
  expect(changed.code).toBe(1);
  expect(changed.output).toMatch(/^BROKEN {2}entry 1 \(line \d+\) does not have the hash/);
  const other = inFolder('other.pub');
  writeFileSync(
    other,
    JSON.stringify({
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' },
    }),
  );
  const foreign = await runCommand(['audit', 'verify', inFolder('log.jsonl'), '--key', other]);
  expect([foreign.code, foreign.output]).toEqual([1, expect.stringMatching(/not trusted/)]);
  writeFileSync(inFolder('none.jsonl'), 'nothing\n');
  expect((await runCommand(['audit', 'verify', inFolder('none.jsonl')])).output).toMatch(
    /line 1 is not JSON/,
  );
  expect((await runCommand(['audit', 'verify', inFolder('missing.jsonl')])).code).toBe(1);
});

test('an unreachable server and a refused token have distinct exit codes', async () => {
  expect(
    (await runCommand(['audit', 'verify', '--url', 'http://127.0.0.1:1', '--token', 'x'])).code,
  ).toBe(4);
  expect(
    (await runCommand(['audit', 'key', '--url', t.adapter.httpUrl, '--token', 'x'])).code,
  ).toBe(3);
});

test('the doctor warns while the server’s database role could change the log', async () => {
  const { output } = await runCommand(['doctor', '--url', t.adapter.httpUrl, '--token', t.token]);
  expect(output).toMatch(
    /WARN audit log: the database role of the server could change it: \w+ is a superuser/,
  );
});
