/** Retention against erasure: an archive with pseudonyms stays intact when a vehicle is erased, and nobody can resolve it. */
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyDossier } from '../../../src/carota/dossier/index.js';
import { eraseVehicle, spareKey, vinKeys } from '../../../src/carota/pseudonyms/index.js';
import { DossierLine } from '../../../src/contract/carota-api/index.js';
import { checkOf } from '../../../src/contract/index.js';
import {
  type Database,
  openPostgres,
  type Queryable,
} from '../../../src/service/database/index.js';
import { eventually } from '../../support/adapter.js';
import { temporaryDirectory } from '../../support/servers.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import { dossierOf, linesOf, path, runCampaign, VINS } from './campaign.js';

const REF_ID = 'schedule 0909';
const ARCHIVE = '?pseudonymous=true';
const [ERASED = '', KEPT = ''] = VINS;

let adapter: AdapterDouble;
let carota: TestCarota;
let client: pg.Client;
let archive: Buffer;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  client = new pg.Client(carota.databaseUrl);
  await client.connect();
  await runCampaign(carota, REF_ID);
  await client.query(
    `insert into audit.entries (at, token_id, token_name, address, action, outcome, ref_id, vin, subject, reason, detail)
     select now(), '', '', '', 'replace-ecu', 'done', $1, vin, $3, '', '{}'
     from unnest(array[null, $2]) as given (vin)`,
    [REF_ID, ERASED, `HU-${ERASED} SN-4711`],
  );
  archive = await dossierOf(carota, REF_ID, ARCHIVE);
});
afterAll(async () => {
  await client.end();
  await carota.stop();
  await adapter.stop();
});

const vehiclesIn = (dossier: Buffer): any[] =>
  linesOf(dossier).filter(({ type }) => type === 'vehicle');

const erase = (vin: string) => carota.call('DELETE', `/v1.0/vehicles/${vin}`);

/** Tables that contain the text, also as bytes. Not the audit log, which must not change: it has its own schema. */
async function tablesWith(text: string): Promise<string[]> {
  const { rows } = await client.query(
    `select format('%I', tablename) as name from pg_tables where schemaname = current_schema()`,
  );
  const found: string[] = [];
  for (const { name } of rows) {
    const bytes = Buffer.from(text).toString('hex');
    const { rowCount } = await client.query(
      `select 1 from ${name} t where t::text ilike $1 or t::text like $2 limit 1`,
      [`%${text}%`, `%${bytes}%`],
    );
    if (rowCount) found.push(name);
  }
  return found;
}

describe('a dossier with pseudonyms', () => {
  test('is intact, fits the schema, and contains no VIN', async () => {
    expect(await verifyDossier([archive])).toMatchObject({ pseudonymous: true });
    const check = checkOf(DossierLine);
    expect(linesOf(archive).flatMap((line) => [...check.errors(line)])).toEqual([]);
    const text = archive.toString('utf8').toUpperCase();
    expect(VINS.filter((vin) => text.includes(vin))).toEqual([]);
    // Not even in text that a person or a vehicle wrote.
    const [first = { vin: '' }, second = { vin: '' }] = vehiclesIn(archive);
    expect(first.vin).toMatch(/^vin-[0-9a-f]{32}$/);
    const lines = linesOf(archive);
    expect(JSON.parse(lines[0].plan).waves[0].vins).toEqual([first.vin]);
    const decision = lines.find(({ decision }) => decision === 'continue');
    expect(decision.reason).toBe(`${first.vin} is fine`);
    expect(lines.find(({ type }) => type === 'failure').reason).toContain(`HU of ${second.vin}`);
  });

  test('cannot be linked to a vehicle through the audit log, which is never erased', async () => {
    const audit = (dossier: Buffer) => linesOf(dossier).filter(({ type }) => type === 'audit');
    const full = audit(await dossierOf(carota, REF_ID));
    expect(full.filter(({ vin }) => vin === ERASED).length).toBeGreaterThan(0);
    const { rows } = await client.query('select id from audit.entries where vin is not null');
    const ofVehicles = new Set(rows.map(({ id }) => Number(id)));
    const kept = audit(archive);
    expect(kept.filter(({ id }) => ofVehicles.has(id))).toEqual([]);
    expect(kept.map(({ action }) => action)).toContain('replace-ecu');
    expect(new Set(kept.map(({ vin, subject }) => `${vin} ${subject}`))).toEqual(
      new Set(['null ']),
    );
    // An independent verifier accepts it, too.
    const file = join(temporaryDirectory('archive'), 'archive.jsonl');
    writeFileSync(file, archive);
    expect(
      execFileSync('python3', ['examples/verify_dossier.py', file], { encoding: 'utf8' }),
    ).toContain('intact');
  });

  test('has the same pseudonyms each time, which the keys resolve', async () => {
    const again = await dossierOf(carota, REF_ID, ARCHIVE);
    expect(vehiclesIn(again).map(({ vin }) => vin)).toEqual(
      vehiclesIn(archive).map(({ vin }) => vin),
    );
    const { rows } = await client.query('select vin, key from vin_keys order by vin');
    expect(rows.map(({ vin }) => vin)).toEqual(VINS);
    for (const [place, { vin, key }] of rows.entries()) {
      const digits = createHmac('sha256', key).update(`vin\n${vin}`).digest('hex').slice(0, 32);
      expect(vehiclesIn(archive)[place].vin).toBe(`vin-${digits}`);
    }
  });
});

describe('the erasure of a vehicle', () => {
  test('is refused while the vehicle is in a schedule that has not ended, and without the permission', async () => {
    const answer = await erase(ERASED);
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'SCHEDULE_STATUS' } });
    const { body } = await carota.call('POST', '/v1.0/tokens', {
      body: { name: 'planner', role: 'planner' },
    });
    const asPlanner = await carota.call('DELETE', `/v1.0/vehicles/${ERASED}`, {
      token: body.token,
    });
    expect(asPlanner.status).toBe(403);
    expect((await erase('WVWZZZZZZZZZ99999')).status).toBe(404);
  });

  test('leaves no trace of the VIN, keeps all other data, and leaves archives intact', async () => {
    await carota.call('POST', '/v1.0/tokens', {
      body: { name: 'of a vehicle', role: 'vehicle', vin: ERASED },
    });
    // An event that is set aside with its reason.
    await carota.callBack([
      { ...eventOf({ refId: REF_ID, vin: ERASED, status: 'success' }), status: -1 },
    ]);
    const stop = await carota.call('POST', `${path(REF_ID)}/stop`, {
      body: { reason: `because of ${ERASED.toLowerCase()}` },
    });
    expect(stop.status).toBe(200);
    await eventually(
      async () => (await carota.call('GET', path(REF_ID))).body,
      ({ status }) => status === 'stopped',
    );
    const before = (await carota.call('GET', path(REF_ID))).body;
    expect(before.plan.waves[0]).toEqual({ vins: [ERASED] });
    expect(await tablesWith(ERASED)).toEqual(
      expect.arrayContaining(['vehicles', 'events', 'schedules', 'decisions', 'refused_events']),
    );
    expect((await erase(ERASED)).status).toBe(204);
    expect(await tablesWith(ERASED)).toEqual([]);
    expect(await tablesWith(KEPT)).toEqual(expect.arrayContaining(['vehicles', 'vin_keys']));
    // Counts and results are the same, and the plan is still valid.
    const after = (await carota.call('GET', path(REF_ID))).body;
    expect({ waves: after.waves, states: after.states, exposure: after.exposure }).toEqual({
      waves: before.waves,
      states: before.states,
      exposure: before.exposure,
    });
    expect(after.plan.waves).toEqual([{ vehicles: 1 }, { percent: 99.5 }]);
    // The archive is still intact, and a new dossier has the vehicle under the same pseudonym.
    expect(await verifyDossier([archive])).toMatchObject({ refId: REF_ID });
    const [{ vin: pseudonym }] = vehiclesIn(archive);
    const now = await dossierOf(carota, REF_ID);
    expect(await verifyDossier([now])).toMatchObject({ pseudonymous: false });
    expect(vehiclesIn(now).map(({ vin }) => vin)).toEqual([pseudonym, ...VINS.slice(1)].toSorted());
    expect(linesOf(now).filter(({ vin }) => vin === pseudonym).length).toBeGreaterThan(5);
    expect((await erase(ERASED)).status).toBe(404);
    const { body } = await carota.call('GET', '/v1.0/audit?action=erase-vehicle&outcome=done');
    expect(body.items[0]).toMatchObject({
      action: 'erase-vehicle',
      vin: null,
      detail: { pseudonym, schedules: 1 },
    });
  });

  test('is not undone by a dossier that is written at the same time', async () => {
    const database = openPostgres({ url: carota.databaseUrl });
    const [, , , vin = ''] = VINS;
    const keysOf = (tx: Queryable) => vinKeys(tx, [vin, ERASED], spare);
    const spare = spareKey();
    // As if the server paused before its commit.
    let commit: () => void = () => undefined;
    const mayCommit = new Promise<void>((resolve) => (commit = resolve));
    let hasErased: () => void = () => undefined;
    const erased = new Promise<void>((resolve) => (hasErased = resolve));
    const slow: Database = Object.assign(Object.create(database) as Database, {
      transaction: <T>(work: (tx: Queryable) => Promise<T>) =>
        database.transaction(async (tx) => {
          const result = await work(tx);
          hasErased();
          await mayCommit;
          return result;
        }),
    });
    const erasing = eraseVehicle(slow, vin, { id: '', name: '', reason: '' }, Date.now());
    await erased;
    const writing = database.transaction(keysOf);
    await eventually(
      async () => {
        const { rowCount } = await client.query(
          `select 1 from pg_locks l join pg_database d on d.oid = l.database
           where d.datname = current_database() and locktype = 'advisory' and mode = 'ShareLock' and not granted`,
        );
        return rowCount;
      },
      (count) => (count ?? 0) > 0,
    );
    commit();
    expect(await erasing).toBe(true);
    const keys = await writing;
    expect(await tablesWith(vin)).toEqual([]);
    expect(await tablesWith(ERASED)).toEqual([]);
    // One pseudonym in the whole dossier, which cannot be resolved once the dossier is written.
    expect(await database.transaction(keysOf)).toEqual(keys);
    expect(await database.transaction((tx) => vinKeys(tx, [vin]))).not.toEqual(keys);
    await database.close();
  });

  test('and events that arrive at the same time lock schedules in the same order', async () => {
    const database = openPostgres({ url: carota.databaseUrl });
    await client.query(
      `insert into schedules overriding system value select (jsonb_populate_record(s, jsonb_build_object('id', s.id + 1000, 'ref_id', 'a first'))).*
       from schedules s where ref_id = $1`,
      [REF_ID],
    );
    await client.query(
      `insert into schedule_vehicles select (jsonb_populate_record(v, jsonb_build_object('schedule_id', v.schedule_id + 1000))).*
       from schedule_vehicles v join schedules s on s.id = v.schedule_id where s.ref_id = $1 and v.vin = $2`,
      [REF_ID, KEPT],
    );
    const other = new pg.Client(carota.databaseUrl);
    await other.connect();
    await other.query('begin');
    await other.query(`select from schedules where ref_id = 'a first' for update`);
    const erasing = eraseVehicle(database, KEPT, { id: '', name: '', reason: '' }, Date.now());
    await eventually(
      async () => (await client.query('select 1 from pg_locks where not granted')).rowCount,
      (count) => (count ?? 0) > 0,
    );
    // The transaction that holds the first lock gets the second.
    await other.query(`set local lock_timeout = '5s'`);
    await other.query(`select from schedules where ref_id = $1 for update`, [REF_ID]);
    await other.query('rollback');
    await other.end();
    expect(await erasing).toBe(true);
    await database.close();
  });

  test('makes a later vehicle with the same VIN a different one', async () => {
    await carota.call('PUT', `/v1.0/vehicles/${ERASED}`, { body: { model: MODEL } });
    const body = {
      'ref-id': 'next',
      'script-ref-id': `script of ${REF_ID}`,
      model: MODEL,
      vins: [ERASED],
    };
    expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
    const [next] = vehiclesIn(await dossierOf(carota, 'next', ARCHIVE));
    const [first] = vehiclesIn(archive);
    expect(next.vin).toMatch(/^vin-/);
    expect(next.vin).not.toBe(first.vin);
  });
});
