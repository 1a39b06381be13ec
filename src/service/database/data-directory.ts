/** The data directory of the embedded default, and the lock that keeps a second process out. */
import { mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** The directory is in use by another process. */
class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
}

export interface DataDirectory {
  readonly path: string;
  readonly database: string;
  /** File with the administrator's token of the first start. */
  readonly token: string;
  release(): Promise<void>;
}

/**
 * Makes the directory (mode 0700) if it is not there and locks it.
 *
 * @throws DataDirectoryInUse if a living process has it
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = join(directory, 'otaops.pid');
  await takeLock(lock, directory);
  return {
    path: directory,
    database: join(directory, 'database'),
    token: join(directory, 'token'),
    release: () => unlink(lock),
  };
}

async function takeLock(lock: string, directory: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(lock, 'wx', 0o600);
      await file.writeFile(`${process.pid} ${(await startTime(process.pid)) ?? ''}\n`);
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', started = ''] = (await readFile(lock, 'utf8').catch(() => ''))
      .trim()
      .split(' ');
    if (await isAlive(Number(pid), started)) {
      throw new DataDirectoryInUse(
        `${directory} is in use by process ${pid}; stop it, or choose another folder`,
      );
    }
    // Left behind by a process that was killed.
    await unlink(lock).catch(() => undefined);
  }
  throw new DataDirectoryInUse(`${directory} is being opened by another process`);
}

async function isAlive(pid: number, started: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // The number may have gone to another process since (after a reboot, in a container).
  return started === '' || started === (await startTime(pid));
}

/** When a process started, in clock ticks since boot (proc(5), field 22); undefined where unknown. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
