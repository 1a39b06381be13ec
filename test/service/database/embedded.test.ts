/** The embedded PostgreSQL: each data directory has one owner, and no server outlives its owner. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Database, openEmbedded } from '../../../src/service/database/index.js';
import { tryLock, unlock } from '../../../src/service/data-directory/file-lock.js';
import { eventually } from '../../support/adapter.js';
import { byDepth } from '../../support/depth.js';
import { isInstalled, temporaryDirectory } from '../../support/servers.js';

const OPENER = fileURLToPath(new URL('./opener.mjs', import.meta.url));
const RACES = byDepth({ quick: 1, full: 25 });
const directory = temporaryDirectory('embedded');
const dataDir = join(directory, 'data');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A process that opens the database, as leader of its own process group. */
interface Opener {
  readonly child: ChildProcess;
  /** `open`, or `refused: …` */
  readonly said: string;
}

async function opener(path = dataDir, within: string[] = []): Promise<Opener> {
  const child = spawn('env', [...within, process.execPath, OPENER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

async function end({ child }: Opener, signal: NodeJS.Signals, group = false): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  process.kill(group ? -(child.pid ?? 0) : (child.pid ?? 0), signal);
  await exit;
}

const postmaster = (path = dataDir) =>
  Number(readFileSync(join(path, 'database', 'postmaster.pid'), 'utf8').split('\n')[0]);

/** The guard process: the server's parent. */
const guardOf = (pid: number) =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Process ids of the processes whose working directory this is. */
const processesIn = (path: string) =>
  readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === realpathSync(path);
    } catch {
      return false;
    }
  });

/** Waits until what `/readyz` reports of the database is as described. */
const problemOf = (database: Database, isAsDescribed: (problem?: string) => boolean) =>
  eventually(() => Promise.resolve(database.problem?.()), isAsDescribed);

/** Waits until all processes of the server have exited. */
async function serverEnded(path = dataDir): Promise<void> {
  const lock = await tryLock(join(path, 'database.lock'), 20_000);
  if (lock === undefined) throw new Error('the server still runs');
  unlock(lock);
}

describe('a data directory', () => {
  test('holds a durable PostgreSQL, reachable only through its socket directory', async () => {
    const database = await openEmbedded(dataDir);
    const settings = await database.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit',
         'data_checksums', 'autovacuum', 'listen_addresses', 'server_encoding') order by name`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      autovacuum: 'on',
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '',
      server_encoding: 'UTF8',
      synchronous_commit: 'on',
    });
    expect(statSync(join(dataDir, 'database')).mode & 0o077).toBe(0);
    await database.query('create table kept (n integer)');
    await database.close();
    await serverEnded();
  });

  test('has one owner: the refusal of a second process names the owner', async () => {
    const first = await opener();
    expect(first.said).toBe('open');
    const second = await opener();
    expect(second.said).toMatch(
      new RegExp(`^refused: ${dataDir} is in use by process ${first.child.pid} on .*stop it, or`),
    );
    await end(first, 'SIGTERM');
    await serverEnded();
  });

  test('has one owner, even across containers', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('unshare needs root');
    if (!(await isInstalled('unshare', 'apt-get install util-linux'))) skip('unshare is missing');
    const container = ['unshare', '--pid', '--ipc', '--fork', '--kill-child', '--mount-proc'];
    const first = await opener(dataDir, container);
    expect(first.said).toBe('open');
    expect((await opener(dataDir, container)).said).toMatch(/^refused: .* is in use by process/);
    expect((await opener()).said).toMatch(/^refused: .* is in use by process/);
    await end(first, 'SIGKILL');
    const next = await opener();
    expect(next.said).toBe('open');
    await end(next, 'SIGTERM');
  });

  test(`in ${RACES} races goes to exactly one of four starters, even right after a kill`, async () => {
    for (let race = 0; race < RACES; race++) {
      const all = await Promise.all([opener(), opener(), opener(), opener()]);
      const owners = all.filter(({ said }) => said === 'open');
      expect(owners).toHaveLength(1);
      const losers = all.filter((each) => !owners.includes(each));
      for (const { said } of losers) expect(said).toMatch(/^refused: .* is in use by process/);
      await Promise.all(owners.map((owner) => end(owner, 'SIGKILL')));
    }
    await serverEnded();
  });

  test('can have a path longer than the limit for sockets', async () => {
    const parent = join(directory, 'long'.repeat(30));
    const path = join(parent, 'data');
    mkdirSync(parent);
    // Moves the existing one: making another takes longer than the rest of the test.
    renameSync(dataDir, path);
    const database = await openEmbedded(path);
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
    await database.close();
    await serverEnded(path);
    renameSync(path, dataDir);
  });
});

describe('the server', () => {
  test('exits when its owner is killed along with its process group', async () => {
    const owner = await opener();
    const pid = postmaster();
    await end(owner, 'SIGKILL', true);
    await serverEnded();
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  test('is stopped by the next start if its guard was killed too', async () => {
    const owner = await opener();
    const pid = postmaster();
    process.kill(guardOf(pid), 'SIGKILL');
    process.kill(owner.child.pid ?? 0, 'SIGKILL');
    const next = await opener();
    expect(next.said).toBe('open');
    expect(postmaster()).not.toBe(pid);
    await end(next, 'SIGTERM');
  });

  test('is restarted when it crashes, and /readyz reports why it is unavailable', async () => {
    const database = await openEmbedded(dataDir);
    await database.query('insert into kept values (1)');
    const pid = postmaster();
    process.kill(pid, 'SIGKILL');
    await problemOf(database, (problem) => problem?.includes('is being started again') === true);
    await eventually(
      () => database.query<{ n: number }>('select n from kept').catch(() => []),
      (rows) => rows.length === 1,
    );
    await problemOf(database, (problem) => problem === undefined);
    expect(postmaster()).not.toBe(pid);
    await database.close();
    await serverEnded();
  });

  test('is restarted when one of its processes crashes, and /readyz reports it', async () => {
    const database = await openEmbedded(dataDir);
    const before = postmaster();
    const [backend] = await database.query<{ pid: number }>('select pg_backend_pid() as pid');
    process.kill(backend?.pid ?? 0, 'SIGKILL');
    await problemOf(database, (problem) => problem?.includes('is being started again') === true);
    await problemOf(database, (problem) => problem === undefined);
    expect(postmaster()).not.toBe(before);
    await database.close();
    await serverEnded();
  });

  test('is restarted once what prevented its start has been removed, and /readyz reports what that was', async () => {
    const log = join(dataDir, 'database.log');
    const database = await openEmbedded(dataDir);
    renameSync(log, `${log}.kept`);
    mkdirSync(log);
    process.kill(postmaster(), 'SIGKILL');
    await problemOf(database, (problem) => problem?.includes('EISDIR') === true);
    rmSync(log, { recursive: true });
    renameSync(`${log}.kept`, log);
    await problemOf(database, (problem) => problem === undefined);
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
    await database.close();
    await serverEnded();
  });

  test('leaves no process in its directory once it has stopped', async () => {
    const cluster = join(dataDir, 'database');
    const before = processesIn(cluster);
    const database = await openEmbedded(dataDir);
    await database.close();
    await eventually(
      () => Promise.resolve(processesIn(cluster).filter((one) => !before.includes(one))),
      (processes) => processes.length === 0,
      10_000,
    );
  });

  test('starts even if a power cut left its lock files empty', async () => {
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
      writeFileSync(join(dataDir, 'database', name), '');
    }
    const owner = await opener();
    expect(owner.said).toBe('open');
    await end(owner, 'SIGTERM');
    await serverEnded();
  });

  test('starts even if another process of its account has the process id of the last server', async () => {
    const first = await opener();
    await end(first, 'SIGTERM');
    await serverEnded();
    const cluster = join(dataDir, 'database');
    const { uid, gid } = statSync(cluster);
    // Only root may choose the owner; others own their cluster.
    const account = process.getuid?.() === 0 ? { uid, gid } : {};
    const other = spawn('sleep', ['600'], { ...account, stdio: 'ignore' });
    try {
      for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
        writeFileSync(join(cluster, name), `${other.pid}\n${cluster}\n`);
      }
      const owner = await opener();
      expect(owner.said).toBe('open');
      await end(owner, 'SIGTERM');
      await serverEnded();
    } finally {
      other.kill('SIGKILL');
    }
  });

  test('can be stopped during a restart', async () => {
    const database: Database = await openEmbedded(dataDir);
    process.kill(postmaster(), 'SIGKILL');
    await database.close();
    await serverEnded();
  });
});
