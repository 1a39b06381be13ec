/** Results decided by time: silence after a deadline, success at the end of the soak (contract section 10). */
import { type ExposureResult } from '../../contract/carota-api/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { afterDeadline } from '../guard/index.js';
import { type ScheduleRecord } from './schedule-record.js';
import { lockSchedule } from './stored-schedule.js';

interface DueVehicle {
  readonly vin: string;
  readonly wave: number;
  readonly state: string;
  readonly result: ExposureResult;
  readonly exposed_at: Date;
  readonly decides_at: Date;
}

/** @param now ms */
export async function endDeadlines(
  tx: Queryable,
  schedule: ScheduleRecord,
  now: number,
): Promise<void> {
  const vehicles = await tx.query<DueVehicle>(
    `select vin, wave, state, result, exposed_at, decides_at from schedule_vehicles
     where schedule_id = $1 and decides_at <= $2`,
    [schedule.id, new Date(now)],
  );
  if (vehicles.length === 0) return;
  const results = vehicles.map(({ vin, wave, state, result: before, exposed_at, decides_at }) => {
    const { result } = afterDeadline(
      {
        result: before,
        at: exposed_at.getTime(),
        decidesAt: decides_at.getTime(),
        silentAt: undefined,
      },
      state,
    );
    schedule.move(wave, { state, result: before }, { state, result });
    return { vin, result };
  });
  await tx.query(
    `with changed as (
       insert into vehicle_steps (schedule_id, vin, at, step)
       select v.schedule_id, v.vin, v.decides_at, n.result
       from unnest($2::text[], $3::text[]) as n (vin, result)
       join schedule_vehicles v on v.schedule_id = $1 and v.vin = n.vin
       where n.result <> v.result)
     update schedule_vehicles v set result = n.result, decides_at = null, retry_at = null, retry_from = null,
       silent_at = case n.result when 'silent' then decides_at end
     from unnest($2::text[], $3::text[]) as n (vin, result)
     where v.schedule_id = $1 and v.vin = n.vin`,
    [
      schedule.id,
      textArray(results.map(({ vin }) => vin)),
      textArray(results.map(({ result }) => result)),
    ],
  );
}

/** When the next deadline or soak ends, ms. */
export async function nextDeadline(
  database: Queryable,
  scheduleId: number,
): Promise<number | undefined> {
  const [row] = await database.query<{ decides_at: Date }>(
    `select decides_at from schedule_vehicles where schedule_id = $1 and decides_at is not null
     order by decides_at limit 1`,
    [scheduleId],
  );
  return row?.decides_at.getTime();
}

/**
 * Postpones deadlines that would end before the given time, ms, to that time, including those that reports set later. Locks
 * each schedule, because other servers may be changing it.
 */
export async function putOffDeadlines(database: Database, until: number): Promise<void> {
  const time = new Date(until);
  const schedules = await database.query<{ id: number }>(
    `select id from schedules s where ended_at is null or exists (
       select from schedule_vehicles v where v.schedule_id = s.id and v.decides_at is not null)
     order by id`,
  );
  for (const { id } of schedules) {
    await database.transaction(async (tx) => {
      await lockSchedule(tx, { id });
      await tx.query('update schedules set grace_until = $2 where id = $1', [id, time]);
      await tx.query(
        'update schedule_vehicles set decides_at = $2 where schedule_id = $1 and decides_at < $2',
        [id, time],
      );
    });
  }
}
