/**
 * Stores events with all their consequences, and finds those that cannot be stored. An event is stored completely or not
 * at all, so that a later replay makes up for everything.
 */
import { type ReceivedEvents, type RefusalReason } from '../../contract/carota-api/index.js';
import { type Database, DatabaseError } from '../../service/database/index.js';
import { applyEvents } from './apply-events.js';
import { type Candidate, type Refused } from './arrived.js';

export interface Taken extends Omit<ReceivedEvents, 'refused'> {
  readonly refused: readonly Refused[];
}

/**
 * In one transaction. If that is refused, in halves, down to the single event that causes it; the order is kept.
 *
 * @param now ms
 * @throws DatabaseError where the database itself is the cause: the events may be sent again
 */
export async function takeEvents(
  database: Database,
  candidates: readonly Candidate[],
  now: number,
): Promise<Taken> {
  const [first] = candidates;
  if (!first) return { stored: 0, duplicates: 0, refused: [] };
  try {
    const events = candidates.map(({ json }) => json);
    const stored = await database.transaction((tx) => applyEvents(tx, events, now));
    return { stored, duplicates: candidates.length - stored, refused: [] };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    if (candidates.length === 1) {
      const refusal = { reason, path: '', detail: (error as Error).message };
      return { stored: 0, duplicates: 0, refused: [{ arrived: first, refusal }] };
    }
    const half = candidates.length >> 1;
    const before = await takeEvents(database, candidates.slice(0, half), now);
    const after = await takeEvents(database, candidates.slice(half), now);
    return {
      stored: before.stored + after.stored,
      duplicates: before.duplicates + after.duplicates,
      refused: [...before.refused, ...after.refused],
    };
  }
}

/**
 * SQLSTATE classes of errors caused by the row itself (PostgreSQL, appendix A): cardinality, data, integrity, limits, an
 * exception raised by a trigger. A missing privilege, a missing table or a full disk is not the event's fault.
 */
const OF_THE_ROW = new Set(['21', '22', '23', '54', 'P0']);

/** @returns undefined: not caused by an event, so a retry may succeed */
function reasonOf(error: unknown): RefusalReason | undefined {
  // An event on which our own code fails must not hold up other vehicles either.
  if (!(error instanceof DatabaseError)) return 'NOT_APPLIED';
  return OF_THE_ROW.has((error.code ?? '').slice(0, 2)) ? 'REFUSED_BY_DATABASE' : undefined;
}
