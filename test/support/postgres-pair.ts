/** A PostgreSQL primary and its synchronous standby, as private servers of a test. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, ProgramMissing } from '../../src/test-bed/index.js';
import { freePort, temporaryDirectory } from './servers.js';

const run = promisify(execFile);

export interface PairMember {
  readonly port: number;
  readonly pid: number;
  start(): Promise<void>;
  /** SIGKILL of the postmaster; its backends exit by themselves. */
  kill(): Promise<void>;
  /** Promotes it to a primary that waits for no standby. */
  promote(): Promise<void>;
  query(sql: string): Promise<string>;
}

export interface PostgresPair {
  /** Names the standby first, so that host order gives no hint. */
  readonly url: string;
  readonly primary: PairMember;
  readonly standby: PairMember;
  stop(): Promise<void>;
}

/** @throws ProgramMissing */
export async function startPostgresPair(): Promise<PostgresPair> {
  const folder = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  const bin = (name: string) => {
    const path = findProgram(name, folder);
    if (path === undefined) throw new ProgramMissing('PostgreSQL', 'apt-get install postgresql');
    return path;
  };
  const directory = temporaryDirectory('pair');
  const isRoot = process.getuid?.() === 0;
  const idOf = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const identity = isRoot ? { uid: await idOf('-u'), gid: await idOf('-g') } : {};
  if (identity.uid !== undefined) chownSync(directory, identity.uid, identity.gid);
  const options = { ...identity, cwd: directory };

  const member = (data: string, port: number): PairMember => {
    let child: ChildProcess | undefined;
    const query = async (sql: string) => {
      const flags = ['-h', '127.0.0.1', '-p', String(port), '-U', 'otaops', '-Atc', sql];
      return (await run(bin('psql'), [...flags, 'postgres'])).stdout.trim();
    };
    return {
      port,
      get pid() {
        return child?.pid ?? 0;
      },
      query,
      async start() {
        const settings = ['-p', String(port), '-k', directory, '-h', '127.0.0.1'];
        settings.push('-c', 'max_connections=100', '-c', 'shared_buffers=128MB');
        child = spawn(bin('postgres'), ['-D', data, ...settings], { ...options, stdio: 'ignore' });
        await until(() => query('select 1'));
      },
      async kill() {
        if (child?.exitCode !== null || child.signalCode !== null) return;
        const exit = new Promise((resolve) => child?.once('exit', resolve));
        child.kill('SIGKILL');
        await exit;
      },
      async promote() {
        await run(bin('pg_ctl'), ['promote', '-w', '-D', data], options);
        await query(`alter system set synchronous_standby_names = ''`);
        await query('select pg_reload_conf()');
      },
    };
  };

  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  await run(
    bin('initdb'),
    ['-D', first, '-U', 'otaops', '-A', 'trust', '-E', 'UTF8', '--no-locale'],
    options,
  );
  const primary = member(first, await freePort());
  const standby = member(second, await freePort());
  await primary.start();
  const from = `host=127.0.0.1 port=${primary.port} user=otaops application_name=standby`;
  await run(
    bin('pg_basebackup'),
    ['-D', second, '-d', from, '-R', '-X', 'stream', '-c', 'fast'],
    options,
  );
  await standby.start();
  await primary.query(`alter system set synchronous_standby_names = 'standby'`);
  await primary.query('select pg_reload_conf()');
  await until(async () => {
    const state = await primary.query('select sync_state from pg_stat_replication');
    if (state !== 'sync') throw new Error(`the standby is ${state}`);
  });
  return {
    url: `postgres://otaops@127.0.0.1:${standby.port},127.0.0.1:${primary.port}`,
    primary,
    standby,
    async stop() {
      for (const server of [primary, standby]) {
        if (server.pid > 0) await server.kill();
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function until(ready: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ready();
      return;
    } catch (error) {
      if (tries === 400) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
