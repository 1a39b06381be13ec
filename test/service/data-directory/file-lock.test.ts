/** The kernel's lock on a file, taken by the program `flock` or, if that is missing, by the system call. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Descriptor, tryLock, unlock } from '../../../src/service/data-directory/file-lock.js';
import { findProgram } from '../../../src/test-bed/index.js';
import { temporaryDirectory } from '../../support/servers.js';

const folder = temporaryDirectory('lock');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = findProgram('flock');
const hasProgram = program !== undefined || process.platform === 'darwin';
if (!hasProgram)
  console.warn('SKIPPED: flock is not installed; get it with: apt-get install util-linux');

type Way = readonly [name: string, path: string];
const BY_PROGRAM: Way = ['the program flock', process.env.PATH ?? ''];
const BY_CALL: Way = ['the system call, without that program', folder];

afterEach(() => void vi.unstubAllEnvs());

let files = 0;

describe.each(hasProgram ? [BY_PROGRAM, BY_CALL] : [BY_CALL])('by %s', (_way, path) => {
  let file: string;
  beforeEach(() => {
    file = join(folder, `lock-${++files}`);
    vi.stubEnv('PATH', path);
  });
  const taken = async (): Promise<Descriptor> => {
    const lock = await tryLock(file, 0);
    if (lock === undefined) throw new Error('the lock is not free');
    return lock;
  };

  test('the lock has one holder at a time', async () => {
    const first = await taken();
    expect(await tryLock(file, 0)).toBeUndefined();
    unlock(first);
    unlock(await taken());
  });

  test('one of many concurrent attempts gets the lock', async () => {
    const locks = await Promise.all(Array.from({ length: 20 }, () => tryLock(file, 0)));
    const got = locks.filter((lock) => lock !== undefined);
    expect(got).toHaveLength(1);
    got.forEach(unlock);
  });

  test('a waiting attempt gets the lock once it is free', async () => {
    const first = await taken();
    const second = tryLock(file, 60_000);
    unlock(first);
    unlock((await second) ?? NaN);
  });

  test('a process that inherits the lock keeps it until it is killed', async () => {
    const lock = await taken();
    const heir = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)'], {
      stdio: ['ignore', 'pipe', 'inherit', lock],
    });
    await once(heir.stdout ?? heir, 'data');
    unlock(lock);
    expect(await tryLock(file, 0)).toBeUndefined();
    heir.kill('SIGKILL');
    await once(heir, 'exit');
    unlock(await taken());
  });

  test('the file’s content is unchanged', async () => {
    writeFileSync(file, 'owner');
    unlock(await taken());
    expect(readFileSync(file, 'utf8')).toBe('owner');
  });
});

test('for the second way, the program cannot be found', () => {
  const { error } = spawnSync('flock', ['--version'], { env: { PATH: folder } });
  expect((error as NodeJS.ErrnoException).code).toBe('ENOENT');
});

test.runIf(hasProgram)('both ways take the same lock', async () => {
  const file = join(folder, 'both');
  for (const [[, first], [, second]] of [
    [BY_PROGRAM, BY_CALL],
    [BY_CALL, BY_PROGRAM],
  ] as const) {
    vi.stubEnv('PATH', first);
    const lock = await tryLock(file, 0);
    expect(lock).toBeDefined();
    vi.stubEnv('PATH', second);
    expect(await tryLock(file, 0)).toBeUndefined();
    unlock(lock ?? NaN);
  }
});
