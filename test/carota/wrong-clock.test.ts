/**
 * The database's clock jumps while the CarOTA Server runs: vehicles would trust anything signed with the wrong time.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleOf } from '../support/depth.js';
import { openPostgres, type Database } from '../../src/service/database/index.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { eventually } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';
import { manifestOf, newEcus, newNonce, registration } from './support/test-director.js';

const vin = vinOf(1, 'WRC');
const ecus = newEcus();
let adapter: AdapterDouble;
let storage: TestDatabase;
let database: Database;
let carota: TestCarota;

/** A database clock that the test sets; the search path puts it before PostgreSQL's own. */
const CLOCK = `
create table clock_shift (seconds float8 not null);
insert into clock_shift values (0);
create function clock_timestamp() returns timestamptz language sql volatile as
  'select pg_catalog.clock_timestamp() + make_interval(secs => (select seconds from clock_shift))';`;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  storage = await newDatabase(CAROTA_SCHEMA);
  database = openPostgres({ url: storage.url });
  await database.script(CLOCK);
  await database.script(
    `do $$ begin execute format('alter database %I set search_path to public, pg_catalog',
      current_database()); end $$`,
  );
  carota = await startTestCarota(adapter.url, { databaseUrl: storage.url });
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: 'm' } });
  await carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, {
    body: { ecus: ecus.map(registration) },
  });
});
afterAll(async () => {
  await carota.stop();
  await database.close();
  await storage.drop();
  await adapter.stop();
});

const director = `/uptane/director/${vin}`;
const askTime = () => carota.call('POST', `${director}/time`, { body: { nonces: [newNonce()] } });
const isWrong = ({ status, body }: { status: number; body: any }) =>
  status === 503 && body.errorCode === 'CLOCK_WRONG';

const WRONG: [string, number][] = [
  ['ten years ahead', 10 * 365 * 24 * 3600],
  ['a minute behind', -60],
];

test.each(sampleOf(WRONG, 2))(
  'clock %s: nothing is signed, no manifest is judged, and the error states both times',
  async (_name, shift) => {
    expect((await askTime()).status).toBe(200);
    await database.query('update clock_shift set seconds = $1', [shift]);
    const refused = await eventually(askTime, isWrong);
    expect(refused.body.errorMessage).toMatch(
      /the clock of this machine says \S+Z, that of the database \S+Z: they differ by [\d.]+ s/,
    );
    expect(isWrong(await carota.call('GET', `${director}/timestamp.json`))).toBe(true);
    const send = () =>
      carota.call('POST', `${director}/manifest`, {
        headers: { 'content-type': 'application/json' },
        body: manifestOf(vin, ecus),
      });
    expect(isWrong(await send())).toBe(true);
    const upload = () =>
      carota.call('POST', '/v1.0/artifacts?name=x&hardwareIds=hw-hu&releaseCounter=1', {
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from(`image ${shift}`),
      });
    expect(isWrong(await upload())).toBe(true);

    await database.query('update clock_shift set seconds = 0');
    await eventually(askTime, ({ status }) => status === 200);
    expect((await send()).status).toBe(204);
    expect((await upload()).body.target).toMatchObject({ state: 'published' });
    const { body } = await carota.call('GET', `${director}/timestamp.json`);
    expect(Math.abs(Date.parse(body.signed.expires) - Date.now())).toBeLessThan(25 * 3600 * 1000);
  },
);
