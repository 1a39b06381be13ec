/** Admission of vehicles that are about to download (contract section 10): the exposure cap holds exactly. */
import { type Admission } from '../../contract/carota-api/index.js';
import { resultOf } from '../../contract/index.js';
import { type Database } from '../../service/database/index.js';
import { exposedAt } from '../guard/index.js';
import { ScheduleConflict } from './conflict.js';
import { nextDeadline } from './deadlines.js';
import { keepConfigurations } from './last-configuration.js';
import { type ScheduleRecord } from './schedule-record.js';
import { lockSchedule, saveSchedule } from './stored-schedule.js';
import { readScheduleVehicles, saveScheduleVehicles } from './tracked-vehicles.js';

/** Bounds of `retryAfter`, seconds. Between them, it ends when the next result is due. */
const SHORTEST_WAIT = 30;
const LONGEST_WAIT = 900;

/**
 * Runs under the lock of the schedule, so that each vehicle gets its own place and the cap holds across processes.
 *
 * @param now ms
 * @returns undefined: the vehicle is not in the schedule
 * @throws ScheduleConflict if the schedule does not exist or has ended
 */
export async function admit(
  database: Database,
  refId: string,
  vin: string,
  now: number,
): Promise<Admission | undefined> {
  return database.transaction(async (tx) => {
    const schedule = await lockSchedule(tx, { refId });
    if (!schedule) {
      throw new ScheduleConflict('SCHEDULE_NOT_FOUND', `there is no schedule '${refId}'`);
    }
    const vehicle = (await readScheduleVehicles(tx, schedule.id, [vin])).get(vin);
    if (!vehicle) return undefined;
    const refusal = refusalOf(schedule);
    if (refusal !== undefined) return later(refusal, SHORTEST_WAIT);
    if (vehicle.exposure) return ADMITTED;
    if (vehicle.wave === 0 || !wasPosted(schedule, vehicle.wave)) {
      return later('its wave has not started', LONGEST_WAIT);
    }
    if (resultOf(vehicle.state) === 'withdrawn') {
      throw new ScheduleConflict('SCHEDULE_STATUS', `the vehicle is in state ${vehicle.state}`);
    }
    const full = schedule.exposureRefusal;
    if (full !== undefined) {
      vehicle.askedAt ??= now;
      await saveScheduleVehicles(tx, schedule.id, [vehicle], now);
      const deadline = (await nextDeadline(tx, schedule.id)) ?? now;
      return later(full, (deadline - now) / 1000);
    }
    const before = { state: vehicle.state, result: undefined };
    vehicle.exposure = exposedAt(schedule.deadlines, now);
    vehicle.place = schedule.nextPlace();
    schedule.move(vehicle.wave, before, { state: vehicle.state, result: 'undecided' });
    await saveScheduleVehicles(tx, schedule.id, [vehicle], now);
    await keepConfigurations(tx, schedule.id, [vin], now);
    // This vehicle's deadline may be the schedule's next due time.
    const due = Math.min(schedule.dueAt ?? Infinity, vehicle.exposure.decidesAt ?? Infinity);
    await saveSchedule(tx, schedule, due);
    return ADMITTED;
  });
}

const ADMITTED: Admission = { admitted: true, retryAfter: null, reason: '' };

const later = (reason: string, seconds: number): Admission => ({
  admitted: false,
  retryAfter: Math.round(Math.min(Math.max(seconds, SHORTEST_WAIT), LONGEST_WAIT)),
  reason,
});

const wasPosted = ({ waves }: ScheduleRecord, wave: number): boolean =>
  waves.some(({ number, state }) => number === wave && state !== 'waiting');

/** @returns why admissions are suspended @throws ScheduleConflict if they have ended for good */
function refusalOf({ status, reason }: ScheduleRecord): string | undefined {
  switch (status) {
    case 'running':
      return undefined;
    case 'held':
    case 'paused':
      return `the schedule is ${status}`;
    default: {
      const why = reason === '' ? '' : `: ${reason}`;
      throw new ScheduleConflict('SCHEDULE_STATUS', `the schedule is ${status}${why}`);
    }
  }
}
