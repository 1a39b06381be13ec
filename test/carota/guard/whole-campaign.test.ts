/**
 * Complete campaigns in virtual time, with the functions that schedules run: vehicles with any outcomes, delays and
 * retries, admitted as the limits allow. A decision on partial results equals the one on all results, where the first
 * result of each vehicle counts. The contract's one exception: before the decision, a success undoes a silence.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyReport } from '../../../src/carota/events/apply-report.js';
import {
  afterDeadline,
  exposedAt,
  type Outcome,
  SequentialTest,
} from '../../../src/carota/guard/index.js';
import { outcomeOf } from '../../../src/carota/schedules/run-tests.js';
import { ScheduleRecord, type TrackedVehicle } from '../../../src/carota/schedules/index.js';
import {
  type RetryRule,
  type SchedulePlan,
  type TestSettings,
} from '../../../src/contract/carota-api/index.js';
import { EVENT_STATUS, type EventStatusName } from '../../../src/contract/index.js';
import { vinOf } from '../../support/messages.js';
import { cases } from '../../support/depth.js';
import { fresh, rowOf, waveOf } from '../support/schedule-rows.js';

/** A vehicle's reports in one attempt, and the seconds between them. */
interface Attempt {
  readonly reports: readonly EventStatusName[];
  readonly reason: string;
  readonly delays: readonly number[];
}
/** Attempts of one vehicle, as far as the plan lets it retry. After the last one it is silent. */
type Course = readonly Attempt[];

const DEADLINE = 1_000;
const attempts: readonly (readonly EventStatusName[])[] = [
  ['downloading', 'reboot', 'success'],
  ['success'],
  // Fails during its soak, or after it.
  ['success', 'failure'],
  ['downloading', 'download_fail'],
  ['downloading', 'failure', 'rollback_success'],
  ['failure', 'rollback_fail'],
  ['md5_check_fail', 'downloading', 'success'],
  // Stays withdrawn, or continues after its withdrawal.
  ['cancel'],
  ['consent_rejected', 'consent_accepted', 'success'],
  ['reboot'],
  [],
];
const course: fc.Arbitrary<Course> = fc.array(
  fc.record({
    reports: fc.constantFrom(...attempts),
    reason: fc.constantFrom('network lost', 'disk full'),
    delays: fc.array(fc.constantFrom(1, 7, 40, 150, 400, 900, 1_500), {
      minLength: 3,
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 4 },
);
const rule: fc.Arbitrary<RetryRule> = fc.record(
  {
    state: fc.constantFrom('download_fail', 'failure', 'rollback_success', 'md5_check_fail'),
    reason: fc.constantFrom('*network*', 'disk?full'),
    after: fc.constantFrom(1, 30, 200, 2_000),
    times: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['state', 'after', 'times'] },
);
interface Campaign {
  readonly courses: readonly Course[];
  readonly retry: RetryRule[];
  readonly exposureCap: number;
  readonly soak: number;
  readonly afterReboot: number;
  readonly test: TestSettings;
  readonly order: readonly number[];
}
const campaign: fc.Arbitrary<Campaign> = fc.record({
  courses: fc.array(course, { minLength: 1, maxLength: 30, size: 'max' }),
  retry: fc.array(rule, { maxLength: 3 }),
  exposureCap: fc.integer({ min: 1, max: 8 }),
  soak: fc.constantFrom(0, 100, 600),
  afterReboot: fc.constantFrom(20, 200),
  test: fc.constantFrom(
    { tolerated: 0.2, intolerable: 0.7, falseStop: 0.2, missedStop: 0.2 },
    { tolerated: 0.1, intolerable: 0.5, falseStop: 0.1, missedStop: 0.1 },
    { tolerated: 0.3, intolerable: 0.9, falseStop: 0.4, missedStop: 0.4 },
  ),
  /** Chooses which of several things due at the same moment comes first. */
  order: fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 }),
});

interface Decision {
  readonly finding: 'go' | 'stop';
  readonly from: number;
  readonly vehicles: number;
}

interface Happening {
  /** ms */
  readonly at: number;
  readonly vehicle: number;
  readonly report: EventStatusName;
  readonly reason: string;
  readonly attempt: number;
}

class Simulation {
  #schedule: ScheduleRecord;
  #vehicles: TrackedVehicle[];
  readonly #courses: readonly Course[];
  readonly #plan: SchedulePlan;
  readonly #coming: Happening[] = [];
  #next = 0;
  #events = 0;
  #now = 0;
  readonly decisions: Decision[] = [];
  /** The vehicle at each place, from 0. */
  readonly places: number[] = [];
  constructor(
    { courses, retry, exposureCap, soak, afterReboot, test: settings }: Campaign,
    private readonly choose: (of: number) => number,
    /** Whether the server restarts now. */
    private readonly restarts: () => boolean,
    /** Whether vehicles with a result continue to report. */
    private readonly goOn: boolean,
  ) {
    this.#courses = courses;
    this.#plan = {
      ...{ 'ref-id': 'r', 'script-ref-id': 's', model: 'm', retry },
      guard: { test: settings, exposureCap, deadline: DEADLINE, afterReboot, soak },
    };
    this.#vehicles = courses.map((_, place) => fresh(vinOf(place, 'WVP')));
    this.#schedule = new ScheduleRecord(rowOf(this.#plan), [waveOf(courses.length)]);
  }

  /** Runs until the campaign stops, or nothing more can happen. */
  run(): this {
    for (;;) {
      this.#admit();
      if (!this.#runTests()) return this;
      const at = this.#nextTime();
      if (at === undefined) return this;
      this.#now = at;
      if (this.restarts()) this.#restart();
      this.#happen();
      this.#check();
      if (!this.#runTests()) return this;
    }
  }

  get cap(): number {
    return this.#schedule.exposureCap ?? 0;
  }

  /** The outcome of each vehicle so far, in the order of exposure. */
  get outcomes(): Outcome[] {
    return this.places.map((vehicle) =>
      outcomeOf(this.#vehicles[vehicle]?.exposure?.result ?? 'undecided'),
    );
  }

  /** As `admit` does. */
  #admit(): void {
    for (; this.#next < this.#vehicles.length; this.#next += 1) {
      if (this.#schedule.exposureRefusal !== undefined) return;
      const vehicle = this.#vehicles[this.#next];
      if (!vehicle) return;
      const before = { state: vehicle.state, result: undefined };
      vehicle.exposure = exposedAt(this.#schedule.deadlines, this.#now);
      vehicle.place = this.#schedule.nextPlace();
      this.#schedule.move(1, before, { state: vehicle.state, result: 'undecided' });
      this.places.push(this.#next);
      this.#attempt(this.#next, 0);
    }
  }

  #attempt(vehicle: number, attempt: number): void {
    const { reports = [], delays = [], reason = '' } = this.#courses[vehicle]?.[attempt] ?? {};
    let at = this.#now;
    for (const [place, report] of reports.entries()) {
      at += (delays[place] ?? 1) * 1_000;
      this.#coming.push({ at, vehicle, report, reason, attempt });
    }
  }

  #nextTime(): number | undefined {
    const times = [
      ...this.#coming.map(({ at }) => at),
      ...this.#vehicles.flatMap(({ exposure, retryAt }) => [exposure?.decidesAt, retryAt]),
    ].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Does one of the things due now; deadlines end after the reports of the same moment, as in the server. */
  #happen(): void {
    const due = this.#coming.filter(({ at }) => at <= this.#now);
    const one = due[this.choose(due.length)];
    if (one) {
      this.#report(one);
      return;
    }
    const retried = this.#vehicles.findIndex(({ retryAt }) => (retryAt ?? Infinity) <= this.#now);
    if (retried >= 0) {
      this.#retry(retried);
      return;
    }
    for (const vehicle of this.#vehicles) {
      const { exposure, state } = vehicle;
      if ((exposure?.decidesAt ?? Infinity) > this.#now || !exposure) continue;
      vehicle.exposure = afterDeadline(exposure, state);
      vehicle.retryAt = undefined;
      this.#schedule.move(
        1,
        { state, result: exposure.result },
        { state, result: vehicle.exposure.result },
      );
    }
  }

  #report(happening: Happening): void {
    this.#coming.splice(this.#coming.indexOf(happening), 1);
    const { vehicle, report, reason, at, attempt } = happening;
    const tracked = this.#vehicles[vehicle];
    // An attempt that was replaced by another one sends no more reports.
    if (!tracked || attempt < tracked.tries) return;
    if (!this.goOn && this.#hasResult(tracked)) return;
    this.#events += 1;
    const event = {
      'event-id': `e${String(this.#events).padStart(6, '0')}`,
      ...{ 'ref-id': 'r', vin: tracked.vin, device_id: 'd', device_type: 'TCU' },
      ...{ status: EVENT_STATUS[report], 'status-name': report, timestamp: at + this.#events },
      ...{ meta: [{ key: 'reason', value: reason }], 'received-at': at },
    };
    applyReport(this.#schedule, tracked, event, this.#now);
  }

  /** Or gets one now: a report at the deadline comes after it, and would undo a silence. */
  #hasResult({ exposure }: TrackedVehicle): boolean {
    if (!exposure) return false;
    return exposure.result !== 'undecided' || (exposure.decidesAt ?? Infinity) <= this.#now;
  }

  /** As `Retries` does. */
  #retry(place: number): void {
    const vehicle = this.#vehicles[place];
    if (!vehicle) return;
    const before = { state: vehicle.state, result: vehicle.exposure?.result, isRetried: true };
    vehicle.tries += 1;
    vehicle.retryAt = undefined;
    vehicle.state = 'waiting';
    vehicle.reason = null;
    this.#schedule.move(1, before, { state: 'waiting', result: vehicle.exposure?.result });
    this.#attempt(place, vehicle.tries);
  }

  /** Reads the stored state again. */
  #restart(): void {
    const copy = JSON.parse(JSON.stringify(this.#vehicles)) as TrackedVehicle[];
    this.#vehicles = copy.map((vehicle) => ({
      ...vehicle,
      at: vehicle.at && new Date(vehicle.at),
    }));
    const { testNumber, testFrom, stopPlace, exposed, passed, goneWave, waves } = this.#schedule;
    this.#schedule = new ScheduleRecord(
      {
        ...rowOf(this.#plan),
        ...{ test_number: testNumber, test_from: testFrom, stop_place: stopPlace ?? null },
        ...{ exposed, passed, gone_wave: goneWave },
      },
      structuredClone(waves),
    );
  }

  /** As `runTests` does. @returns false if it stops */
  #runTests(): boolean {
    const settings = this.#plan.guard?.test;
    if (!settings) throw new Error('a plan without a test');
    for (;;) {
      const { testNumber, testFrom } = this.#schedule;
      let sequential = SequentialTest.begin(settings, testNumber);
      for (const outcome of this.outcomes.slice(testFrom - 1)) {
        if (sequential.isOver) break;
        sequential = sequential.take(outcome);
      }
      const { finding, vehicles, mayStopAfter } = sequential;
      this.#schedule.stopPlace =
        mayStopAfter === undefined ? undefined : testFrom - 1 + mayStopAfter;
      if (finding === 'undecided') return true;
      this.decisions.push({ finding, from: testFrom, vehicles });
      if (finding === 'stop') return false;
      const figures = { test: testNumber, from: testFrom, vehicles, succeeded: 0, failed: 0 };
      this.#schedule.recordGo({
        ...{ finding, reason: '' },
        figures: { ...figures, evidence: 0, ...sequential.bounds },
      });
    }
  }

  /** Expects that the counts match the vehicles, and the cap holds. */
  #check(): void {
    const { undecided } = this.#schedule.total;
    const counted = this.#vehicles.filter(({ exposure }) => exposure?.result === 'undecided');
    expect(undecided).toBe(counted.length);
    expect(undecided).toBeLessThanOrEqual(this.#schedule.exposureCap ?? 0);
  }
}

/** The final outcome of a vehicle alone: no stop, and no other vehicle. */
function trueOutcome(given: Campaign, vehicle: number): Outcome {
  const alone = new Simulation(
    {
      ...given,
      courses: [given.courses[vehicle] ?? []],
      // One vehicle cannot cross either bound.
      test: { tolerated: 0.4, intolerable: 0.6, falseStop: 0.001, missedStop: 0.001 },
    },
    () => 0,
    () => false,
    false,
  ).run();
  return alone.outcomes[0] ?? 'undecided';
}

/** One test over the final results of all vehicles, in the order of their exposure. */
function testOfAll(given: Campaign, number: number, outcomes: readonly Outcome[]): SequentialTest {
  let sequential = SequentialTest.begin(given.test, number);
  for (const outcome of outcomes) {
    if (sequential.isOver) break;
    sequential = sequential.take(outcome);
  }
  return sequential;
}

function simulate(given: Campaign, goOn: boolean, restarts: () => boolean = () => false) {
  let chosen = 0;
  const choose = (of: number) =>
    (given.order[++chosen % given.order.length] ?? 0) % Math.max(1, of);
  return new Simulation(given, choose, restarts, goOn).run();
}

describe('for any outcomes, delays, orders of arrival and retry rules', () => {
  test('the decisions equal those on all results, every vehicle is in a test, and the cap holds', () => {
    fc.assert(
      fc.property(campaign, (given) => {
        const run = simulate(given, false);
        const outcomes = run.places.map((vehicle) => trueOutcome(given, vehicle));
        // Alone, each vehicle gets a result.
        expect(outcomes).not.toContain('undecided');
        const { decisions } = run;
        let from = 1;
        for (const [place, decision] of decisions.entries()) {
          // Each test starts after the vehicle at which the previous one was decided.
          expect(decision.from).toBe(from);
          const all = testOfAll(given, place + 1, outcomes.slice(from - 1));
          expect(all.finding).toBe(decision.finding);
          // With all results it may come sooner, never later; and the cap also holds after that vehicle.
          expect(all.vehicles).toBeLessThanOrEqual(decision.vehicles);
          const behind = run.places.length - (from - 1 + all.vehicles);
          if (decision.finding === 'stop') expect(behind).toBeLessThanOrEqual(run.cap);
          from += decision.vehicles;
        }
        if (decisions.at(-1)?.finding === 'stop') return;
        // Nothing more can happen: all vehicles were exposed, and those after the last decision decide nothing.
        expect(run.places).toHaveLength(given.courses.length);
        const rest = testOfAll(given, decisions.length + 1, outcomes.slice(from - 1));
        expect(rest.finding).toBe('undecided');
      }),
      cases({ quick: 100, full: 5_000 }),
    );
  });

  test('a restart at any moment changes nothing', () => {
    fc.assert(
      fc.property(
        campaign,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        (given, moments) => {
          const undisturbed = simulate(given, true);
          let moment = 0;
          const restarts = () => moments[++moment % moments.length] ?? false;
          const restarted = simulate(given, true, restarts);
          expect(restarted.decisions).toEqual(undisturbed.decisions);
          expect(restarted.places).toEqual(undisturbed.places);
          expect(restarted.outcomes).toEqual(undisturbed.outcomes);
        },
      ),
      cases({ quick: 70, full: 3_000 }),
    );
  });
});
