/** Who has changed what vehicles are trusted by, and which attacks were reported: in the transaction that does it. */
import { type CarotaAuditAction } from '../contract/carota-api/index.js';
import { type Audited, type AuditRow, recordActions as record } from '../service/audit/index.js';
import { type Queryable } from '../service/database/index.js';

/** @param now ms */
export async function recordActions(
  tx: Queryable,
  action: CarotaAuditAction,
  entries: readonly Audited[],
  now: number,
): Promise<void> {
  await record(tx, action, entries, now);
}

/** A page of the log, newest first, before the entry with the given id. */
export const listActions = (
  database: Queryable,
  page: { readonly before: number; readonly limit: number; readonly vin?: string | undefined },
): Promise<AuditRow<CarotaAuditAction>[]> =>
  database.query<AuditRow<CarotaAuditAction>>(
    `select id, at, token_id, token_name, action, vin, reason, detail from audit_log
     where id < $1 and ($3::text is null or vin = $3) order by id desc limit $2`,
    [page.before, page.limit, page.vin ?? null],
  );
