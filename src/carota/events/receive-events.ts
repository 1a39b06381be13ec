/**
 * Receives events from the adapter (contract section 6). Each event is stored once; those that cannot be stored are set
 * aside with the reason. Either way the batch is settled, and one vehicle's event never holds up another's (contract section 2).
 */
import { type RefusalReason } from '../../contract/carota-api/index.js';
import { type Database } from '../../service/database/index.js';
import { type Arrived, sortOut } from './arrived.js';
import { setAside } from './refused-events.js';
import { takeEvents } from './take-events.js';

export interface Received {
  /** Events that were new. */
  readonly stored: number;
  /** Already stored or set aside before. */
  readonly duplicates: number;
  /** Reasons of the events set aside now. */
  readonly refused: readonly RefusalReason[];
}

/** @param now ms @throws DatabaseError where the database itself is the cause: the adapter retries the batch */
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
