/**
 * One writer at a time: concurrent publications would list each other's old versions, and vehicles that saw the first
 * would mistake the second for a rollback. The lock is a file that names its process; a dead process holds no lock.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { RepositoryFault } from './fault.js';

/** Locks of this process. Another lock with our pid is from before a restart, because containers reuse pids. */
const own = new Set<string>();

const PAUSE_MS = 100;

/**
 * @param patience seconds to wait for another holder
 * @throws RepositoryFault if it is still held then
 */
export async function exclusively<T>(
  path: string,
  work: () => Promise<T>,
  patience = 0,
): Promise<T> {
  for (let waited = 0; !take(path); waited += PAUSE_MS) {
    if (waited >= patience * 1000) throw held(path);
    await setTimeout(PAUSE_MS);
  }
  own.add(path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
    own.delete(path);
  }
}

function take(path: string): boolean {
  mkdirSync(dirname(path), { recursive: true });
  if (create(path)) return true;
  if (!isStale(path, path)) return false;
  // Moved away first: if it turns out to be another process's new lock, it is put back.
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return false;
  }
  if (!isStale(aside, path)) linkSync(aside, path);
  rmSync(aside);
  return create(path);
}

/** Whether the process named in a file is dead, or had our pid before a restart. */
function isStale(file: string, path: string): boolean {
  const { host, pid } = readHolder(file);
  if (host !== hostname()) return false;
  return pid === process.pid ? !own.has(path) : !isAlive(pid);
}

function held(path: string): RepositoryFault {
  const { host, pid } = readHolder(path);
  return new RepositoryFault(
    `another process works on the repository: ${pid} on ${host}. If it does not run any more, remove ${path}`,
  );
}

/** Created atomically with its content: linking a file fails if the name exists. */
function create(path: string): boolean {
  const file = `${path}.${process.pid}`;
  writeFileSync(file, `${process.pid} ${hostname()}\n`, { mode: 0o600 });
  try {
    linkSync(file, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(file);
  }
}

function readHolder(path: string): { pid: number; host: string } {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Just released.
  }
  const [pid = '', host = ''] = text.trim().split(' ');
  return { pid: Number(pid), host };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
