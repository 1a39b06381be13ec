/**
 * Retries failed vehicles when their retry is due, by having the adapter start exactly one new attempt. Each step is stored
 * before it is carried out, so the process may be killed at any time, and several servers share the work.
 */
import { type Database, textArray } from '../../service/database/index.js';
import { Work } from '../work.js';
import { type AdapterClient, NoFurtherAttempt } from './adapter-client.js';
import { advance } from './advance.js';
import { lockSchedule, saveSchedule } from './stored-schedule.js';
import { readScheduleVehicles, saveScheduleVehicles } from './tracked-vehicles.js';

export interface RetriesOptions {
  readonly database: Database;
  readonly adapter: AdapterClient;
  /** ms */
  readonly clock: () => number;
  readonly onFailure: (refId: string, error: Error) => void;
}

const LOOK_MS = 1_000;
/** Maximum number of simultaneous retries per schedule. */
const BATCH = 20;
/** After this time, a retry in progress is repeated; also the pause after one that failed. */
const LEASE_MS = 30_000;

interface Due {
  readonly scheduleId: number;
  readonly refId: string;
  readonly vin: string;
  /** Until when this server may carry out the retry, ms. It identifies the retry: one with another time is a different one. */
  readonly lease: number;
}

export class Retries {
  readonly #options: RetriesOptions;
  readonly #work: Work;

  constructor(options: RetriesOptions) {
    this.#options = options;
    this.#work = new Work(
      LOOK_MS,
      () => this.#tryAll(),
      (error) => options.onFailure('', error),
    );
  }

  start(): void {
    if (this.#options.adapter.mayControl) this.#work.start();
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  /** @returns whether more retries may be due */
  async #tryAll(): Promise<boolean> {
    const { database, clock } = this.#options;
    const schedules = await database.query<{ id: number; ref_id: string }>(
      `select id, ref_id from schedules s where status = 'running' and exists (
         select from schedule_vehicles v where v.schedule_id = s.id and v.retry_at <= $1) limit 20`,
      [new Date(clock())],
    );
    let found = false;
    for (const { id, ref_id: refId } of schedules) {
      const { vins, lease } = await this.#claim(id);
      found ||= vins.length === BATCH;
      await Promise.all(vins.map((vin) => this.#try({ scheduleId: id, refId, vin, lease })));
    }
    return found;
  }

  async #claim(id: number): Promise<{ readonly vins: string[]; readonly lease: number }> {
    const { database, clock } = this.#options;
    return database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id });
      const now = clock();
      const lease = now + LEASE_MS;
      if (schedule?.status !== 'running') return { vins: [], lease };
      const rows = await tx.query<{ vin: string }>(
        `select vin from schedule_vehicles where schedule_id = $1 and retry_at <= $2
         order by retry_at, vin limit ${BATCH}`,
        [id, new Date(now)],
      );
      const vins = rows.map(({ vin }) => vin);
      await tx.query(
        `update schedule_vehicles set retry_at = $3 where schedule_id = $1 and vin = any ($2::text[])`,
        [id, textArray(vins), new Date(lease)],
      );
      return { vins, lease };
    });
  }

  async #try(due: Due): Promise<void> {
    const { adapter, onFailure } = this.#options;
    const { signal } = this.#work;
    let from: number | undefined;
    try {
      const attempt = await adapter.attemptOf(due.refId, due.vin, signal);
      const begun = await this.#begin(due, attempt);
      if (!begun) return;
      ({ from } = begun);
      // Otherwise the new attempt was started before a crash.
      if (attempt <= from) {
        const reason = `retry ${begun.tries} after ${begun.state}`;
        await adapter.retrigger(due.refId, due.vin, reason, signal);
      }
      await this.#end(due, 'waiting', from);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof NoFurtherAttempt) await this.#end(due, 'failed', from);
      else onFailure(due.refId, error as Error);
    }
  }

  /**
   * Stores which attempt has failed. @returns undefined: the vehicle has reported something meanwhile, or the schedule is
   * not running
   */
  async #begin({ scheduleId, vin, lease }: Due, attempt: number) {
    return this.#options.database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id: scheduleId });
      if (schedule?.status !== 'running') return undefined;
      const [row] = await tx.query<{ from: number; tries: number; state: string }>(
        `update schedule_vehicles
         set retry_from = coalesce(retry_from, $3::int),
           tries = tries + case when retry_from is null then 1 else 0 end
         where schedule_id = $1 and vin = $2 and retry_at = $4
         returning retry_from as from, tries, state`,
        [scheduleId, vin, attempt, new Date(lease)],
      );
      return row;
    });
  }

  /**
   * @param become new state of the vehicle: triggered again, or failed for good
   * @param from the attempt that failed; undefined: unknown to this call
   */
  async #end(
    { scheduleId, vin, lease }: Due,
    become: 'waiting' | 'failed',
    from: number | undefined,
  ): Promise<void> {
    const { database, clock } = this.#options;
    await database.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, { id: scheduleId });
      const vehicle = (await readScheduleVehicles(tx, scheduleId, [vin])).get(vin);
      // The new attempt has already reported something, possibly a failure with its own retry.
      if (!schedule || vehicle?.retryAt !== lease) return;
      if (from !== undefined && vehicle.retryFrom !== from) return;
      const now = clock();
      const { state, exposure } = vehicle;
      const before = { state, result: exposure?.result, isRetried: true };
      vehicle.retryAt = undefined;
      if (become === 'waiting') {
        vehicle.state = 'waiting';
        vehicle.reason = null;
        await tx.query(
          `insert into vehicle_steps (schedule_id, vin, at, step) values ($1, $2, $3, 'retried')`,
          [scheduleId, vin, new Date(now)],
        );
      } else if (exposure)
        vehicle.exposure = { ...exposure, result: 'failed', decidesAt: undefined };
      const after = { state: vehicle.state, result: vehicle.exposure?.result };
      schedule.move(vehicle.wave, before, after);
      await saveScheduleVehicles(tx, scheduleId, [vehicle], now);
      // The result may change at which vehicle a test may stop, which the next admission needs.
      if (become === 'failed') await advance(tx, schedule, now);
      await saveSchedule(tx, schedule, now);
    });
  }
}
