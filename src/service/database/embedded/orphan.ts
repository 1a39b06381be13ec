/** Ends a server that outlived its owner because its guard was killed too. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Descriptor, tryLock } from '../../data-directory/file-lock.js';

/** Fast shutdown, immediate shutdown (PostgreSQL 18.5), and kill; with the time that each may take, ms. */
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
    const pid = postmasterOf(cluster);
    if (pid !== undefined) sendSignal(pid, signal);
    const lock = await tryLock(file, pid === undefined ? 0 : patienceMs);
    if (lock !== undefined) return lock;
  }
  return undefined;
}

/** The process id in a PostgreSQL lock file, if it can be that of a server. */
function processIdIn(file: string): number | undefined {
  const pid = Number(contentOf(file).split('\n')[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

/** Its process id, if it belongs to this PID namespace and has not been reused. */
function postmasterOf(cluster: string): number | undefined {
  const pid = processIdIn(join(cluster, 'postmaster.pid'));
  return pid !== undefined && (process.platform !== 'linux' || isAtWork(pid, cluster) === true)
    ? pid
    : undefined;
}

/** Whether a process works in a folder, as PostgreSQL's processes do in their cluster; undefined: we cannot see that. */
function isAtWork(pid: number, folder: string): boolean | undefined {
  try {
    const its = statSync(`/proc/${pid}/cwd`);
    const ours = statSync(folder);
    return its.ino === ours.ino && its.dev === ours.dev;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : false;
  }
}

/**
 * Removes lock files that belong to no server of the cluster. A power cut can leave them empty, and PostgreSQL mistakes
 * any live process of its account for the server if it has the process id of the last one: another process after a
 * reboot or, in a container, a zombie that nothing reaps. Call it while holding the cluster's lock: then none of our
 * servers is running.
 */
export function removeStaleLockFiles(cluster: string, names: readonly string[]): void {
  for (const file of names.map((name) => join(cluster, name))) {
    if (!existsSync(file)) continue;
    const pid = processIdIn(file);
    const isStale =
      pid === undefined || (process.platform === 'linux' && isAtWork(pid, cluster) === false);
    if (isStale) rmSync(file);
  }
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended, or we may not end it.
  }
}
