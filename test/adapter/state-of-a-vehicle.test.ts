/**
 * Contract section 5 as a property: whatever the order, grouping and number of arrivals of a vehicle's messages, the state,
 * the history and the counters are the same, and equal to the pure function of the set of messages.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchRow, ingestBatch } from '../../src/adapter/d2c-receiver/index.js';
import { type Database } from '../../src/service/database/index.js';
import {
  acceptTrigger,
  findDelivery,
  findOperation,
  history,
  retriggerVehicle,
} from '../../src/adapter/operations/index.js';
import { registerVehicles } from '../../src/adapter/registry/index.js';
import {
  cloudMessageId,
  EVENT_STATUS,
  type AppliedMessage,
  eventTimeOf,
  topicTemplate,
  vehicleState,
} from '../../src/contract/index.js';
import { TESTER } from '../support/adapter.js';
import { openTestDatabase } from '../support/databases.js';
import { byDepth, seed } from '../support/depth.js';
import { ackBytes, eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';

const SETS = byDepth({ quick: 80, full: 2_000 });
const SETS_A_RUN = 40;
const ORDERS = 3;
const RECEIVED_AT = Date.UTC(2026, 5, 1, 12);
const d2cTopic = topicTemplate('d2c/{system_id}');

/** A message of one vehicle; the trigger it answers is filled in later. */
interface Draft {
  readonly id: number;
  readonly kind: 'ack' | 'event';
  readonly answers: 1 | 2 | 'unknown';
  readonly status: number;
  readonly timestamp: number;
  readonly time: number;
}

const seconds = Math.floor(RECEIVED_AT / 1000);
/** Few different times, so that many are equal; some in ms, some implausible. */
const wireTime = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: seconds - 3, max: seconds }) },
  { weight: 3, arbitrary: fc.integer({ min: RECEIVED_AT - 2_000, max: RECEIVED_AT }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, -5, 86_400, seconds + 200_000, 9e15, 1e300) },
);
const draft: fc.Arbitrary<Draft> = fc.record({
  id: fc.integer({ min: 0, max: 99 }),
  kind: fc.constantFrom<Draft['kind'][]>('event', 'event', 'event', 'event', 'ack'),
  answers: fc.constantFrom<Draft['answers'][]>(2, 2, 2, 1, 'unknown'),
  status: fc.oneof(fc.constantFrom(...Object.values(EVENT_STATUS), 15, 16), fc.constant(77)),
  timestamp: wireTime,
  time: wireTime,
});
const setOfMessages = fc.record({
  messages: fc.uniqueArray(draft, { maxLength: 40, selector: ({ id }) => id }),
  retriggered: fc.boolean(),
});
type MessageSet = typeof setOfMessages extends fc.Arbitrary<infer T> ? T : never;

/** An order of arrival with repetitions, split into batches. */
const arrival = fc.record({ seed: fc.nat(), repeated: fc.double({ min: 0, max: 1, noNaN: true }) });

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let vehicles = 0;
  let runs = 0;

  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
  });
  afterAll(() => close());

  /** Ingests each set for a vehicle of its own, and returns the results. */
  async function arrive(sets: readonly MessageSet[], order: { seed: number; repeated: number }) {
    const refId = `run ${++runs}`;
    const fleet = sets.map(() => vehicleOf(++vehicles));
    await registerVehicles(
      database,
      0,
      fleet.map(({ vin, systemId }) => ({ vin, system_id: systemId })),
      RECEIVED_AT,
    );
    const vins = fleet.map(({ vin }) => vin);
    await acceptTrigger(
      database,
      {
        time: seconds,
        version: 'v1',
        body: { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins },
      },
      { shard: 0, by: 'test', now: RECEIVED_AT },
    );
    const operation = await findOperation(database, refId);
    if (!operation) throw new Error('no operation');
    const triggers = await triggersOf(operation.id, fleet, sets);
    const messages = sets.flatMap((set, i) =>
      set.messages.map((message) => {
        const vehicle = fleet[i];
        if (!vehicle) throw new Error('more sets than vehicles');
        const trigger = triggers.get(vehicle.vin)?.[Number(message.answers) - 1];
        return {
          topic: d2cTopic.of(vehicle.systemId),
          payload: payload(vehicle, refId, message, trigger),
          receivedAt: RECEIVED_AT,
          publisher: vehicle.systemId,
        };
      }),
    );

    const shuffled = shuffle(messages, order);
    let received = 0;
    let applied = 0;
    for (const batch of shuffled) {
      const rows = batch.map((message) => batchRow(message, d2cTopic));
      const outcome = await ingestBatch(database, 1, rows);
      received += outcome.received;
      applied += outcome.applied;
      expect(outcome.reasons).toEqual({});
      expect(outcome.applied + outcome.duplicates + outcome.deadLetters).toBe(outcome.received);
    }
    expect(received).toBe(shuffled.flat().length);
    expect(applied).toBe(messages.length);
    return {
      states: await Promise.all(
        fleet.map(async ({ vin }) => {
          const row = await findDelivery(database, operation.id, vin);
          return { delivery: row?.delivery, state: row?.state, paused: row?.paused };
        }),
      ),
      histories: await Promise.all(
        fleet.map(async ({ vin }) =>
          (await history(database, operation.id, vin)).map((row) => ({
            id: row.message_id,
            attempt: row.attempt,
            at: row.event_at.getTime(),
            status: row.status,
          })),
        ),
      ),
      progress: (await findOperation(database, refId))?.progress,
    };
  }

  /** Sends each vehicle its trigger, and retriggers it if the set says so. @returns the triggers by attempt */
  async function triggersOf(
    operationId: number,
    fleet: readonly TestVehicle[],
    sets: readonly MessageSet[],
  ): Promise<Map<string, string[]>> {
    await database.query(
      `update deliveries set delivery = 'sent', state = 'sent' where operation_id = $1`,
      [operationId],
    );
    await database.query(`update operation_counters set state = 'sent' where operation_id = $1`, [
      operationId,
    ]);
    for (const [i, { vin }] of fleet.entries()) {
      if (sets[i]?.retriggered) {
        const options = { shard: 0, now: RECEIVED_AT, by: TESTER };
        await retriggerVehicle(database, operationId, vin, options);
      }
    }
    const rows = await database.query<{ vin: string; ids: string[] }>(
      `select vin, coalesce(earlier_trigger_ids, '{}') || trigger_id as ids
       from deliveries where operation_id = $1`,
      [operationId],
    );
    return new Map(rows.map(({ vin, ids }) => [vin, ids]));
  }

  test(`${SETS} sets of messages give the state, history and counters of the pure function`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(setOfMessages, { minLength: SETS_A_RUN, maxLength: SETS_A_RUN }),
        fc.array(arrival, { minLength: ORDERS, maxLength: ORDERS }),
        async (sets, orders) => {
          const expected = sets.map(expectedState);
          let first: Awaited<ReturnType<typeof arrive>> | undefined;
          for (const order of orders) {
            const result = await arrive(sets, order);
            first ??= result;
            expect(result.states).toEqual(expected);
            expect(result.histories).toEqual(first.histories);
            expect(result.progress).toEqual(first.progress);
          }
          expect(first?.progress?.states).toEqual(countBy(expected.map(({ state }) => state)));
          expect(first?.progress?.paused).toBe(expected.filter(({ paused }) => paused).length);
        },
      ),
      { numRuns: SETS / SETS_A_RUN, seed, endOnFailure: true },
    );
  });
});

function payload(
  vehicle: TestVehicle,
  refId: string,
  message: Draft,
  trigger: string | undefined,
): Buffer {
  const messageId = `msg-dev-${message.id}`;
  const correlationId = trigger === undefined ? 'msg-cld-nobody' : cloudMessageId(trigger);
  return effectiveKind(message) === 'ack'
    ? ackBytes(vehicle, { messageId, correlationId, time: message.time })
    : eventBytes(vehicle, { ...message, messageId, correlationId, refId });
}

/** An acknowledgement of an unknown trigger would be a dead letter; here it is sent as an event. */
function effectiveKind(message: Draft): 'ack' | 'event' {
  return message.kind === 'ack' && message.answers === 1 ? 'ack' : 'event';
}

function expectedState({ messages, retriggered }: MessageSet) {
  const newest = retriggered ? 2 : 1;
  const applied = messages.map((message): AppliedMessage => {
    const common = {
      messageId: `msg-dev-${message.id}`,
      attempt: message.answers === 1 ? 1 : newest,
    };
    return effectiveKind(message) === 'ack'
      ? { ...common, kind: 'ack', eventTime: 0 }
      : {
          ...common,
          kind: 'event',
          eventTime: eventTimeOf(message.timestamp, message.time, RECEIVED_AT),
          status: message.status,
        };
  });
  return vehicleState(retriggered ? 'pending' : 'sent', newest, applied);
}

function countBy(states: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const state of states) {
    const name = state.startsWith('unknown(') ? 'unknown' : state;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** All messages at least once, some repeatedly, in random order, in batches of random size. */
function shuffle<T>(messages: readonly T[], order: { seed: number; repeated: number }): T[][] {
  let state = order.seed + 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const all = [...messages, ...messages.filter(() => random() < order.repeated / 2)]
    .map((message) => ({ message, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ message }) => message);
  const batches: T[][] = [];
  for (let i = 0; i < all.length;) {
    const size = 1 + Math.floor(random() * (random() < 0.3 ? 5 : 400));
    batches.push(all.slice(i, i + size));
    i += size;
  }
  return batches;
}
