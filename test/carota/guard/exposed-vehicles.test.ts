/** Admission, exposure, silence and soak of a schedule's vehicles at the server. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { takingTurns } from '../../support/depth.js';
import { untilOthersWait } from '../../support/sql.js';
import { vinOf } from '../../support/messages.js';
import { freePort } from '../../support/servers.js';
import { Campaigns, SCRIPT, vins } from '../support/campaigns.js';
import { eventOf, MODEL } from '../support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const TEST = { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 };

let world: Campaigns;

beforeAll(async () => {
  world = await Campaigns.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

describe('admission', () => {
  test('keeps exactly to the cap, however many vehicles ask at the same time', async () => {
    const refId = await world.running({ guard: { test: TEST, exposureCap: 7 } });
    const answers = await Promise.all(vins.map((vin) => world.ask(refId, vin)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const admitted = answers.filter(({ body }) => body.admitted);
    expect(admitted).toHaveLength(7);
    for (const { body } of answers.filter((answer) => !answer.body.admitted)) {
      expect(body).toEqual({
        admitted: false,
        retryAfter: expect.any(Number),
        reason: '7 vehicles are exposed and undecided',
      });
    }
    expect((await world.show(refId)).exposure).toMatchObject({
      exposed: 7,
      undecided: 7,
      cap: 7,
      waiting: 33,
    });
    // The places are 1 to 7, each once, and a vehicle that asks again keeps its place.
    const list = await world.carota.call('GET', `${world.path(refId)}/vehicles?result=undecided`);
    const places = list.body.items.map(({ place }: any) => place);
    expect(places.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await world.admit(
      refId,
      list.body.items.map(({ vin }: any) => vin),
    );
    expect((await world.show(refId)).exposure.exposed).toBe(7);
  });

  test.runIf(isTurn())(
    'a result makes room for the next vehicle, and a test that decides to continue makes more',
    async () => {
      const refId = await world.running({ guard: { test: TEST, exposureCap: 4, soak: 0 } });
      await world.admit(refId, vins.slice(0, 4));
      expect((await world.ask(refId, vins[4] ?? '')).body.admitted).toBe(false);
      await world.report(refId, vins.slice(0, 1), 'success');
      await world.admit(refId, vins.slice(4, 5));
      expect((await world.ask(refId, vins[5] ?? '')).body.admitted).toBe(false);
      // Four successes decide the first test.
      await world.report(refId, vins.slice(1, 4), 'success');
      const { exposure, guardTest } = await world.show(refId);
      expect(exposure).toMatchObject({ cap: 8, undecided: 1 });
      expect(guardTest).toMatchObject({ number: 2, from: 5 });
      await world.admit(refId, vins.slice(5, 12));
      expect((await world.ask(refId, vins[12] ?? '')).body.admitted).toBe(false);
    },
  );

  test.runIf(isTurn())(
    'a vehicle that continues after its failure takes no second slot, and succeeds at the end of its soak',
    async () => {
      const refId = await world.running({ guard: { maxFailures: 9, exposureCap: 2, soak: 1 } });
      const [one = '', two = '', three = '', four = ''] = vins;
      await world.admit(refId, [one, two]);
      await world.report(refId, [one], 'download_fail');
      await world.admit(refId, [three]);
      await world.report(refId, [one], 'downloading');
      expect((await world.show(refId)).exposure).toMatchObject({ undecided: 2, failed: 1 });
      expect((await world.ask(refId, four)).body.admitted).toBe(false);
      await world.report(refId, [one], 'success');
      const { exposure } = await world.until(
        refId,
        (schedule) => schedule.exposure.succeeded === 1,
      );
      expect(exposure).toMatchObject({ exposed: 3, undecided: 2, failed: 0 });
      expect((await world.ask(refId, four)).body.admitted).toBe(false);
    },
  );

  test.runIf(isTurn())(
    'is refused for good once the schedule has ended, and for now while it is paused',
    async () => {
      const refId = await world.running({ guard: { maxFailures: 1 } });
      await world.admit(refId, vins.slice(0, 1));
      await world.carota.call('POST', `${world.path(refId)}/pause`, { body: {} });
      expect((await world.ask(refId, vins[0] ?? '')).body).toMatchObject({
        admitted: false,
        reason: 'the schedule is paused',
      });
      await world.carota.call('POST', `${world.path(refId)}/stop`, { body: { reason: 'smoke' } });
      expect(await world.ask(refId, vins[0] ?? '')).toMatchObject({
        status: 409,
        body: { errorCode: 'SCHEDULE_STATUS', errorMessage: 'the schedule is stopped: smoke' },
      });
      expect((await world.ask(refId, vinOf(99, 'WBA'))).status).toBe(404);
      expect((await world.ask('none', vins[0] ?? '')).body.errorCode).toBe('SCHEDULE_NOT_FOUND');
    },
  );

  test('is for the vehicle itself: another vehicle’s token is refused', async () => {
    const refId = await world.running({ guard: { maxFailures: 1 } });
    const [one = '', other = ''] = vins;
    for (const vin of [one, other]) {
      await world.carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
    }
    const { body } = await world.carota.call('POST', '/v1.0/tokens', {
      body: { name: one, role: 'vehicle', vin: one },
    });
    const asOne = (vin: string) =>
      world.carota.call('POST', `${world.path(refId)}/vehicles/${vin}/admission`, {
        token: body.token,
      });
    expect((await asOne(other)).status).toBe(403);
    expect((await asOne(one)).body.admitted).toBe(true);
    expect((await world.show(refId)).exposure.exposed).toBe(1);
  });

  test.runIf(isTurn())('a vehicle whose wave has not started waits', async () => {
    const refId = await world.running({
      waves: [{ vins: vins.slice(0, 2) }],
      guard: { maxFailures: 1 },
    });
    expect((await world.ask(refId, vins[9] ?? '')).body).toMatchObject({
      admitted: false,
      reason: 'its wave has not started',
    });
    expect((await world.show(refId)).exposure.exposed).toBe(0);
  });
});

describe('silence', () => {
  test('after reboot is failure: if every vehicle of the wave dies, no other wave follows', async () => {
    const refId = await world.running({
      waves: [{ vehicles: 5 }],
      guard: { maxFailures: 3, patience: 1, afterReboot: 1, undecided: 'continue' },
    });
    const first = world.adapter.triggers.at(-1)?.vins ?? [];
    await world.admit(refId, first);
    await world.report(refId, first, 'consent_accepted', 'downloading', 'reboot');
    const schedule = await world.until(refId, ({ status }) => status === 'stopped');
    expect(schedule.reason).toBe('5 vehicles failed, 5 of them by silence');
    expect(schedule.exposure).toMatchObject({ exposed: 5, silent: 5, undecided: 0 });
    expect(world.adapter.triggers).toHaveLength(1);
  });

  test.runIf(isTurn())(
    'counts as failure in the test too, and a success before the decision undoes it',
    async () => {
      const guard = { test: TEST, deadline: 1, soak: 0, patience: 600 };
      const refId = await world.running({ waves: [{ vehicles: 10 }], guard });
      const [one = ''] = world.adapter.triggers.at(-1)?.vins ?? [];
      await world.admit(refId, [one]);
      const { guardTest: before } = await world.show(refId);
      expect(before.oldest ?? { vin: one }).toMatchObject({ vin: one });
      await world.until(refId, ({ exposure }) => exposure.silent === 1);
      const { body: vehicle } = await world.carota.call(
        'GET',
        `${world.path(refId)}/vehicles/${one}`,
      );
      expect(vehicle).toMatchObject({ silentAt: expect.any(String), decidesAt: null });
      expect((await world.show(refId)).guardTest.path).toMatchObject([
        { vin: one, result: 'silent' },
      ]);
      await world.report(refId, [one], 'success');
      const { exposure, guardTest } = await world.show(refId);
      expect(exposure).toMatchObject({ silent: 0, succeeded: 1 });
      expect(guardTest.path[0].optimistic).toBeLessThan(0);
    },
  );

  test.runIf(isTurn())('survives a restart: exposed vehicles keep their deadlines', async () => {
    const guard = { maxFailures: 2, afterReboot: 2 };
    const refId = await world.running({ waves: [{ vehicles: 5 }], guard });
    const some = (world.adapter.triggers.at(-1)?.vins ?? []).slice(0, 2);
    await world.admit(refId, some);
    await world.report(refId, some, 'reboot');
    await world.restart();
    const schedule = await world.until(refId, ({ status }) => status === 'stopped');
    expect(schedule.reason).toBe('2 vehicles failed, 2 of them by silence');
  });
});

test.runIf(isTurn())(
  'a server postpones deadlines before it accepts a report, which would end them',
  async () => {
    const refId = await world.running({ guard: { maxFailures: 1, deadline: 3_600 } });
    const [one = '', other = ''] = vins;
    await world.admit(refId, [one]);
    const { databaseUrl } = world.carota;
    await world.carota.stop(true);
    const client = new pg.Client(databaseUrl);
    await client.connect();
    await client.query(
      `update schedule_vehicles set decides_at = now() - interval '1 s' where decides_at is not null`,
    );
    // Blocks the server where it postpones deadlines.
    await client.query('begin');
    await client.query('select from schedules for update');
    await client.query('select from schedule_vehicles for update');
    const httpPort = await freePort();
    const starting = world.startAgain({ httpPort, deadlineGrace: 3_600 });
    await untilOthersWait(client);
    const early = await fetch(`http://127.0.0.1:${httpPort}/healthz`).catch(() => 'nobody listens');
    await client.query('commit');
    await client.end();
    await starting;
    expect(early).toBe('nobody listens');
    await world.report(refId, [other], 'received');
    expect((await world.show(refId)).exposure).toMatchObject({ undecided: 1, silent: 0 });
    await world.restart();
  },
);

test.runIf(isTurn())(
  'during the grace, a report that waited longer than the deadline it sets makes no vehicle silent',
  async () => {
    const guard = { maxFailures: 1, afterReboot: 60, soak: 60 };
    const refId = await world.running({ guard });
    const [one = ''] = vins;
    await world.admit(refId, [one]);
    await world.restart({ deadlineGrace: 3_600 });
    const hours = 3_600_000;
    const past = async (status: EventStatusName, hoursAgo: number) => {
      const at = Date.now() - hoursAgo * hours;
      await world.carota.callBack([
        { ...eventOf({ refId, vin: one, status, at }), 'received-at': at },
      ]);
      return world.show(refId);
    };
    // Both reached the adapter in time; this server receives them one by one.
    for (const schedule of [await past('reboot', 3), await past('success', 2.99)]) {
      expect(schedule).toMatchObject({ status: 'running', exposure: { undecided: 1, silent: 0 } });
    }
    // Its soak is over, but a failure that followed may still be on the way.
    expect(await past('failure', 2.98)).toMatchObject({ exposure: { undecided: 0, failed: 1 } });
    await world.restart();
  },
);

describe('soak', () => {
  test('a failure that follows success stops the schedule', async () => {
    const refId = await world.running({ waves: [{ vehicles: 8 }], guard: { test: TEST } });
    const first = world.adapter.triggers.at(-1)?.vins ?? [];
    await world.report(refId, first, 'consent_accepted', 'downloading', 'success');
    const { exposure, status } = await world.show(refId);
    const { guardTest } = await world.show(refId);
    const [oldest] = guardTest.path;
    expect(guardTest.oldest).toEqual({
      vin: oldest.vin,
      state: 'success',
      decidesAt: expect.any(String),
    });
    // All have reported success. None has succeeded.
    expect({ status, exposure }).toMatchObject({
      status: 'running',
      exposure: { exposed: 8, undecided: 8, succeeded: 0 },
    });
    await world.report(refId, first.slice(0, 2), 'failure');
    const stopped = await world.until(refId, (schedule) => schedule.status === 'stopped');
    expect(stopped.exposure).toMatchObject({ failed: 2, undecided: 6 });
    expect(stopped.decisions.at(-1).figures).toMatchObject({ from: 1, failed: 2 });
  });

  test.runIf(isTurn())(
    'at its end the vehicles have succeeded, and the next wave starts',
    async () => {
      const guard = { test: TEST, soak: 1 };
      const refId = await world.running({ waves: [{ vehicles: 4 }], guard });
      await world.report(
        refId,
        world.adapter.triggers.at(-1)?.vins ?? [],
        'consent_accepted',
        'success',
      );
      expect((await world.show(refId)).exposure).toMatchObject({ undecided: 4 });
      const { decisions } = await world.until(refId, ({ waves }) => waves[1].postedAt !== null);
      expect(decisions.find(({ decision }: any) => decision === 'go')).toMatchObject({
        reason: '4 of the first 4 exposed vehicles succeeded',
      });
    },
  );
});

test.runIf(isTurn())(
  'failures that report sooner than the vehicles before them do not decide',
  async () => {
    const refId = await world.running({ guard: { test: TEST, soak: 0 } });
    await world.admit(refId, vins.slice(0, 12));
    // Nine others were exposed before these three.
    await world.report(refId, vins.slice(9, 12), 'failure');
    const { status, exposure } = await world.show(refId);
    expect({ status, exposure }).toMatchObject({ status: 'running', exposure: { failed: 3 } });
    await world.report(refId, vins.slice(0, 2), 'failure');
    expect((await world.show(refId)).status).toBe('stopped');
  },
);

test.runIf(isTurn())(
  'a withdrawn vehicle is no evidence, and early failures have their own limit',
  async () => {
    const guard = { maxFailures: 1, maxEarlyFailures: 2, soak: 0 };
    const refId = await world.running({ guard });
    await world.admit(refId, vins.slice(0, 1));
    await world.report(refId, vins.slice(0, 1), 'cancel');
    await world.report(refId, vins.slice(1, 2), 'consent_rejected');
    await world.report(refId, vins.slice(2, 3), 'pki_check_fail');
    const { status, exposure } = await world.show(refId);
    expect({ status, exposure }).toMatchObject({
      status: 'running',
      exposure: { exposed: 1, withdrawn: 2, failed: 0, failedEarly: 1 },
    });
    await world.report(refId, vins.slice(3, 4), 'failure');
    expect((await world.until(refId, (schedule) => schedule.status === 'stopped')).reason).toBe(
      '2 vehicles failed before exposure',
    );
  },
);

test('a guard that no failure could trigger is refused', async () => {
  const body = {
    'ref-id': 'r',
    'script-ref-id': SCRIPT,
    model: MODEL,
    vins,
    guard: { patience: 5 },
  };
  expect(await world.carota.call('POST', '/v1.0/schedules', { body })).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/guard' }] },
  });
});
