/** Pages of the event stream: with any limit and filter, they hold each event once and cost only what they hold. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  assignPositions,
  pullEvents,
  readEvents,
} from '../../../src/adapter/event-stream/index.js';
import { type Database, type Queryable } from '../../../src/service/database/index.js';
import { openTestDatabase } from '../../support/databases.js';
import { cases } from '../../support/depth.js';
import { type EventSource, eventSource } from '../../support/events.js';
import { vehicleOf } from '../../support/messages.js';

const FLEET = Array.from({ length: 7 }, (_, n) => vehicleOf(n, 'PUL'));
const REF_IDS = ['odd', 'even'];
const BATCHES = 150;

let database: Database;
let close: () => Promise<void>;
/** Every event, in the order in which one writer stored them. */
const stored: { position: number; refId: string; vin: string }[] = [];
let end: number;

beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
  const sources = new Map<string, EventSource>();
  for (const refId of REF_IDS) sources.set(refId, await eventSource(database, refId, FLEET));
  for (let n = 0; n < BATCHES; n++) {
    const vehicles = FLEET.slice(0, 1 + (n % FLEET.length));
    const meta = n % 10 === 7 ? [{ key: 'log', value: 'x'.repeat(150_000) }] : [];
    const refId = REF_IDS[n % 2] ?? '';
    await sources
      .get(refId)
      ?.store(vehicles.map((vehicle) => ({ vehicle, status: 'downloading', n, meta })));
    for (const { vin } of vehicles) stored.push({ position: stored.length + 1, refId, vin });
  }
  end = await assignPositions(database);
  expect(end).toBe(stored.length);
});
afterAll(() => close());

const filters = fc.record(
  {
    refId: fc.constantFrom(...REF_IDS, 'unknown'),
    vin: fc.constantFrom(...FLEET.map(({ vin }) => vin), 'UNKNOWN'),
  },
  { requiredKeys: [] },
);

test('successive pages hold each matching event once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      filters,
      fc.integer({ min: 1, max: 700 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 400 }),
      async (filter, limit, examined, start) => {
        const pulled: number[] = [];
        for (let place = start; place < end;) {
          const upto = Math.min(end, place + limit * examined);
          const page = await pullEvents(database, place, upto, limit, filter);
          expect(page.events.length).toBeLessThanOrEqual(limit);
          expect(page.upto).toBeGreaterThan(place);
          expect(page.upto).toBeLessThanOrEqual(upto);
          pulled.push(...page.events.map(({ position }) => position));
          place = page.upto;
        }
        const expected = stored.filter(
          ({ position, refId, vin }) =>
            position > start && (filter.refId ?? refId) === refId && (filter.vin ?? vin) === vin,
        );
        expect(pulled).toEqual(expected.map(({ position }) => position));
      },
    ),
    cases({ quick: 20, full: 200 }),
  );
});

test('a page cut off by the limit of bytes is not the last', async () => {
  const upto: number[] = [];
  for (let place = 0; place < end;) {
    const page = await pullEvents(database, place, end, end, {});
    place = page.upto;
    upto.push(place);
  }
  expect(upto.length).toBeGreaterThan(1);
});

/** Numbers of message rows and batch rows that the session has read. */
async function rowsRead(session: Queryable): Promise<{ messages: number; batches: number }> {
  const [rows] = await session.query<{ messages: number; batches: number }>(
    `select sum(read) filter (where relname like 'messages%')::int as messages,
       sum(read) filter (where relname = 'event_batches')::int as batches
     from pg_stat_xact_user_tables, lateral (select seq_tup_read + idx_tup_fetch as read) rows`,
  );
  return rows ?? { messages: NaN, batches: NaN };
}

// With the plan that PostgreSQL uses for a partition without statistics.
test('a page reads the rows of its range, and none of the events before or after it', async () => {
  for (const filter of [{}, { refId: 'odd' }, { vin: FLEET[0]?.vin ?? '' }]) {
    await database.transaction(async (tx) => {
      // With statistics, PostgreSQL may rightly prefer to scan the table for so few batches.
      await tx.query('set local enable_seqscan = off');
      const before = await rowsRead(tx);
      await readEvents(tx, 200, 220, filter);
      const { messages, batches } = await rowsRead(tx);
      expect(messages - before.messages).toBeGreaterThanOrEqual(20);
      expect(messages - before.messages).toBeLessThanOrEqual(40);
      expect(batches - before.batches).toBeLessThanOrEqual(15);
    });
  }
});
