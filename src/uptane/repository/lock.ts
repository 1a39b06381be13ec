/**
 * One writer at a time: two publications at once would list each other's past, and vehicles that saw the first would
 * take the second for a rollback. The lock is a file with the process that holds it; one that died holds nothing.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { RepositoryFault } from './fault.js';

/** Locks of this process. One with our id that is not among them is from before a restart: containers number alike. */
const own = new Set<string>();

const PAUSE_MS = 100;

/**
 * @param patience seconds to wait for somebody else
 * @throws RepositoryFault if somebody else still holds it then
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
  // Moved away first: if another process has just taken its place, that one's lock is put back.
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

/** Whether the process that a file names has died, or is one before a restart that had our number. */
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

/** At once with its content: a link to a file fails if its name is taken. */
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
    // Released a moment ago.
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
