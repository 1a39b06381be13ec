/** The adapter's audit log: what was done to operations, vehicles and the adapters themselves. */
import { type AuditAction } from '../../contract/adapter-api/index.js';
import { type Actor, type AuditRow, recordActions } from '../../service/audit/index.js';
import { only, type Queryable } from '../../service/database/index.js';

export interface OperationAuditRow extends AuditRow<AuditAction> {
  readonly ref_id: string | null;
}

/**
 * @param now ms
 * @param about.detail what the action did
 * @returns id of the entry
 */
export async function recordAction(
  tx: Queryable,
  by: Actor,
  now: number,
  action: AuditAction,
  about: { operationId?: number; vin?: string; detail?: object },
): Promise<number> {
  const entry = { by, vin: about.vin ?? null, detail: about.detail ?? {} };
  const columns = { operation_id: about.operationId ?? null };
  return only(await recordActions(tx, action, [entry], now, columns));
}

/** A page of the log, newest first, before the entry with the given id. */
export function listActions(
  database: Queryable,
  page: { before: number; limit: number; operationId?: number | undefined },
): Promise<OperationAuditRow[]> {
  return database.query<OperationAuditRow>(
    `select a.id, a.at, a.token_id, a.token_name, a.action, o.ref_id, a.vin, a.reason, a.detail
     from audit_log a left join operations o on o.id = a.operation_id
     where a.id < $1 and ($3::bigint is null or a.operation_id = $3)
     order by a.id desc limit $2`,
    [page.before, page.limit, page.operationId ?? null],
  );
}
