/** Calls to a server whose database was just cut off, or replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../src/contract/index.js';

/**
 * Longer than two statements without an answer: only such a statement shows an adapter that its connection is half open,
 * 20 s later, and its caller gets a 503, which asks for a retry.
 */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

/** Repeats work while a server answers that its database is unavailable. */
export async function whenAvailable<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    try {
      return await work();
    } catch (error) {
      const isPassing = error instanceof ApiError && error.code === 'DATABASE_UNAVAILABLE';
      if (!isPassing || Date.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
