/** Deletes refused events after their retention. */
import { type Logger } from 'pino';
import { type Database } from '../service/database/index.js';
import { expireRefusedEvents } from './events/index.js';

const PERIOD_MS = 10 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** @param days undefined: all are kept @returns a function that stops it */
export function startUpkeep(
  database: Database,
  days: number | undefined,
  clock: () => number,
  log: Logger,
): () => Promise<void> {
  if (days === undefined) return () => Promise.resolve();
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = expireRefusedEvents(database, clock() - days * DAY_MS).catch((error: unknown) =>
      log.error({ err: error }, 'upkeep failed'),
    );
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    return running;
  };
}
