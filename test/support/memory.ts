import { accessSync, constants, statfsSync } from 'node:fs';

/** Linux's file system in memory. */
const MEMORY = '/dev/shm';
/** Ten times what the databases of a run at full depth take at most, and as much more than the files of a quick run; bytes. */
const ROOM = 4 * 2 ** 30;

/** A folder whose files are in memory, if there is one with enough room. */
export function inMemory(): string | undefined {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM ? MEMORY : undefined;
  } catch {
    return undefined;
  }
}
