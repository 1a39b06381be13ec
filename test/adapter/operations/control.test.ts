/** Concurrent control calls and events leave a consistent state and a complete audit log. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimDueTriggers } from '../../../src/adapter/c2d-sender/claim.js';
import { recordSends } from '../../../src/adapter/c2d-sender/index.js';
import { listEntries } from '../../../src/service/audit/index.js';
import { type Database } from '../../../src/service/database/index.js';
import {
  cancelOperation,
  changeDispatch,
  countSent,
  findDelivery,
  findOperation,
  finishCancels,
  OperationIsCancelled,
  retriggerState,
  retriggerVehicle,
  setPaused,
} from '../../../src/adapter/operations/index.js';
import { TESTER } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';
import { eventSource } from '../../support/events.js';
import { type TestVehicle, vehicleOf } from '../../support/messages.js';

const now = Date.now();
const options = { shard: 5, now, by: TESTER };

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
  });
  afterAll(() => close());

  const fleet = (size: number, prefix: string): [TestVehicle, ...TestVehicle[]] => [
    vehicleOf(0, prefix),
    ...Array.from({ length: size - 1 }, (_, n) => vehicleOf(n + 1, prefix)),
  ];
  async function send(limit: number, shard = 6): Promise<number> {
    const claim = await claimDueTriggers(database, now, 25_000, limit);
    const outcomes = claim.triggers.map((trigger) => ({
      operationId: trigger.operation_id,
      refId: trigger.ref_id,
      vin: trigger.vin,
      messageId: trigger.trigger_id,
      outcome: 'sent' as const,
      dueAt: now + 30_000,
    }));
    await recordSends(database, shard, claim.id, outcomes, now);
    return outcomes.length;
  }
  const actions = async (operationId: number) => {
    const [operation] = await database.query<{ ref_id: string }>(
      'select ref_id from operations where id = $1',
      [operationId],
    );
    const page = { before: Number.MAX_SAFE_INTEGER, limit: 100 };
    return (await listEntries(database, { refId: operation?.ref_id }, page))
      .map(({ action, token_name: who, reason, detail }) => ({ action, who, reason, detail }))
      .reverse();
  };
  async function expectCountersToBeTrue(refId: string): Promise<void> {
    const operation = await findOperation(database, refId);
    const recount = await database.query<{ state: string; n: number }>(
      `select counter_of(state) as state, count(*) as n from deliveries
       where operation_id = $1 group by 1`,
      [operation?.id ?? 0],
    );
    expect(operation?.progress.states).toEqual(
      Object.fromEntries(recount.map(({ state, n }) => [state, n])),
    );
  }

  test('each call is idempotent, and the audit log records who, when and why', async () => {
    const [vehicle] = fleet(1, 'ACT');
    const { operationId } = await eventSource(database, 'audited', [vehicle], now);
    const by = { ...TESTER, reason: 'ticket 4711' };
    for (let twice = 0; twice < 2; twice++) {
      await setPaused(database, operationId, true, { now, by });
    }
    for (let twice = 0; twice < 2; twice++) {
      await setPaused(database, operationId, false, { now, by });
    }
    await changeDispatch(database, operationId, { priority: 3 }, { now, by });
    await send(10);
    expect(await retriggerVehicle(database, operationId, vehicle.vin, options)).toBe(true);
    expect(await retriggerVehicle(database, operationId, vehicle.vin, options)).toBe(false);
    expect(await cancelOperation(database, operationId, { ...options, by })).toEqual({
      stopped: 1,
      inFlight: 0,
    });
    expect(await cancelOperation(database, operationId, options)).toMatchObject({ stopped: 0 });
    const log = await actions(operationId);
    expect(log.map(({ action }) => action)).toEqual([
      'pause',
      'pause',
      'resume',
      'resume',
      'change',
      'retrigger',
      'retrigger',
      'cancel',
      'cancel',
    ]);
    expect(log[0]).toEqual({
      action: 'pause',
      who: 'test',
      reason: 'ticket 4711',
      detail: { changed: true },
    });
    expect(log[1]?.detail).toEqual({ changed: false });
    expect(log[4]?.detail).toMatchObject({ before: { priority: 0 }, change: { priority: 3 } });
    for (const control of [
      () => setPaused(database, operationId, true, options),
      () => changeDispatch(database, operationId, { priority: 1 }, options),
      () => retriggerVehicle(database, operationId, vehicle.vin, options),
      () => retriggerState(database, operationId, 'sent', options),
    ]) {
      await expect(control()).rejects.toBeInstanceOf(OperationIsCancelled);
    }
    // Refused calls leave no entry.
    expect(await actions(operationId)).toHaveLength(9);
  });

  test('cancel reports the stopped and the claimed triggers, and leaves those already sent', async () => {
    const vehicles = fleet(30, 'CAN');
    const { operationId, store } = await eventSource(database, 'cancelled', vehicles, now);
    await send(10);
    const claim = await claimDueTriggers(database, now, 25_000, 5);
    expect(await cancelOperation(database, operationId, options)).toEqual({
      stopped: 20,
      inFlight: 5,
    });
    // Three of the five claimed triggers were sent nevertheless.
    await recordSends(
      database,
      6,
      claim.id,
      claim.triggers.map(({ operation_id, ref_id, trigger_id, vin }, n) => ({
        operationId: operation_id,
        refId: ref_id,
        vin,
        messageId: trigger_id,
        outcome: n < 3 ? ('sent' as const) : ('failed' as const),
        dueAt: now + 5_000,
      })),
      now,
    );
    expect(await countSent(database, operationId)).toBe(13);
    const operation = await findOperation(database, 'cancelled');
    expect(operation?.progress).toMatchObject({ states: { cancelled: 17, sent: 13 }, open: 0 });
    expect(await database.query('select vin from deliveries where due_at is not null')).toEqual([]);
    const [sent] = await database.query<{ vin: string }>(
      `select vin from deliveries where operation_id = $1 and state = 'sent'`,
      [operationId],
    );
    const vehicle = vehicles.find(({ vin }) => vin === sent?.vin) ?? vehicles[0];
    await store([{ vehicle, status: 'success', n: 1 }]);
    expect((await findDelivery(database, operationId, vehicle.vin))?.state).toBe('success');
    await expectCountersToBeTrue('cancelled');
  });

  test('a sent trigger counts as sent even after expiry, or while it waits for its next attempt', async () => {
    const vehicles = fleet(3, 'SNT');
    const { operationId } = await eventSource(database, 'sent-before', vehicles, now);
    await send(2);
    const sent = await database.query<{ vin: string }>(
      `select vin from deliveries where operation_id = $1 and state = 'sent' order by vin`,
      [operationId],
    );
    const [expired = '', retriggered = ''] = sent.map(({ vin }) => vin);
    await database.query(
      `update deliveries set delivery = 'expired', state = 'expired', due_at = null where vin = $1`,
      [expired],
    );
    await retriggerVehicle(database, operationId, retriggered, options);
    await cancelOperation(database, operationId, options);
    expect(await countSent(database, operationId)).toBe(2);
  });

  test('a cancel interrupted by a crash is completed later', async () => {
    const { operationId } = await eventSource(database, 'interrupted', fleet(4, 'NTR'), now);
    await database.query(`update operations set status = 'cancelled' where id = $1`, [operationId]);
    await finishCancels(database, { shard: 5, now });
    expect((await findOperation(database, 'interrupted'))?.progress.states).toEqual({
      cancelled: 4,
    });
  });

  test('all vehicles in a state get a new attempt, others do not', async () => {
    const vehicles = fleet(12, 'RET');
    const { operationId, store } = await eventSource(database, 'retriggered', vehicles, now);
    await send(100);
    await store(
      vehicles.map((vehicle, n) => ({
        vehicle,
        status: n < 5 ? ('download_fail' as const) : ('success' as const),
        n,
        meta: [{ key: 'reason', value: 'Network Failure' }],
      })),
    );
    expect(await retriggerState(database, operationId, 'download_fail', options)).toBe(5);
    expect(await retriggerState(database, operationId, 'download_fail', options)).toBe(0);
    const [first] = vehicles;
    expect(await findDelivery(database, operationId, first.vin)).toMatchObject({
      state: 'pending',
      attempt: 2,
      sends: 0,
      reason: null,
    });
    expect((await findOperation(database, 'retriggered'))?.progress.states).toEqual({
      pending: 5,
      success: 7,
    });
    await expectCountersToBeTrue('retriggered');
  });

  test('concurrent control calls, sends and events: counters are right, nothing hangs or is lost', async () => {
    const vehicles = fleet(60, 'MXD');
    const { operationId, store } = await eventSource(database, 'mixed', vehicles, now);
    const controls: (() => Promise<unknown>)[] = [
      () => setPaused(database, operationId, true, options),
      () => setPaused(database, operationId, false, options),
      () => changeDispatch(database, operationId, { priority: 2 }, options),
      () => retriggerState(database, operationId, 'downloading', options),
      () => retriggerState(database, operationId, 'sent', { ...options, shard: 4 }),
      () => retriggerVehicle(database, operationId, vehicles[0].vin, options),
    ];
    let stored = 0;
    const reporting = async (shard: number) => {
      for (let n = 0; n < 25; n++) {
        const some = vehicles.filter((_, v) => (v + n + shard) % 4 === 0);
        await store(
          some.map((vehicle) => ({ vehicle, status: 'downloading' as const, n: `${shard}-${n}` })),
          shard,
        );
        stored += some.length;
      }
    };
    const controlling = async (first: number) => {
      for (let n = 0; n < 24; n++) await controls[(first + n) % controls.length]?.();
    };
    const sending = async (shard: number) => {
      for (let n = 0; n < 25; n++) await send(20, shard);
    };
    const outcomes = await Promise.allSettled([
      reporting(1),
      reporting(2),
      controlling(0),
      controlling(3),
      sending(6),
      sending(7),
      (async () => {
        for (let n = 0; n < 8; n++) await send(5, 8);
        await cancelOperation(database, operationId, options);
      })(),
    ]);
    // Only control calls after the cancel may be refused.
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toBeInstanceOf(OperationIsCancelled);
      }
    }
    await finishCancels(database, { shard: 5, now });
    await expectCountersToBeTrue('mixed');
    const [history] = await database.query<{ n: number }>(
      'select count(*) as n from messages where operation_id = $1',
      [operationId],
    );
    expect(history?.n).toBeGreaterThanOrEqual(stored);
    const [waiting] = await database.query<{ n: number }>(
      `select count(*) as n from deliveries where operation_id = $1 and
         (due_at is not null or state = 'pending')`,
      [operationId],
    );
    expect((await findOperation(database, 'mixed'))?.status).toBe('cancelled');
    expect(waiting?.n).toBe(0);
  });
});
