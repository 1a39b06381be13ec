/** Takes events that were put aside once more, as if they had just been called back: after the cause was fixed. */
import { type RefusalReason } from '../../contract/carota-api/index.js';
import { type Database } from '../../service/database/index.js';
import { type Arrived, sortOut } from './arrived.js';
import {
  listRefusedEvents,
  markReplayed,
  type RefusedEventFilter,
  type RefusedEventRow,
} from './refused-events.js';
import { takeEvents } from './take-events.js';

export interface Replayed {
  stored: number;
  duplicate: number;
  /** Their cause still stands; they stay. */
  refused: number;
}

/**
 * @param now ms
 * @returns what became of them, and why those were refused that were
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
    duplicate: done.length - taken.stored,
    refused: refused.length,
    reasons: refused.map(({ refusal }) => refusal.reason),
  };
}

const PAGE = 200;

/**
 * Those that match and were not replayed yet, in the order in which they were put aside.
 *
 * @param limit most that are replayed
 * @param clock ms
 * @returns `more`: whether there are more than the limit
 */
export async function replayMatching(
  database: Database,
  filter: RefusedEventFilter,
  limit: number,
  clock: () => number,
): Promise<Replayed & { more: boolean }> {
  const tally = { stored: 0, duplicate: 0, refused: 0, more: false };
  let beyond: string | undefined;
  for (let left = limit; ;) {
    const { events, isFull } = await listRefusedEvents(
      database,
      { ...filter, replayed: false },
      { order: 'oldest', beyond, limit: Math.min(PAGE, left + 1) },
    );
    const { stored, duplicate, refused } = await replay(database, events.slice(0, left), clock());
    tally.stored += stored;
    tally.duplicate += duplicate;
    tally.refused += refused;
    tally.more = events.length > left;
    left -= events.length;
    beyond = events.at(-1)?.id;
    if (!isFull || left < 0 || beyond === undefined) return tally;
  }
}
