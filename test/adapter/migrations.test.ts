/** Migrations: each runs once, whichever process starts first, and completely. */
import { execFileSync } from 'node:child_process';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { describe, expect, test } from 'vitest';
import { embeddedPostgres, installedPostgres } from '../../src/test-bed/index.js';
import { migrate, openPostgres, schemaIn } from '../../src/service/database/index.js';
import { emptyPostgresUrl, openTestDatabase } from '../support/databases.js';

test('the server is the one that this run requires', async () => {
  const isInstalled = process.env.OTAOPS_TEST_POSTGRES === 'installed';
  const { postgres } = await (isInstalled ? installedPostgres() : embeddedPostgres());
  const named = execFileSync(postgres, ['--version'], { encoding: 'utf8' });
  const { database, close } = await openTestDatabase();
  const [row] = await database.query<{ version: string }>(
    `select split_part(version(), ' ', 2) as version`,
  );
  expect(named).toContain(` ${row?.version}`);
  await close();
});

describe('a migrated database', () => {
  test('a second start finds nothing to do', async () => {
    const { database, close } = await openTestDatabase();
    expect(await migrate(database, ADAPTER_SCHEMA)).toEqual([]);
    await close();
  });
});

// Repeated, as the processes seldom meet at the moments that matter.
test.each(Array.from({ length: 8 }, (_, round) => round))(
  'several processes that start at once run each migration once, round %i',
  async () => {
    const url = await emptyPostgresUrl();
    const databases = Array.from({ length: 6 }, () => openPostgres({ url }));
    // From now on, each connection remembers that there are no tables, until PostgreSQL tells it otherwise.
    const found = await Promise.all(databases.map((database) => schemaIn(database)));
    expect(new Set(found)).toEqual(new Set([undefined]));
    const done = await Promise.all(databases.map((database) => migrate(database, ADAPTER_SCHEMA)));
    const names = done.flat();
    expect(names).toContain('0001-foundation.sql');
    expect(new Set(names).size).toBe(names.length);
    const known = await databases[0]?.query<{ name: string }>('select name from schema_migrations');
    expect(known?.map(({ name }) => name).sort()).toEqual(names.sort());
    await Promise.all(databases.map((database) => database.close()));
  },
);
