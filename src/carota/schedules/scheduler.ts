/**
 * Carries out due work: posts each wave's event, and pauses, resumes or cancels the operation at the adapter. Each task is
 * stored before it is carried out, and the adapter recognises a repetition, so the process may be killed at any time.
 */
import { type CarOtaServerEvent } from '../../contract/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { type AdapterClient, AdapterRefused } from './adapter-client.js';
import { advance } from './advance.js';
import { noteDecision } from './decisions.js';
import { windowOpening } from './next-step.js';
import {
  lockSchedule,
  type Operation,
  saveSchedule,
  type ScheduleRecord,
} from './schedule-record.js';
import { type ApprovalRule } from './schedules.js';
import { isEnded } from './transitions.js';

export interface SchedulerOptions {
  readonly database: Database;
  readonly adapter: AdapterClient;
  readonly approval: ApprovalRule;
  /** ms */
  readonly clock: () => number;
  readonly onFailure: (refId: string, error: Error) => void;
}

/** Interval between checks: the clock may be set, and another process may have changed something. */
const LOOK_MS = 1_000;
/** A wave that has been `posting` for this long is posted again: the process that posted it must be dead. */
const LEASE_MS = 150_000;
/** Pause after a failure, ms. */
const RETRY_MS = 5_000;

/** A call to the adapter, stored and now to be made. */
type Task =
  | { readonly kind: 'post'; readonly wave: number; readonly event: CarOtaServerEvent }
  | { readonly kind: 'control'; readonly operation: Operation };

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** First makes the waves due that a dead process was posting; the adapter recognises a repetition. */
  async start(): Promise<void> {
    const { database, clock } = this.#options;
    await database.query(
      `update schedules s set due_at = $1 where status = 'running'
         and exists (select from waves w where w.schedule_id = s.id and w.state = 'posting')`,
      [new Date(clock())],
    );
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  /** Work may be due: check now. */
  wake(): void {
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      try {
        await this.#doDue();
      } catch (error) {
        this.#options.onFailure('', error as Error);
      }
      await woken;
    }
  }

  async #doDue(): Promise<void> {
    const { database, clock } = this.#options;
    const due = await database.query<{ id: number }>(
      'select id from schedules where due_at <= $1 order by due_at limit 100',
      [new Date(clock())],
    );
    for (const { id } of due) {
      if (this.#stopping.signal.aborted) return;
      await this.#work(id);
    }
  }

  /** Advances one schedule as far as possible. */
  async #work(id: number): Promise<void> {
    const { database, clock, approval } = this.#options;
    let refId = '';
    const task = await database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id });
      const now = clock();
      // Another server on this database may have been faster.
      if (schedule?.dueAt === undefined || schedule.dueAt > now) return undefined;
      ({ refId } = schedule);
      let due = await advance(tx, schedule, now, approval);
      const found = await this.#taskOf(schedule, now, (wave) => eventOf(tx, schedule, wave, now));
      if (found) due = now + LEASE_MS;
      await saveSchedule(tx, schedule, due);
      return found;
    });
    if (!task) return;
    try {
      if (task.kind === 'post') await this.#post(id, task.wave, task.event);
      else await this.#control(id, refId, task.operation);
    } catch (error) {
      await this.#failed(id, task, error as Error);
      this.#options.onFailure(refId, error as Error);
    }
  }

  async #taskOf(
    schedule: ScheduleRecord,
    now: number,
    event: (wave: number) => Promise<CarOtaServerEvent>,
  ): Promise<Task | undefined> {
    const wanted = this.#wantedOperation(schedule, now);
    if (wanted !== schedule.operation) return { kind: 'control', operation: wanted };
    const posting = schedule.waves.find(({ state }) => state === 'posting');
    if (!posting || schedule.status !== 'running') return undefined;
    // From now on the adapter may have the operation, even if its answer is lost.
    if (schedule.operation === 'none') schedule.operation = 'active';
    return { kind: 'post', wave: posting.number, event: await event(posting.number) };
  }

  /** The status that the operation should have at the adapter, as far as this server may control it. */
  #wantedOperation({ operation, status, plan }: ScheduleRecord, now: number): Operation {
    if (!this.#options.adapter.mayControl || operation === 'none' || operation === 'cancelled') {
      return operation;
    }
    if (status === 'stopped') return 'cancelled';
    const isClosed = windowOpening(plan, now) > now;
    return status === 'paused' || (status !== 'completed' && isClosed) ? 'paused' : 'active';
  }

  async #post(id: number, wave: number, event: CarOtaServerEvent): Promise<void> {
    const answer = await this.#options.adapter.trigger(event, this.#stopping.signal);
    await this.#change(id, async (schedule, tx, now) => {
      const { rejectedCount: rejected } = answer;
      schedule.posted(wave, rejected, now);
      await tx.query(
        `update schedule_vehicles set state = 'device_not_found'
         where schedule_id = $1 and vin = any($2::text[]) and newest is null`,
        [id, textArray(answer.rejected.map(({ vin }) => vin))],
      );
      const reason = `${answer.accepted} vehicles accepted, ${rejected} not registered at the adapter`;
      await noteDecision(tx, id, { wave, decision: 'post', reason, actor: 'scheduler' }, now);
    });
  }

  async #control(id: number, refId: string, operation: Operation): Promise<void> {
    const action = { active: 'resume', paused: 'pause', cancelled: 'cancel' } as const;
    if (operation === 'none') return;
    const { signal } = this.#stopping;
    await this.#options.adapter.control(refId, action[operation], 'by the CarOTA Server', signal);
    await this.#change(id, (schedule) => {
      schedule.operation = operation;
      return Promise.resolve();
    });
  }

  async #failed(id: number, task: Task, error: Error): Promise<void> {
    const change = (schedule: ScheduleRecord, tx: Queryable, now: number) =>
      error instanceof AdapterRefused
        ? refused(tx, schedule, task, error.message, now)
        : Promise.resolve();
    await this.#change(id, change, RETRY_MS);
  }

  /** Changes a schedule. @param afterMs when it is due again */
  async #change(
    id: number,
    change: (schedule: ScheduleRecord, tx: Queryable, now: number) => Promise<void>,
    afterMs = 0,
  ): Promise<void> {
    const { database, clock } = this.#options;
    await database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id });
      if (!schedule) return;
      const now = clock();
      await change(schedule, tx, now);
      await saveSchedule(tx, schedule, now + afterMs);
    });
    if (afterMs === 0) this.#wake();
  }
}

/** The adapter has refused a call and would refuse it again. */
async function refused(
  tx: Queryable,
  schedule: ScheduleRecord,
  task: Task,
  reason: string,
  now: number,
): Promise<void> {
  if (task.kind === 'control') {
    // A refused control call must not keep the schedule from ending.
    schedule.operation = task.operation;
  } else {
    schedule.refusedToPost(task.wave);
    // A person may have stopped it meanwhile.
    if (isEnded(schedule.status)) return;
    schedule.apply('stop', now, reason);
  }
  const decision = task.kind === 'post' ? 'stop' : 'control_refused';
  await noteDecision(tx, schedule.id, { decision, reason, actor: 'scheduler' }, now);
}

async function eventOf(
  tx: Queryable,
  schedule: ScheduleRecord,
  wave: number,
  now: number,
): Promise<CarOtaServerEvent> {
  const rows = await tx.query<{ vin: string }>(
    'select vin from schedule_vehicles where schedule_id = $1 and wave = $2 order by vin',
    [schedule.id, wave],
  );
  const { dispatch } = schedule.plan;
  return {
    time: now,
    version: 'v1',
    body: {
      model: schedule.model,
      'ref-id': schedule.refId,
      'script-ref-id': schedule.scriptRefId,
      vins: rows.map(({ vin }) => vin),
      ...(dispatch ? { dispatch } : {}),
    },
  };
}
