/** A folder that one process at a time has: a server's data directory, a vehicle's journal. */
import { ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { type Descriptor, tryLock, unlock } from './file-lock.js';

/** The directory is in use by another process. */
class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
}

export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  release(): void;
}

/** A process that was just killed may have a child that holds its files for a moment. */
const PATIENCE_MS = 500;

/**
 * Makes the directory (mode 0700) if it is not there and locks it until it is released or the process ends.
 *
 * @throws DataDirectoryInUse if another process has it, also one in another container; LockFailed
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'otaops.lock');
  const lock = await tryLock(file, PATIENCE_MS);
  if (lock === undefined) {
    throw new DataDirectoryInUse(
      `${directory} is in use by ${readOwner(file)}; stop it, or choose another folder`,
    );
  }
  writeOwner(lock);
  return { path: directory, release: () => unlock(lock) };
}

/** For people only: the lock is what counts. On a full disk it stays empty. */
function writeOwner(lock: Descriptor): void {
  try {
    ftruncateSync(lock);
    writeSync(lock, `process ${process.pid} on ${hostname()}\n`, 0);
  } catch {
    // As said.
  }
}

function readOwner(file: string): string {
  return readFileSync(file, 'utf8').trim() || 'another process';
}
