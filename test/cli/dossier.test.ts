/** `otaops dossier`: exported from a server, verified without one. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCampaign } from '../carota/dossier/campaign.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { startAuthority, type TestAuthority } from '../support/time-stamp-authority.js';

const REF_ID = 'schedule 0909';
const folder = temporaryDirectory('cli-dossier');
const at = (name: string) => join(folder, name);

let adapter: AdapterDouble;
let authority: TestAuthority;
let carota: TestCarota;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  authority = await startAuthority('P-256');
  carota = await startTestCarota(adapter.url, { timestampUrl: authority.url });
  await runCampaign(carota, REF_ID);
});
afterAll(async () => {
  await carota.stop();
  await authority.stop();
  await adapter.stop();
});

const run = (...args: string[]) =>
  runCommand(['dossier', ...args], {
    OTAOPS_URL: carota.carota.httpUrl,
    OTAOPS_TOKEN: carota.token,
  });

test('export writes the dossier, and verify says whose it is and when it was stamped', async () => {
  expect(await run('export', REF_ID, '-o', at('0909.jsonl'))).toMatchObject({ code: 0 });
  const key = join(carota.dataDir, 'audit-key.pub');
  const { code, output } = await run(
    ...['verify', at('0909.jsonl'), '--key', key, '--timestamp-ca', authority.caFile],
  );
  expect([code, output]).toEqual([
    0,
    expect.stringMatching(/^intact: schedule 0909, \d+ records\n/),
  ]);
  expect(output).toMatch(/chain {3}[0-9a-f]{64}\n/);
  expect(output).toMatch(/time {4}\S+Z by CN=Test time stamps\n/);
  expect(output).not.toContain('not compared');
  const unpinned = await run('verify', at('0909.jsonl'), '--json');
  expect(JSON.parse(unpinned.stdout)).toMatchObject({
    refId: REF_ID,
    timeStamp: { authority: 'CN=Test time stamps' },
  });
});

test('a PDF is exported, or printed from an archived record', async () => {
  await run('export', REF_ID, '--format', 'pdf', '-o', at('0909.pdf'));
  await run('export', REF_ID, '--pseudonymous', '-o', at('archive.jsonl'));
  expect(await run('verify', at('archive.jsonl'), '--pdf', at('archive.pdf'))).toMatchObject({
    code: 0,
    output: expect.stringContaining('with pseudonyms'),
  });
  for (const name of ['0909.pdf', 'archive.pdf']) {
    expect(readFileSync(at(name)).subarray(0, 5).toString()).toBe('%PDF-');
  }
});

test('a changed dossier, another key and a missing schedule are refused, and leave no file', async () => {
  const changed = readFileSync(at('0909.jsonl'), 'utf8').replace('"success"', '"failure"');
  writeFileSync(at('changed.jsonl'), changed);
  const refused = await run('verify', at('changed.jsonl'), '--pdf', at('changed.pdf'));
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/line \d+ does not have the hash/);
  const other = join(folder, 'other.pub');
  const { keyval, ...key } = JSON.parse(
    readFileSync(join(carota.dataDir, 'audit-key.pub'), 'utf8'),
  );
  writeFileSync(
    other,
    JSON.stringify({ ...key, keyval: { public: keyval.public.split('').reverse().join('') } }),
  );
  expect((await run('verify', at('0909.jsonl'), '--key', other)).output).toMatch(/not trusted/);
  const authorities = await run('verify', at('0909.jsonl'), '--timestamp-ca', other);
  expect(authorities).toMatchObject({
    code: 1,
    output: expect.stringContaining('no PEM certificate'),
  });
  const missing = await run('export', 'none', '-o', at('none.jsonl'));
  expect(missing).toMatchObject({ code: 3, output: expect.stringContaining("no schedule 'none'") });
  expect(readdirSync(folder).toSorted()).toEqual([
    '0909.jsonl',
    '0909.pdf',
    'archive.jsonl',
    'archive.pdf',
    'changed.jsonl',
    'other.pub',
  ]);
});

test('the schema in the documents is the one that the command prints', async () => {
  const { stdout } = await runCommand(['dossier', 'schema']);
  const documented = new URL('../../docs/record.schema.json', import.meta.url);
  expect(JSON.parse(readFileSync(documented, 'utf8'))).toEqual(JSON.parse(stdout));
});
