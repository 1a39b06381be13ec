/** Final check against the vehicles' own records. */
import { expect } from 'vitest';
import { type AdapterProcess } from '../../src/test-bed/index.js';
import { operationApi } from '../../src/contract/adapter-api/index.js';
import { vehicleState } from '../../src/contract/index.js';
import { clockOf, say } from '../support/dice.js';
import { type RecordingFleet, type VehicleRecord } from './recording-fleet.js';
import { whenAvailable } from './when-available.js';

export type AdapterUnderTest = Pick<AdapterProcess, 'client' | 'metrics'>;

const vehicleOf = (adapter: AdapterUnderTest, refId: string, vin: string) =>
  whenAvailable(() =>
    adapter.client.call(operationApi.getOperationVehicle, { params: { 'ref-id': refId, vin } }),
  );

const POLL_MS = 250;

/** Polls until the condition holds; fails with the last answer. */
async function eventuallyWithin<T>(
  seconds: number,
  what: string,
  ask: () => T | Promise<T>,
  isSo: (answer: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** @param others number of applied messages of other vehicles */
export async function verify(
  adapter: AdapterUnderTest,
  refId: string,
  fleet: RecordingFleet,
  others = 0,
): Promise<void> {
  const records = [...fleet.records.values()];

  // Several adapters, each of which was lost, may have claimed a trigger before it was sent.
  await eventuallyWithin(
    fleet.options.spreadMs / 1000 + 240,
    'number of finished updates',
    () => fleet.ended,
    (ended) => ended === records.length,
  ).catch(async (error: unknown) => {
    await tellUntriggered(adapter, refId, records);
    throw error;
  });
  await eventuallyWithin(
    60,
    'created and acknowledged messages',
    () => ({ made: fleet.made, acknowledged: fleet.acknowledged }),
    ({ made, acknowledged }) => made === acknowledged,
  );
  // Messages that the broker has acknowledged may still be in flight, at most until another adapter has
  // taken over the subscription of a lost one.
  const total = fleet.made + others;
  await eventuallyWithin(
    60,
    `applied messages, of ${total}`,
    async () =>
      (await whenAvailable(() => adapter.metrics())).get('otaops_messages_applied_total') ?? 0,
    (applied) => applied >= total,
  ).catch(async (error: unknown) => {
    await tellMissing(adapter, refId, records);
    throw error;
  });

  const recount: Record<string, number> = {};
  for (const record of records) {
    const vehicle = await vehicleOf(adapter, refId, record.vin);
    // Each message is stored once; by now all of them are acknowledged.
    const stored = vehicle.history.map(({ message_id }) => message_id).sort();
    expect(stored, `history of ${record.vin}`).toEqual([...record.made.keys()].sort());
    expect([...record.acknowledged.keys()].sort()).toEqual(stored);
    expect(record.triggers, `triggers of ${record.vin}`).toEqual(
      new Set([vehicle.triggerMessageId]),
    );
    const { state, paused, delivery } = vehicle;
    expect({ state, paused, delivery }, `state of ${record.vin}`).toEqual(
      vehicleState('sent', 1, record.made.values()),
    );
    recount[state] = (recount[state] ?? 0) + 1;
  }

  const { states, vehicles } = await whenAvailable(() =>
    adapter.client.call(operationApi.getOperation, { params: { 'ref-id': refId } }),
  );
  expect(states).toEqual(recount);
  expect(vehicles).toBe(records.length);

  const metrics = await whenAvailable(() => adapter.metrics());
  const count = (name: string) => metrics.get(`otaops_messages_${name}_total`) ?? NaN;
  expect(count('applied')).toBe(total);
  expect(count('dead_letter')).toBe(0);
  expect(count('received')).toBe(count('applied') + count('duplicate'));
}

/** Prints when the missing messages were acknowledged, to compare with the faults at that time. */
async function tellMissing(
  adapter: AdapterUnderTest,
  refId: string,
  records: readonly VehicleRecord[],
): Promise<void> {
  const perSecond = new Map<string, number>();
  for (const { vin, acknowledged } of records) {
    const { history } = await vehicleOf(adapter, refId, vin);
    const stored = new Set(history.map(({ message_id }) => message_id));
    for (const [messageId, at] of acknowledged) {
      if (stored.has(messageId)) continue;
      const second = clockOf(at);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
  }
  for (const [second, missing] of [...perSecond].sort()) {
    say(`missing: ${missing} acknowledged in second ${second}`);
  }
}

/** Prints the adapter's records of vehicles that were never triggered. */
async function tellUntriggered(
  adapter: AdapterUnderTest,
  refId: string,
  records: readonly VehicleRecord[],
): Promise<void> {
  const silent = records.filter(({ triggers }) => triggers.size === 0);
  say(`${silent.length} vehicles were never triggered, for example:`);
  for (const { vin } of silent.slice(0, 5)) {
    const answer = await vehicleOf(adapter, refId, vin);
    say(JSON.stringify({ ...answer, history: undefined }));
  }
}
