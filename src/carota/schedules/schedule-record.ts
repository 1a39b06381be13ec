/** A stored schedule, locked while it is changed and written back. */
import {
  type SchedulePlan,
  type ScheduleStatus,
  type WaveState,
} from '../../contract/carota-api/index.js';
import { numberArray, type Queryable, textArray, timeArray } from '../../service/database/index.js';
import { judge, type Judgement, type Verdict, type WaveCounts } from '../guard/index.js';
import { ScheduleConflict } from './conflict.js';
import { type ScheduleState } from './next-step.js';
import { isEnded, statusAfter, type Transition } from './transitions.js';
import { mostWaves } from './wave-sizes.js';

export type Operation = 'none' | 'active' | 'paused' | 'cancelled';

interface LockedRow {
  readonly id: number;
  readonly ref_id: string;
  readonly script_ref_id: string;
  readonly model: string;
  readonly plan: SchedulePlan;
  readonly status: ScheduleStatus;
  readonly test_from_wave: number;
  readonly operation: Operation;
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

/** Who has approved what. */
export interface Approval {
  readonly at: Date;
  /** Id of the token. */
  readonly by: string;
  /** See `contentOf`. */
  readonly digest: string;
  /** SHA-256 of the script's file. */
  readonly script: string;
}

export interface WaveRow {
  readonly number: number;
  readonly vehicles: number;
  state: WaveState;
  posted_at: Date | null;
  passed_at: Date | null;
  /** Vehicles not registered at the adapter; the wave does not wait for them. */
  rejected: number;
  finished: number;
  succeeded: number;
  failed: number;
  rollback_failed: number;
}

/** How a vehicle counts in its wave. */
export interface Standing {
  readonly verdict: Verdict;
  readonly finished: boolean;
  readonly rollbackFailed: boolean;
}

const NO_GUARD: Judgement = { decision: 'go', reason: 'no guard' };

export class ScheduleRecord {
  readonly id: number;
  readonly refId: string;
  readonly scriptRefId: string;
  readonly model: string;
  readonly plan: SchedulePlan;
  operation: Operation;
  /** When it was due, ms. */
  readonly dueAt: number | undefined;
  /** The guard's test starts at this wave. */
  testFromWave: number;
  waves: WaveRow[];
  /** Id of the token that planned it. */
  readonly createdBy: string;
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
    this.testFromWave = row.test_from_wave;
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

  /** Why it is held or stopped; empty otherwise. */
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
   * @param reason why it is held or stopped
   * @returns false if nothing has changed
   * @throws ScheduleConflict where the status does not allow it
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

  /** @throws ScheduleConflict where the status does not allow it */
  approve(what: Omit<Approval, 'at'>, now: number): void {
    this.apply('approve', now);
    this.#approval = { at: new Date(now), ...what };
  }

  /** A person has decided: the wave has passed, and the next one starts a new test. */
  #passCurrent(now: number): void {
    const { current } = this;
    if (!current) return;
    this.pass(current.number, now);
    this.testFromWave = current.number + 1;
  }

  /** Stops all waves in progress. */
  #end(now: number): void {
    this.#endedAt = new Date(now);
    for (const wave of this.waves) {
      if (wave.state === 'posting' || wave.state === 'running') wave.state = 'stopped';
    }
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

  /** Adjusts the wave's counts after a vehicle's state has changed. */
  move(wave: number, before: Standing, after: Standing): void {
    const row = this.waves.find(({ number }) => number === wave);
    if (!row) return;
    const step = (was: boolean, is: boolean) => Number(is) - Number(was);
    row.finished += step(before.finished, after.finished);
    row.succeeded += step(before.verdict === 'succeeded', after.verdict === 'succeeded');
    row.failed += step(before.verdict === 'failed', after.verdict === 'failed');
    row.rollback_failed += step(before.rollbackFailed, after.rollbackFailed);
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
      waves: mostWaves(this.plan),
      total,
      tested: sum(this.waves.filter(({ number }) => number >= this.testFromWave)),
      wave: sum([current]),
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
    succeeded: of(({ succeeded }) => succeeded),
    failed: of(({ failed }) => failed),
    rollbackFailed: of((wave) => wave.rollback_failed),
  };
}

/** Locks a schedule until the transaction ends; undefined if it does not exist. */
export async function lockSchedule(
  tx: Queryable,
  by: { readonly id: number } | { readonly refId: string },
): Promise<ScheduleRecord | undefined> {
  const [column, key] = 'id' in by ? ['id', by.id] : ['ref_id', by.refId];
  const [row] = await tx.query<LockedRow>(
    `select id, ref_id, script_ref_id, model, plan, status, test_from_wave, operation, due_at, reason,
       created_by, approved_at, approved_by, approved_digest, approved_script, started_at, ended_at
     from schedules where ${column} = $1 for update`,
    [key],
  );
  return row && new ScheduleRecord(row, await readWaves(tx, row.id));
}

export const readWaves = (database: Queryable, scheduleId: number): Promise<WaveRow[]> =>
  database.query<WaveRow>(
    `select number, vehicles, state, posted_at, passed_at, rejected, finished, succeeded, failed, rollback_failed
     from waves where schedule_id = $1 order by number`,
    [scheduleId],
  );

/** Writes back everything that may have changed. */
export async function saveSchedule(
  tx: Queryable,
  schedule: ScheduleRecord,
  dueAt: number | undefined,
): Promise<void> {
  await tx.query(
    `update schedules
     set status = $2, operation = $3, test_from_wave = $4, due_at = $5, reason = $6, approved_at = $7,
       approved_by = $8, started_at = $9, ended_at = $10, approved_digest = $11, approved_script = $12
     where id = $1`,
    [
      schedule.id,
      schedule.status,
      schedule.operation,
      schedule.testFromWave,
      dueAt === undefined ? null : new Date(dueAt),
      schedule.reason,
      schedule.approval?.at ?? null,
      schedule.approval?.by ?? null,
      schedule.startedAt,
      schedule.endedAt,
      schedule.approval?.digest ?? null,
      schedule.approval?.script ?? null,
    ],
  );
  const { waves } = schedule;
  const numbers = (of: (wave: WaveRow) => number) => numberArray(waves.map(of));
  const times = (of: (wave: WaveRow) => Date | null) =>
    timeArray(waves.map((wave) => of(wave)?.getTime() ?? null));
  await tx.query(
    `update waves w
     set state = n.state, posted_at = n.posted_at, passed_at = n.passed_at, rejected = n.rejected,
       finished = n.finished, succeeded = n.succeeded, failed = n.failed,
       rollback_failed = n.rollback_failed
     from unnest($2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::int[],
       $8::int[], $9::int[], $10::int[])
       as n (number, state, posted_at, passed_at, rejected, finished, succeeded, failed, rollback_failed)
     where w.schedule_id = $1 and w.number = n.number`,
    [
      schedule.id,
      numbers(({ number }) => number),
      textArray(waves.map(({ state }) => state)),
      times(({ posted_at }) => posted_at),
      times(({ passed_at }) => passed_at),
      numbers(({ rejected }) => rejected),
      numbers(({ finished }) => finished),
      numbers(({ succeeded }) => succeeded),
      numbers(({ failed }) => failed),
      numbers(({ rollback_failed }) => rollback_failed),
    ],
  );
}
