/**
 * A file lock held by the kernel, flock(2): it is released as soon as the last process that has the file open ends, for any
 * reason. Unlike process ids and shared memory, it is visible to every container on the same file system.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants as files, openSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as Koffi from 'koffi';

/** The descriptor that holds the lock. A number, because a FileHandle is closed when it is garbage-collected. */
export type Descriptor = number;

/** The system's flock program failed, or is missing and so is `koffi`. */
class LockFailed extends Error {
  override readonly name = 'LockFailed';
}

/** flock(2): exclusive, without waiting. */
const LOCK_EX_NB = 2 | 4;

/** Flag of open(2) that also takes the lock: macOS and the BSDs have it, but no flock program. */
const O_EXLOCK = 0x20;
const HAS_O_EXLOCK = process.platform === 'darwin';
const POLL_MS = 50;

/**
 * Takes the lock. The file is created if missing, and stays.
 *
 * @param patienceMs for how long to retry while another process has it
 * @returns the descriptor that holds it (closed on exec unless it is handed to a child, which then holds it
 *   too); undefined if another process has it
 * @throws LockFailed
 */
export async function tryLock(file: string, patienceMs: number): Promise<Descriptor | undefined> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const descriptor = HAS_O_EXLOCK ? openLocked(file) : await openAndLock(file);
    if (descriptor !== undefined || Date.now() >= deadline) return descriptor;
    await sleep(POLL_MS);
  }
}

export const unlock = (descriptor: Descriptor): void => closeSync(descriptor);

function openLocked(file: string): Descriptor | undefined {
  try {
    const { O_RDWR, O_CREAT, O_NONBLOCK } = files;
    return openSync(file, O_RDWR | O_CREAT | O_NONBLOCK | O_EXLOCK, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

/**
 * The lock belongs to the open file, which a child shares: flock(1) takes it for us and exits, and it stays with our
 * descriptor. Node.js itself has no flock.
 */
async function openAndLock(file: string): Promise<Descriptor | undefined> {
  const { O_RDWR, O_CREAT } = files;
  const descriptor = openSync(file, O_RDWR | O_CREAT, 0o600);
  try {
    if (await flock(descriptor)) return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return undefined;
}

/** @returns whether the lock was taken */
async function flock(descriptor: Descriptor): Promise<boolean> {
  try {
    return await flockByProgram(descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return flockByCall(descriptor);
}

function flockByProgram(descriptor: Descriptor): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', descriptor] });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(true);
      else if (code === 1) resolve(false);
      else reject(new LockFailed(`flock ended with ${code}: ${complaint.trim()}`));
    });
  });
}

/** The same system call, through the native library that a machine without the program may have. */
async function flockByCall(descriptor: Descriptor): Promise<boolean> {
  let koffi: typeof Koffi;
  try {
    koffi = await import('koffi');
  } catch {
    throw new LockFailed(
      'a data directory is locked with the program flock (util-linux or busybox), which is not installed; ' +
        'without it, with the package koffi: npm install koffi',
    );
  }
  // From this process, so that it is the C library to which Node.js is linked.
  const call = koffi.load(null).func('int flock(int descriptor, int operation)') as (
    descriptor: number,
    operation: number,
  ) => number;
  for (;;) {
    if (call(descriptor, LOCK_EX_NB) === 0) return true;
    const errno = koffi.errno();
    if (errno === constants.errno.EAGAIN) return false;
    if (errno !== constants.errno.EINTR) throw new LockFailed(`flock: error ${errno}`);
  }
}
