/** Writing a dossier does not hold up other work, and the remains that a killed server leaves are removed. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/adapter.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import { path, publishRecorded, runCampaign } from './campaign.js';

const REF_ID = 'schedule 0909';
let adapter: AdapterDouble;
let carota: TestCarota;
/** Requests to the time-stamping authority that wait for an answer. */
let waiting: (() => void)[] = [];
const authority = createServer((_request, response) => {
  waiting.push(() => response.writeHead(503).end());
});

beforeAll(async () => {
  authority.listen(0, '127.0.0.1');
  await once(authority, 'listening');
  const { port } = authority.address() as AddressInfo;
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, { timestampUrl: `http://127.0.0.1:${port}/` });
  await runCampaign(carota, REF_ID);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
  authority.closeAllConnections();
  await new Promise((resolve) => authority.close(resolve));
});

const dossier = (token = carota.token) => carota.call('GET', `${path(REF_ID)}/dossier`, { token });
const untilWaiting = (number: number) =>
  eventually(
    () => Promise.resolve(waiting.length),
    (length) => length === number,
  );
const viewer = async (name: string): Promise<string> => {
  const { body } = await carota.call('POST', '/v1.0/tokens', { body: { name, role: 'viewer' } });
  return body.token;
};

test('no transaction is open while the time-stamping authority works, and other requests are answered', async () => {
  const client = new pg.Client(carota.databaseUrl);
  await client.connect();
  const [first, second, third] = [await viewer('a'), await viewer('b'), await viewer('c')];
  const one = dossier(first);
  await untilWaiting(1);
  // Other work of the server ends its transactions; the dossier's would last until the authority answers.
  await eventually(
    () =>
      client.query(
        `select state, query from pg_stat_activity
         where datname = current_database() and state like 'idle in transaction%'`,
      ),
    ({ rows }) => rows.length === 0,
  );
  await client.end();
  // One per token, and two in all.
  const again = await dossier(first);
  expect([again.status, again.body.errorCode]).toEqual([429, 'TOO_MANY_REQUESTS']);
  const two = dossier(second);
  await untilWaiting(2);
  expect((await dossier(third)).status).toBe(429);
  for (const list of ['/v1.0/audit', '/v1.0/schedules', '/v1.0/audit/verification']) {
    expect((await carota.call('GET', list, { token: first })).status, list).toBe(200);
  }
  for (const answer of waiting) answer();
  waiting = [];
  expect((await Promise.all([one, two])).map(({ status }) => status)).toEqual([503, 503]);
  // Each ended with its answer and makes room for the next.
  const next = dossier(first);
  await untilWaiting(1);
  for (const answer of waiting) answer();
  expect((await next).status).toBe(503);
});

test('a start removes the dossiers and uploads that a killed server left', async () => {
  await carota.stop(true);
  const incoming = join(carota.dataDir, 'incoming');
  mkdirSync(incoming, { recursive: true });
  writeFileSync(join(incoming, 'dossier-of-a-killed-server'), 'WVWZZZ1KZ00000001');
  carota = await startTestCarota(adapter.url, { dataDir: carota.dataDir, tokenOf: carota.token });
  expect(existsSync(incoming) ? readdirSync(incoming) : []).toEqual([]);
  await publishRecorded(carota, 'after the start');
});
