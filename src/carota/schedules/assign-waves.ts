/** Assigns vehicles to waves, once, when a schedule starts. */
import { only, type Queryable, textArray } from '../../service/database/index.js';
import { selectVehicles } from '../vehicles/index.js';
import { type ScheduleRecord } from './schedule-record.js';
import { waveSizes } from './wave-sizes.js';

/**
 * Deals the vehicles that no wave names to the waves in the order of a hash, so that each wave is a reproducible sample of
 * the fleet.
 *
 * @returns the number of vehicles
 */
export async function assignWaves(tx: Queryable, schedule: ScheduleRecord): Promise<number> {
  const { id, plan, refId, model } = schedule;
  // An approval covers the list of vehicles at that time; the filter must not choose again.
  if (plan.filter && !schedule.approval) await selectVehicles(tx, id, model, plan.filter);
  const waves = plan.waves ?? [];
  const named: number[] = [];
  for (const { vins = [] } of waves) named.push(await countOf(tx, id, vins));
  const sizes = waveSizes(waves, await countOf(tx, id), named);
  // Empty waves are not numbered.
  const numbers = new Map<number, number>();
  for (const [place, size] of sizes.entries()) {
    if (size > 0) numbers.set(place, numbers.size + 1);
  }
  for (const [place, { vins }] of waves.entries()) {
    const number = numbers.get(place);
    if (vins && number !== undefined) await nameWave(tx, id, number, vins);
  }
  const dealt = [...numbers].filter(([place]) => waves[place]?.vins === undefined);
  const sized = dealt.map(([place, number]) => ({ number, size: sizes[place] ?? 0 }));
  await dealOut(tx, id, refId, sized);
  for (const [place, number] of numbers) {
    await tx.query('insert into waves (schedule_id, number, vehicles) values ($1, $2, $3)', [
      id,
      number,
      sizes[place] ?? 0,
    ]);
  }
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The number of vehicles in a schedule, in total or among the given VINs. */
async function countOf(tx: Queryable, id: number, vins?: readonly string[]): Promise<number> {
  if (vins?.length === 0) return 0;
  const rows = await tx.query<{ count: number }>(
    `select count(*) as count from schedule_vehicles
     where schedule_id = $1 and ($2::text[] is null or vin = any($2::text[]))`,
    [id, vins ? textArray(vins.map((vin) => vin.toUpperCase())) : null],
  );
  return only(rows).count;
}

async function nameWave(
  tx: Queryable,
  id: number,
  number: number,
  vins: readonly string[],
): Promise<void> {
  await tx.query(
    'update schedule_vehicles set wave = $2 where schedule_id = $1 and vin = any($3::text[])',
    [id, number, textArray(vins.map((vin) => vin.toUpperCase()))],
  );
}

/** Vehicles per statement, few enough that a slow machine finishes before the statement timeout. */
const CHUNK = 100_000;

/** Deals the vehicles that no wave names to the waves with these numbers and sizes, in order. */
async function dealOut(
  tx: Queryable,
  id: number,
  refId: string,
  waves: readonly { readonly number: number; readonly size: number }[],
): Promise<void> {
  await tx.script('create temp table dealt (place bigint primary key, vin text) on commit drop');
  await tx.query(
    `insert into dealt select row_number() over (order by md5($2 || vin)), vin
     from schedule_vehicles where schedule_id = $1 and wave = 0`,
    [id, refId],
  );
  let since = 0;
  for (const { number, size } of waves) {
    for (const end = since + size; since < end;) {
      const upto = Math.min(since + CHUNK, end);
      await tx.query(
        `update schedule_vehicles v set wave = $2 from dealt d
         where v.schedule_id = $1 and v.vin = d.vin and d.place > $3 and d.place <= $4`,
        [id, number, since, upto],
      );
      since = upto;
    }
  }
}
