/** Periodic work on the database: creates partitions ahead of time, applies retention, completes cancels. */
import { CHANGES_KEPT_MS } from './message-link/index.js';
import { forgetIdentityChanges } from './registry/index.js';
import { type Database, type Queryable } from '../service/database/index.js';
import { expireDeadLetters } from './dead-letters/index.js';
import { forgetAdapters } from './group/index.js';
import { archiveOperations, finishCancels } from './operations/index.js';

export interface MaintenanceOptions {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  /** Counter shard of this writer. */
  readonly shard: number;
  /** How long messages stay in the history, days; undefined: forever. */
  readonly historyDays: number | undefined;
  /** How long a finished operation keeps its vehicles, days since its last activity; undefined: forever. */
  readonly operationDays: number | undefined;
  /** How long dead letters are kept, days; undefined: forever. */
  readonly deadLetterDays: number | undefined;
  readonly onFailure: (error: Error) => void;
}

const EVERY_MS = 10 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const PARTITIONS_AHEAD_MS = 28 * DAY_MS;

/** Tables partitioned by week, with the partition key. */
const PARTITIONED = [
  { table: 'messages', time: 'received_at' },
  { table: 'delivery_log', time: 'at' },
] as const;

export interface Maintenance {
  /** Resolves when all due work is done or has failed. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

/** Creates the first partitions before it returns, then continues in the background. */
export async function startMaintenance(options: MaintenanceOptions): Promise<Maintenance> {
  const { database, clock, onFailure } = options;
  await ensurePartitions(database, clock());

  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const run = () =>
    (running = running
      .then(() => maintain(options, stopping.signal))
      .catch((error: unknown) => onFailure(error as Error)));
  const timer = setInterval(() => void run(), EVERY_MS);
  timer.unref();
  return {
    run,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}

async function maintain(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
  const { database, clock, shard, historyDays, operationDays, deadLetterDays } = options;
  const now = clock();
  await ensurePartitions(database, now);
  await forgetAdapters(database, now);
  await forgetIdentityChanges(database, now - CHANGES_KEPT_MS);
  await finishCancels(database, { shard, now });
  if (historyDays !== undefined) await dropHistory(database, now - historyDays * DAY_MS);
  if (operationDays !== undefined) {
    const before = await calledBackUntil(database, now - operationDays * DAY_MS);
    await archiveOperations(database, { before, now, signal });
  }
  if (deadLetterDays !== undefined) {
    await expireDeadLetters(database, now - deadLetterDays * DAY_MS);
  }
}

/** Creates partitions for the next four weeks. @param now ms */
export async function ensurePartitions(database: Queryable, now: number): Promise<void> {
  for (const { table } of PARTITIONED) {
    await database.query('select ensure_partitions($1, $2, $3)', [
      table,
      new Date(now),
      new Date(now + PARTITIONS_AHEAD_MS),
    ]);
  }
}

/**
 * Drops whole partitions of the history. Duplicates of dropped messages are still recognised, as their digests are stored
 * elsewhere. Events not yet delivered to a receiver are never dropped, however old.
 *
 * @param before ms; a partition is dropped if all of it is older
 * @returns the number of partitions dropped
 */
export async function dropHistory(database: Database, before: number): Promise<number> {
  const limit = new Date(await calledBackUntil(database, before));
  let dropped = 0;
  for (const { table, time } of PARTITIONED) {
    const [row] = await database.query<{ dropped: number }>(
      'select drop_partitions($1, $2, $3) as dropped',
      [table, time, limit],
    );
    dropped += row?.dropped ?? 0;
  }
  await database.query('delete from event_batches where position is not null and last_at < $1', [
    limit,
  ]);
  await database.query('delete from callback_log where settled_at < $1', [limit]);
  return dropped;
}

/** The given time, ms; or, if earlier, the receipt of the oldest event not yet delivered to an enabled receiver. */
async function calledBackUntil(database: Queryable, before: number): Promise<number> {
  const [row] = await database.query<{ at: Date | null }>(
    `select min(least(
       (select first_at from event_batches where position > c.position order by position limit 1),
       (select min(first_at) from event_batches where position is null)
     )) as at
     from callbacks c where c.enabled`,
  );
  return Math.min(before, row?.at?.getTime() ?? before);
}
