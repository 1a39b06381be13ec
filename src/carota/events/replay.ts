/** Replays refused events as if they had just been received, after the cause has been fixed. */
import { type RefusalReason, type ReplayTally } from '../../contract/carota-api/index.js';
import { type Database } from '../../service/database/index.js';
import { replayPages } from '../../service/replay-pages.js';
import { type Arrived, sortOut } from './arrived.js';
import {
  listRefusedEvents,
  markReplayed,
  type RefusedEventMatch,
  type RefusedEventRow,
} from './refused-events.js';
import { takeEvents } from './take-events.js';

export type Replayed = Omit<ReplayTally, 'more'>;

/**
 * @param now ms
 * @returns the outcomes, and the reasons of the refused events
 */
export async function replay(
  database: Database,
  events: readonly RefusedEventRow[],
  now: number,
): Promise<Replayed & { reasons: RefusalReason[] }> {
  const arrived = events.map(({ id, event }) => ({
    id,
    json: JSON.parse(event) as unknown,
    text: () => event,
  }));
  const { candidates, refused: invalid } = sortOut(arrived);
  const taken = await takeEvents(database, candidates, now);
  const refused = [...invalid, ...taken.refused];
  const still = new Set<() => string>(refused.map(({ arrived: { text } }) => text));
  const done = arrived.filter(({ text }: Arrived) => !still.has(text)).map(({ id }) => id);
  await markReplayed(database, done, now);
  return {
    stored: taken.stored,
    duplicates: done.length - taken.stored,
    refused: refused.length,
    reasons: refused.map(({ refusal }) => refusal.reason),
  };
}

/**
 * Replays matching events that were not replayed yet, in the order in which they were set aside.
 *
 * @param limit maximum number replayed
 * @param clock ms
 * @returns `more`: whether there are more than the limit
 */
export async function replayMatching(
  database: Database,
  filter: RefusedEventMatch,
  limit: number,
  clock: () => number,
): Promise<Replayed & { more: boolean }> {
  const tally = { stored: 0, duplicates: 0, refused: 0, more: false };
  tally.more = await replayPages<RefusedEventRow>(
    limit,
    (last, pageSize) =>
      listRefusedEvents(
        database,
        { ...filter, replayed: false },
        { order: 'oldest', beyond: last?.id, limit: pageSize },
      ),
    async (events) => {
      const { stored, duplicates, refused } = await replay(database, events, clock());
      tally.stored += stored;
      tally.duplicates += duplicates;
      tally.refused += refused;
    },
  );
  return tally;
}
