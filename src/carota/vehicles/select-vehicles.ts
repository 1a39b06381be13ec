/** Takes into a schedule the vehicles that a filter is for, as they are now. */
import { type Queryable, textArray } from '../../service/database/index.js';
import { type VehicleFilter } from '../schedules/plan.js';

/** Vehicles that one statement looks at. */
const CHUNK = 100_000;

export async function selectVehicles(
  tx: Queryable,
  scheduleId: number,
  model: string,
  { tags = [], ecu, versions }: VehicleFilter,
): Promise<void> {
  for (let after = ''; ;) {
    const [chunk] = await tx.query<{ last: string | null }>(
      `select max(vin) as last from (
         select vin from vehicles where model = $1 and vin > $2 order by vin limit $3) chunk`,
      [model, after, CHUNK],
    );
    const last = chunk?.last ?? null;
    if (last === null) return;
    await tx.query(
      `insert into schedule_vehicles (schedule_id, vin)
       select $1, v.vin from vehicles v
       where v.model = $2 and v.vin > $6 and v.vin <= $7 and v.tags @> $3::text[]
         and ($4::text is null or exists (
           select from installed_versions i
           where i.vin = v.vin and i.ecu = $4
             and ($5::text[] is null or i.version like any($5::text[]))))
       on conflict do nothing`,
      [
        scheduleId,
        model,
        textArray(tags),
        ecu ?? null,
        versions ? textArray(versions.map(asPattern)) : null,
        after,
        last,
      ],
    );
    after = last;
  }
}

/** `1.3.*` in the language of SQL. */
function asPattern(version: string): string {
  const literal = version.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
  return literal.endsWith('.*') ? `${literal.slice(0, -1)}%` : literal;
}
