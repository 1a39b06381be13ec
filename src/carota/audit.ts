/** Audit entries for changes of trust and for reported attacks, written in the transaction of the change. */
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
