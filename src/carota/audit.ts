/** Who has changed what vehicles are trusted by, and which attacks were reported: in the transaction that does it. */
import { type Audited, recordActions as record } from '../service/audit/index.js';
import { type Queryable } from '../service/database/index.js';

/** @param now ms */
export async function recordActions(
  tx: Queryable,
  action: string,
  entries: readonly Audited[],
  now: number,
): Promise<void> {
  await record(tx, action, entries, now);
}
