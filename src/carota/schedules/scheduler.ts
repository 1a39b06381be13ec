/**
 * Carries out due work: posts the waves' events, and pauses, resumes or cancels operations at the adapter. Each task is
 * stored before it is carried out, and the adapter recognises a repetition, so the process may be killed at any time.
 */
import { backoffPause, type CarOtaServerEvent } from '../../contract/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { type AdapterClient, AdapterRefused } from './adapter-client.js';
import { advance } from './advance.js';
import { putOffDeadlines } from './deadlines.js';
import { noteDecision } from './decisions.js';
import { intendedOperation } from './intended-operation.js';
import { type Intent, type ScheduleRecord } from './schedule-record.js';
import { type ApprovalRule } from './schedules.js';
import { lockSchedule, saveSchedule } from './stored-schedule.js';
import { isEnded } from './transitions.js';

export interface SchedulerOptions {
  readonly database: Database;
  readonly adapter: AdapterClient;
  readonly approval: ApprovalRule;
  /** ms */
  readonly clock: () => number;
  /** No vehicle becomes silent for this long after the start, seconds: the adapter first delivers the events of the downtime. */
  readonly deadlineGrace: number;
  readonly onFailure: (refId: string, error: Error) => void;
  /** Called once the adapter has confirmed a pause, resumption or cancellation, with the seconds since the decision. */
  readonly onConfirmed: (operation: Intent['operation'], seconds: number) => void;
}

/** Interval between checks, which are needed because the clock may be set or another process may change a schedule. */
const LOOK_MS = 1_000;
/** A call that has not ended after this time is repeated, because the process that made it must have died. */
const LEASE_MS = { post: 150_000, control: 15_000 };
/** Pauses between attempts. A stop must reach the adapter soon after it is available again. */
const RETRY = {
  post: { firstPauseMs: 1_000, longestPauseMs: 30_000 },
  control: { firstPauseMs: 500, longestPauseMs: 10_000 },
};
/** Maximum number of simultaneous calls, so that one that hangs does not delay the stop of another schedule. */
const MOST_CALLS = 32;

/** A call to the adapter that is stored and due. */
type Task =
  | { readonly kind: 'post'; readonly wave: number; readonly event: CarOtaServerEvent }
  | { readonly kind: 'control'; readonly intent: Intent };

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;
  /** Calls in progress, by schedule and purpose. */
  readonly #calls = new Map<string, Promise<void>>();
  /** Consecutive failed posts, by schedule. */
  readonly #failures = new Map<number, number>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /**
   * Call before any report is received: the first one must not end the deadlines of vehicles whose reports are still
   * outstanding.
   */
  async grantGrace(): Promise<void> {
    const { database, clock, deadlineGrace } = this.#options;
    await putOffDeadlines(database, clock() + deadlineGrace * 1000);
  }

  /** Makes interrupted calls due first; the adapter recognises a repetition. */
  async start(): Promise<void> {
    const { database, clock } = this.#options;
    const now = new Date(clock());
    await database.query(
      `update schedules s set due_at = $1 where coalesce(due_at > $1, true) and (s.intended is not null
         or exists (select from waves w where w.schedule_id = s.id and w.state = 'posting'))`,
      [now],
    );
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
    await Promise.all(this.#calls.values());
  }

  /** Checks for due work now. */
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

  /** Advances one schedule as far as possible, and starts the call that it requires. */
  async #work(id: number): Promise<void> {
    const { database, clock, approval } = this.#options;
    if (this.#calls.size >= MOST_CALLS) await Promise.race(this.#calls.values());
    let refId = '';
    const task = await database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id });
      const now = clock();
      // Another server on this database may already have done it.
      if (schedule?.dueAt === undefined || schedule.dueAt > now) return undefined;
      ({ refId } = schedule);
      let due = await advance(tx, schedule, now, approval);
      const found = await this.#taskOf(schedule, now, (wave) => eventOf(tx, schedule, wave, now));
      if (found) due = now + LEASE_MS[found.kind];
      await saveSchedule(tx, schedule, due);
      return found;
    });
    if (!task) return;
    // A call-back makes the schedule due at once, even while this process is still making the call.
    const what = task.kind === 'post' ? `post ${task.wave}` : task.intent.operation;
    const key = `${id} ${what}`;
    if (this.#calls.has(key)) return;
    const call = this.#carryOut(id, refId, task).finally(() => this.#calls.delete(key));
    this.#calls.set(key, call);
  }

  async #carryOut(id: number, refId: string, task: Task): Promise<void> {
    try {
      if (task.kind === 'post') await this.#post(id, task.wave, task.event);
      else await this.#control(id, refId, task.intent);
      this.#failures.delete(id);
    } catch (error) {
      this.#options.onFailure(refId, error as Error);
      await this.#failed(id, task, error as Error).catch((failure: unknown) => {
        this.#options.onFailure(refId, failure as Error);
      });
    }
  }

  async #taskOf(
    schedule: ScheduleRecord,
    now: number,
    event: (wave: number) => Promise<CarOtaServerEvent>,
  ): Promise<Task | undefined> {
    const intended = this.#options.adapter.mayControl
      ? intendedOperation(schedule, now)
      : undefined;
    schedule.intend(intended, now);
    if (schedule.intent) return { kind: 'control', intent: schedule.intent };
    const posting = schedule.waves.find(({ state }) => state === 'posting');
    if (!posting || schedule.status !== 'running') return undefined;
    // From now on the adapter may have the operation, even if its answer is lost.
    if (schedule.operation === 'none') schedule.operation = 'active';
    return { kind: 'post', wave: posting.number, event: await event(posting.number) };
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

  async #control(id: number, refId: string, intent: Intent): Promise<void> {
    const { operation } = intent;
    const action = { active: 'resume', paused: 'pause', cancelled: 'cancel' } as const;
    const { signal } = this.#stopping;
    const { adapter, onConfirmed } = this.#options;
    await adapter.control(refId, action[operation], 'by the CarOTA Server', signal);
    await this.#change(id, (schedule, _tx, now) => {
      schedule.confirm(operation);
      onConfirmed(operation, (now - intent.since.getTime()) / 1000);
      return Promise.resolve();
    });
  }

  async #failed(id: number, task: Task, error: Error): Promise<void> {
    const failures =
      task.kind === 'post' ? (this.#failures.get(id) ?? 0) + 1 : task.intent.tries + 1;
    if (task.kind === 'post') this.#failures.set(id, failures);
    const change = async (schedule: ScheduleRecord, tx: Queryable, now: number) => {
      const isRefusal = error instanceof AdapterRefused;
      if (task.kind === 'control') {
        schedule.controlFailed();
        // Recorded once. The decision stands, and the request is repeated until the adapter has confirmed it.
        if (!isRefusal || failures > 1) return;
        const { message: reason } = error;
        const refusal = { decision: 'control_refused', reason, actor: 'scheduler' } as const;
        await noteDecision(tx, schedule.id, refusal, now);
      } else if (isRefusal) {
        await postRefused(tx, schedule, task.wave, error.message, now);
      }
    };
    const pause = backoffPause(RETRY[task.kind], failures, Math.random());
    await this.#change(id, change, pause);
  }

  /** Changes a schedule. @param afterMs delay until it is due again */
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

/** The adapter has given a wave its final refusal. */
async function postRefused(
  tx: Queryable,
  schedule: ScheduleRecord,
  wave: number,
  reason: string,
  now: number,
): Promise<void> {
  schedule.refusedToPost(wave);
  // A person may have stopped the schedule meanwhile.
  if (isEnded(schedule.status)) return;
  schedule.apply('stop', now, reason);
  await noteDecision(tx, schedule.id, { decision: 'stop', reason, actor: 'scheduler' }, now);
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
