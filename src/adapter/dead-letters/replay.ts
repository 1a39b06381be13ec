/** Replays dead letters as if they had just arrived, once the cause is fixed. */
import { type ReplayResult, type ReplayTally } from '../../contract/adapter-api/index.js';
import { type BatchOutcome, type Received } from '../d2c-receiver/index.js';
import { type Database } from '../../service/database/index.js';
import {
  type DeadLetterRow,
  type DeadLetterMatch,
  type DeadLetterPosition,
  listDeadLetters,
  markReplayed,
} from './dead-letters.js';

export interface ReplayOptions {
  readonly database: Database;
  readonly ingestOne: (received: Received) => Promise<BatchOutcome>;
  /** ms */
  readonly clock: () => number;
}

export async function replay(letter: DeadLetterRow, options: ReplayOptions): Promise<ReplayResult> {
  const outcome = await options.ingestOne({
    topic: letter.topic,
    payload: letter.payload,
    // Its times were settled by its first arrival (contract section 5.3).
    receivedAt: letter.received_at.getTime(),
    publisher: null,
  });
  const [reason = null] = Object.keys(outcome.reasons);
  if (reason !== null) return { outcome: 'refused', reason };
  await markReplayed(options.database, letter.id, options.clock());
  return { outcome: outcome.applied === 1 ? 'applied' : 'duplicate', reason: null };
}

const PAGE = 200;

/**
 * Those that match and were not replayed yet, newest first: which of them was sent first does not
 * matter to the state (contract section 5).
 *
 * @param limit most that are replayed
 */
export async function replayMatching(
  filter: DeadLetterMatch,
  limit: number,
  options: ReplayOptions,
): Promise<ReplayTally> {
  const tally: ReplayTally = { applied: 0, duplicate: 0, refused: 0, more: false };
  let before: DeadLetterPosition | undefined;
  for (let left = limit; ;) {
    const { letters, isFull } = await listDeadLetters(
      options.database,
      { ...filter, replayed: false },
      { before, limit: Math.min(PAGE, left + 1) },
    );
    for (const letter of letters.slice(0, left)) {
      tally[(await replay(letter, options)).outcome] += 1;
    }
    tally.more = letters.length > left;
    left -= letters.length;
    const last = letters.at(-1);
    if (!last || !isFull || left < 0) return tally;
    before = { receivedAt: last.received_at.getTime(), id: last.id };
  }
}
