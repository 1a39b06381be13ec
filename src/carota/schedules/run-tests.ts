/** Runs a schedule's tests over its exposed vehicles, in the order of their exposure (contract section 10). */
import {
  type ExposureResult,
  type Figures,
  type TestSettings,
} from '../../contract/carota-api/index.js';
import { type ScheduleVehicleStateName } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type Outcome, type PathEnd, SequentialTest, type TestResult } from '../guard/index.js';
import { type ScheduleRecord } from './schedule-record.js';

/** Vehicles per statement; a test seldom takes more. */
const CHUNK = 500;

export interface ExposedVehicle {
  readonly place: number;
  readonly vin: string;
  readonly result: ExposureResult;
  readonly state: ScheduleVehicleStateName;
  readonly decides_at: Date | null;
}

/** Silence counts as failure. */
export const outcomeOf = (result: ExposureResult): Outcome =>
  result === 'silent' ? 'failed' : result;

/** @param from first place to read, in the order of exposure */
export const exposedFrom = (
  database: Queryable,
  scheduleId: number,
  from: number,
): Promise<ExposedVehicle[]> =>
  database.query<ExposedVehicle>(
    `select place, vin, result, state, decides_at from schedule_vehicles
     where schedule_id = $1 and place >= $2 order by place limit ${CHUNK}`,
    [scheduleId, from],
  );

/**
 * After a test that decided "go", the next one starts after its last vehicle. Stores every decided test.
 *
 * @param now ms
 */
export async function runTests(
  tx: Queryable,
  schedule: ScheduleRecord,
  now: number,
): Promise<void> {
  const settings = schedule.plan.guard?.test;
  if (!settings) return;
  for (;;) {
    const { mayStopAfter, ...result } = await runTest(tx, schedule, settings);
    schedule.test = result;
    // Places are counted from 1.
    schedule.stopPlace =
      mayStopAfter === undefined ? undefined : schedule.testFrom - 1 + mayStopAfter;
    if (result.finding === 'undecided') return;
    await tx.query(
      `insert into guard_tests (schedule_id, number, at, decision, figures) values ($1, $2, $3, $4, $5)
       on conflict do nothing`,
      [
        schedule.id,
        schedule.testNumber,
        new Date(now),
        result.finding,
        JSON.stringify(result.figures),
      ],
    );
    if (result.finding === 'stop') return;
    schedule.recordGo(result);
  }
}

async function runTest(
  tx: Queryable,
  { id, testNumber, testFrom }: ScheduleRecord,
  settings: TestSettings,
): Promise<TestResult & Pick<SequentialTest, 'mayStopAfter'>> {
  let test = SequentialTest.begin(settings, testNumber);
  let undecided = 0;
  for (let from = testFrom; !test.isOver;) {
    const vehicles = await exposedFrom(tx, id, from);
    for (const { result } of vehicles) {
      if (test.isOver) break;
      test = test.take(outcomeOf(result));
      if (result === 'undecided') undecided += 1;
    }
    const last = vehicles.at(-1);
    if (!last) break;
    from = last.place + 1;
  }
  const { finding } = test;
  const path = finding === 'stop' ? test.optimistic : test.pessimistic;
  const first = testFrom === 1 ? 'first' : 'next';
  const reasons = {
    stop: `${path.failed} of the ${first} ${test.vehicles} exposed vehicles failed`,
    go: `${path.succeeded} of the ${first} ${test.vehicles} exposed vehicles succeeded`,
    undecided: `${undecided} of the ${first} ${test.vehicles} exposed vehicles are undecided`,
  };
  return {
    finding,
    mayStopAfter: test.mayStopAfter,
    reason: reasons[finding],
    figures: figuresOf(test, path, testNumber, testFrom),
  };
}

const figuresOf = (
  { bounds, vehicles }: SequentialTest,
  { succeeded, failed, evidence }: PathEnd,
  test: number,
  from: number,
): Figures => ({ test, from, vehicles, succeeded, failed, evidence, ...bounds });
