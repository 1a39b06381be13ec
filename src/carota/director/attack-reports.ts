/** Attacks that ECUs have reported: one row with a count for each kind and ECU. */
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { type Attack } from '../../uptane/refusal.js';
import { recordActions } from '../audit.js';

export interface AttackSighting {
  readonly vin: string;
  readonly ecuId: string;
  readonly attack: Attack | 'other';
  readonly reason: string;
}

export interface AttackRow {
  readonly id: number;
  readonly vin: string;
  readonly serial: string;
  readonly attack: string;
  readonly reason: string;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly count: number;
}

const LONGEST_REASON = 1_000;
/** Text from the vehicle: NUL and lone surrogates cannot be stored. */
const storable = (reason: string) =>
  reason.slice(0, LONGEST_REASON).replaceAll('\0', '\ufffd').toWellFormed();

/** @param seen from one manifest, so each ECU occurs once @param now ms */
export async function noteAttacks(
  database: Database,
  seen: readonly AttackSighting[],
  now: number,
): Promise<void> {
  if (seen.length === 0) return;
  await database.transaction(async (tx) => {
    const rows = [...seen].sort((a, b) => (a.ecuId < b.ecuId ? -1 : 1));
    const noted = await tx.query<{ vin: string; serial: string; count: number }>(
      `insert into attack_reports as a (vin, serial, attack, reason, first_at, last_at, count)
       select vin, serial, attack, reason, $5, $5, 1
       from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as given (vin, serial, attack, reason)
       on conflict (vin, serial, attack) do update
         set reason = excluded.reason, last_at = excluded.last_at, count = a.count + 1
       returning vin, serial, count`,
      [
        textArray(rows.map(({ vin }) => vin)),
        textArray(rows.map(({ ecuId }) => ecuId)),
        textArray(rows.map(({ attack }) => attack)),
        textArray(rows.map(({ reason }) => storable(reason))),
        new Date(now),
      ],
    );
    // The first of a kind; the others are counted.
    const first = rows.filter(({ ecuId }) =>
      noted.some(({ serial, count }) => serial === ecuId && count === 1),
    );
    const entries = first.map(({ vin, ecuId, attack, reason }) => ({
      vin,
      by: { id: '', name: `ECU ${ecuId}`, reason: storable(reason) },
      detail: { serial: ecuId, attack },
    }));
    await recordActions(tx, 'report-attack', entries, now);
  });
}

/** A page, the newest kinds first, before the report with the given id. */
export const listAttacks = (
  database: Queryable,
  page: { readonly before: number; readonly limit: number; readonly vin?: string | undefined },
): Promise<AttackRow[]> =>
  database.query<AttackRow>(
    `select id, vin, serial, attack, reason, first_at, last_at, count from attack_reports
     where id < $1 and ($3::text is null or vin = $3) order by id desc limit $2`,
    [page.before, page.limit, page.vin ?? null],
  );
