/**
 * Does what is due: posts the event of each wave, tells the adapter of pause and cancel. What it is about to do is
 * stored before, and the adapter takes the same event twice as once, so it may be killed at any time.
 */
import { type CarOtaServerEvent } from '../../contract/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { type AdapterClient, AdapterRefused } from './adapter-client.js';
import { advance, end, setWave } from './advance.js';
import { noteDecision } from './decisions.js';
import { windowOpening } from './next-step.js';
import {
  lockSchedule,
  type Operation,
  saveSchedule,
  type ScheduleRecord,
} from './schedule-record.js';

export interface SchedulerOptions {
  readonly database: Database;
  readonly adapter: AdapterClient;
  /** ms */
  readonly clock: () => number;
  readonly onFailure: (refId: string, error: Error) => void;
}

/** The longest sleep: the clock may be set, and another process may have changed something. */
const LOOK_MS = 1_000;
/** A wave whose event is on its way for so long is posted again: whoever did it is gone. */
const LEASE_MS = 150_000;
/** After a failure, ms. */
const RETRY_MS = 5_000;

/** What is to be done outside, now that it is stored. */
type Errand =
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

  /** What a process that is gone was about to post is posted now: at the adapter twice is once. */
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

  /** Something may be due. */
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

  /** One schedule, as far as it goes. */
  async #work(id: number): Promise<void> {
    const { database, clock } = this.#options;
    let refId = '';
    const errand = await database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id });
      const now = clock();
      // Another server on this database may have been quicker.
      if (schedule?.dueAt === undefined || schedule.dueAt > now) return undefined;
      ({ refId } = schedule);
      let due = await advance(tx, schedule, now);
      const found = await this.#errandOf(schedule, now, (wave) => eventOf(tx, schedule, wave, now));
      if (found) due = now + LEASE_MS;
      await saveSchedule(tx, schedule, due);
      return found;
    });
    if (!errand) return;
    try {
      if (errand.kind === 'post') await this.#post(id, errand.wave, errand.event);
      else await this.#control(id, refId, errand.operation);
    } catch (error) {
      await this.#failed(id, errand, error as Error);
      this.#options.onFailure(refId, error as Error);
    }
  }

  async #errandOf(
    schedule: ScheduleRecord,
    now: number,
    event: (wave: number) => Promise<CarOtaServerEvent>,
  ): Promise<Errand | undefined> {
    const wanted = this.#wantedOperation(schedule, now);
    if (wanted !== schedule.operation) return { kind: 'control', operation: wanted };
    const posting = schedule.waves.find(({ state }) => state === 'posting');
    if (!posting || schedule.status !== 'running') return undefined;
    // From now on the adapter may have it, whether we hear of that or not.
    if (schedule.operation === 'none') schedule.operation = 'active';
    return { kind: 'post', wave: posting.number, event: await event(posting.number) };
  }

  /** What the adapter should be doing with the operation, where it can be told. */
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
      setWave(schedule, wave, { state: 'running', posted_at: new Date(now), rejected });
      await tx.query(
        `update schedule_vehicles set state = 'device_not_found'
         where schedule_id = $1 and vin = any($2::text[]) and newest is null`,
        [id, textArray(answer.rejected.map(({ vin }) => vin))],
      );
      const reason = `${answer.accepted} vehicles accepted, ${rejected} not known to the adapter`;
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

  async #failed(id: number, errand: Errand, error: Error): Promise<void> {
    await this.#change(
      id,
      async (schedule, tx, now) => {
        if (!(error instanceof AdapterRefused)) return;
        if (errand.kind === 'control') {
          // What the adapter will not be told of does not keep the schedule from its end.
          schedule.operation = errand.operation;
        } else {
          setWave(schedule, errand.wave, { state: 'waiting' });
          await end(tx, schedule, 'stopped', now);
        }
        const decision = errand.kind === 'post' ? 'stop' : 'control refused';
        const { message: reason } = error;
        await noteDecision(tx, id, { decision, reason, actor: 'scheduler' }, now);
      },
      RETRY_MS,
    );
  }

  /** Changes a schedule, takes it further, and looks at it again. @param afterMs when */
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
