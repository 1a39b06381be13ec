/** A stop is carried out at the adapter until it is confirmed, and a wave is posted once. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/adapter.js';
import { sampleOf } from '../../support/depth.js';
import { Campaigns, SCRIPT, vins } from '../support/campaigns.js';
import { MODEL } from '../support/test-carota.js';

let world: Campaigns;

beforeAll(async () => {
  world = await Campaigns.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

describe('a stop', () => {
  test.each(sampleOf([404, 409, 500, 503] as const, 2))(
    'is repeated until the adapter has confirmed it: %s',
    async (answer) => {
      const refId = await world.running({ waves: [{ vehicles: 5 }], guard: { maxFailures: 1 } });
      world.adapter.answer = answer;
      await world.report(
        refId,
        world.adapter.triggers.at(-1)?.vins.slice(0, 1) ?? [],
        'consent_accepted',
        'failure',
      );
      await world.until(refId, ({ status }) => status === 'stopped');
      if (answer < 500) {
        await world.until(
          refId,
          ({ decisions }) => decisions.at(-1).decision === 'control_refused',
        );
      }
      await world.restart();
      expect(world.adapter.controls).not.toContain(`cancel ${refId}`);
      world.adapter.answer = 202;
      await eventually(
        () => Promise.resolve(world.adapter.controls),
        (controls) => controls.includes(`cancel ${refId}`),
      );
      await eventually(
        async () => (await fetch(`${world.carota.carota.httpUrl}/metrics`)).text(),
        (text) => /otaops_carota_control_seconds_count\{operation="cancelled"\} [1-9]/.test(text),
      );
    },
  );

  test('stays due when events follow it, so that it survives a kill of the server', async () => {
    const refId = await world.running({ guard: { maxFailures: 1 } });
    world.adapter.answer = 'hang';
    await world.report(refId, vins.slice(0, 1), 'consent_accepted', 'failure');
    await world.until(refId, ({ status }) => status === 'stopped');
    const client = new pg.Client(world.carota.databaseUrl);
    await client.connect();
    const stored = async () =>
      (await client.query('select intended, due_at from schedules where ref_id = $1', [refId]))
        .rows[0];
    await eventually(stored, ({ intended }) => intended === 'cancelled');
    await world.report(refId, vins.slice(1, 2), 'received');
    expect(await stored()).toEqual({ intended: 'cancelled', due_at: expect.any(Date) });
    await client.end();
    await world.restart();
    world.adapter.answer = 202;
    await eventually(
      () => Promise.resolve(world.adapter.controls),
      (controls) => controls.includes(`cancel ${refId}`),
    );
  });

  test('does not wait for another call that hangs', async () => {
    const hanging = await world.running({ waves: [{ vehicles: 1 }], guard: { maxFailures: 1 } });
    const [one = ''] = world.adapter.triggers.at(-1)?.vins ?? [];
    let release: () => void = () => undefined;
    world.adapter.onTrigger = () => new Promise((resolve) => (release = resolve));
    const other = world.newRefId();
    const body = { 'ref-id': other, 'script-ref-id': SCRIPT, model: MODEL, vins };
    await world.carota.call('POST', '/v1.0/schedules', { body });
    await world.until(other, ({ waves }) => waves[0]?.state === 'posting');
    await world.report(hanging, [one], 'consent_accepted', 'failure');
    await eventually(
      () => Promise.resolve(world.adapter.controls),
      (controls) => controls.includes(`cancel ${hanging}`),
    );
    release();
    await world.until(other, ({ waves }) => waves[0]?.postedAt !== null);
  });
});

test('events that arrive while a wave is being posted do not post it again', async () => {
  let calls = 0;
  let release: () => void = () => undefined;
  world.adapter.onTrigger = () => {
    calls += 1;
    return new Promise((resolve) => (release = resolve));
  };
  const refId = world.newRefId();
  const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins };
  await world.carota.call('POST', '/v1.0/schedules', { body });
  await eventually(
    () => Promise.resolve(calls),
    (number) => number === 1,
  );
  // The scheduler checks once a second, and each of these events makes the schedule due.
  for (const vin of vins.slice(0, 3)) {
    await world.report(refId, [vin], 'received');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
  }
  expect(calls).toBe(1);
  release();
  await world.until(refId, ({ waves }) => waves[0]?.postedAt !== null);
});
