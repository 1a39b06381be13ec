/**
 * Takes what the adapter has called back (contract section 6). What can be taken is, each event once; what cannot is set
 * aside with its reason; so the batch is settled, and one vehicle's event never holds up another's (section 2).
 */
import { type RefusalReason } from '../../contract/carota-api/index.js';
import { type Database } from '../../service/database/index.js';
import { type Arrived, sortOut } from './arrived.js';
import { setAside } from './refused-events.js';
import { takeEvents } from './take-events.js';

export interface Received {
  /** Events that were new. */
  readonly stored: number;
  /** Known already, taken or set aside. */
  readonly duplicates: number;
  /** Reasons of those that were set aside now. */
  readonly refused: readonly RefusalReason[];
}

/** @param now ms @throws DatabaseError where the database is at fault: the adapter sends the batch again */
export async function receiveEvents(
  database: Database,
  arrived: readonly Arrived[],
  now: number,
): Promise<Received> {
  const { candidates, refused: invalid } = sortOut(arrived);
  const taken = await takeEvents(database, candidates, now);
  const refused = await setAside(database, [...invalid, ...taken.refused], now);
  return {
    stored: taken.stored,
    duplicates: arrived.length - taken.stored - refused.length,
    refused,
  };
}
