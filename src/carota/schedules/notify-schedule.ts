/** Notifications about a running schedule: silent vehicles and the failure rate. */
import { type Queryable } from '../../service/database/index.js';
import { notify, readRateRules } from '../notifications/index.js';
import { type ScheduleRecord } from './schedule-record.js';

const vehicles = (n: number) => (n === 1 ? '1 vehicle' : `${n} vehicles`);

/** @param now ms */
export async function notifySchedule(
  tx: Queryable,
  schedule: ScheduleRecord,
  now: number,
): Promise<void> {
  const { id, refId, total } = schedule;
  const { silent, failed, succeeded } = total;
  if (silent > 0) {
    // The 1st, 10th, 100th …, to avoid one message per vehicle.
    const reached = 10 ** Math.floor(Math.log10(silent));
    const summary = `Schedule ${refId}: ${vehicles(silent)} silent`;
    await notify(tx, { event: 'silent', key: `silent ${id} ${reached}`, refId, summary }, now);
  }
  const decided = failed + silent + succeeded;
  if (failed + silent === 0) return;
  for (const { id: ruleId, percent, least } of await readRateRules(tx)) {
    const rate = (100 * (failed + silent)) / decided;
    if (decided < least || rate < percent) continue;
    const summary = `Schedule ${refId}: ${failed + silent} of ${vehicles(decided)} with a result failed (${rate.toFixed(1)} %)`;
    const key = `failure-rate ${id} ${ruleId}`;
    await notify(tx, { event: 'failure-rate', key, refId, summary, ruleId }, now);
  }
}
