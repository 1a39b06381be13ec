/**
 * The audit log of a server: who did what, when and why. Each entry is written in the transaction of its action. Both
 * servers have the table `audit_log`; each has further columns of its own.
 */
import { type Parameter, type Queryable, textArray } from '../database/index.js';

/** Who acts, and why. */
export interface Actor {
  /** Id and name of the caller's token; id '': the server itself. */
  readonly id: string;
  readonly name: string;
  /** In the caller's words; '' if none given. */
  readonly reason: string;
}

/** The columns that both tables have. */
export interface AuditRow<Action extends string> {
  readonly id: number;
  readonly at: Date;
  readonly token_id: string;
  readonly token_name: string;
  readonly action: Action;
  readonly vin: string | null;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One entry of an action. */
export interface Audited {
  /** null: not about a vehicle. */
  readonly vin: string | null;
  readonly by: Actor;
  /** What the action did. */
  readonly detail: object;
}

/**
 * Records one action, possibly on several vehicles.
 *
 * @param now ms
 * @param columns further columns of the server's table, with their value in all entries
 * @returns ids of the entries, in their order
 */
export async function recordActions(
  tx: Queryable,
  action: string,
  entries: readonly Audited[],
  now: number,
  columns: Readonly<Record<string, Parameter>> = {},
): Promise<number[]> {
  if (entries.length === 0) return [];
  const names = Object.keys(columns);
  const rows = await tx.query<{ id: number }>(
    `insert into audit_log (at, token_id, token_name, action, vin, reason, detail${names.map((name) => `, ${name}`).join('')})
     select $1, token_id, token_name, $2, vin, reason, detail::json${names.map((_, n) => `, $${n + 8}`).join('')}
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) with ordinality
       as given (vin, token_id, token_name, reason, detail, nr)
     order by nr
     returning id`,
    [
      new Date(now),
      action,
      textArray(entries.map(({ vin }) => vin)),
      textArray(entries.map(({ by }) => by.id)),
      textArray(entries.map(({ by }) => by.name)),
      textArray(entries.map(({ by }) => by.reason)),
      textArray(entries.map(({ detail }) => JSON.stringify(detail))),
      ...Object.values(columns),
    ],
  );
  return rows.map(({ id }) => id);
}

/** The columns that both tables have, as the HTTP interfaces name them. */
export const auditBody = <Action extends string>(row: AuditRow<Action>) => ({
  id: row.id,
  at: row.at,
  tokenId: row.token_id,
  tokenName: row.token_name,
  action: row.action,
  vin: row.vin,
  reason: row.reason,
  detail: row.detail,
});
