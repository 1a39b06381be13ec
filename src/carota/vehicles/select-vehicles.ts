/** Which vehicles a schedule is for: those of its filter as they are now, or those that it names. */
import { type SchedulePlan, type VehicleFilter } from '../../contract/carota-api/index.js';
import { type Parameter, type Queryable, textArray } from '../../service/database/index.js';

/** Vehicles that one statement looks at. */
const CHUNK = 100_000;

const MATCHES = `v.model = $1 and v.tags @> $2::text[]
  and ($3::text is null or exists (
    select from installed_versions i
    where i.vin = v.vin and i.ecu = $3
      and ($4::text[] is null or i.version like any($4::text[]))))`;

const filterParameters = (model: string, { tags = [], ecu, versions }: VehicleFilter) => [
  model,
  textArray(tags),
  ecu ?? null,
  versions ? textArray(versions.map(asPattern)) : null,
];

/** Takes into a schedule the vehicles that a filter is for, as they are now. */
export async function selectVehicles(
  tx: Queryable,
  scheduleId: number,
  model: string,
  filter: VehicleFilter,
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
       select $5, v.vin from vehicles v where ${MATCHES} and v.vin > $6 and v.vin <= $7
       on conflict do nothing`,
      [...filterParameters(model, filter), scheduleId, after, last],
    );
    after = last;
  }
}

/** The statement that reads the VINs that a plan is for. */
export function chosenVehicles({ model, filter, vins = [] }: SchedulePlan): {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
} {
  return filter
    ? {
        sql: `select v.vin from vehicles v where ${MATCHES}`,
        parameters: filterParameters(model, filter),
      }
    : {
        sql: 'select distinct vin from unnest($1::text[]) as named (vin)',
        parameters: [textArray(vins.map((vin) => vin.toUpperCase()))],
      };
}

/** `1.3.*` in the language of SQL. */
function asPattern(version: string): string {
  const literal = version.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
  return literal.endsWith('.*') ? `${literal.slice(0, -1)}%` : literal;
}
