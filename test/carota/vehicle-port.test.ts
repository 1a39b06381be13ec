/** The vehicle port: client certificates instead of tokens, and only the routes that vehicles need. */
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgres } from '../../src/service/database/index.js';
import { vinOf } from '../support/messages.js';
import { OpensslAuthority, type Pair, runClient } from '../support/openssl-authority.js';
import { temporaryDirectory } from '../support/servers.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

const authority = new OpensslAuthority();
const crl = join(temporaryDirectory('crl'), 'crl.pem');
const [own, other] = [vinOf(1, 'VPT'), vinOf(2, 'VPT')];
const systemId = `c2c-sys-${own}`;
let adapter: AdapterDouble;
let carota: TestCarota;
let pair: Pair;
beforeAll(async () => {
  const { cert, key } = authority.server();
  copyFileSync(authority.crl, crl);
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, {
    vehiclePort: 0,
    vehicleTls: { cert, key, ca: authority.ca, crl },
  });
  await carota.call('PUT', `/v1.0/vehicles/${own}`, {
    body: { model: MODEL, system_id: systemId },
  });
  await carota.call('PUT', `/v1.0/vehicles/${other}`, { body: { model: MODEL } });
  pair = authority.issue(systemId);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

const curl = async (path: string, from: Pair | undefined, ...args: string[]) => {
  const { code, output } = await runClient('curl', [
    ...['-sS', '--cacert', authority.ca, '-w', '\n%{http_code}'],
    ...(from ? ['--cert', from.cert, '--key', from.key] : []),
    ...args,
    `${carota.carota.vehicleUrl}${path}`,
  ]);
  const lines = output.split('\n');
  return { code, status: Number(lines.pop()), text: lines.join('\n') };
};
const post = ['-H', 'content-type: application/json', '-d', '{}'];

test('curl with a vehicle’s certificate reads Director metadata of that vehicle only', async () => {
  expect((await curl(`/uptane/director/${own}/1.root.json`, pair)).status).toBe(200);
  const refused = await curl(`/uptane/director/${other}/1.root.json`, pair);
  expect([refused.status, JSON.parse(refused.text).errorCode]).toEqual([403, 'FORBIDDEN']);
  expect(
    (await curl(`/v1.0/schedules/none/vehicles/${own}/admission`, pair, ...post)).text,
  ).toContain('SCHEDULE_NOT_FOUND');
  expect(
    (await curl(`/v1.0/schedules/none/vehicles/${other}/admission`, pair, ...post)).text,
  ).toContain('FORBIDDEN');
});

test('without a certificate, or with a token instead, the port reveals nothing about a vehicle', async () => {
  for (const args of [[], ['-H', `authorization-token: ${carota.token}`]]) {
    const { status } = await curl(`/uptane/director/${own}/1.root.json`, undefined, ...args);
    expect(status).toBe(401);
  }
});

test.each([
  '/v1.0/vehicles',
  '/v1.0/tokens',
  '/console/',
  '/docs',
  '/metrics',
  '/openapi.json',
  '/v1.0/session',
  '/v1.0/revoked-certificates',
])('%s is not on this port, even with a token', async (path) => {
  const { status } = await curl(path, pair, '-H', `authorization-token: ${carota.token}`);
  expect(status).toBe(404);
});

test('a certificate of another authority, of an unknown vehicle, or for a server is refused', async () => {
  const path = `/uptane/director/${own}/1.root.json`;
  const strangers = new OpensslAuthority('Another').issue(systemId);
  expect((await curl(path, strangers)).status).toBe(0);
  expect(
    (await curl(path, authority.issue(systemId, { extensions: ['extendedKeyUsage=serverAuth'] })))
      .status,
  ).toBe(0);
  expect((await curl(path, authority.issue('c2c-sys-unknown'))).status).toBe(401);
});

test('the other port refuses a vehicle’s request without a token', async () => {
  const answer = await carota.call('GET', `/uptane/director/${own}/1.root.json`, { token: null });
  expect(answer.status).toBe(401);
});

test('a system_id belongs to one vehicle', async () => {
  const taken = await carota.call('PUT', `/v1.0/vehicles/${other}`, {
    body: { model: MODEL, system_id: systemId },
  });
  expect([taken.status, taken.body.errorCode]).toEqual([409, 'SYSTEM_ID_TAKEN']);
  const lines = [other, vinOf(3, 'VPT')].map((vin) =>
    JSON.stringify({ vin, model: MODEL, ...(vin === other ? { system_id: systemId } : {}) }),
  );
  const imported = await carota.call('POST', '/v1.0/vehicles/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  expect(imported.body).toMatchObject({
    imported: 1,
    rejected: [{ line: 1, errorCode: 'SYSTEM_ID_TAKEN' }],
  });
  // A request without a system_id leaves it as it is.
  await carota.call('PUT', `/v1.0/vehicles/${own}`, { body: { model: MODEL } });
  expect((await carota.call('GET', `/v1.0/vehicles/${own}`)).body.system_id).toBe(systemId);
});

test('a revocation, by serial number or by list, closes a connection in use', async () => {
  for (const revoke of [
    async (revoked: Pair) => {
      const path = `/v1.0/revoked-certificates/${authority.serialOf(revoked)}`;
      expect((await carota.call('PUT', path, { body: { reason: 'sold' } })).status).toBe(200);
    },
    async (revoked: Pair) => {
      authority.revoke(revoked);
      copyFileSync(authority.crl, crl);
      await Promise.resolve();
    },
  ]) {
    const revoked = authority.issue(systemId);
    const url = new URL(carota.carota.vehicleUrl ?? '');
    // OpenSSL keeps the connection open after the handshake while its standard input is open.
    const child = spawn('openssl', [
      's_client',
      '-connect',
      url.host,
      '-CAfile',
      authority.ca,
      '-cert',
      revoked.cert,
      '-key',
      revoked.key,
      '-quiet',
    ]);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const request = `GET /uptane/director/${own}/1.root.json HTTP/1.1\r\nhost: x\r\n\r\n`;
    const answered = new Promise<string>((resolve) =>
      child.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString())),
    );
    child.stdin.on('error', () => undefined);
    child.stdin.write(request);
    expect(await answered).toContain('200 OK');
    await revoke(revoked);
    await ended;
    expect((await curl(`/uptane/director/${own}/1.root.json`, revoked)).status).toBe(0);
  }
  expect((await curl(`/uptane/director/${own}/1.root.json`, pair)).status).toBe(200);
});

test('only an administrator sets or moves a system_id; the certificates issued for the old one are revoked', async () => {
  const [first, second] = [vinOf(11, 'VPT'), vinOf(12, 'VPT')];
  const name = 'c2c-sys-moves';
  const { token } = (
    await carota.call('POST', '/v1.0/tokens', { body: { name: 'plans', role: 'planner' } })
  ).body;
  const put = (vin: string, facts: object, as = carota.token) =>
    carota.call('PUT', `/v1.0/vehicles/${vin}`, { token: as, body: { model: MODEL, ...facts } });
  for (const vin of [first, second]) {
    const refused = await put(vin, { system_id: name }, token);
    expect([refused.status, refused.body.errorCode]).toEqual([403, 'FORBIDDEN']);
    expect((await carota.call('GET', `/v1.0/vehicles/${vin}`)).status).toBe(404);
  }
  expect((await put(first, { system_id: name })).status).toBe(200);
  expect((await put(second, {}, token)).status).toBe(200);
  // A planner may repeat the current system_id, and change everything else.
  expect((await put(first, { system_id: name, tags: ['staff'] }, token)).status).toBe(200);
  expect((await put(first, { system_id: 'c2c-sys-another' }, token)).status).toBe(403);
  expect((await put(second, { system_id: 'c2c-sys-another' }, token)).status).toBe(403);
  const lines = [
    { vin: first, model: MODEL, system_id: 'c2c-sys-another' },
    { vin: second, model: MODEL, system_id: 'c2c-sys-another' },
    { vin: vinOf(13, 'VPT'), model: MODEL, system_id: 'c2c-sys-another' },
    { vin: vinOf(14, 'VPT'), model: MODEL },
  ];
  const importing = (as: string) =>
    carota.call('POST', '/v1.0/vehicles/import', {
      token: as,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
  expect((await importing(token)).body).toMatchObject({
    imported: 1,
    rejectedCount: 3,
    rejected: [1, 2, 3].map((line) => ({ line, errorCode: 'FORBIDDEN' })),
  });
  expect((await carota.call('GET', `/v1.0/vehicles/${first}`)).body.system_id).toBe(name);
  const database = openPostgres({ url: carota.databaseUrl });
  try {
    await database.query(
      `insert into issued_certificates (serial, system_id, issued_at, expires_at)
       values ('abc1', $1, now(), now() + interval '1 day'), ('abc2', $1, now(), now() - interval '1 day')`,
      [name],
    );
  } finally {
    await database.close();
  }
  expect((await put(first, { system_id: 'c2c-sys-next' })).status).toBe(200);
  const revoked = (await carota.call('GET', '/v1.0/revoked-certificates')).body.items as {
    serial: string;
  }[];
  expect(revoked.map(({ serial }) => serial)).toEqual(expect.arrayContaining(['abc1']));
  expect(revoked.map(({ serial }) => serial)).not.toContain('abc2');
  expect((await put(second, { system_id: name })).status).toBe(200);
  const { items } = (await carota.call('GET', '/v1.0/audit?action=assign-system-id')).body;
  expect(items.slice(0, 3)).toMatchObject([
    { vin: second, subject: name, detail: { from: null, to: name } },
    { vin: first, subject: 'c2c-sys-next', detail: { from: name, to: 'c2c-sys-next' } },
    { vin: first, subject: name, detail: { from: null, to: name } },
  ]);
});
