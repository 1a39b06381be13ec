/** A schedule during a change: its status, waves, tests, and the intended status of its operation. Pure. */
import {
  type SchedulePlan,
  type ScheduleStatus,
  type WaveState,
} from '../../contract/carota-api/index.js';
import { FAILED } from '../../contract/index.js';
import {
  type Deadlines,
  exposureCapOf,
  exposureRefusal,
  type FailedVehicle,
  judge,
  type Judgement,
  retryAt,
  type TestResult,
  type WaveCounts,
} from '../guard/index.js';
import { ScheduleConflict } from './conflict.js';
import { type ScheduleState } from './next-step.js';
import { isEnded, statusAfter, type Transition } from './transitions.js';
import { type Counters, recount, type Standing } from './wave-counts.js';

/** The operation's status at the adapter. */
export type Operation = 'none' | 'active' | 'paused' | 'cancelled';

/** The status that the operation should have at the adapter; requested until the adapter has confirmed it. */
export interface Intent {
  readonly operation: Exclude<Operation, 'none'>;
  readonly since: Date;
  /** Number of failed requests to the adapter. */
  readonly tries: number;
}

/** The stored row. */
export interface LockedRow {
  readonly id: number;
  readonly ref_id: string;
  readonly script_ref_id: string;
  readonly model: string;
  readonly plan: SchedulePlan;
  readonly status: ScheduleStatus;
  readonly test_number: number;
  readonly test_from: number;
  readonly stop_place: number | null;
  readonly grace_until: Date | null;
  readonly exposed: number;
  readonly passed: number;
  readonly gone_wave: number;
  readonly operation: Operation;
  readonly intended: Intent['operation'] | null;
  readonly intended_at: Date | null;
  readonly intended_tries: number;
  readonly due_at: Date | null;
  readonly reason: string;
  readonly created_by: string;
  readonly approved_at: Date | null;
  readonly approved_by: string | null;
  readonly approved_digest: string | null;
  readonly approved_script: string | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

/** An approval and its content. */
export interface Approval {
  readonly at: Date;
  /** Id of the token. */
  readonly by: string;
  /** See `contentOf`. */
  readonly digest: string;
  /** SHA-256 of the script's file. */
  readonly script: string;
}

export interface WaveRow extends Counters {
  readonly number: number;
  readonly vehicles: number;
  state: WaveState;
  posted_at: Date | null;
  passed_at: Date | null;
  /** Vehicles not registered at the adapter; the wave does not wait for them. */
  rejected: number;
}

const NO_GUARD: Judgement = { decision: 'go', reason: 'no guard' };
/** Without a guard, no soak: the latest report of a vehicle is its result. */
const NO_SOAK: Deadlines = { soak: 0 };
export const deadlinesOf = ({ guard }: SchedulePlan): Deadlines => guard ?? NO_SOAK;

export class ScheduleRecord {
  readonly id: number;
  readonly refId: string;
  readonly scriptRefId: string;
  readonly model: string;
  readonly plan: SchedulePlan;
  operation: Operation;
  /** When the schedule was due, ms. */
  readonly dueAt: number | undefined;
  /** Number of the guard's current test. */
  testNumber: number;
  /** Place of the test's first vehicle in the order of exposure. */
  testFrom: number;
  /** Place of the earliest vehicle at which a test may stop; undefined: none can stop with the vehicles exposed so far. */
  stopPlace: number | undefined;
  /**
   * No vehicle becomes silent before this time, ms: after a server's start, the adapter first delivers the events of its
   * downtime.
   */
  readonly graceUntil: number;
  /** Undefined: the schedule has no test, or the test has not run yet. */
  test: TestResult | undefined;
  waves: WaveRow[];
  /** Id of the token that planned it. */
  readonly createdBy: string;
  #intent: Intent | undefined;
  #exposed: number;
  #passed: number;
  #goneWave: number;
  #gone: Omit<Judgement, 'decision'> = { reason: 'a test has decided "go"' };
  #status: ScheduleStatus;
  #reason: string;
  #approval: Approval | undefined;
  #startedAt: Date | null;
  #endedAt: Date | null;

  constructor(row: LockedRow, waves: WaveRow[]) {
    this.id = row.id;
    this.refId = row.ref_id;
    this.scriptRefId = row.script_ref_id;
    this.model = row.model;
    this.plan = row.plan;
    this.operation = row.operation;
    this.dueAt = row.due_at?.getTime();
    const { intended: operation, intended_at: since, intended_tries: tries } = row;
    this.#intent = operation && since ? { operation, since, tries } : undefined;
    this.testNumber = row.test_number;
    this.testFrom = row.test_from;
    this.stopPlace = row.stop_place ?? undefined;
    this.graceUntil = row.grace_until?.getTime() ?? 0;
    this.#exposed = row.exposed;
    this.#passed = row.passed;
    this.#goneWave = row.gone_wave;
    this.waves = waves;
    this.createdBy = row.created_by;
    this.#status = row.status;
    this.#reason = row.reason;
    const {
      approved_at: at,
      approved_by: by,
      approved_digest: digest,
      approved_script: script,
    } = row;
    this.#approval =
      at && by !== null && digest !== null && script !== null
        ? { at, by, digest, script }
        : undefined;
    this.#startedAt = row.started_at;
    this.#endedAt = row.ended_at;
  }

  get status(): ScheduleStatus {
    return this.#status;
  }

  /** Why the schedule is held or stopped; empty otherwise. */
  get reason(): string {
    return this.#reason;
  }

  get approval(): Approval | undefined {
    return this.#approval;
  }

  get startedAt(): Date | null {
    return this.#startedAt;
  }

  get endedAt(): Date | null {
    return this.#endedAt;
  }

  /**
   * Changes the status, with all consequences.
   *
   * @param now ms
   * @param reason why the schedule is held or stopped
   * @returns false if nothing has changed
   * @throws ScheduleConflict if the status does not allow it
   */
  apply(transition: Transition, now: number, reason = ''): boolean {
    const status = statusAfter(this.#status, transition);
    if (status === undefined) {
      throw new ScheduleConflict(
        'SCHEDULE_STATUS',
        `${transition} is not allowed while the schedule is ${this.#status}`,
      );
    }
    if (status === this.#status) return false;
    this.#status = status;
    this.#reason = status === 'held' || status === 'stopped' ? reason : '';
    if (transition === 'start') this.#startedAt = new Date(now);
    if (transition === 'continue') this.#passCurrent(now);
    if (isEnded(status)) this.#end(now);
    return true;
  }

  /** @throws ScheduleConflict if the status does not allow it */
  approve(what: Omit<Approval, 'at'>, now: number): void {
    this.apply('approve', now);
    this.#approval = { at: new Date(now), ...what };
  }

  /** A person passes the wave. The test continues with the wave's vehicles. */
  #passCurrent(now: number): void {
    const { current } = this;
    if (current) this.pass(current.number, now);
  }

  /** Stops all waves in progress. */
  #end(now: number): void {
    this.#endedAt = new Date(now);
    for (const wave of this.waves) {
      if (wave.state === 'posting' || wave.state === 'running') wave.state = 'stopped';
    }
  }

  get intent(): Intent | undefined {
    return this.#intent;
  }

  /** @param operation undefined: the operation already has the intended status @param now ms */
  intend(operation: Intent['operation'] | undefined, now: number): void {
    if (operation === this.#intent?.operation) return;
    // The duration of a stop counts from the decision, not from the restart of a server.
    const since = operation === 'cancelled' ? this.#endedAt : undefined;
    this.#intent = operation && { operation, since: since ?? new Date(now), tries: 0 };
  }

  /** The adapter has confirmed the operation's status. */
  confirm(operation: Intent['operation']): void {
    this.operation = operation;
    if (this.#intent?.operation === operation) this.#intent = undefined;
  }

  controlFailed(): void {
    if (this.#intent) this.#intent = { ...this.#intent, tries: this.#intent.tries + 1 };
  }

  /** The wave's event is about to be posted to the adapter. */
  beginPosting(wave: number): void {
    this.#change(wave, { state: 'posting' });
  }

  /**
   * The adapter has the wave's event. If the schedule has ended meanwhile, the wave stays stopped.
   *
   * @param rejected vehicles not registered at the adapter
   */
  posted(wave: number, rejected: number, now: number): void {
    const state = isEnded(this.#status) ? 'stopped' : 'running';
    this.#change(wave, { state, posted_at: new Date(now), rejected });
  }

  /** The adapter refused the wave's event. */
  refusedToPost(wave: number): void {
    this.#change(wave, { state: 'waiting' });
  }

  /** The next wave may start. */
  pass(wave: number, now: number): void {
    this.#change(wave, { state: 'passed', passed_at: new Date(now) });
  }

  #change(number: number, change: Partial<WaveRow>): void {
    const wave = this.waves.find((candidate) => candidate.number === number);
    if (wave) Object.assign(wave, change);
  }

  /** The newest wave that was posted. */
  get current(): WaveRow | undefined {
    return this.waves.findLast(({ state }) => state !== 'waiting' && state !== 'posting');
  }

  /** Adjusts the wave's counts after a change of a vehicle's state or result. */
  move(wave: number, before: Standing, after: Standing): void {
    const row = this.waves.find(({ number }) => number === wave);
    if (row) recount(row, before, after);
  }

  /**
   * @param vehicle has just reported
   * @param receivedAt ms
   * @returns when it is retried, ms; undefined: not at all
   */
  retryAt(
    vehicle: FailedVehicle & { readonly retryAt: number | undefined },
    receivedAt: number,
  ): number | undefined {
    const { retry = [] } = this.plan;
    if (isEnded(this.#status) || !FAILED.has(vehicle.state)) return undefined;
    return retryAt(retry, vehicle, vehicle.retryAt, receivedAt);
  }

  get deadlines(): Deadlines {
    return deadlinesOf(this.plan);
  }

  /** Number of vehicles with a place in the order of exposure. */
  get exposed(): number {
    return this.#exposed;
  }

  /** Number of vehicles in the tests that decided "go". */
  get passed(): number {
    return this.#passed;
  }

  /** The newest wave at the time when a test last decided "go"; 0: none has. */
  get goneWave(): number {
    return this.#goneWave;
  }

  /** Maximum number of exposed vehicles without a result; undefined: the schedule has no guard. */
  get exposureCap(): number | undefined {
    const { guard } = this.plan;
    return guard && exposureCapOf(guard, this.#passed);
  }

  /** Why no vehicle may be exposed while the schedule runs; undefined: one may. */
  get exposureRefusal(): string | undefined {
    const { exposed, stopPlace, exposureCap: cap } = this;
    const undecided = this.waves.reduce((sum, wave) => sum + wave.undecided, 0);
    return cap === undefined ? undefined : exposureRefusal({ exposed, undecided, stopPlace }, cap);
  }

  /** @returns the next place in the order of exposure */
  nextPlace(): number {
    this.#exposed += 1;
    return this.#exposed;
  }

  /** The test has decided "go", and the next one starts after its last vehicle. */
  recordGo({ reason, figures }: TestResult): void {
    this.testNumber += 1;
    this.testFrom += figures.vehicles;
    this.#passed += figures.vehicles;
    this.#gone = { reason, figures };
    this.#goneWave = this.current?.number ?? 0;
  }

  /** Counts over all waves. */
  get total(): WaveCounts {
    return sum(this.waves);
  }

  /** @param now ms */
  state(now: number): ScheduleState {
    const patience = this.plan.guard?.patience;
    const total = sum(this.waves);
    return {
      status: this.#status,
      plan: this.plan,
      waves: this.waves.map(({ number, state, passed_at, posted_at }) => ({
        number,
        state,
        passedAt: passed_at?.getTime(),
        judgedAt:
          posted_at && patience !== undefined ? posted_at.getTime() + patience * 1000 : undefined,
      })),
      open: Math.max(0, total.vehicles - total.finished),
      judgement: this.#judgement(total, now),
    };
  }

  #judgement(total: WaveCounts, now: number): Judgement | undefined {
    const { current } = this;
    if (!current) return undefined;
    const { guard } = this.plan;
    if (!guard) return NO_GUARD;
    return judge(guard, {
      total,
      wave: sum([current]),
      test: this.test,
      gone: this.#goneWave >= current.number ? this.#gone : undefined,
      age: (now - (current.posted_at?.getTime() ?? now)) / 1000,
    });
  }
}

function sum(waves: readonly WaveRow[]): WaveCounts {
  const of = (field: (wave: WaveRow) => number) =>
    waves.reduce((total, wave) => total + field(wave), 0);
  return {
    vehicles: of(({ vehicles, rejected }) => vehicles - rejected),
    finished: of(({ finished }) => finished),
    undecided: of(({ undecided }) => undecided),
    succeeded: of(({ succeeded }) => succeeded),
    failed: of(({ failed }) => failed),
    silent: of(({ silent }) => silent),
    failedEarly: of((wave) => wave.failed_early),
    rollbackFailed: of((wave) => wave.rollback_failed),
  };
}
