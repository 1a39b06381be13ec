/** Whether a schedule gives a vehicle an update script now: the condition under which the Director lists it. */
import { FINAL } from '../../contract/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import { storedScript } from '../scripts/index.js';
import { type UpdateScript } from '../../update-script/index.js';

export async function isGivenScript(
  database: Queryable,
  vin: string,
  script: UpdateScript,
): Promise<boolean> {
  const given = await database.query(
    `select from schedule_vehicles sv
     join schedules s on s.id = sv.schedule_id
     join waves w on w.schedule_id = sv.schedule_id and w.number = sv.wave
     where sv.vin = $1 and s.script_ref_id = $2 and s.status = 'running'
       and w.state in ('posting', 'running', 'passed') and sv.state <> all ($3::text[])
       and (s.approved_script is null or s.approved_script = $4)
     limit 1`,
    [vin, script['script-ref-id'], textArray([...FINAL]), storedScript(script).sha256],
  );
  return given.length > 0;
}
