/** Creates the scheduler, and the retries of its vehicles. */
import { type Logger } from 'pino';
import { type Database } from '../service/database/index.js';
import { type OpenedParts } from '../service/opened.js';
import { type CarotaMetrics } from './metrics.js';
import { type AdapterClient, Retries, Scheduler } from './schedules/index.js';
import { type CarotaSettings } from './settings.js';

interface SchedulingContext {
  readonly database: Database;
  readonly adapter: AdapterClient;
  /** ms */
  readonly clock: () => number;
  readonly metrics: CarotaMetrics;
  readonly opened: OpenedParts;
  readonly log: Logger;
}

export interface Scheduling {
  /** Postpones deadlines that passed while no server was running; called before requests are accepted. */
  grantGrace(): Promise<void>;
  wake(): void;
  start(): Promise<void>;
}

const DEADLINE_GRACE_SECONDS = 60;

export function createScheduling(
  settings: CarotaSettings,
  { database, adapter, clock, metrics, opened, log }: SchedulingContext,
): Scheduling {
  const scheduler = new Scheduler({
    database,
    adapter,
    approval: settings.approval ?? 'none',
    clock,
    deadlineGrace: settings.deadlineGrace ?? DEADLINE_GRACE_SECONDS,
    onConfirmed: (operation, seconds) => metrics.controlConfirmed(operation, seconds),
    onFailure: (refId, error) => {
      metrics.schedulerFailed();
      log.warn({ schedule: refId, err: error }, 'a schedule is delayed; retrying');
    },
  });
  const retries = new Retries({
    database,
    adapter,
    clock,
    onFailure: (refId, error) => log.warn({ schedule: refId, err: error }, 'a retry is delayed'),
  });
  return {
    grantGrace: () => scheduler.grantGrace(),
    wake: () => scheduler.wake(),
    async start() {
      await scheduler.start();
      opened.add('scheduler', () => scheduler.stop());
      retries.start();
      opened.add('retries', () => retries.stop());
    },
  };
}
