/** Connections that break, and connections that end with their server. */
import { expect, test } from 'vitest';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import { openPostgres } from '../../../src/service/database/index.js';
import { eventually } from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';

const TERMINATE = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

test('a connection that breaks is reported, and one that ends together with its server is not', async () => {
  const { url, drop } = await newDatabase(CAROTA_SCHEMA);
  const lost: string[] = [];
  const open = () => openPostgres({ url, onConnectionLost: (error) => lost.push(error.message) });
  const other = openPostgres({ url });
  await other.query('select 1');

  const breaking = open();
  await breaking.query('select 1');
  await other.query(TERMINATE);
  await eventually(
    () => Promise.resolve(lost),
    (noted) => noted.length > 0,
  );
  await breaking.close();

  lost.length = 0;
  for (let round = 0; round < 5; round++) {
    const ending = open();
    await Promise.all(Array.from({ length: 8 }, () => ending.query('select pg_sleep(0.01)')));
    await Promise.all([ending.close(), other.query(TERMINATE)]);
  }
  expect(lost).toEqual([]);
  await other.close();
  await drop();
});
