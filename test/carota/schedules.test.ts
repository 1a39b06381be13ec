/** Schedules: waves, windows, pauses, the guard, restarts. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/adapter.js';
import { sampleOf, takingTurns } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(3);

const SCRIPT = 'hu only 001';
const vins = Array.from({ length: 20 }, (_, n) => vinOf(n, 'WVW'));
const GUARD = {
  test: { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 },
  soak: 0,
};

describe('on PostgreSQL', () => {
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let refIds = 0;

  beforeAll(async () => {
    adapter = await startAdapterDouble();
    carota = await startTestCarota(adapter.url, { adapterControlToken: 'operator' });
    await carota.publish(SCRIPT);
  });
  afterAll(async () => {
    await carota.stop();
    await adapter.stop();
  });
  afterEach(() => {
    adapter.answer = 202;
    adapter.unknown.clear();
    adapter.onTrigger = () => undefined;
    adapter.triggers.length = 0;
    adapter.controls.length = 0;
  });

  const plan = async (fields: object) => {
    const refId = `schedule ${++refIds}`;
    const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, ...fields };
    const answer = await carota.call('POST', '/v1.0/schedules', { body });
    expect(answer.body).toMatchObject({ 'ref-id': refId });
    return refId;
  };
  const show = async (refId: string) =>
    (await carota.call('GET', `/v1.0/schedules/${encodeURIComponent(refId)}`)).body;
  const until = (refId: string, holds: (schedule: any) => boolean) =>
    eventually(() => show(refId), holds);
  const posted = (refId: string) => adapter.triggers.filter((body) => body['ref-id'] === refId);
  const report = (refId: string, all: readonly string[], status: 'success' | 'failure') =>
    carota.callBack(
      all.flatMap((vin) => [
        eventOf({ refId, vin, status: 'consent_accepted' }),
        eventOf({ refId, vin, status }),
      ]),
    );

  test('without waves, all vehicles are triggered at once, with priority and rate', async () => {
    const dispatch = { priority: 2, rate: { perSecond: 10 } };
    const refId = await plan({ dispatch });
    await until(refId, ({ waves }) => waves[0]?.state === 'passed');
    const [event, ...more] = posted(refId);
    expect(more).toEqual([]);
    expect(event).toEqual({
      model: MODEL,
      'ref-id': refId,
      'script-ref-id': SCRIPT,
      vins: [...vins].sort(),
      dispatch,
    });
    await report(refId, vins, 'success');
    expect(await until(refId, ({ status }) => status === 'completed')).toMatchObject({
      states: { success: 20 },
      reason: '',
    });
  });

  test('the canary wave is first, each vehicle is in one wave, and the test decides about the next', async () => {
    const canary = vins.slice(3, 5);
    const refId = await plan({ waves: [{ vins: canary }, { percent: 30 }], guard: GUARD });
    await until(refId, ({ waves }) => waves[0]?.state === 'running');
    const sizes = (await show(refId)).waves.map(({ vehicles }: any) => vehicles);
    expect(sizes).toEqual([2, 6, 12]);
    expect(posted(refId)[0]?.vins).toEqual([...canary].sort());

    // Both canary vehicles have finished, which is too few to decide: a person continues.
    await report(refId, canary, 'success');
    await until(refId, ({ status }) => status === 'held');
    expect(posted(refId)).toHaveLength(1);
    const path = `/v1.0/schedules/${encodeURIComponent(refId)}/continue`;
    await carota.call('POST', path, { body: { reason: 'looks good' } });
    await until(refId, ({ waves }) => waves[1]?.state === 'running');

    // Four successes suffice, those of the canary included: each divides the likelihood ratio by 1.9.
    const second = posted(refId)[1]?.vins ?? [];
    await report(refId, second.slice(0, 1), 'success');
    expect((await show(refId)).waves[1].state).toBe('running');
    await report(refId, second.slice(1, 2), 'success');
    await until(refId, ({ waves }) => waves[2]?.state === 'running');

    const all = posted(refId).flatMap((body) => body.vins);
    expect(all.toSorted()).toEqual([...vins].sort());
    const decisions = (await show(refId)).decisions;
    const go = decisions.find(({ decision }: any) => decision === 'go');
    expect(go).toMatchObject({
      wave: 2,
      actor: 'guard',
      figures: { from: 1, vehicles: 4, failed: 0, goAt: expect.any(Number) },
    });
    expect(go.figures.evidence).toBeLessThanOrEqual(go.figures.goAt);
    const continued = decisions.find(({ decision }: any) => decision === 'continue');
    expect(continued).toMatchObject({ actor: 'initial admin', reason: 'looks good' });
  });

  test('a bad update is stopped as early as possible, and the adapter cancels unsent triggers', async () => {
    const start = new Date(Date.now() + 3_000).toISOString();
    const refId = await plan({ start, waves: [{ vehicles: 10 }], guard: GUARD });
    const proposed = await show(refId);
    const { stopAt, goAt } = proposed.guardTest;
    const running = await until(refId, ({ waves }) => waves[0]?.state === 'running');
    expect(running.guardTest).toMatchObject({ stopAt, goAt });
    const [first] = posted(refId);
    await report(refId, first?.vins.slice(0, 2) ?? [], 'failure');
    const schedule = await until(refId, ({ status }) => status === 'stopped');
    expect(schedule.reason).toBe('2 of the first 2 exposed vehicles failed');
    expect(schedule.decisions.at(-1)).toMatchObject({
      decision: 'stop',
      actor: 'guard',
      figures: { stopAt, goAt },
    });
    // The bounds are the same as before the start and while it ran; no wave continues or starts.
    expect(schedule.guardTest).toMatchObject({ stopAt, goAt });
    expect(schedule.waves.map(({ state }: any) => state)).toEqual(['stopped', 'waiting']);
    expect(schedule.endedAt).not.toBeNull();
    await eventually(
      () => Promise.resolve(adapter.controls),
      (controls) => controls.includes(`cancel ${refId}`),
    );
    expect(posted(refId)).toHaveLength(1);
  });

  test.runIf(isTurn())(
    'events of a batch are judged one by one: later ones do not undo a stop',
    async () => {
      const refId = await plan({ waves: [{ vehicles: 10 }], guard: GUARD });
      await until(refId, ({ waves }) => waves[0]?.state === 'running');
      const inFirst = posted(refId)[0]?.vins ?? [];
      await carota.callBack([
        ...inFirst.slice(0, 2).map((vin) => eventOf({ refId, vin, status: 'rollback_success' })),
        ...inFirst.slice(2).map((vin) => eventOf({ refId, vin, status: 'success' })),
      ]);
      const schedule = await show(refId);
      expect(schedule.status).toBe('stopped');
      expect(schedule.decisions.at(-1).figures).toMatchObject({ failed: 2, succeeded: 0 });
      expect(schedule.waves[0]).toMatchObject({ failed: 2, succeeded: 8, finished: 10 });
    },
  );

  test.runIf(isTurn())(
    'a vehicle that failed so far and continues counts with its final result',
    async () => {
      const refId = await plan({ guard: { maxFailures: 2, soak: 0 } });
      await until(refId, ({ waves }) => waves[0]?.state === 'running');
      const [vin = '', other = ''] = vins;
      await carota.callBack([eventOf({ refId, vin, status: 'download_fail' })]);
      await carota.callBack([eventOf({ refId, vin, status: 'success' })]);
      expect((await show(refId)).waves[0]).toMatchObject({ failed: 0, succeeded: 1, finished: 1 });
      // An event that arrived later but happened earlier changes nothing.
      await carota.callBack([
        eventOf({ refId, vin, status: 'downloading', at: 1_700_000_000_000 }),
      ]);
      expect((await show(refId)).states.success).toBe(1);
      await carota.callBack([eventOf({ refId, vin: other, status: 'failure' })]);
      expect((await show(refId)).status).toBe('running');
    },
  );

  test.runIf(isTurn())('repeated events change nothing', async () => {
    const refId = await plan({ guard: { maxFailures: 3, soak: 0 } });
    await until(refId, ({ waves }) => waves[0]?.state === 'running');
    const events = vins.slice(0, 2).map((vin) => eventOf({ refId, vin, status: 'failure' }));
    expect((await carota.callBack([...events, ...events])).body).toEqual({
      stored: 2,
      duplicates: 2,
      refused: 0,
    });
    expect((await carota.callBack(events)).body).toMatchObject({ stored: 0, duplicates: 2 });
    expect(await show(refId)).toMatchObject({ status: 'running', states: { failure: 2 } });
  });

  // A proxy in front of an adapter that is being set up answers 404 too.
  test.each(sampleOf([503, 404], 2))(
    'while the adapter answers %s, the wave waits',
    async (answer) => {
      adapter.answer = answer;
      const refId = await plan({});
      await until(refId, ({ waves }) => waves[0]?.state === 'posting');
      adapter.answer = 202;
      await until(refId, ({ waves }) => waves[0]?.state === 'passed');
      expect(posted(refId)).toHaveLength(1);
    },
  );

  test.runIf(isTurn())('if the adapter refuses, the schedule stops with the reason', async () => {
    adapter.answer = 409;
    const refId = await plan({});
    const { reason } = await until(refId, ({ status }) => status === 'stopped');
    expect(reason).toMatch(/the adapter answered 409/);
  });

  test.runIf(isTurn())(
    'if stopped during posting, the wave stays stopped and the adapter cancels',
    async () => {
      adapter.onTrigger = async () => {
        adapter.onTrigger = () => undefined;
        const refId = `schedule ${refIds}`;
        await carota.call('POST', `/v1.0/schedules/${encodeURIComponent(refId)}/stop`);
      };
      const refId = await plan({ waves: [{ vehicles: 5 }] });
      await eventually(
        async () => adapter.controls,
        (controls) => controls.includes(`cancel ${refId}`),
      );
      // The cancellation does not wait for the answer to the post.
      const { status, endedAt, waves } = await until(
        refId,
        (schedule) => schedule.waves[0].postedAt !== null,
      );
      expect(status).toBe('stopped');
      expect(endedAt).not.toBeNull();
      expect(waves).toMatchObject([
        { state: 'stopped', postedAt: expect.any(String) },
        { state: 'waiting', postedAt: null },
      ]);
    },
  );

  test.runIf(isTurn())(
    'a wave does not wait for vehicles that are not registered at the adapter',
    async () => {
      const [stranger = '', ...rest] = vins;
      adapter.unknown.add(stranger);
      const refId = await plan({});
      await until(refId, ({ waves }) => waves[0]?.state === 'passed');
      await report(refId, rest, 'success');
      const schedule = await until(refId, ({ status }) => status === 'completed');
      expect(schedule.states).toEqual({ device_not_found: 1, success: 19 });
    },
  );

  test.runIf(isTurn())(
    'a paused schedule posts nothing and pauses the operation; resuming continues both',
    async () => {
      const refId = await plan({ waves: [{ vehicles: 5 }], guard: { maxFailures: 3, soak: 0 } });
      await until(refId, ({ waves }) => waves[0]?.state === 'running');
      const path = `/v1.0/schedules/${encodeURIComponent(refId)}`;
      expect((await carota.call('POST', `${path}/pause`, { body: {} })).body.status).toBe('paused');
      await eventually(
        () => Promise.resolve(adapter.controls),
        (controls) => controls.includes(`pause ${refId}`),
      );
      // The first wave has finished, so the second one is due.
      await report(refId, posted(refId)[0]?.vins ?? [], 'success');
      await until(refId, ({ states }) => states.success === 5);
      expect(posted(refId)).toHaveLength(1);
      await carota.call('POST', `${path}/resume`, { body: {} });
      await until(refId, ({ waves }) => waves[1]?.state === 'running');
      const own = adapter.controls.filter((control) => control.endsWith(` ${refId}`));
      expect(own).toEqual([`pause ${refId}`, `resume ${refId}`]);
      expect((await carota.call('POST', `${path}/resume`, { body: {} })).status).toBe(409);
    },
  );

  test.runIf(isTurn())('nothing is posted outside its windows or before its start', async () => {
    const now = new Date();
    const at = (hours: number) =>
      new Date(now.getTime() + hours * 3_600_000).toISOString().slice(11, 16);
    const closed = await plan({ windows: [{ from: at(2), to: at(3) }], timeZone: 'UTC' });
    const later = await plan({ start: new Date(now.getTime() + 3_600_000).toISOString() });
    const open = await plan({ windows: [{ from: at(-1), to: at(1) }], timeZone: 'UTC' });
    await until(open, ({ waves }) => waves[0]?.state === 'passed');
    expect(await show(closed)).toMatchObject({ status: 'running', states: { waiting: 20 } });
    expect(await show(later)).toMatchObject({ status: 'planned' });
    expect([posted(closed), posted(later)]).toEqual([[], []]);
  });

  test.runIf(isTurn())(
    'vehicles are selected at the start, by model, tag and version of an ECU',
    async () => {
      const csv = [
        'vin,model,tags,version:HU',
        ...vins.map(
          (vin, n) =>
            `${vin},${n < 10 ? MODEL : 'other model'},${n % 2 ? 'pilot;blue' : ''},${n < 4 ? '1.0.3' : '0.9.0'}`,
        ),
        'nonsense,m,,',
      ].join('\n');
      const imported = await carota.call('POST', '/v1.0/vehicles/import', {
        headers: { 'content-type': 'text/csv' },
        body: csv,
      });
      expect(imported.body).toMatchObject({
        imported: 20,
        rejectedCount: 1,
        rejected: [{ line: 22 }],
      });
      const filter = { tags: ['pilot'], ecu: 'HU', versions: ['1.0.*'] };
      const refId = await plan({ vins: undefined, filter });
      await until(refId, ({ waves }) => waves[0]?.state === 'passed');
      expect(posted(refId)[0]?.vins).toEqual([vins[1], vins[3]].sort());
    },
  );

  test.runIf(isTurn())(
    'success sets the installed versions: as reported, or as in the script',
    async () => {
      const [vin = '', other = ''] = vins;
      const facts = { model: MODEL, versions: { HU: '1.0.0', TCU: '5' } };
      await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: facts });
      await carota.call('PUT', `/v1.0/vehicles/${other}`, { body: { model: MODEL } });
      const refId = await plan({});
      await until(refId, ({ waves }) => waves[0]?.state === 'passed');
      const meta = [{ key: 'version:HU', value: '1.1.0-b7' }];
      await carota.callBack([
        eventOf({ refId, vin, status: 'success', meta }),
        eventOf({ refId, vin: other, status: 'success' }),
      ]);
      const versions = async (of: string) =>
        (await carota.call('GET', `/v1.0/vehicles/${of}`)).body.versions;
      expect(await versions(vin)).toEqual({ HU: '1.1.0-b7', TCU: '5' });
      expect(await versions(other)).toMatchObject({ HU: '1.1.0' });
      const one = await carota.call(
        'GET',
        `/v1.0/schedules/${encodeURIComponent(refId)}/vehicles/${vin}`,
      );
      expect(one.body).toMatchObject({
        vin,
        wave: 1,
        state: 'success',
        events: [{ 'status-name': 'success' }],
      });
    },
  );

  test.runIf(isTurn())(
    'vehicles can be added as CSV before the start, and all invalid lines are reported',
    async () => {
      const start = new Date(Date.now() + 3_600_000).toISOString();
      const refId = await plan({ vins: undefined, start });
      const path = `/v1.0/schedules/${encodeURIComponent(refId)}/vehicles`;
      const send = (lines: string[]) =>
        carota.call('POST', path, {
          headers: { 'content-type': 'text/csv' },
          body: lines.join('\n'),
        });
      const bad = await send(['vin', vins[0] ?? '', 'nonsense']);
      expect(bad).toMatchObject({ status: 400, body: { errors: [{ path: 'line 3' }] } });
      expect((await send(['vin', ...vins])).body).toEqual({ vehicles: 20 });
      const list = await carota.call('GET', `${path}?limit=15`);
      expect(list.body.items).toHaveLength(15);
      const rest = await carota.call('GET', `${path}?limit=15&cursor=${list.body.nextCursor}`);
      expect(rest.body.items).toHaveLength(5);
    },
  );

  test('after a kill during posting and a restart, each vehicle is triggered once', async () => {
    await carota.stop(true);
    const own = await startTestCarota(adapter.url, { dataDir: carota.dataDir });
    carota = own;
    const received = new Promise<void>((resolve) => (adapter.onTrigger = resolve));
    adapter.answer = 'hang';
    const refId = await plan({ waves: [{ vehicles: 5 }] });
    // The wave is stored as posting, and has no answer yet.
    await until(refId, ({ waves }) => waves[0]?.state === 'posting');
    adapter.answer = 503;
    void received;
    await carota.stop(true);
    adapter.answer = 202;
    carota = await startTestCarota(adapter.url, {
      dataDir: own.dataDir,
      adapterControlToken: 'operator',
    });
    await until(refId, ({ waves }) => waves[1]?.state === 'passed');
    const all = posted(refId).flatMap((body) => body.vins);
    expect(all.toSorted()).toEqual([...vins].sort());
  });

  test.runIf(isTurn())('invalid plans are refused, each error with its field', async () => {
    const body = {
      'ref-id': 'bad',
      'script-ref-id': SCRIPT,
      model: MODEL,
      vins: ['short'],
      start: '2026-13-45',
      timeZone: 'Mars/Olympus',
      waves: [{ vehicles: 0 }],
      guard: { test: { tolerated: 2 } },
    };
    const answer = await carota.call('POST', '/v1.0/schedules', { body });
    expect(answer.status).toBe(400);
    const paths = answer.body.errors.map(({ path }: any) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['/vins/0', '/start', '/waves/0/vehicles', '/guard/test/tolerated']),
    );
    const wrong = await carota.call('POST', '/v1.0/schedules', {
      body: { ...body, vins, start: undefined, waves: [{}], guard: undefined },
    });
    expect(wrong.body.errors.map(({ path }: any) => path)).toEqual(['/timeZone', '/waves/0']);
    const unknown = await carota.call('POST', '/v1.0/schedules', {
      body: { 'ref-id': 'bad', 'script-ref-id': 'none', model: MODEL, vins },
    });
    expect(unknown.body.errors).toEqual([
      { path: '/script-ref-id', message: "there is no script 'none'" },
    ]);
  });
});
