/**
 * One writer at a time: two publications at once would list each other's past, and vehicles that saw the first would
 * take the second for a rollback. The lock is a file with the process that holds it; one that died holds nothing.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { RepositoryFault } from './fault.js';

/** @throws RepositoryFault if somebody else holds it */
export async function exclusively<T>(path: string, work: () => Promise<T>): Promise<T> {
  take(path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (create(path)) return;
  const holder = readHolder(path);
  if (holder.host === hostname() && !isAlive(holder.pid)) {
    rmSync(path, { force: true });
    if (create(path)) return;
  }
  throw new RepositoryFault(
    `another process works on the repository: ${holder.pid} on ${holder.host}. If it does not run any more, remove ${path}`,
  );
}

function create(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    writeFileSync(file, `${process.pid} ${hostname()}\n`);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
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
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
