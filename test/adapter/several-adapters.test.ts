/** Several adapters on one database: no deadlock, nothing lost, nothing counted twice. */
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchRow, ingestBatch } from '../../src/adapter/d2c-receiver/index.js';
import { type Database, migrate, openPostgres } from '../../src/service/database/index.js';
import { acceptTrigger, findOperation, setPaused } from '../../src/adapter/operations/index.js';
import { claimDueTriggers } from '../../src/adapter/c2d-sender/claim.js';
import { recordSends } from '../../src/adapter/c2d-sender/record-sends.js';
import { registerVehicles } from '../../src/adapter/registry/index.js';
import { createFirstToken } from '../../src/service/access/index.js';
import { EVENT_STATUS, topicTemplate } from '../../src/contract/index.js';
import { TESTER } from '../support/adapter.js';
import { emptyPostgresUrl } from '../support/databases.js';
import { eventBytes, vehicleOf } from '../support/messages.js';

const ADAPTERS = 4;
const VEHICLES = 100;
const MESSAGES = 12_000;
const d2cTopic = topicTemplate('d2c/{system_id}');
const statuses = Object.values(EVENT_STATUS);

describe('4 adapters on the same 100 vehicles', () => {
  let adapters: Database[];
  const fleet = Array.from({ length: VEHICLES }, (_, n) => vehicleOf(n));
  const now = Date.now();

  beforeAll(async () => {
    const url = await emptyPostgresUrl();
    adapters = Array.from({ length: ADAPTERS }, () => openPostgres({ url }));
    await Promise.all(adapters.map((database) => migrate(database, ADAPTER_SCHEMA)));
    const [first] = adapters as [Database];
    await registerVehicles(
      first,
      0,
      fleet.map(({ vin, systemId }) => ({ vin, system_id: systemId })),
      now,
    );
    for (const refId of ['one', 'two']) {
      const vins = fleet.map(({ vin }) => vin);
      const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins };
      await acceptTrigger(first, { time: now, version: 'v1', body }, { shard: 0, by: 'test', now });
    }
  });
  afterAll(() => Promise.all(adapters.map((database) => database.close())));

  test('the initial admin token is created once', async () => {
    const keep = () => Promise.resolve();
    const tokens = await Promise.all(
      adapters.map((database) => createFirstToken(database, now, keep)),
    );
    expect(tokens.filter((token) => token !== undefined)).toHaveLength(1);
  });

  test('receive messages and send triggers without deadlocks', async () => {
    // Every message goes to two adapters, in different orders.
    const messages = Array.from({ length: MESSAGES }, (_, n) => {
      const vehicle = fleet[(n * 37) % VEHICLES] ?? vehicleOf(0);
      const payload = eventBytes(vehicle, {
        messageId: `msg-dev-${n}`,
        correlationId: 'msg-cld-x',
        refId: n % 3 === 0 ? 'two' : 'one',
        status: statuses[(n * 13) % statuses.length] ?? 1,
        timestamp: Math.floor(now / 1000) - (n % 50),
      });
      const topic = d2cTopic.of(vehicle.systemId);
      return batchRow({ topic, payload, receivedAt: now, publisher: null }, d2cTopic);
    });
    const deadlocks = () =>
      adapters[0]?.query<{ deadlocks: number }>(
        'select deadlocks from pg_stat_database where datname = current_database()',
      );
    const before = await deadlocks();
    let applied = 0;
    let received = 0;
    const ingesting = adapters.map(async (database, adapter) => {
      for (let start = 0; start < MESSAGES; start += 250) {
        const chunk = (start / 250 + adapter * 7) % (MESSAGES / 250);
        if ((chunk + adapter) % 2 === 0) continue;
        const batch = messages.slice(chunk * 250, chunk * 250 + 250);
        const outcome = await ingestBatch(database, adapter, adapter % 2 ? batch : batch.reverse());
        applied += outcome.applied;
        received += outcome.received;
      }
    });
    const sending = adapters.map(async (database, adapter) => {
      for (let round = 0; round < 20; round++) {
        const claim = await claimDueTriggers(database, now + round, 1, 40);
        const outcomes = claim.triggers.map(({ operation_id, ref_id, trigger_id, vin }) => ({
          operationId: operation_id,
          refId: ref_id,
          vin,
          messageId: trigger_id,
          outcome: 'sent' as const,
          dueAt: now + round,
        }));
        await recordSends(database, 10 + adapter, claim.id, outcomes, now);
      }
    });
    await Promise.all([...ingesting, ...sending]);
    expect(applied).toBe(MESSAGES);
    expect(received).toBe(2 * MESSAGES);
    expect(await deadlocks()).toEqual(before);
  });

  test('afterwards the counters equal a recount', async () => {
    const [database] = adapters as [Database];
    for (const refId of ['one', 'two']) {
      const operation = await findOperation(database, refId);
      const counted = await database.query<{ state: string; vehicles: number }>(
        `select counter_of(state) as state, count(*) as vehicles from deliveries
         where operation_id = $1 group by 1`,
        [operation?.id ?? 0],
      );
      expect(operation?.progress.states).toEqual(
        Object.fromEntries(counted.map(({ state, vehicles }) => [state, vehicles])),
      );
    }
    const [totals] = await database.query<{ received: number; applied: number }>(
      `select sum(received)::bigint as received, sum(applied)::bigint as applied
       from message_totals`,
    );
    expect(totals).toEqual({ received: 2 * MESSAGES, applied: MESSAGES });
  });

  test('a trigger is claimed by one sender', async () => {
    const [first] = adapters as [Database];
    const vins = fleet.map(({ vin }) => vin);
    const body = { model: 'm', 'ref-id': 'three', 'script-ref-id': 's', vins };
    for (const refId of ['one', 'two']) {
      const id = (await findOperation(first, refId))?.id ?? 0;
      await setPaused(first, id, true, { now, by: TESTER });
    }
    await acceptTrigger(first, { time: now, version: 'v1', body }, { shard: 0, by: 'test', now });
    const claims = await Promise.all(
      adapters.map((database) => claimDueTriggers(database, now, 25_000, 60)),
    );
    const claimed = claims.flatMap(({ triggers }) => triggers.map(({ vin }) => vin));
    expect(new Set(claimed).size).toBe(claimed.length);
    // Triggers without a recorded send are due again after the lease, and not earlier.
    const rest = await claimDueTriggers(first, now + 24_999, 25_000, 1_000);
    expect(claimed.length + rest.triggers.length).toBe(VEHICLES);
    expect((await claimDueTriggers(first, now + 25_000, 25_000, 1_000)).triggers).toHaveLength(
      claimed.length,
    );
  });
});
