/** The history is partitioned and dropped by weeks; duplicates of dropped messages are still recognised. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchRow, ingestBatch } from '../../src/adapter/d2c-receiver/index.js';
import { type Database } from '../../src/service/database/index.js';
import { expireDeadLetters, listDeadLetters } from '../../src/adapter/dead-letters/index.js';
import { dropHistory, ensurePartitions } from '../../src/adapter/maintenance.js';
import { acceptTrigger, findOperation, history } from '../../src/adapter/operations/index.js';
import { registerVehicles } from '../../src/adapter/registry/index.js';
import { topicTemplate } from '../../src/contract/index.js';
import { openTestDatabase } from '../support/databases.js';
import { eventBytes, vehicleOf } from '../support/messages.js';

const DAY = 24 * 60 * 60 * 1000;
/** A Wednesday. */
const START = Date.UTC(2026, 5, 3, 12);
const vehicle = vehicleOf(1);
const d2cTopic = topicTemplate('d2c/{system_id}');

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let operationId: number;

  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
    await ensurePartitions(database, START);
    await registerVehicles(database, 0, [{ vin: vehicle.vin, system_id: vehicle.systemId }], START);
    const body = { model: 'm', 'ref-id': 'r', 'script-ref-id': 's', vins: [vehicle.vin] };
    const event = { time: START, version: 'v1' as const, body };
    await acceptTrigger(database, event, { shard: 0, by: 'test', now: START });
    operationId = (await findOperation(database, 'r'))?.id ?? 0;
  });
  afterAll(() => close());

  const arrive = (day: number, receivedAt = START + day * DAY) =>
    ingestBatch(database, 1, [
      batchRow(
        {
          topic: d2cTopic.of(vehicle.systemId),
          payload: eventBytes(vehicle, {
            messageId: `msg-dev-${day}`,
            correlationId: '',
            refId: 'r',
            status: 'downloading',
            timestamp: START + day * DAY,
          }),
          receivedAt,
          publisher: null,
        },
        d2cTopic,
      ),
    ]);
  const days = async () =>
    (await history(database, operationId, vehicle.vin)).map((row) => row.message_id);

  test('each week has a partition; messages of other weeks are stored too', async () => {
    for (const day of [0, 7, 14, 21, -40]) expect(await arrive(day)).toMatchObject({ applied: 1 });
    const rows = await database.query<{ partition: string }>(
      'select tableoid::regclass::text as partition from messages order by received_at',
    );
    expect(rows.map(({ partition }) => partition)).toEqual([
      'messages_elsewhen',
      'messages_2026w23',
      'messages_2026w24',
      'messages_2026w25',
      'messages_2026w26',
    ]);
  });

  test('a message repeated in another week is a duplicate', async () => {
    expect(await arrive(0, START + 16 * DAY)).toMatchObject({ applied: 0, duplicates: 1 });
  });

  test('whole weeks are dropped, and their messages are still recognised', async () => {
    // In the middle of the second week only the first is over: two partitions, of the messages and of the delivery log.
    // The message outside all partitions is older, and is deleted too.
    expect(await dropHistory(database, START + 8 * DAY)).toBe(2);
    expect(await days()).toEqual(['msg-dev-7', 'msg-dev-14', 'msg-dev-21']);
    expect(await dropHistory(database, START + 8 * DAY)).toBe(0);
    expect(await arrive(0, START + 20 * DAY)).toMatchObject({ applied: 0, duplicates: 1 });
    const operation = await findOperation(database, 'r');
    expect(operation?.progress.states).toEqual({ downloading: 1 });
  });

  test('dead letters expire, and the totals still count them', async () => {
    const bad = (receivedAt: number) =>
      ingestBatch(database, 1, [
        batchRow(
          {
            topic: d2cTopic.of(vehicle.systemId),
            payload: Buffer.from(`no message ${receivedAt}`),
            receivedAt,
            publisher: null,
          },
          d2cTopic,
        ),
      ]);
    await bad(START);
    await bad(START + 10 * DAY);
    expect(await expireDeadLetters(database, START + 5 * DAY)).toBe(1);
    const filter = { before: undefined, limit: 10 };
    const { rows: letters } = await listDeadLetters(database, {}, filter);
    expect(letters.map((letter) => letter.received_at.getTime())).toEqual([START + 10 * DAY]);
    const [totals] = await database.query<{ n: number }>(
      'select sum(dead_letters)::bigint as n from message_totals',
    );
    expect(totals?.n).toBe(2);
  });
});
