/** What a database needs from time to time: partitions ahead of time, retention, upkeep. */
import { type Database } from './database/index.js';

export interface MaintenanceOptions {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  /** How long messages stay in the history, days; undefined: for ever. */
  readonly historyDays: number | undefined;
  readonly onFailure: (error: Error) => void;
}

const EVERY_MS = 10 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const PARTITIONS_AHEAD_MS = 28 * DAY_MS;

/** Makes the first partitions before it returns, and goes on in the background. */
export async function startMaintenance(
  options: MaintenanceOptions,
): Promise<{ stop: () => Promise<void> }> {
  const { database, clock, onFailure } = options;
  await ensurePartitions(database, clock());

  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(() => maintain(options))
      .catch((error: unknown) => onFailure(error as Error));
  }, EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

async function maintain({ database, clock, historyDays }: MaintenanceOptions): Promise<void> {
  await ensurePartitions(database, clock());
  if (historyDays !== undefined) await dropHistory(database, clock() - historyDays * DAY_MS);
  await database.maintain?.();
}

async function ensurePartitions(database: Database, now: number): Promise<void> {
  await database.query('select ensure_message_partitions($1, $2)', [
    new Date(now),
    new Date(now + PARTITIONS_AHEAD_MS),
  ]);
}

/**
 * Drops whole partitions of the history. What was dropped stays distinct: its digests are kept.
 *
 * @param before ms; a partition goes when all of it is older
 * @returns how many partitions were dropped
 */
export async function dropHistory(database: Database, before: number): Promise<number> {
  const [row] = await database.query<{ dropped: number }>(
    'select drop_message_partitions($1) as dropped',
    [new Date(before)],
  );
  return row?.dropped ?? 0;
}
