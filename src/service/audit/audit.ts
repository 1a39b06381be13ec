/**
 * The audit log of a server: who did what, when, from where and why, and with what outcome. Each entry is written in
 * the transaction of its action. Both servers have the table `audit.entries`; the adapter's has a further column.
 */
import { type AuditEntry, type ErrorCode } from '../../contract/index.js';
import { type Parameter, type Queryable, textArray } from '../database/index.js';
import { currentRequest } from './audited-request.js';

/** The actor of an action, and the reason. */
export interface Actor {
  /** Id and name of the caller's token; id '': the server itself. */
  readonly id: string;
  readonly name: string;
  /** In the caller's words; '' if none given. */
  readonly reason: string;
}

/** Outcome of an action: `refused` before anything was done, `failed` because of a fault on our side. */
export type AuditOutcome = 'done' | 'refused' | 'failed';

/** The columns that both tables have. */
export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly token_id: string;
  readonly token_name: string;
  readonly address: string;
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly error_code: ErrorCode | null;
  readonly ref_id: string | null;
  readonly vin: string | null;
  readonly subject: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export const AUDIT_COLUMNS =
  'e.id, e.at, e.token_id, e.token_name, e.address, e.action, e.outcome, e.error_code, e.ref_id, e.vin, e.subject, e.reason, e.detail';

/** The fields of an entry, the same in the list, an export and a copy. */
export const entryFields = (row: AuditRow): Omit<AuditEntry, 'position' | 'hash'> => ({
  id: row.id,
  at: row.at.toISOString(),
  tokenId: row.token_id,
  tokenName: row.token_name,
  address: row.address,
  action: row.action,
  outcome: row.outcome,
  errorCode: row.error_code,
  'ref-id': row.ref_id,
  vin: row.vin,
  subject: row.subject,
  reason: row.reason,
  detail: row.detail,
});

/** One entry of an action. */
export interface Audited {
  /** null: not about one vehicle. */
  readonly vin: string | null;
  readonly by: Actor;
  /** Result of the action. */
  readonly detail: object;
  /** The operation or schedule it is about; default: that of the request. */
  readonly refId?: string | undefined;
  /** Another subject, e.g. a token's id; default: that of the request. */
  readonly subject?: string | undefined;
  /** Where the caller is; default: the address of the request. */
  readonly address?: string | undefined;
  /** Default: done. */
  readonly outcome?: AuditOutcome | undefined;
  readonly errorCode?: ErrorCode | undefined;
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
  const request = currentRequest();
  const names = Object.keys(columns);
  const rows = await tx.query<{ id: number }>(
    `insert into audit.entries (at, action, vin, token_id, token_name, reason, detail, ref_id, subject, address, outcome, error_code${names.map((name) => `, ${name}`).join('')})
     select $1, $2, vin, token_id, token_name, reason, detail::json, ref_id, subject, address, outcome, error_code${names.map((_, n) => `, $${n + 13}`).join('')}
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
       with ordinality
       as given (vin, token_id, token_name, reason, detail, ref_id, subject, address, outcome, error_code, nr)
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
      textArray(entries.map(({ refId }) => refId ?? request?.refId ?? null)),
      textArray(entries.map(({ subject }) => subject ?? request?.subject ?? '')),
      textArray(entries.map(({ address }) => address ?? request?.address ?? '')),
      textArray(entries.map(({ outcome }) => outcome ?? 'done')),
      textArray(entries.map(({ errorCode }) => errorCode ?? null)),
      ...Object.values(columns),
    ],
  );
  request?.recorded();
  return rows.map(({ id }) => id);
}
