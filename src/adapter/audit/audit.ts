/** The audit log: who did what, when and why. Each entry is written in the transaction of its action. */
import { type AuditAction } from '../../contract/adapter-api/index.js';
import { only, type Queryable } from '../../service/database/index.js';

/** Who acts, and why. */
export interface Actor {
  /** Id and name of the caller's token. */
  readonly id: string;
  readonly name: string;
  /** In the caller's words; '' if none given. */
  readonly reason: string;
}

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly token_id: string;
  readonly token_name: string;
  readonly action: AuditAction;
  readonly ref_id: string | null;
  readonly vin: string | null;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * @param now ms
 * @param detail what the action did
 * @returns id of the entry
 */
export async function recordAction(
  tx: Queryable,
  by: Actor,
  now: number,
  action: AuditAction,
  about: { operationId?: number; vin?: string; detail?: object },
): Promise<number> {
  const { id } = only(
    await tx.query<{ id: number }>(
      `insert into audit_log
         (at, token_id, token_name, action, operation_id, vin, reason, detail)
       values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
      [
        new Date(now),
        by.id,
        by.name,
        action,
        about.operationId ?? null,
        about.vin ?? null,
        by.reason,
        JSON.stringify(about.detail ?? {}),
      ],
    ),
  );
  return id;
}

/** A page of the log, newest first, before the entry with the given id. */
export function listActions(
  database: Queryable,
  page: { before: number; limit: number; operationId?: number | undefined },
): Promise<AuditRow[]> {
  return database.query<AuditRow>(
    `select a.id, a.at, a.token_id, a.token_name, a.action, o.ref_id, a.vin, a.reason, a.detail
     from audit_log a left join operations o on o.id = a.operation_id
     where a.id < $1 and ($3::bigint is null or a.operation_id = $3)
     order by a.id desc limit $2`,
    [page.before, page.limit, page.operationId ?? null],
  );
}
