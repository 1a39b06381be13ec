/** A database URL with several hosts: parsing, finding the primary, and failover. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadDatabaseUrl, databaseTarget, openPostgres } from '../../src/service/database/index.js';
import { primaryOf } from '../../src/service/database/primary.js';
import { type PostgresPair, startPostgresPair } from '../support/postgres-pair.js';
import { sampleOf } from '../support/depth.js';
import { isInstalled } from '../support/servers.js';

/** `pg_basebackup` creates the standby. */
const hasPostgres = await isInstalled('pg_config', 'apt-get install postgresql libpq-dev');

const urlsOf = (url: string) => databaseTarget(url).hosts.map((host) => host.url);

describe('the URL', () => {
  test('is split into one URL per host, with user, database and parameters', () => {
    const url = 'postgres://u:p%40w@a:5433,b,[::1]:5434/otaops?sslmode=require';
    expect(urlsOf(url)).toEqual([
      'postgres://u:p%40w@a:5433/otaops?sslmode=require',
      'postgres://u:p%40w@b:5432/otaops?sslmode=require',
      'postgres://u:p%40w@[::1]:5434/otaops?sslmode=require',
    ]);
  });

  test('requires a writable host if there are several, or if the URL asks for one', () => {
    const writable = (url: string) => databaseTarget(url).mustBeWritable;
    expect(writable('postgres://a/x')).toBe(false);
    expect(writable('postgres://a,b/x')).toBe(true);
    expect(writable('postgres://a/x?target_session_attrs=read-write')).toBe(true);
    expect(writable('postgres://a,b/x?target_session_attrs=primary')).toBe(true);
    expect(writable('postgres://a,b/x?target_session_attrs=any')).toBe(false);
  });

  test.each([
    'postgres://otaops@db/otaops',
    'postgres://otaops@%2Ftmp%2Fdata:5432/postgres?sslmode=disable',
    'postgres:///otaops?host=/run/postgresql',
  ])('with one host is unchanged: %s', (url) => expect(urlsOf(url)).toEqual([url]));

  test.each([
    ['mysql://a/x', /postgres:\/\//],
    ['postgres://a,,b/x', /host 2 is empty/],
    ['postgres://a,/x', /host 2 is empty/],
    ['postgres://a,b:0/x', /host 2 \(b:0\).*port/],
    ['postgres://a:x,b/x', /host 1 \(a:x\).*port/],
    ['postgres://a:70000,b/x', /host 1 .*port/],
    ['postgres://::1,b/x', /host 1 \(::1\)/],
    ['postgres://a,a:5432/x', /a:5432 is listed twice/],
    ['postgres://a,b/x?target_session_attrs=standby', /accepts writes/],
    ['postgres://a,b/x?target_session_attrs=readwrite', /target_session_attrs=readwrite/],
  ])('%s is refused, and the message says why', (url, why) => {
    expect(() => databaseTarget(url)).toThrow(BadDatabaseUrl);
    expect(() => databaseTarget(url)).toThrow(why);
  });

  test('an error never contains the password', () => {
    for (const url of ['postgres://u:s3cret@a,,b/x', 'postgres://u:s3cret@a:x,b/x']) {
      expect(() => databaseTarget(url)).toThrow(/^(?!.*s3cret)/);
    }
  });
});

describe('the primary', () => {
  const isThere = true;
  const a = (timeline?: number) =>
    timeline === undefined ? { host: 'a', isThere } : { host: 'a', isThere, timeline };
  const b = (timeline?: number) =>
    timeline === undefined ? { host: 'b', isThere } : { host: 'b', isThere, timeline };

  test('is the host that accepts writes; if there are two, the one promoted last', () => {
    expect(primaryOf([a(), b(1)], undefined)).toBe('b');
    expect(primaryOf([a(1), b(2)], undefined)).toBe('b');
    expect(primaryOf([a(1), b(2)], 'a')).toBe('b');
    expect(primaryOf([a(2), b(2)], undefined)).toBe('a');
    expect(primaryOf([a(2), b(2)], 'b')).toBe('b');
    expect(primaryOf([a(), b()], 'a')).toBe(undefined);
  });
});

describe.skipIf(!hasPostgres).each(sampleOf(['SIGKILL', 'SIGSTOP'] as const, 2))(
  'a primary that gets %s',
  (signal) => {
    let pair: PostgresPair;
    beforeAll(async () => (pair = await startPostgresPair()));
    afterAll(async () => {
      if (signal === 'SIGSTOP') await freezeAll('SIGCONT');
      await pair.stop();
    });
    let frozen: number[] = [];
    const freezeAll = async (how: NodeJS.Signals) => {
      for (const pid of frozen) {
        try {
          process.kill(pid, how);
        } catch {
          // The primary's backend has exited.
        }
      }
    };

    test('is replaced by its standby within 10 s, with every confirmed commit exactly once', async () => {
      const moves: string[] = [];
      const database = openPostgres({
        url: `${pair.url}/postgres`,
        onConnectionLost: () => undefined,
        onPrimary: (to) => moves.push(to),
      });
      await database.query('create table written (n integer, by integer)');
      const committed = new Set<string>();
      let isWriting = true;
      const times: number[] = [];
      const writer = async (by: number) => {
        for (let n = 0; isWriting; n++) {
          try {
            await database.transaction((tx) =>
              tx.query('insert into written values ($1, $2)', [n, by]),
            );
            committed.add(`${n} ${by}`);
            times.push(performance.now());
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      };
      const writers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(writer);
      while (committed.size < 200) await new Promise((resolve) => setTimeout(resolve, 10));
      if (signal === 'SIGKILL') await pair.primary.kill();
      else {
        const backends = await pair.primary.query('select pid from pg_stat_activity');
        frozen = [pair.primary.pid, ...backends.split('\n').map(Number)];
        await freezeAll('SIGSTOP');
      }
      await pair.standby.promote();
      const promoted = performance.now();
      const size = committed.size;
      while (committed.size < size + 200) await new Promise((resolve) => setTimeout(resolve, 10));
      const first = times.find((at) => at > promoted) ?? Infinity;
      console.log(
        `${signal}: followed ${((first - promoted) / 1000).toFixed(1)} s after the promotion`,
      );
      expect(first - promoted).toBeLessThan(10_000);
      expect(moves).toEqual([`127.0.0.1:${pair.primary.port}`, `127.0.0.1:${pair.standby.port}`]);

      // The old primary wakes up and still considers itself primary, but no client returns to it.
      if (signal === 'SIGSTOP') {
        await freezeAll('SIGCONT');
        const after = committed.size + 500;
        while (committed.size < after) await new Promise((resolve) => setTimeout(resolve, 10));
        expect(moves).toHaveLength(2);
      }
      isWriting = false;
      await Promise.all(writers);
      const rows = await database.query<{ n: number; by: number }>('select n, by from written');
      const stored = rows.map(({ n, by }) => `${n} ${by}`);
      expect(new Set(stored).size).toBe(stored.length);
      const there = new Set(stored);
      expect([...committed].filter((key) => !there.has(key))).toEqual([]);
      await database.close();
    });
  },
);
