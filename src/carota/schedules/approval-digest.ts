/** The content that an approval of a schedule covers, as a digest: the plan, the script and all vehicles. */
import { createHash } from 'node:crypto';
import { only, type Queryable } from '../../service/database/index.js';
import { type UpdateScript } from '../../update-script/index.js';
import { storedScript } from '../scripts/index.js';

export interface ApprovedContent {
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  /** SHA-256 of the script's file. */
  readonly scriptSha256: string;
  /** Whether the script is approved in its current form. */
  readonly isScriptApproved: boolean;
}

/** The content of the schedule now. Equal digests mean equal plan, script and vehicles. */
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
  // jsonb stores members in a canonical order, so equal plans serialize to equal text.
  const content = { plan: row.plan, script: scriptSha256, vehicles: row.vehicles, vins: row.vins };
  return {
    digest: createHash('sha256').update(JSON.stringify(content)).digest('hex'),
    scriptSha256,
    isScriptApproved: row.approved_sha256 === scriptSha256,
  };
}
