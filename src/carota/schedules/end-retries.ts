/** Cancels outstanding retries when a schedule ends: the failures count as final. */
import { type ExposureResult } from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type ScheduleRecord } from './schedule-record.js';

/** @param now ms */
export async function endRetries(
  tx: Queryable,
  schedule: ScheduleRecord,
  now: number,
): Promise<void> {
  await tx.query(
    `insert into vehicle_steps (schedule_id, vin, at, step)
     select schedule_id, vin, $2, 'failed' from schedule_vehicles
     where schedule_id = $1 and retry_at is not null and result <> 'failed'`,
    [schedule.id, new Date(now)],
  );
  const waiting = await tx.query<{
    wave: number;
    state: string;
    result: ExposureResult | null;
  }>(
    `update schedule_vehicles v
     set retry_at = null, retry_from = null, decides_at = null,
       result = case when v.result is not null then 'failed' end
     from (select vin, result from schedule_vehicles where schedule_id = $1 and retry_at is not null) old
     where v.schedule_id = $1 and v.vin = old.vin
     returning v.wave, v.state, old.result`,
    [schedule.id],
  );
  for (const { wave, state, result } of waiting) {
    const before = { state, result: result ?? undefined, isRetried: true };
    schedule.move(wave, before, { state, result: result === null ? undefined : 'failed' });
  }
}
