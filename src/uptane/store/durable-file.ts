/** Files that are either completely replaced or unchanged after a power cut. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Suffix of the file that an interrupted replacement leaves behind; the next one overwrites it. */
export const UNFINISHED = '.unfinished';

/**
 * Replaces a file's content; when it returns, the new one survives a power cut.
 *
 * @param mode permissions of the file if it is new
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  const unfinished = `${path}${UNFINISHED}`;
  const file = openSync(unfinished, 'w', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  moveFile(unfinished, path);
}

/** Renames a file that is on disk, replacing the target; when it returns, the change survives a power cut. */
export function moveFile(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
}

/** Removes a file if it exists; when it returns, the removal survives a power cut. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

/** @returns `undefined` if there is no such file */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Flushes a file, or a directory's entries, to the disk. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes added and removed names of a directory durable. */
const syncDirectory = syncFile;
