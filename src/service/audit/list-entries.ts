/** Reads the audit log for people: pages, newest first. */
import { type Queryable } from '../database/index.js';
import { AUDIT_COLUMNS, type AuditOutcome, type AuditRow } from './audit.js';

/** An entry with its position in the chain; null while it has none. */
export interface ChainedRow extends AuditRow {
  readonly position: number | null;
  readonly hash: string | null;
}

export interface AuditFilter {
  /** Name or id of a token. */
  readonly who?: string | undefined;
  readonly action?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  /** A ref-id, or another subject of the entry. */
  readonly subject?: string | undefined;
  readonly refId?: string | undefined;
  readonly vin?: string | undefined;
  /** ms */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms));

/** @param page.before id; only older entries */
export function listEntries(
  database: Queryable,
  filter: AuditFilter,
  page: { readonly before: number; readonly limit: number },
): Promise<ChainedRow[]> {
  return database.query<ChainedRow>(
    `select ${AUDIT_COLUMNS}, c.position, c.hash
     from audit.entries e left join audit.chain c on c.entry_id = e.id
     where e.id < $1
       and ($3::text is null or e.token_name = $3 or e.token_id = $3)
       and ($4::text is null or e.action = $4)
       and ($5::text is null or e.outcome = $5)
       and ($6::text is null or e.ref_id = $6 or (left(e.subject, 64) = left($6, 64) and e.subject = $6))
       and ($7::text is null or e.ref_id = $7)
       and ($8::text is null or e.vin = $8)
       and ($9::timestamptz is null or e.at >= $9)
       and ($10::timestamptz is null or e.at < $10)
     order by e.id desc limit $2`,
    [
      page.before,
      page.limit,
      filter.who ?? null,
      filter.action ?? null,
      filter.outcome ?? null,
      filter.subject ?? null,
      filter.refId ?? null,
      filter.vin ?? null,
      time(filter.from),
      time(filter.to),
    ],
  );
}
