/**
 * One writer at a time: two concurrent publications would not list each other's files, and vehicles that saw the first would
 * take the second for a rollback. The lock is a file that names its holder, who rewrites it every few seconds. A dead
 * process on this machine holds nothing, nor does any other holder that has been silent for a minute: machines and
 * containers return under other names. A lock names its holder even after a power cut.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { RepositoryFault } from './fault.js';

/** Locks held by this process. A lock with our pid not in this set predates a restart: containers reuse pids. */
const own = new Set<string>();

const PAUSE_MS = 100;
const HEARTBEAT_MS = 5_000;
/** For a holder on another machine, ms. A publication never blocks its process for that long. */
const SILENT_MS = 60_000;

/**
 * @param patience seconds to wait for another holder
 * @throws RepositoryFault if another process still holds it then
 */
export async function exclusively<T>(
  path: string,
  work: () => Promise<T>,
  patience = 0,
): Promise<T> {
  let lock = take(path);
  for (let waited = 0; lock === undefined; waited += PAUSE_MS) {
    if (waited >= patience * 1000) throw held(path);
    await setTimeout(PAUSE_MS);
    lock = take(path);
  }
  own.add(path);
  const file = lock;
  const heartbeat = setInterval(() => renew(file), HEARTBEAT_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    release(file, path);
    own.delete(path);
  }
}

/** @returns descriptor of the lock; undefined: another process holds it */
function take(path: string): number | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const { lock, now } = create(path);
  if (lock !== undefined) return lock;
  if (!isStale(path, path, now)) return undefined;
  // Moved aside first: if another process has just taken the lock, its lock is put back.
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return undefined;
  }
  if (!isStale(aside, path, now)) linkSync(aside, path);
  rmSync(aside);
  return create(path).lock;
}

/** @param now ms, by the clock of the file system, which is the same for all holders */
function isStale(file: string, path: string, now: number): boolean {
  const holder = readHolder(file);
  if (holder === undefined) return false;
  const { host, pid } = holder;
  // Nobody makes such a lock: the disk has lost its content.
  if (host === '') return true;
  if (host === hostname()) return pid === process.pid ? !own.has(path) : !isAlive(pid);
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return written !== undefined && now - written > SILENT_MS;
}

function held(path: string): RepositoryFault {
  const holder = readHolder(path);
  const name = holder && `: ${holder.pid} on ${holder.host}`;
  return new RepositoryFault(
    `another process works on the repository${name ?? ''}. If it is no longer running, remove ${path}`,
  );
}

/** Created with its content in one step: a hard link fails if the name is taken. */
function create(path: string): { readonly lock: number | undefined; readonly now: number } {
  const file = `${path}.${process.pid}`;
  const lock = openSync(file, 'w', 0o600);
  let isOurs = false;
  try {
    writeHolder(lock);
    // Before the name: a power cut may keep the name and lose the content.
    fsyncSync(lock);
    const now = fstatSync(lock).mtimeMs;
    isOurs = linked(file, path);
    return { lock: isOurs ? lock : undefined, now };
  } finally {
    if (!isOurs) closeSync(lock);
    rmSync(file);
  }
}

/** @returns whether the name was free */
function linked(file: string, path: string): boolean {
  try {
    linkSync(file, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Through the descriptor, so that another holder's lock is never written. */
const writeHolder = (lock: number) => writeSync(lock, `${process.pid} ${hostname()}\n`, 0);

function renew(lock: number): void {
  try {
    writeHolder(lock);
  } catch {
    // A disk that fails also fails the work, which reports it.
  }
}

/** Unless another process has taken it over. */
function release(lock: number, path: string): void {
  const isOurs = statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(lock).ino;
  closeSync(lock);
  if (isOurs) rmSync(path, { force: true });
}

/** @returns undefined: the lock was just released; without a host: it has lost its content */
function readHolder(path: string): { pid: number; host: string } | undefined {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
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
