/** The vehicles of a schedule: those that match its filter now, or those that it names. */
import { type SchedulePlan, type VehicleFilter } from '../../contract/carota-api/index.js';
import { type Parameter, type Queryable, textArray } from '../../service/database/index.js';

/** Vehicles examined per statement. */
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

/** Adds the vehicles that match the filter now. */
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

/** A query of the VINs that a plan selects. */
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

/** Converts `1.3.*` to a pattern for LIKE. */
function asPattern(version: string): string {
  const literal = version.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
  return literal.endsWith('.*') ? `${literal.slice(0, -1)}%` : literal;
}
