/** Ends a server that outlived its owner because its guard was killed too. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, tryLock } from '../../data-directory/file-lock.js';

/** Fast shutdown, immediate shutdown (PostgreSQL 18.5), and the kernel's; and how long each may take, ms. */
const WAYS = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 2_000],
] as const;

/**
 * Ends it, escalating from a fast shutdown to a kill.
 *
 * @param file its lock
 * @returns the lock; undefined if it did not end, or runs where we cannot see it (another container)
 */
export async function endOrphan(cluster: string, file: string): Promise<Descriptor | undefined> {
  for (const [signal, patienceMs] of WAYS) {
    const pid = await postmasterOf(cluster);
    if (pid !== undefined) sendSignal(pid, signal);
    const lock = await tryLock(file, pid === undefined ? 0 : patienceMs);
    if (lock !== undefined) return lock;
  }
  return undefined;
}

/** Its process id, if it belongs to this PID namespace and has not been reused. */
async function postmasterOf(cluster: string): Promise<number | undefined> {
  const [line = ''] = (
    await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  ).split('\n');
  const pid = Number(line);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  if (process.platform !== 'linux') return pid;
  const [its, ours] = await Promise.all([
    stat(`/proc/${pid}/cwd`).catch(() => undefined),
    stat(cluster),
  ]);
  return its?.ino === ours.ino && its.dev === ours.dev ? pid : undefined;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended, or we may not end it.
  }
}
