/**
 * The exposure cap and kill -9: the CarOTA Server is a process that dies between an admission and its record, and between the
 * record and the answer. Nobody is admitted without a record, and nobody beyond the cap.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { expectCapHeld, watchCap } from '../carota/support/cap-watch.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  SECRET,
  startAdapterDouble,
} from '../carota/support/test-carota.js';
import { eventually, httpClient } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { hasTurn, isFullDepth } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { HeldLock } from './support/held-lock.js';
import { publishScript } from './support/publish-script.js';

const SCRIPT = 'hu only 001';
const CAP = 4;
const TEST = { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 };
const vins = Array.from({ length: 40 }, (_, n) => vinOf(n, 'WVK'));
const directory = temporaryDirectory('killed');

let databaseOfServer: TestDatabase;
let database: pg.Client;
let adapter: AdapterDouble;
let server: OtaopsProcess;
let start: () => Promise<void>;
let carota: ReturnType<typeof httpClient>;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  databaseOfServer = await newDatabase(CAROTA_SCHEMA);
  const port = await freePort();
  start = async () => {
    server = otaops([
      ...['carota', '--http-port', String(port), '--data-dir', directory, '--log-level', 'warn'],
      ...['--database-url', databaseOfServer.url, '--adapter-url', adapter.url],
      ...['--adapter-token', 'token', '--callback-secret', SECRET, '--deadline-grace', '0'],
    ]);
    await server.says(/HTTP interface/);
  };
  await start();
  const token = readFileSync(join(directory, 'token'), 'utf8').trim();
  carota = httpClient(`http://127.0.0.1:${port}`, token);
  await publishScript(carota, { scriptRefId: SCRIPT, model: MODEL, software: 'software' });
  database = new pg.Client(databaseOfServer.url);
  await database.connect();
  await watchCap(database);
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  const ended = await server.ended;
  await database.end();
  await databaseOfServer.drop();
  await adapter.stop();
  rmSync(directory, { recursive: true, force: true });
  expect(ended).toBe(0);
});

async function kill(): Promise<void> {
  server.child.kill('SIGKILL');
  await server.ended;
}

const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const show = async (refId: string) => (await carota.call('GET', path(refId))).body;

async function running(refId: string): Promise<void> {
  const guard = { test: TEST, exposureCap: CAP, soak: 0, deadline: 3_600 };
  const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, guard };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
  await eventually(
    () => show(refId),
    ({ waves }) => (waves[0]?.postedAt ?? null) !== null,
  );
}

/** @returns whether the vehicle was admitted; undefined if it got no answer */
async function ask(refId: string, vin: string): Promise<boolean | undefined> {
  const url = `${path(refId)}/vehicles/${vin}/admission`;
  const answer = await carota.call('POST', url).catch(() => undefined);
  return answer?.status === 200 ? (answer.body.admitted as boolean) : undefined;
}
/** @returns vehicles that were admitted */
async function askAll(refId: string): Promise<string[]> {
  const answers = await Promise.all(vins.map((vin) => ask(refId, vin)));
  return vins.filter((_, n) => answers[n] === true);
}
/** Vehicles that have a place in the order of exposure. */
async function placed(refId: string): Promise<string[]> {
  const { rows } = await database.query<{ vin: string; place: number }>(
    `select vin, place from schedule_vehicles v join schedules s on s.id = v.schedule_id
     where s.ref_id = $1 and place is not null order by place`,
    [refId],
  );
  expect(rows.map(({ place }) => place)).toEqual(rows.map((_, n) => n + 1));
  return rows.map(({ vin }) => vin);
}
async function reportSuccess(refId: string, vin: string): Promise<void> {
  const events = [eventOf({ refId, vin, status: 'success' })];
  const body = JSON.stringify({ time: Date.now(), version: 'v1', body: { events } });
  const [id, now] = [`batch-${vin}`, new Date()];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign(id, now, body),
  };
  const answer = await carota.call('POST', '/v1.0/ota/events', { token: null, headers, body });
  expect(answer.status).toBe(200);
}

test.runIf(hasTurn(0))(
  'a server killed between an admission and its record has admitted nobody',
  async () => {
    const refId = 'not recorded';
    await running(refId);
    // The first vehicle that asks is admitted, but its steps cannot be written.
    const lock = await HeldLock.take(
      databaseOfServer.url,
      'lock table vehicle_steps in exclusive mode',
    );
    const answers = askAll(refId);
    await lock.isWaitedFor();
    await kill();
    await lock.release();
    expect(await answers).toEqual([]);
    await start();
    expect(await placed(refId)).toEqual([]);
    const admitted = await askAll(refId);
    expect(admitted).toHaveLength(CAP);
    expect((await placed(refId)).toSorted()).toEqual(admitted.toSorted());
  },
);

test.runIf(isFullDepth)(
  'a server killed while vehicles ask admits again those that it had recorded, and nobody beyond the cap',
  async () => {
    const refId = 'no answer';
    await running(refId);
    for (let round = 0; round < 8; round += 1) {
      const before = (await placed(refId)).length;
      const answers = askAll(refId);
      // As soon as one more vehicle has its place, whether it has got the answer or not.
      await eventually(
        async () => (await placed(refId)).length,
        (now) => now > before,
      );
      await kill();
      const admitted = await answers;
      await start();
      const recorded = await placed(refId);
      for (const vin of admitted) expect(recorded).toContain(vin);
      const again = await askAll(refId);
      for (const vin of recorded) expect(again).toContain(vin);
      const { exposure } = await show(refId);
      expect(exposure.undecided).toBeLessThanOrEqual(exposure.cap);
      expect(again.toSorted()).toEqual((await placed(refId)).toSorted());
      // The first two make room for the next round.
      const { body } = await carota.call('GET', `${path(refId)}/vehicles?result=undecided`);
      const undecided = new Set(body.items.map(({ vin }: { vin: string }) => vin));
      const first = (await placed(refId)).filter((vin) => undecided.has(vin)).slice(0, 2);
      for (const vin of first) await reportSuccess(refId, vin);
    }
    await expectCapHeld(database);
  },
);
