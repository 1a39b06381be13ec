/** A folder owned by one process at a time: a server's data directory, a vehicle's journal. */
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

/** A child of a process just killed may keep its files open for a moment. */
const PATIENCE_MS = 500;

/**
 * Creates the directory (mode 0700) if missing and locks it until it is released or the process ends.
 *
 * @throws DataDirectoryInUse if another process owns it, even in another container; LockFailed
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'otaops.lock');
  const lock = await tryLock(file, PATIENCE_MS);
  if (lock === undefined) {
    throw new DataDirectoryInUse(
      `${directory} is in use by ${readOwner(file)}; stop it, or choose another directory`,
    );
  }
  writeOwner(lock);
  return { path: directory, release: () => unlock(lock) };
}

/** Informative only: the lock decides. On a full disk it stays empty. */
function writeOwner(lock: Descriptor): void {
  try {
    ftruncateSync(lock);
    writeSync(lock, `process ${process.pid} on ${hostname()}\n`, 0);
  } catch {
    // See above.
  }
}

function readOwner(file: string): string {
  return readFileSync(file, 'utf8').trim() || 'another process';
}
