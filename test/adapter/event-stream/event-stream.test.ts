/** The event stream: all committed events, once, without gaps, in order per vehicle. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import {
  EventStream,
  positionBefore,
  assignPositions,
  readEvents,
  type StreamEvent,
} from '../../../src/adapter/event-stream/index.js';
import { eventually } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';
import { eventSource } from '../../support/events.js';
import { vehicleOf } from '../../support/messages.js';

const FLEET = Array.from({ length: 12 }, (_, n) => vehicleOf(n, 'STR'));

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
  });
  afterAll(() => close());

  test('with concurrent writers, a reader that never looks back misses nothing and sees the right order', async () => {
    const { store } = await eventSource(database, 'side-by-side', FLEET);
    const ROUNDS = 30;
    const WRITERS = 4;
    const failures: Error[] = [];
    const stream = new EventStream({ database, onFailure: (error) => failures.push(error) });
    await stream.start();
    const stopped = new AbortController();
    const seen: StreamEvent[] = [];
    const reading = (async () => {
      for (let place = 0; !stopped.signal.aborted;) {
        await stream.beyond(place, stopped.signal);
        const upto = Math.min(place + 7, stream.position);
        const read = await readEvents(database, place, upto);
        seen.push(...read.events);
        place = read.upto;
      }
    })();
    // Each vehicle's events are in sequence; vehicles and writers are interleaved.
    const made = new Map(FLEET.map(({ vin }) => [vin, 0]));
    const writer = async (shard: number) => {
      for (let round = 0; round < ROUNDS; round++) {
        const some = FLEET.filter((_, n) => (n * 7 + round * 3 + shard) % 5 < 3);
        const events = some.map((vehicle) => {
          const n = (made.get(vehicle.vin) ?? 0) + 1;
          made.set(vehicle.vin, n);
          return { vehicle, status: 'downloading' as const, n: `${shard}-${round}-${n}` };
        });
        await store(events, shard);
        stream.committed();
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, shard) => writer(shard)));
    const total = [...made.values()].reduce((sum, n) => sum + n, 0);
    await eventually(
      () => Promise.resolve(seen.length),
      (length) => length >= total,
    );
    stopped.abort();
    await reading;
    await stream.stop();
    expect(failures).toEqual([]);
    expect(seen.map(({ position }) => position)).toEqual(
      Array.from({ length: total }, (_, n) => n + 1),
    );
    expect(new Set(seen.map(({ message_id }) => message_id)).size).toBe(total);
    // One writer stores its batches one after another, so its events of a vehicle are in order.
    for (const { vin } of FLEET) {
      for (let shard = 0; shard < WRITERS; shard++) {
        const rounds = seen
          .filter((event) => event.vin === vin)
          .map((event) => event.message_id.split('-').slice(-3).map(Number))
          .filter(([writerOf]) => writerOf === shard)
          .map(([, round]) => round ?? 0);
        expect(rounds).toEqual([...rounds].sort((a, b) => a - b));
      }
    }
  });

  test('a batch keeps the order in which its messages arrived', async () => {
    const { store } = await eventSource(database, 'in-order', FLEET);
    const before = await assignPositions(database);
    const [first, second] = FLEET as [(typeof FLEET)[0], (typeof FLEET)[0]];
    await store([
      { vehicle: second, status: 'received', n: 'a' },
      { vehicle: first, status: 'success', n: 'b' },
      { vehicle: first, status: 'received', n: 'c' },
      { vehicle: second, status: 'downloading', n: 'd' },
    ]);
    const after = await assignPositions(database);
    const { events } = await readEvents(database, before, after);
    expect(events.map(({ message_id }) => message_id.slice(-1))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('filters by operation and vehicle', async () => {
    const one = await eventSource(database, 'filter-one', FLEET);
    const two = await eventSource(database, 'filter-two', FLEET);
    const [vehicle, other] = FLEET as [(typeof FLEET)[0], (typeof FLEET)[0]];
    const before = await assignPositions(database);
    await one.store([{ vehicle, status: 'received', n: 'f1' }]);
    await two.store([
      { vehicle, status: 'received', n: 'f2' },
      { vehicle: other, status: 'received', n: 'f3' },
    ]);
    const after = await assignPositions(database);
    const read = async (filter: object) =>
      (await readEvents(database, before, after, filter)).events.map(({ message_id }) =>
        message_id.slice(-2),
      );
    expect(await read({})).toEqual(['f1', 'f2', 'f3']);
    expect(await read({ refId: 'filter-two' })).toEqual(['f2', 'f3']);
    expect(await read({ vin: vehicle.vin })).toEqual(['f1', 'f2']);
    expect(await read({ refId: 'filter-one', vin: other.vin })).toEqual([]);
  });

  test('reads are limited in bytes, and nothing is left out', async () => {
    const { store } = await eventSource(database, 'bulky', FLEET);
    const before = await assignPositions(database);
    const meta = [{ key: 'log', value: 'x'.repeat(150_000) }];
    for (let n = 0; n < 4; n++) {
      await store(FLEET.map((vehicle) => ({ vehicle, status: 'downloading', n: `b${n}`, meta })));
    }
    const after = await assignPositions(database);
    expect(after - before).toBe(48);
    const sizes: number[] = [];
    for (let place = before; place < after;) {
      const { events, upto } = await readEvents(database, place, after);
      expect(events.map(({ position }) => position)).toEqual(
        Array.from({ length: upto - place }, (_, n) => place + n + 1),
      );
      sizes.push(events.length);
      place = upto;
    }
    expect(sizes).toEqual([28, 20]);
  });

  test('a position is found by time', async () => {
    const { store } = await eventSource(database, 'by-time', FLEET);
    const [vehicle] = FLEET as [(typeof FLEET)[0]];
    const later = Date.now() + 60_000;
    const before = await assignPositions(database);
    await store([{ vehicle, status: 'received', n: 't1' }], 1, later);
    await store([{ vehicle, status: 'downloading', n: 't2' }], 1, later + 5_000);
    const after = await assignPositions(database);
    expect(await positionBefore(database, later)).toBe(before);
    expect(await positionBefore(database, later + 1)).toBe(before + 1);
    expect(await positionBefore(database, later + 5_001)).toBe(after);
  });
});

test('a transaction that commits late is not skipped, and other adapters notice it', async () => {
  const { database, url, close } = await openTestDatabase();
  const other = openPostgres({ url });
  const failures: Error[] = [];
  const stream = new EventStream({ database: other, onFailure: (error) => failures.push(error) });
  await stream.start();
  const { operationId, store } = await eventSource(database, 'late', FLEET);
  const [slow, quick] = FLEET as [(typeof FLEET)[0], (typeof FLEET)[0]];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  // Gets the first batch id, and commits last.
  const late = database.transaction(async (tx) => {
    const now = new Date();
    const rows = await tx.query<{ id: number }>(
      `insert into event_batches (events, first_at, last_at) values (1, $1, $1) returning id`,
      [now],
    );
    await tx.query(
      `insert into messages (received_at, event_at, operation_id, attempt, vin, system_id,
           sub_system_id, message_id, correlation_id, status, device_id, device_type, meta, batch, nr)
         values ($1, $1, $2, 1, $3, $4, '', 'late', '', 1, '', '', '[]', $5, 1)`,
      [now, operationId, slow.vin, slow.systemId, rows[0]?.id ?? 0],
    );
    await held;
  });
  await store([{ vehicle: quick, status: 'received', n: 'quick' }]);
  await stream.beyond(0, AbortSignal.timeout(10_000));
  expect(stream.position).toBe(1);
  expect(
    (await readEvents(other, 0, 1)).events.map(({ message_id }) => message_id.slice(-5)),
  ).toEqual(['quick']);
  release();
  await late;
  await stream.beyond(1, AbortSignal.timeout(10_000));
  expect((await readEvents(other, 1, 2)).events.map(({ message_id }) => message_id)).toEqual([
    'late',
  ]);
  expect(failures).toEqual([]);
  await stream.stop();
  await other.close();
  await close();
});
