/** A vehicle that does not ask for admission: the order in which its reports arrive does not change its result. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyReport } from '../../../src/carota/events/apply-report.js';
import { afterDeadline } from '../../../src/carota/guard/index.js';
import { outcomeOf } from '../../../src/carota/schedules/run-tests.js';
import { ScheduleRecord } from '../../../src/carota/schedules/index.js';
import { EVENT_STATUS, type EventStatusName } from '../../../src/contract/index.js';
import { cases } from '../../support/depth.js';
import { vinOf } from '../../support/messages.js';
import { fresh, rowOf, waveOf } from '../support/schedule-rows.js';

const NOW = 1_800_000_000_000;

/** No withdrawals, which count when they arrive; `failure`, which may precede consent, is always the last report. */
const report = fc.constantFrom<EventStatusName>(
  ...(['received', 'consent_accepted', 'downloading', 'pause', 'resume', 'download_fail'] as const),
  ...(['downloaded', 'md5_check_success', 'md5_check_fail', 'reboot', 'success'] as const),
  ...(['rollback_success', 'rollback_fail'] as const),
);
const course = fc
  .tuple(fc.array(report, { maxLength: 6, size: 'max' }), fc.boolean())
  .map(([reports, fails]) => (fails ? [...reports, 'failure' as const] : reports));

/** @param arrivals indexes of the reports in order of arrival @returns the final state of the vehicle and its wave */
function end(reports: readonly EventStatusName[], arrivals: readonly number[]) {
  const plan = { 'ref-id': 'r', 'script-ref-id': 's', model: 'm', guard: { maxFailures: 1 } };
  const wave = waveOf(1);
  const schedule = new ScheduleRecord(rowOf(plan), [wave]);
  const vehicle = fresh(vinOf(1));
  for (const place of arrivals) {
    const name = reports[place];
    if (name === undefined) throw new Error('no report');
    const event = {
      ...{ 'event-id': `e${place}`, 'ref-id': 'r', vin: vehicle.vin, device_id: 'd', meta: [] },
      ...{ device_type: 'TCU', status: EVENT_STATUS[name], 'status-name': name },
      ...{ timestamp: NOW - 100 + place, 'received-at': NOW },
    };
    applyReport(schedule, vehicle, event, NOW);
  }
  const { state } = vehicle;
  const { undecided, failed, failed_early: failedEarly } = wave;
  // The counts match the vehicle's state.
  expect([undecided, failed]).toEqual(
    ['undecided', 'failed'].map((result) => Number(vehicle.exposure?.result === result)),
  );
  while (vehicle.exposure?.decidesAt !== undefined) {
    vehicle.exposure = afterDeadline(vehicle.exposure, state);
  }
  const outcome = vehicle.exposure && outcomeOf(vehicle.exposure.result);
  return { state, outcome, exposed: wave.exposed, place: vehicle.place, failedEarly };
}

test('reports give the same state, exposure and outcome in any order', () => {
  const seen = new Set<string | undefined>();
  fc.assert(
    fc.property(course, fc.infiniteStream(fc.nat()), (reports, picks) => {
      const inOrder = reports.map((_, place) => place);
      const rest = [...inOrder];
      const shuffled = inOrder.flatMap(() => rest.splice(picks.next().value % rest.length, 1));
      const expected = end(reports, inOrder);
      expect(end(reports, shuffled)).toEqual(expected);
      // And each of them repeated.
      expect(end(reports, [...shuffled, ...shuffled])).toEqual(expected);
      seen.add(expected.outcome);
    }),
    cases({ quick: 200, full: 5_000 }),
  );
  expect([...seen].sort()).toEqual(['failed', 'succeeded', undefined]);
});
