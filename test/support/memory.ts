import { accessSync, constants, statfsSync } from 'node:fs';

/** Linux's in-memory file system. */
const MEMORY = '/dev/shm';
/** Bytes; ten times the most that the databases of a run at full depth take, or the files of a quick run. */
const ROOM = 4 * 2 ** 30;

/** A folder for files in memory, if there is one with enough room. */
export function inMemory(): string | undefined {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM ? MEMORY : undefined;
  } catch {
    return undefined;
  }
}
