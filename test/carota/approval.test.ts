/** Approval of a schedule: who may start it, what exactly is approved, and how its guard's test is shown. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sampleOf, takingTurns } from '../support/depth.js';
import { type CarotaSettings } from '../../src/carota/index.js';
import { openPostgres } from '../../src/service/database/index.js';
import { eventually } from '../support/adapter.js';
import { vinOf } from '../support/messages.js';
import { readServerSentEvents } from '../support/server-sent-events.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const SCRIPT = 'hu only 001';
const vins = Array.from({ length: 10 }, (_, n) => vinOf(n, 'WVA'));

describe('on PostgreSQL', () => {
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let second: string;
  let dataDir: string | undefined;

  const begin = async (approval: NonNullable<CarotaSettings['approval']>) => {
    carota = await startTestCarota(adapter.url, {
      approval,
      ...(dataDir === undefined ? {} : { dataDir }),
    });
    ({ dataDir } = carota);
  };
  beforeAll(async () => {
    adapter = await startAdapterDouble();
    await begin('second-person');
    await carota.publish(SCRIPT, '1.1.0');
    const { body } = await carota.call('POST', '/v1.0/tokens', {
      body: { role: 'planner', name: 'second' },
    });
    second = body.token;
    await approveScript(SCRIPT);
  });
  afterAll(async () => {
    await carota.stop();
    await adapter.stop();
  });
  afterEach(() => {
    adapter.triggers.length = 0;
  });

  const plan = (refId: string, fields: object = {}) =>
    carota.call('POST', '/v1.0/schedules', {
      body: { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, ...fields },
    });
  /** Approves the current digest, unless the test names another one. */
  const act = async (refId: string, action: string, token?: string, digest?: string) => {
    const now = action === 'approve' ? { digest: digest ?? (await digestOf(refId)) } : {};
    return carota.call('POST', `/v1.0/schedules/${refId}/${action}`, {
      ...(token === undefined ? {} : { token }),
      body: { reason: 'a test', ...now },
    });
  };
  const triggersOf = (refId: string) => adapter.triggers.filter((body) => body['ref-id'] === refId);
  const digestOf = async (refId: string): Promise<string> =>
    (await show(refId)).digest ?? '0'.repeat(64);
  const approveScript = async (name: string, token = second, digest?: string) => {
    const path = `/v1.0/update-scripts/${encodeURIComponent(name)}`;
    const { body } = await carota.call('GET', path);
    return carota.call('POST', `${path}/approve`, {
      token,
      body: { digest: digest ?? body.sha256 },
    });
  };
  const show = async (refId: string) => (await carota.call('GET', `/v1.0/schedules/${refId}`)).body;

  test('a second person must approve, and no vehicle can be added afterwards', async () => {
    expect((await plan('two')).body).toMatchObject({ status: 'proposed', approvedAt: null });
    const more = (token?: string) =>
      carota.call('POST', '/v1.0/schedules/two/vehicles', {
        ...(token === undefined ? {} : { token }),
        headers: { 'content-type': 'text/csv' },
        body: `vin\n${vinOf(20, 'WVA')}\n`,
      });
    expect((await more()).status).toBe(200);
    expect(await act('two', 'approve')).toMatchObject({
      status: 409,
      body: { errorCode: 'SECOND_PERSON_NEEDED' },
    });
    const watcher = await readServerSentEvents(
      `${carota.carota.httpUrl}/v1.0/live?topic=schedule:two`,
      { 'authorization-token': second },
    );
    await eventually(
      async () => watcher.events[0]?.event,
      (event) => event === 'hello',
    );
    expect(adapter.triggers).toEqual([]);
    expect((await act('two', 'approve', second)).status).toBe(200);
    await eventually(
      async () => adapter.triggers.length,
      (posted) => posted === 1,
    );
    expect(adapter.triggers[0]?.vins).toHaveLength(11);
    expect(await more()).toMatchObject({ status: 409, body: { errorCode: 'SCHEDULE_APPROVED' } });
    expect((await act('two', 'approve', second)).status).toBe(409);
    const { approvedAt, decisions } = await show('two');
    expect(Date.parse(approvedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(decisions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ decision: 'propose' }),
        expect.objectContaining({ decision: 'approve', actor: 'second', reason: 'a test' }),
      ]),
    );
    await eventually(
      async () => watcher.events.map(({ data }) => data).join(' '),
      (told) => told.includes('schedule:two') && told.includes('"schedules"'),
    );
    watcher.close();
  });

  test('an approval is for what was read: a vehicle added since then makes it void', async () => {
    await plan('read');
    const read = await digestOf('read');
    const more = await carota.call('POST', '/v1.0/schedules/read/vehicles', {
      headers: { 'content-type': 'text/csv' },
      body: `vin\n${vinOf(21, 'WVA')}\n`,
    });
    expect(more.status).toBe(200);
    expect(await act('read', 'approve', second, read)).toMatchObject({
      status: 409,
      body: { errorCode: 'DIGEST_MISMATCH' },
    });
    expect(
      await carota.call('POST', '/v1.0/schedules/read/approve', { token: second }),
    ).toMatchObject({
      status: 400,
    });
    expect((await show('read')).status).toBe('proposed');
    expect((await act('read', 'approve', second)).status).toBe(200);
  });

  test.runIf(isTurn())(
    'tags that change after the proposal or the approval add no vehicle',
    async () => {
      const tag = (vin: string, tags: string[]) =>
        carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL, tags } });
      const [approved, late, later] = [vinOf(30, 'WVA'), vinOf(31, 'WVA'), vinOf(32, 'WVA')];
      await tag(approved, ['chosen']);
      await tag(late, []);
      await tag(later, []);
      const start = new Date(Date.now() + 3_000).toISOString();
      const filter = { tags: ['chosen'] };
      const planned = await plan('tags', { vins: undefined, filter, start });
      expect(planned.body.status).toBe('proposed');
      const digest = await digestOf('tags');
      await tag(late, ['chosen']);
      expect(await digestOf('tags')).toBe(digest);
      expect((await act('tags', 'approve', second)).status).toBe(200);
      await tag(later, ['chosen']);
      await tag(approved, []);
      await eventually(
        async () => triggersOf('tags').length,
        (posted) => posted === 1,
      );
      expect(triggersOf('tags')[0]?.vins).toEqual([approved]);
    },
  );

  const CHANGES: [string, string, string][] = [
    [
      'another vehicle',
      'vehicle',
      `insert into schedule_vehicles (schedule_id, vin) select id, '${vinOf(40, 'WVA')}' from schedules where ref_id = $1`,
    ],
    [
      'another vehicle in the place of an approved one',
      'swapped',
      `update schedule_vehicles set vin = '${vinOf(41, 'WVA')}'
       where schedule_id = (select id from schedules where ref_id = $1) and vin = '${vins[0] ?? ''}'`,
    ],
    [
      'another plan',
      'plan',
      `update schedules set plan = jsonb_set(plan, '{pause}', '1') where ref_id = $1`,
    ],
    [
      'another script',
      'script',
      `update update_scripts set script = jsonb_set(script, '{rollback}', 'false')
       where script_ref_id = (select script_ref_id from schedules where ref_id = $1)`,
    ],
  ];
  test.each(sampleOf(CHANGES, 4))(
    'a schedule with %s after its approval does not start',
    async (_what, refId, change) => {
      const script = `script of ${refId}`;
      await carota.publish(script, '1.2.0');
      expect((await approveScript(script)).status).toBe(200);
      const start = new Date(Date.now() + 4_000).toISOString();
      await plan(refId, { 'script-ref-id': script, start });
      expect((await act(refId, 'approve', second)).status).toBe(200);
      const database = openPostgres({ url: carota.databaseUrl });
      await database.query(change, [refId]);
      await database.close();
      const { reason } = await eventually(
        () => show(refId),
        ({ status }) => status !== 'planned',
      );
      expect(reason).toBe('it has changed since its approval');
      expect(triggersOf(refId)).toEqual([]);
    },
  );

  test('a schedule cannot be approved before its script is', async () => {
    const script = 'not approved';
    await carota.publish(script, '1.3.0');
    await plan('unapproved', { 'script-ref-id': script });
    const refused = { status: 409, body: { errorCode: 'SCRIPT_NOT_APPROVED' } };
    expect(await act('unapproved', 'approve', second)).toMatchObject(refused);
    // Its author is not a second person, and another digest does not approve this script.
    expect(await approveScript(script, carota.token)).toMatchObject({
      status: 409,
      body: { errorCode: 'SECOND_PERSON_NEEDED' },
    });
    expect(await approveScript(script, second, '0'.repeat(64))).toMatchObject({
      status: 409,
      body: { errorCode: 'DIGEST_MISMATCH' },
    });
    expect(await act('unapproved', 'approve', second)).toMatchObject(refused);
    expect(Date.parse((await approveScript(script)).body.approvedAt)).toBeGreaterThan(0);
    expect((await act('unapproved', 'approve', second)).status).toBe(200);
  });

  test.runIf(isTurn())('a stopped proposal never starts', async () => {
    await plan('never');
    expect((await act('never', 'stop')).body.status).toBe('stopped');
    expect((await act('never', 'approve', second)).status).toBe(409);
  });

  test.runIf(isTurn())(
    'the preview shows which vehicles would update when, and stores nothing',
    async () => {
      await carota.call('PUT', `/v1.0/vehicles/${vins[0] ?? ''}`, {
        body: { model: MODEL, tags: ['taxi'], versions: { HU: '1.0.0' } },
      });
      const preview = (fields: object) =>
        carota.call('POST', '/v1.0/schedules/preview', {
          body: { 'ref-id': 'seen', 'script-ref-id': SCRIPT, model: MODEL, ...fields },
        });
      const start = '2030-01-01T10:00:00Z';
      const { body } = await preview({
        vins,
        start,
        windows: [{ from: '22:00', to: '23:00' }],
        waves: [{ vins: vins.slice(3, 5) }, { percent: 30 }],
      });
      expect(body).toMatchObject({ vehicles: 10, unknown: 9 });
      expect(body.waves).toEqual([
        { number: 1, vehicles: 2, vins: vins.slice(3, 5), earliest: '2030-01-01T22:00:00.000Z' },
        { number: 2, vehicles: 3, vins: [], earliest: null },
        { number: 3, vehicles: 5, vins: [], earliest: null },
      ]);
      expect(body.versions).toEqual(
        expect.arrayContaining([
          { ecu: 'HU', version: '1.0.0', vehicles: 1, accepted: true },
          { ecu: 'HU', version: null, vehicles: 9, accepted: true },
        ]),
      );
      const filtered = await preview({ filter: { tags: ['taxi'] } });
      expect(filtered.body).toMatchObject({ vehicles: 1, unknown: 0 });
      expect((await preview({ vins, 'script-ref-id': 'none' })).body.errors).toEqual([
        { path: '/script-ref-id', message: "there is no script 'none'" },
      ]);
      expect((await carota.call('GET', '/v1.0/schedules/seen')).status).toBe(404);
    },
  );

  test.runIf(isTurn())(
    'the approver sees exactly what will run: the vehicles frozen at the proposal, whatever the filter would choose now',
    async () => {
      const file = (rows: readonly string[]) =>
        carota.call('POST', '/v1.0/vehicles/import', {
          headers: { 'content-type': 'text/csv' },
          body: ['vin,model,tags', ...rows].join('\n'),
        });
      await file(vins.slice(0, 3).map((vin) => `${vin},${MODEL},previewed`));
      const fields = { vins: undefined, filter: { tags: ['previewed'] }, waves: [{ vehicles: 1 }] };
      expect((await plan('seen', fields)).status).toBe(201);
      const preview = async () => (await carota.call('GET', '/v1.0/schedules/seen/preview')).body;
      expect(await preview()).toMatchObject({
        vehicles: 3,
        waves: [{ vehicles: 1 }, { vehicles: 2 }],
      });
      await file([`${vins[3]},${MODEL},previewed`]);
      expect((await preview()).vehicles).toBe(3);
      expect((await act('seen', 'approve', second)).status).toBe(200);
      expect(triggersOf('seen').length).toBeLessThanOrEqual(1);
      await eventually(
        async () => (await show('seen')).waves,
        (waves) => waves.length === 2,
      );
      const { waves } = await show('seen');
      expect(waves.map(({ vehicles }: any) => vehicles)).toEqual([1, 2]);
      await act('seen', 'stop');
    },
  );

  test.runIf(isTurn())('the guard’s test is shown from its start, with its bounds', async () => {
    const test = { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 };
    await plan('guarded', { guard: { test, soak: 0 } });
    await act('guarded', 'approve', second);
    await eventually(
      async () => adapter.triggers.length,
      (posted) => posted === 1,
    );
    const report = (all: readonly string[], status: 'success' | 'failure') =>
      carota.callBack(
        (['consent_accepted', status] as const).flatMap((reported) =>
          all.map((vin) => eventOf({ refId: 'guarded', vin, status: reported })),
        ),
      );
    await report(vins.slice(0, 2), 'success');
    await report(vins.slice(2, 3), 'failure');
    const { guardTest } = await eventually(
      () => show('guarded'),
      (schedule) => schedule.guardTest.path.length === 3,
    );
    expect(guardTest.stopAt).toBeCloseTo(Math.log(40));
    expect(guardTest.goAt).toBeCloseTo(Math.log(0.1));
    const [, before, after] = guardTest.path;
    expect(before).toMatchObject({ place: 2, result: 'succeeded' });
    expect(after).toMatchObject({ place: 3, vin: vins[2], result: 'failed' });
    expect(after.optimistic - before.optimistic).toBeCloseTo(Math.log(10));
    // No vehicle is undecided, so the two paths coincide.
    expect(after.pessimistic).toBe(after.optimistic);
  });

  test.runIf(isTurn())(
    'a schedule planned without an approval does not start if one is required',
    async () => {
      await carota.stop(true);
      await begin('none');
      const start = new Date(Date.now() + 5_000).toISOString();
      expect((await plan('before', { start })).body.status).toBe('planned');
      await carota.stop(true);
      await begin('second-person');
      const { status, reason } = await eventually(
        () => show('before'),
        (schedule) => schedule.status !== 'planned',
      );
      expect([status, reason]).toEqual(['stopped', 'it was planned without an approval']);
    },
  );

  test.runIf(isTurn())(
    'the planner may approve if anyone may; a schedule starts at once if no approval is needed',
    async () => {
      await carota.stop(true);
      await begin('anyone');
      expect((await plan('any')).body.status).toBe('proposed');
      expect((await act('any', 'approve')).status).toBe(200);
      await carota.stop(true);
      await begin('none');
      // It is due at once, and the scheduler may be faster than the answer.
      expect(['planned', 'running']).toContain((await plan('free')).body.status);
      await eventually(
        async () => adapter.triggers.map((body) => body['ref-id']).sort(),
        (posted) => posted.join() === 'any,free',
      );
    },
  );
});
