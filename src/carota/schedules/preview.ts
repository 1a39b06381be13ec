/** Preview of a plan: vehicles, waves and versions. Stores nothing. */
import { type SchedulePlan, type SchedulePreview } from '../../contract/carota-api/index.js';
import { type FieldError, parseTimestamp } from '../../contract/index.js';
import { only, type Queryable, textArray } from '../../service/database/index.js';
import { matchesVersion, type UpdateScript } from '../../update-script/index.js';
import { chosenVehicles } from '../vehicles/index.js';
import { windowOpening } from './next-step.js';
import { waveSizes } from './wave-sizes.js';

/** VINs listed per wave. */
const MAX_VINS = 20;

/**
 * @param now ms
 * @param scheduleId previews the vehicles of this stored schedule; undefined: those that the plan chooses now
 * @returns the preview, or fields of the plan that refer to something that does not exist
 */
export async function previewSchedule(
  database: Queryable,
  plan: SchedulePlan,
  now: number,
  scheduleId?: number,
): Promise<SchedulePreview | readonly FieldError[]> {
  const found = await scriptOf(database, plan);
  if ('message' in found) return [found];
  const { sql, parameters } =
    scheduleId === undefined
      ? chosenVehicles(plan)
      : {
          sql: 'select vin from schedule_vehicles where schedule_id = $1',
          parameters: [scheduleId],
        };
  const chosen = `with chosen as materialized (${sql})`;
  const place = parameters.length + 1;
  const count = async (vins?: readonly string[]) =>
    only(
      await database.query<{ count: number }>(
        `${chosen} select count(*) as count from chosen where $${place}::text[] is null or vin = any($${place})`,
        [...parameters, vins ? textArray(vins.map((vin) => vin.toUpperCase())) : null],
      ),
    ).count;
  const vehicles = await count();
  const plans = plan.waves ?? [];
  const named: number[] = [];
  for (const { vins } of plans) named.push(vins ? await count(vins) : 0);
  const sizes = waveSizes(plans, vehicles, named);
  const first = windowOpening(
    plan,
    Math.max(now, plan.start === undefined ? now : parseTimestamp(plan.start)),
  );
  const waves = sizes
    .map((size, index) => ({ size, vins: plans[index]?.vins ?? [] }))
    .filter(({ size }) => size > 0)
    .map(({ size, vins }, index) => ({
      number: index + 1,
      vehicles: size,
      vins: vins.slice(0, MAX_VINS),
      earliest: index === 0 ? new Date(first).toISOString() : null,
    }));
  const { unknown } = only(
    await database.query<{ unknown: number }>(
      `${chosen} select count(*) as unknown from chosen c
       where not exists (select from vehicles v where v.vin = c.vin)`,
      parameters,
    ),
  );
  const running = await database.query<{ ecu: string; version: string | null; vehicles: number }>(
    `${chosen} select e.ecu, i.version, count(*) as vehicles
     from chosen c cross join unnest($${place}::text[]) as e (ecu)
     left join installed_versions i on i.vin = c.vin and i.ecu = e.ecu
     group by 1, 2 order by 1, vehicles desc limit 200`,
    [...parameters, textArray(found.ecus.map(({ ecu }) => ecu))],
  );
  return {
    vehicles,
    unknown,
    waves,
    versions: running.map((row) => ({ ...row, accepted: isAccepted(found, row) })),
  };
}

function isAccepted(
  script: UpdateScript,
  { ecu, version }: { ecu: string; version: string | null },
): boolean | null {
  const from = script.ecus.find((update) => update.ecu === ecu)?.from;
  if (!from) return true;
  return version === null ? null : from.some((pattern) => matchesVersion(pattern, version));
}

/** The plan's script, or the error in the reference to it. */
export async function scriptOf(
  database: Queryable,
  { 'script-ref-id': scriptRefId, model }: SchedulePlan,
): Promise<UpdateScript | FieldError> {
  const [row] = await database.query<{ script: UpdateScript }>(
    'select script from update_scripts where script_ref_id = $1',
    [scriptRefId],
  );
  if (!row) return { path: '/script-ref-id', message: `there is no script '${scriptRefId}'` };
  return row.script.model === model
    ? row.script
    : { path: '/model', message: `the script is for model '${row.script.model}'` };
}
