/**
 * The folder of files in progress: uploads, and dossiers with their VINs. Several processes may share it. A file's name
 * starts with its owner, a process that holds the lock on its own file; this distinguishes the remains of a killed process
 * from the work of a living one.
 */
import { randomUUID } from 'node:crypto';
import { fstatSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, tryLock, unlock } from '../../service/data-directory/file-lock.js';

const LOCK = '.lock';

export class IncomingFolder {
  private constructor(
    readonly path: string,
    private readonly locks: string,
    /** Id of this process, random. */
    readonly owner: string,
    private readonly lock: Descriptor,
  ) {}

  /** @param dataDir absolute @throws LockFailed */
  static async open(dataDir: string): Promise<IncomingFolder> {
    const path = join(dataDir, 'incoming');
    const locks = join(dataDir, 'incoming-owners');
    for (const folder of [path, locks]) await mkdir(folder, { recursive: true, mode: 0o700 });
    for (;;) {
      const owner = randomUUID();
      const file = join(locks, `${owner}${LOCK}`);
      const lock = await tryLock(file, 0);
      if (lock === undefined) continue;
      // A process that looked before the lock was taken may have removed the file; the lock would then protect nothing.
      if (isSameFile(file, lock)) return new IncomingFolder(path, locks, owner, lock);
      unlock(lock);
    }
  }

  /** Path of a new file of this process. */
  newFile(name: string): string {
    return join(this.path, `${this.owner}.${name}`);
  }

  /** bytes */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize;
  }

  /**
   * Removes the files of processes that are gone.
   *
   * @param onGone called for each such process before the last trace of it is removed
   */
  async removeAbandoned(onGone: (owner: string) => Promise<void>): Promise<void> {
    // In this order: a process has its lock before its first file.
    const files = await readdir(this.path);
    const owners = (await readdir(this.locks)).map((name) => name.replace(LOCK, ''));
    const living = new Set([this.owner]);
    const gone: { readonly owner: string; readonly lock: Descriptor }[] = [];
    try {
      for (const owner of owners) {
        if (owner === this.owner) continue;
        const lock = await tryLock(join(this.locks, `${owner}${LOCK}`), 0);
        if (lock === undefined) living.add(owner);
        else gone.push({ owner, lock });
      }
      for (const file of files) {
        const [owner = ''] = file.split('.');
        if (!living.has(owner)) await rm(join(this.path, file), { force: true, recursive: true });
      }
      for (const { owner } of gone) {
        await onGone(owner);
        await rm(join(this.locks, `${owner}${LOCK}`), { force: true });
      }
    } finally {
      for (const { lock } of gone) unlock(lock);
    }
  }

  /** Ends all work in progress of this process. */
  async close(): Promise<void> {
    await rm(join(this.locks, `${this.owner}${LOCK}`), { force: true });
    unlock(this.lock);
  }
}

function isSameFile(file: string, descriptor: Descriptor): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.ino === fstatSync(descriptor).ino;
}
