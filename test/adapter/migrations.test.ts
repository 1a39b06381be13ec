/** Migrations: each once, whoever starts first; nothing half done. */
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { describe, expect, test } from 'vitest';
import { migrate, openPostgres } from '../../src/service/database/index.js';
import { emptyPostgresUrl, openTestDatabase } from '../support/databases.js';

describe('a migrated database', () => {
  test('a second start finds nothing to do', async () => {
    const { database, close } = await openTestDatabase();
    expect(await migrate(database, ADAPTER_SCHEMA)).toEqual([]);
    await close();
  });
});

test('several that start at once migrate each once', async () => {
  const url = await emptyPostgresUrl();
  const databases = Array.from({ length: 6 }, () => openPostgres({ url }));
  const done = await Promise.all(databases.map((database) => migrate(database, ADAPTER_SCHEMA)));
  const names = done.flat();
  expect(names).toContain('0001-foundation.sql');
  expect(new Set(names).size).toBe(names.length);
  const known = await databases[0]?.query<{ name: string }>('select name from schema_migrations');
  expect(known?.map(({ name }) => name).sort()).toEqual(names.sort());
  await Promise.all(databases.map((database) => database.close()));
});
