/** What an approval of a schedule is for, as a digest: its plan, its script, and each of its vehicles. */
import { createHash } from 'node:crypto';
import { only, type Queryable } from '../../service/database/index.js';
import { type UpdateScript } from '../../update-script/index.js';
import { storedScript } from '../scripts/index.js';

export interface ApprovedContent {
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  /** SHA-256 of the script's file. */
  readonly scriptSha256: string;
  /** Whether a person has approved the script as it is. */
  readonly isScriptApproved: boolean;
}

/** As it is now; the same digest means the same plan, script and vehicles. */
export async function contentOf(database: Queryable, scheduleId: number): Promise<ApprovedContent> {
  const row = only(
    await database.query<{
      plan: object;
      script: UpdateScript;
      approved_sha256: string | null;
      vehicles: number;
      vins: string;
    }>(
      `select s.plan, u.script, u.approved_sha256, v.vehicles, v.vins
       from schedules s
       join update_scripts u on u.script_ref_id = s.script_ref_id
       cross join lateral (
         select count(*) as vehicles, encode(sha256(convert_to(
           coalesce(string_agg(vin, E'\\n' order by vin collate "C"), ''), 'UTF8')), 'hex') as vins
         from schedule_vehicles where schedule_id = s.id
       ) v
       where s.id = $1`,
      [scheduleId],
    ),
  );
  const { sha256: scriptSha256 } = storedScript(row.script);
  // jsonb has an order of its own for members, so the same plan is the same text.
  const content = { plan: row.plan, script: scriptSha256, vehicles: row.vehicles, vins: row.vins };
  return {
    digest: createHash('sha256').update(JSON.stringify(content)).digest('hex'),
    scriptSha256,
    isScriptApproved: row.approved_sha256 === scriptSha256,
  };
}
