/**
 * The exposure cap, counted by the database itself at each commit, while two servers admit the same vehicles at the same time,
 * reports arrive in any order, and connections are killed in the middle of it.
 */
import { cpSync } from 'node:fs';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { byDepth, seed } from '../../support/depth.js';
import { vinOf } from '../../support/messages.js';
import { temporaryDirectory } from '../../support/servers.js';
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

/** At each commit that changes a schedule: its undecided vehicles, and how far it has gone beyond the one that may stop it. */
const WATCH = `
  create table cap_watch (undecided bigint, behind bigint, cap bigint);
  create function watch_cap() returns trigger language plpgsql as $$
  begin
    insert into cap_watch
    select count(*) filter (where v.result = 'undecided'),
      count(*) filter (where v.place > s.stop_place),
      (s.plan -> 'guard' ->> 'exposureCap')::int + s.passed
    from schedules s join schedule_vehicles v on v.schedule_id = s.id
    where s.id = new.id and s.status = 'running' group by s.id;
    return null;
  end $$;
  create constraint trigger watch_cap after update on schedules
    deferrable initially deferred for each row execute function watch_cap();`;

let adapter: AdapterDouble;
let servers: TestCarota[];
let database: pg.Client;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  const first = await startTestCarota(adapter.url, { deadlineGrace: 0 });
  await first.publish(SCRIPT);
  database = new pg.Client(first.databaseUrl);
  await database.connect();
  await database.query(WATCH);
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

/** Kills one connection of the servers, whatever it is doing: nothing of its transaction remains. */
const killOne = () =>
  database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
     order by state = 'active' desc, random() limit 1`,
  );

test('is never exceeded, whatever is asked, reported and killed at the same time', async () => {
  const exposureCap = 5;
  await running('concurrent', { test: TEST, exposureCap, soak: 0, deadline: 3_600 });
  const events = new Map<string, object[]>();
  const statuses: readonly EventStatusName[] = ['downloading', 'success', 'success', 'success'];
  /** Until it is answered: a killed connection is an error, and the vehicle asks again. */
  const untilAnswered = async (once: () => Promise<{ status: number; body: any }>) => {
    for (;;) {
      const answer = await once();
      if (answer.status < 500) return answer;
    }
  };
  const drive = async () => {
    for (let step = 0; step < byDepth({ quick: 40, full: 250 }); step += 1) {
      const server = oneOf(servers);
      const vin = oneOf(vins);
      if (below(3) > 0) {
        const { body } = await untilAnswered(() => ask(server, 'concurrent', vin));
        if (body.admitted === true && !events.has(vin)) events.set(vin, []);
      } else if (events.has(vin)) {
        const event = eventOf({ refId: 'concurrent', vin, status: oneOf(statuses) });
        events.get(vin)?.push(event);
        // Repeated ones, too: the call-back is at least once.
        await untilAnswered(() => server.callBack(oneOf([[event], [event, event]])));
      }
      if (below(12) === 0) await killOne();
    }
  };
  const watched = async () =>
    (
      await database.query<{ undecided: string; behind: string; cap: string }>(
        'select * from cap_watch',
      )
    ).rows;
  let rows: Awaited<ReturnType<typeof watched>> = [];
  // How many of them change something is a matter of luck, and of how soon the others are answered.
  for (let round = 0; rows.length <= 20 && round < 10; round += 1) {
    await Promise.all(Array.from({ length: 6 }, drive));
    rows = await watched();
  }
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    expect(Number(row.undecided)).toBeLessThanOrEqual(Number(row.cap));
    expect(Number(row.behind)).toBeLessThanOrEqual(Number(row.cap));
  }
  // It was reached, so it was the cap that held them.
  expect(rows.some(({ undecided, cap }) => undecided === cap)).toBe(true);
  // Each place once, and the counts are those of the vehicles.
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
  test('no more than the cap are exposed behind the one with which it may stop, and that one lets the others go on', async () => {
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
    // Two failures would stop it, so the second place is the one; four more may follow, though only two are undecided.
    for (const vin of others.slice(0, 4)) {
      expect((await ask(server, 'slow', vin)).body.admitted).toBe(true);
      await report(vin);
    }
    const next = others[4] ?? '';
    expect((await ask(server, 'slow', next)).body).toMatchObject({
      admitted: false,
      reason: '4 vehicles are exposed behind the one with which a test may stop',
    });
    expect((await show('slow')).exposure).toMatchObject({
      exposed: 6,
      undecided: 2,
      cap: 4,
      waiting: 1,
    });
    await report(first);
    expect((await ask(server, 'slow', next)).body.admitted).toBe(true);
  });
});
