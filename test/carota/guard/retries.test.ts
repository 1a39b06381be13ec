/** Retries of failures by a schedule at the server: when, how often, exactly once, and how they count. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { sampleOf, takingTurns } from '../../support/depth.js';
import { untilOthersWait } from '../../support/sql.js';
import { vinOf } from '../../support/messages.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isInTurn = takingTurns(2);

const SCRIPT = 'hu only 001';
const vins = Array.from({ length: 4 }, (_, n) => vinOf(n, 'WVW'));
const [vin = '', other = ''] = vins;
const SETTINGS = { adapterControlToken: 'operator', deadlineGrace: 0 };
const RETRY = [{ state: 'download_fail', reason: '*network*', after: 1, times: 2 }];
const NETWORK = [{ key: 'reason', value: 'Network Failure' }];

let adapter: AdapterDouble;
let carota: TestCarota;
let refIds = 0;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, SETTINGS);
  await carota.publish(SCRIPT);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});
afterEach(() => {
  adapter.answer = 202;
  adapter.losesRetriggers = false;
  adapter.onRetrigger = () => undefined;
  adapter.onAttemptAsked = () => undefined;
  adapter.controls.length = 0;
});

const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const show = async (refId: string) => (await carota.call('GET', path(refId))).body;
const vehicleOf = async (refId: string, one = vin) =>
  (await carota.call('GET', `${path(refId)}/vehicles/${one}`)).body;
const plan = (refId: string, fields: object) => ({
  body: { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, ...fields },
});

async function running(fields: object): Promise<string> {
  const refId = `retried ${++refIds}`;
  expect((await carota.call('POST', '/v1.0/schedules', plan(refId, fields))).status).toBe(201);
  await eventually(
    () => show(refId),
    ({ waves }) => waves.length > 0 && waves[0].postedAt !== null,
  );
  return refId;
}
const report = (refId: string, status: EventStatusName, meta: typeof NETWORK = [], one = vin) =>
  carota.callBack([eventOf({ refId, vin: one, status, meta })]);
const retriggers = (refId: string, one = vin) =>
  adapter.controls.filter((control) => control === `retrigger ${refId} ${one}`).length;
const untilRetriggered = (refId: string, times: number) =>
  eventually(
    () => vehicleOf(refId),
    ({ state, tries }) => state === 'triggered' && tries === times,
  );

test('a failure for a matching reason is retried as often as the rule says, and counts as failed only after that', async () => {
  const refId = await running({ guard: { maxFailures: 1, soak: 0 }, retry: RETRY });
  for (const times of [1, 2]) {
    await report(refId, 'downloading');
    await report(refId, 'download_fail', NETWORK);
    expect((await show(refId)).exposure).toMatchObject({ undecided: 1, failed: 0, retrying: 1 });
    expect(await vehicleOf(refId)).toMatchObject({
      state: 'download_fail',
      result: 'undecided',
      retryAt: expect.any(String),
    });
    await untilRetriggered(refId, times);
    expect(await vehicleOf(refId)).toMatchObject({ retryAt: null, result: 'undecided', place: 1 });
  }
  expect(retriggers(refId)).toBe(2);
  await report(refId, 'download_fail', NETWORK);
  const { status, exposure } = await eventually(
    () => show(refId),
    (schedule) => schedule.status === 'stopped',
  );
  expect(status).toBe('stopped');
  expect(exposure).toMatchObject({ exposed: 1, failed: 1, undecided: 0, retrying: 0 });
  expect(retriggers(refId)).toBe(2);
});

test.runIf(isInTurn())(
  'a vehicle that succeeds at the second attempt counts as succeeded, and the schedule waits for it',
  async () => {
    const refId = await running({ vins: [vin], guard: { maxFailures: 1, soak: 0 }, retry: RETRY });
    await report(refId, 'download_fail', NETWORK);
    await untilRetriggered(refId, 1);
    expect((await show(refId)).status).toBe('running');
    await report(refId, 'success');
    const { exposure, status } = await eventually(
      () => show(refId),
      (schedule) => schedule.status !== 'running',
    );
    expect({ exposure, status }).toMatchObject({
      exposure: { exposed: 1, succeeded: 1, failed: 0 },
      status: 'completed',
    });
  },
);

test.runIf(isInTurn())(
  'a rollback that outlasts the pause belongs to the previous failure, and is not a result of the new attempt',
  async () => {
    const retry = [{ state: 'failure', after: 1, times: 1 }];
    const refId = await running({ vins: [vin], guard: { maxFailures: 1, soak: 0 }, retry });
    await report(refId, 'downloading');
    await report(refId, 'failure');
    await untilRetriggered(refId, 1);
    await report(refId, 'rollback_success');
    await report(refId, 'received');
    await report(refId, 'rollback_success');
    expect(await vehicleOf(refId)).toMatchObject({ state: 'received', result: 'undecided' });
    await report(refId, 'success');
    expect((await show(refId)).exposure).toMatchObject({ succeeded: 1, failed: 0 });
  },
);

test.runIf(isInTurn())(
  'other failures are final, and a vehicle that continues by itself is not retried',
  async () => {
    const refId = await running({ guard: { maxFailures: 2, soak: 0 }, retry: RETRY });
    await report(refId, 'download_fail', [{ key: 'reason', value: 'disk full' }]);
    expect(await vehicleOf(refId)).toMatchObject({ result: 'failed', retryAt: null });
    await report(refId, 'download_fail', NETWORK, other);
    await report(refId, 'downloading', [], other);
    expect(await vehicleOf(refId, other)).toMatchObject({ result: 'undecided', retryAt: null });
  },
);

test.runIf(isInTurn())(
  'a failure before exposure is retried too, and does not count meanwhile',
  async () => {
    const retry = [{ state: 'pki_check_fail', after: 1, times: 1 }];
    const refId = await running({ guard: { maxFailures: 9, maxEarlyFailures: 1 }, retry });
    await report(refId, 'pki_check_fail');
    expect((await show(refId)).exposure).toMatchObject({ failedEarly: 0, retrying: 1 });
    await untilRetriggered(refId, 1);
    await report(refId, 'pki_check_fail');
    const { reason } = await eventually(
      () => show(refId),
      (schedule) => schedule.status === 'stopped',
    );
    expect(reason).toBe('1 vehicle failed before exposure');
  },
);

describe('the adapter retriggers once', () => {
  const isTurn = takingTurns(2);
  test.runIf(isTurn())('even if its answer is lost', async () => {
    const refId = await running({ retry: [{ ...RETRY[0], after: 1 }] });
    adapter.losesRetriggers = true;
    await report(refId, 'download_fail', NETWORK);
    await eventually(
      () => Promise.resolve(retriggers(refId)),
      (times) => times === 1,
    );
    adapter.losesRetriggers = false;
    // As after the lease of a killed server expires.
    await dueNow(refId);
    await untilRetriggered(refId, 1);
    expect(retriggers(refId)).toBe(1);
  });

  test.runIf(isTurn())('even if the server is restarted in between', async () => {
    const refId = await running({ retry: RETRY });
    adapter.losesRetriggers = true;
    await report(refId, 'download_fail', NETWORK);
    await eventually(
      () => Promise.resolve(retriggers(refId)),
      (times) => times === 1,
    );
    const { dataDir } = carota;
    await carota.stop(true);
    adapter.losesRetriggers = false;
    carota = await startTestCarota(adapter.url, { ...SETTINGS, dataDir });
    await dueNow(refId);
    await untilRetriggered(refId, 1);
    expect(retriggers(refId)).toBe(1);
  });
});

describe('if the new attempt fails before the server has stored its start', () => {
  const ANSWERS = [
    ['the answer of the adapter comes later', false],
    ['the answer of the adapter is lost, as when the server is killed', true],
  ] as const;
  test.each(sampleOf(ANSWERS, 2))(
    'its failure counts as a new one, with its own retry: %s',
    async (_when, isLost) => {
      const refId = await running({ guard: { maxFailures: 9, soak: 0 }, retry: RETRY });
      adapter.onRetrigger = async () => {
        if (retriggers(refId) > 1) return;
        adapter.losesRetriggers = isLost;
        await carota.callBack([
          eventOf({ refId, vin, status: 'received' }),
          eventOf({ refId, vin, status: 'download_fail', meta: NETWORK }),
        ]);
      };
      await report(refId, 'download_fail', NETWORK);
      await eventually(
        () => Promise.resolve(retriggers(refId)),
        (times) => times === 1,
      );
      await eventually(
        () => vehicleOf(refId),
        ({ retryAt }) => retryAt !== null,
      );
      await eventually(
        () => Promise.resolve(retriggers(refId)),
        (times) => times === 2,
      );
      adapter.losesRetriggers = false;
      if (isLost) await dueNow(refId);
      await untilRetriggered(refId, 2);
      expect(retriggers(refId)).toBe(2);
    },
  );
});

test.runIf(isInTurn())(
  'a retry starts under its schedule’s lock, so that a concurrent report is not lost',
  async () => {
    const refId = await running({ guard: { maxFailures: 9, soak: 0 }, retry: RETRY });
    const client = new pg.Client(carota.databaseUrl);
    await client.connect();
    let isLocked = false;
    adapter.onAttemptAsked = async () => {
      if (isLocked) return;
      isLocked = true;
      await client.query('begin');
      await client.query('select from schedules where ref_id = $1 for update', [refId]);
    };
    await report(refId, 'download_fail', NETWORK);
    await untilOthersWait(client);
    expect(retriggers(refId)).toBe(0);
    // As a report does: it reads the vehicle and writes all of it. Here a failure, with its own retry.
    await client.query(
      `update schedule_vehicles set tries = 0, retry_at = date_trunc('milliseconds', now())
     where vin = $2 and schedule_id = (select id from schedules where ref_id = $1)`,
      [refId, vin],
    );
    await client.query('commit');
    await client.end();
    await untilRetriggered(refId, 1);
    expect(retriggers(refId)).toBe(1);
  },
);

async function dueNow(refId: string): Promise<void> {
  const client = new pg.Client(carota.databaseUrl);
  await client.connect();
  await client.query(
    `update schedule_vehicles set retry_at = now() - interval '1 s' where retry_at is not null
       and schedule_id = (select id from schedules where ref_id = $1)`,
    [refId],
  );
  await client.end();
}

test.runIf(isInTurn())(
  'a stopped schedule retries nothing: vehicles that were due for a retry have failed',
  async () => {
    const retry = [{ state: 'failure', after: 3_600, times: 5 }];
    const refId = await running({ guard: { maxFailures: 9 }, retry });
    await report(refId, 'downloading');
    await report(refId, 'failure');
    await report(refId, 'rollback_success');
    expect(await vehicleOf(refId)).toMatchObject({
      state: 'rollback_success',
      result: 'undecided',
    });
    await carota.call('POST', `${path(refId)}/stop`, { body: { reason: 'enough' } });
    expect(
      await eventually(
        () => vehicleOf(refId),
        ({ retryAt }) => retryAt === null,
      ),
    ).toMatchObject({ result: 'failed' });
    expect((await show(refId)).exposure).toMatchObject({ failed: 1, undecided: 0, retrying: 0 });
  },
);

/**
 * Records, at each commit that changes a schedule, the first vehicle's result and the place at which a test may stop.
 */
const WATCH = `
  create table stop_watch (result text, stop_place int);
  create function watch_stop() returns trigger language plpgsql as $$
  begin
    insert into stop_watch select v.result, s.stop_place
    from schedules s join schedule_vehicles v on v.schedule_id = s.id
    where s.id = new.id and v.vin = '${vin}';
    return null;
  end $$;
  create constraint trigger watch_stop after update on schedules
    deferrable initially deferred for each row execute function watch_stop();`;

test.runIf(isInTurn())(
  'a vehicle without a further attempt has failed, and the test at once includes all vehicles admitted meanwhile',
  async () => {
    const test = { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.05 };
    const retry = [{ ...RETRY[0], after: 3_600 }];
    const refId = await running({ guard: { test, exposureCap: 2, soak: 0 }, retry });
    await report(refId, 'downloading');
    await report(refId, 'download_fail', NETWORK);
    const admission = await carota.call('POST', `${path(refId)}/vehicles/${other}/admission`);
    expect(admission.body.admitted).toBe(true);
    const client = new pg.Client(carota.databaseUrl);
    await client.connect();
    await client.query(WATCH);
    adapter.gone.add(`${refId} ${vin}`);
    await dueNow(refId);
    await eventually(
      () => vehicleOf(refId),
      ({ result }) => result === 'failed',
    );
    const { rows } = await client.query(
      `select stop_place from stop_watch where result = 'failed'`,
    );
    await client.query('drop function watch_stop cascade');
    await client.end();
    // Two failures would stop it, and the second vehicle has no result yet.
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toEqual({ stop_place: 2 });
  },
);

test.runIf(isInTurn())('a vehicle’s deadline makes it fail, even if a retry is due', async () => {
  const retry = [{ state: 'failure', after: 2, times: 5 }];
  const refId = await running({ guard: { maxFailures: 1, deadline: 3 }, retry });
  await report(refId, 'downloading');
  await report(refId, 'failure');
  adapter.answer = 503;
  const { reason } = await eventually(
    () => show(refId),
    (schedule) => schedule.status === 'stopped',
  );
  expect(reason).toBe('1 vehicle failed');
});

test('a plan with retries needs a server that may control the adapter', async () => {
  const without = await startTestCarota(adapter.url);
  await without.publish(SCRIPT);
  expect(await without.call('POST', '/v1.0/schedules', plan('r', { retry: RETRY }))).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/retry' }] },
  });
  await without.stop();
});

test.each([
  [[]],
  [[{ state: 'rollback_fail', after: 1, times: 1 }]],
  [[{ state: 'failure', after: 0.5, times: 1 }]],
  [[{ state: 'failure', after: 1, times: 0 }]],
  [[{ state: 'failure', after: 1, times: 1, reason: '' }]],
  [[{ state: 'failure', after: 1, times: 1, reason: 'a\u0000' }]],
  [[{ state: 'failure', after: 1, times: 1, reason: '\ud800' }]],
  [[{ state: 'failure', after: 1e300, times: 1 }]],
])('a faulty rule is refused: %j', async (retry) => {
  const { status, body } = await carota.call('POST', '/v1.0/schedules', plan('faulty', { retry }));
  expect(status).toBe(400);
  expect(body.errors[0].path).toMatch(/^\/retry/);
});
