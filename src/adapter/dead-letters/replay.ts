/** Replays dead letters as if they had just arrived, after the cause has been fixed. */
import { type ReplayResult, type ReplayTally } from '../../contract/adapter-api/index.js';
import { type DeadLetterReason } from '../../contract/index.js';
import { type BatchOutcome, type Received } from '../d2c-receiver/index.js';
import { type Database } from '../../service/database/index.js';
import { replayPages } from '../../service/replay-pages.js';
import {
  type DeadLetterRow,
  type DeadLetterMatch,
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
    // The event time depends on the first arrival (contract section 5.3).
    receivedAt: letter.received_at.getTime(),
    publisher: null,
  });
  const [reason = null] = Object.keys(outcome.reasons) as DeadLetterReason[];
  if (reason !== null) return { outcome: 'refused', reason };
  await markReplayed(options.database, letter.id, options.clock());
  return { outcome: outcome.applied === 1 ? 'applied' : 'duplicate', reason: null };
}

/**
 * Replays matching dead letters that were not replayed yet, newest first: their order does not affect the state (contract
 * section 5).
 *
 * @param limit maximum number replayed
 */
export async function replayMatching(
  filter: DeadLetterMatch,
  limit: number,
  options: ReplayOptions,
): Promise<ReplayTally> {
  const tally: ReplayTally = { applied: 0, duplicates: 0, refused: 0, more: false };
  tally.more = await replayPages<DeadLetterRow>(
    limit,
    (last, pageSize) =>
      listDeadLetters(
        options.database,
        { ...filter, replayed: false },
        {
          before: last && { receivedAt: last.received_at.getTime(), id: last.id },
          limit: pageSize,
        },
      ),
    async (letters) => {
      for (const letter of letters) {
        const { outcome } = await replay(letter, options);
        tally[outcome === 'duplicate' ? 'duplicates' : outcome] += 1;
      }
    },
  );
  return tally;
}
