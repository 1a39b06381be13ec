/** The effect of one report on a vehicle and on the counts of its schedule: pure. */
import { type ReceivedEvent } from '../../contract/carota-api/index.js';
import { lifecycleRank, reasonOf, statusName } from '../../contract/index.js';
import {
  afterReport,
  type Exposure,
  exposedAt,
  isOfEarlierAttempt,
  putOff,
  showsExposure,
} from '../guard/index.js';
import { type ScheduleRecord, type TrackedVehicle } from '../schedules/index.js';

/** @param now ms @returns whether the vehicle has changed */
export function applyReport(
  schedule: ScheduleRecord,
  vehicle: TrackedVehicle,
  event: ReceivedEvent,
  now: number,
): boolean {
  const name = statusName(event.status);
  if (isOfEarlierAttempt(name, vehicle)) return false;
  const hasConsented = vehicle.hasConsented || name === 'consent_accepted';
  const isNew = isNewer(event, vehicle);
  const { state: before, exposure, retryAt: dueBefore } = vehicle;
  // Even a report that was overtaken counts: a vehicle that had started to download and then failed did not fail early.
  const isNewlyExposed =
    !exposure && (showsExposure(isNew ? name : before, hasConsented) || showsExposure(name, false));
  if (!isNew && !isNewlyExposed && hasConsented === vehicle.hasConsented) return false;
  vehicle.hasConsented = hasConsented;
  if (isNew) take(event, vehicle);
  // By the adapter's clock, which may be ahead of ours.
  const receivedAt = Math.min(event['received-at'], now);
  if (isNew) vehicle.retryAt = schedule.retryAt(vehicle, receivedAt);
  const { state, retryAt } = vehicle;
  if (exposure) {
    if (isNew) {
      const report = { before, state, retryAt };
      vehicle.exposure = afterReport(exposure, report, schedule.deadlines, receivedAt);
    }
  } else if (isNewlyExposed) {
    const exposed = exposedAt(schedule.deadlines, receivedAt);
    vehicle.place = schedule.nextPlace();
    const report = { before: '', state, retryAt };
    vehicle.exposure = afterReport(exposed, report, schedule.deadlines, receivedAt);
  }
  // The report may have waited for this server for longer than the deadline that it sets.
  if (vehicle.exposure) vehicle.exposure = putOff(vehicle.exposure, schedule.graceUntil);
  // Its deadline comes before the next attempt.
  if (vehicle.exposure && vehicle.exposure.result !== 'undecided') vehicle.retryAt = undefined;
  const standing = (of: string, exposed: Exposure | undefined, due: number | undefined) => ({
    state: of,
    result: exposed?.result,
    isRetried: due !== undefined,
  });
  schedule.move(
    vehicle.wave,
    standing(before, exposure, dueBefore),
    standing(state, vehicle.exposure, vehicle.retryAt),
  );
  return true;
}

/** By time, then by lifecycle rank (contract section 5.2). */
function isNewer(event: ReceivedEvent, { at, rank, id }: TrackedVehicle): boolean {
  if (at === null) return true;
  const order =
    event.timestamp - at.getTime() ||
    lifecycleRank(event.status) - (rank ?? 0) ||
    (event['event-id'] > (id ?? '') ? 1 : -1);
  return order > 0;
}

function take(event: ReceivedEvent, vehicle: TrackedVehicle): void {
  vehicle.at = new Date(event.timestamp);
  vehicle.rank = lifecycleRank(event.status);
  vehicle.id = event['event-id'];
  vehicle.state = statusName(event.status);
  vehicle.reason = reasonOf(event.meta);
}
