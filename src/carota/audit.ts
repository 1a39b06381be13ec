/** Who has changed what vehicles are trusted by, and which attacks were reported: in the transaction that does it. */
import { type CarotaAuditAction } from '../contract/carota-api/index.js';
import { type Queryable, textArray } from '../service/database/index.js';

/** Who acts, and why. */
export interface Actor {
  /** Id and name of the caller's token. */
  readonly id: string;
  readonly name: string;
  /** In the caller's words; '' where none were given. */
  readonly reason: string;
}

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly token_id: string;
  readonly token_name: string;
  readonly action: CarotaAuditAction;
  readonly vin: string | null;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Audited {
  /** null: of no vehicle. */
  readonly vin: string | null;
  readonly by: Actor;
  readonly detail: object;
}

/** @param now ms */
export async function recordActions(
  tx: Queryable,
  action: CarotaAuditAction,
  entries: readonly Audited[],
  now: number,
): Promise<void> {
  if (entries.length === 0) return;
  await tx.query(
    `insert into audit_log (at, token_id, token_name, action, vin, reason, detail)
     select $1, token_id, token_name, $2, vin, reason, detail::json
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as given (vin, token_id, token_name, reason, detail)`,
    [
      new Date(now),
      action,
      textArray(entries.map(({ vin }) => vin)),
      textArray(entries.map(({ by }) => by.id)),
      textArray(entries.map(({ by }) => by.name)),
      textArray(entries.map(({ by }) => by.reason)),
      textArray(entries.map(({ detail }) => JSON.stringify(detail))),
    ],
  );
}

/** A page of the log, newest first, before the entry with the given id. */
export const listActions = (
  database: Queryable,
  page: { readonly before: number; readonly limit: number; readonly vin?: string | undefined },
): Promise<AuditRow[]> =>
  database.query<AuditRow>(
    `select id, at, token_id, token_name, action, vin, reason, detail from audit_log
     where id < $1 and ($3::text is null or vin = $3) order by id desc limit $2`,
    [page.before, page.limit, page.vin ?? null],
  );
