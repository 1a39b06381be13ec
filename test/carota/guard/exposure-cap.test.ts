/**
 * The exposure cap, counted by the database itself at each commit, while two servers admit the same vehicles
 * concurrently, reports arrive in any order, and connections are killed.
 */
import { cpSync } from 'node:fs';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { byDepth, seed, takingTurns } from '../../support/depth.js';
import { vinOf } from '../../support/messages.js';
import { temporaryDirectory } from '../../support/servers.js';
import { expectCapHeld, watchCap } from '../support/cap-watch.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';

const SCRIPT = 'hu only 001';
const TEST = { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 };
const vins = Array.from({ length: byDepth({ quick: 40, full: 150 }) }, (_, n) => vinOf(n, 'WVX'));

let adapter: AdapterDouble;
let servers: TestCarota[];
let database: pg.Client;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  const first = await startTestCarota(adapter.url, { deadlineGrace: 0 });
  await first.publish(SCRIPT);
  database = new pg.Client(first.databaseUrl);
  await database.connect();
  await watchCap(database);
  const dataDir = temporaryDirectory('carota');
  cpSync(first.dataDir, dataDir, { recursive: true });
  const second = await startTestCarota(adapter.url, {
    ...{ dataDir, databaseUrl: first.databaseUrl, tokenOf: first.token, deadlineGrace: 0 },
  });
  servers = [first, second];
});
afterAll(async () => {
  await database.end();
  for (const server of servers.toReversed()) await server.stop();
  await adapter.stop();
});

const generator = xoroshiro128plus(seed);
const below = (limit: number) => uniformInt(generator, 0, limit - 1);
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T;

async function running(refId: string, guard: object, some = vins): Promise<void> {
  const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins: some, guard };
  const [first] = servers;
  expect((await first?.call('POST', '/v1.0/schedules', { body }))?.status).toBe(201);
  await eventually(
    async () => (await show(refId)).waves[0]?.postedAt ?? null,
    (postedAt) => postedAt !== null,
  );
}
const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const show = async (refId: string) => (await servers[0]?.call('GET', path(refId)))?.body;
const ask = (server: TestCarota, refId: string, vin: string) =>
  server.call('POST', `${path(refId)}/vehicles/${vin}/admission`);

/** Kills one of the servers' connections, whatever it is doing: its transaction is rolled back. */
const killOne = () =>
  database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
     order by state = 'active' desc, random() limit 1`,
  );

test('the cap is never exceeded by concurrent admissions, reports and killed connections', async () => {
  const exposureCap = 5;
  await running('concurrent', { test: TEST, exposureCap, soak: 0, deadline: 3_600 });
  const events = new Map<string, object[]>();
  const statuses: readonly EventStatusName[] = ['downloading', 'success', 'success', 'success'];
  /** Repeats the request until it succeeds: a killed connection causes an error. */
  const untilAnswered = async (once: () => Promise<{ status: number; body: any }>) => {
    for (;;) {
      const answer = await once();
      if (answer.status < 500) return answer;
    }
  };
  const drive = async () => {
    for (let step = 0; step < byDepth({ quick: 15, full: 250 }); step += 1) {
      const server = oneOf(servers);
      const vin = oneOf(vins);
      if (below(3) > 0) {
        const { body } = await untilAnswered(() => ask(server, 'concurrent', vin));
        if (body.admitted === true && !events.has(vin)) events.set(vin, []);
      } else if (events.has(vin)) {
        const event = eventOf({ refId: 'concurrent', vin, status: oneOf(statuses) });
        events.get(vin)?.push(event);
        // Sometimes repeated: call-backs are delivered at least once.
        await untilAnswered(() => server.callBack(oneOf([[event], [event, event]])));
      }
      if (below(12) === 0) await killOne();
    }
  };
  const watched = async () => (await database.query('select from cap_watch')).rowCount ?? 0;
  // How many of these requests change something depends on chance and on timing.
  for (let round = 0; (await watched()) <= 20 && round < 10; round += 1) {
    await Promise.all(Array.from({ length: 6 }, drive));
  }
  expect(await watched()).toBeGreaterThan(20);
  await expectCapHeld(database);
  // Each place is taken once, and the counts match the vehicles.
  const { exposure, guardTest } = await show('concurrent');
  const { rows: vehicles } = await database.query<{ place: number; result: string }>(
    `select place, result from schedule_vehicles where place is not null
       and schedule_id = (select id from schedules where ref_id = 'concurrent') order by place`,
  );
  expect(vehicles.map(({ place }) => place)).toEqual(vehicles.map((_, n) => n + 1));
  expect(exposure.exposed).toBe(vehicles.length);
  expect(exposure.undecided).toBe(vehicles.filter(({ result }) => result === 'undecided').length);
  expect(exposure.cap).toBe(exposureCap + Number(guardTest.from) - 1);
}, 600_000);

describe('while the test waits for slow vehicles', () => {
  const isTurn = takingTurns(2);
  test.runIf(isTurn())(
    'the cap limits the vehicles exposed after the one at which it may stop; an earlier result lets others go on',
    async () => {
      const [server] = servers;
      if (!server) throw new Error('no server');
      const some = vins.slice(0, 12);
      await running('slow', { test: TEST, exposureCap: 4, soak: 0, deadline: 3_600 }, some);
      const [first = '', second = '', ...others] = some;
      for (const vin of [first, second]) {
        expect((await ask(server, 'slow', vin)).body.admitted).toBe(true);
      }
      const report = (vin: string) =>
        server.callBack([eventOf({ refId: 'slow', vin, status: 'success' })]);
      // Two failures would stop it, so it may stop at the second place; four more may follow, though only two are
      // undecided.
      for (const vin of others.slice(0, 4)) {
        expect((await ask(server, 'slow', vin)).body.admitted).toBe(true);
        await report(vin);
      }
      const next = others[4] ?? '';
      expect((await ask(server, 'slow', next)).body).toMatchObject({
        admitted: false,
        reason: '4 vehicles are exposed after the one at which a test may stop',
      });
      expect((await show('slow')).exposure).toMatchObject({
        exposed: 6,
        undecided: 2,
        cap: 4,
        waiting: 1,
      });
      await report(first);
      expect((await ask(server, 'slow', next)).body.admitted).toBe(true);
    },
  );

  test.runIf(isTurn())(
    'late failures of earlier tests make no room after the one at which it may stop',
    async () => {
      const [server] = servers;
      if (!server) throw new Error('no server');
      const refId = 'chained';
      const some = Array.from({ length: 60 }, (_, n) => vinOf(n, 'WVZ'));
      await running(refId, { test: TEST, exposureCap: 2, soak: 0, deadline: 3_600 }, some);
      const report = (status: EventStatusName, ...of: readonly string[]) =>
        server.callBack(of.map((vin) => eventOf({ refId, vin, status })));
      let exposed = 0;
      const exposeNext = async (): Promise<string> => {
        const vin = some[exposed] ?? '';
        expect((await ask(server, refId, vin)).body.admitted).toBe(true);
        exposed += 1;
        return vin;
      };
      const succeed = async (number: number) => {
        for (let n = 0; n < number; n += 1) await report('success', await exposeNext());
      };
      // Each of two tests decides to continue after eight successes, though its first vehicle is slow.
      const first = await exposeNext();
      await succeed(8);
      const second = await exposeNext();
      await succeed(8);
      expect(await show(refId)).toMatchObject({
        exposure: { exposed: 18, undecided: 2, cap: 20 },
        guardTest: { number: 3, from: 19 },
      });
      // Three failures stop the third test, so it may stop at its third vehicle.
      const slow = [await exposeNext(), await exposeNext(), await exposeNext()];
      await succeed(20);
      const refused = async () => {
        const { body } = await ask(server, refId, some[exposed] ?? '');
        expect(body).toMatchObject({
          admitted: false,
          reason: '20 vehicles are exposed after the one at which a test may stop',
        });
      };
      await refused();
      // The first two tests' decisions stand.
      await report('failure', first, second);
      await refused();
      expect(await show(refId)).toMatchObject({
        status: 'running',
        exposure: { exposed: 41, undecided: 3, failed: 2, cap: 20 },
        guardTest: { number: 3, from: 19 },
      });
      await report('failure', ...slow);
      const stopped = await show(refId);
      expect(stopped).toMatchObject({ status: 'stopped', exposure: { exposed: 41, failed: 5 } });
      expect(stopped.decisions.at(-1)).toMatchObject({
        decision: 'stop',
        reason: '3 of the next 3 exposed vehicles failed',
        figures: { test: 3, from: 19, vehicles: 3, failed: 3 },
      });
      expect((await ask(server, refId, some[exposed] ?? '')).status).toBe(409);
      await expectCapHeld(database);
    },
  );
});
