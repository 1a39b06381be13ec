/** What a database needs from time to time: partitions ahead of time, and upkeep where embedded. */
import { type Database } from './database/index.js';

const EVERY_MS = 10 * 60 * 1000;
const PARTITIONS_AHEAD_MS = 4 * 7 * 24 * 60 * 60 * 1000;

/** Makes the first partitions before it returns, and goes on in the background. */
export async function startMaintenance(
  database: Database,
  clock: () => number,
  onFailure: (error: Error) => void,
): Promise<{ stop: () => Promise<void> }> {
  const ensurePartitions = () =>
    database.query('select ensure_message_partitions($1, $2)', [
      new Date(clock()),
      new Date(clock() + PARTITIONS_AHEAD_MS),
    ]);
  await ensurePartitions();

  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(async () => {
        await ensurePartitions();
        await database.maintain?.();
      })
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
