/**
 * Stores events with all that follows from them, or finds the ones that cannot be taken. An event is taken wholly or
 * not at all, so that whoever takes it later, when the cause is gone, makes up for everything.
 */
import { type RefusalReason } from '../../contract/carota-api/index.js';
import { type Database, DatabaseError } from '../../service/database/index.js';
import { applyEvents } from './apply-events.js';
import { type Candidate, type Refused } from './arrived.js';

export interface Taken {
  /** Events that were new. */
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: readonly Refused[];
}

/**
 * One transaction. Where that is refused, the halves are tried, down to the event that is at fault; the order is kept.
 *
 * @param now ms
 * @throws DatabaseError where the database itself is at fault: what was not taken may be sent again
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
 * SQLSTATE classes of what only the row can be blamed for (PostgreSQL, appendix A): cardinality, data, integrity, limits,
 * an exception that a trigger has raised. A missing privilege, table or disk is nobody's event.
 */
const OF_THE_ROW = new Set(['21', '22', '23', '54', 'P0']);

/** undefined: no event is to blame, and another try may succeed */
function reasonOf(error: unknown): RefusalReason | undefined {
  // What our own code cannot work out must not stand in the way of other vehicles either.
  if (!(error instanceof DatabaseError)) return 'NOT_APPLIED';
  return OF_THE_ROW.has((error.code ?? '').slice(0, 2)) ? 'REFUSED_BY_DATABASE' : undefined;
}
