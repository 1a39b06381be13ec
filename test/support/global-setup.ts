/** One private PostgreSQL per test project; tests start their own Mosquitto. */
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { ensurePartitions } from '../../src/adapter/maintenance.js';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { migrate, openPostgres } from '../../src/service/database/index.js';
import { templateOf } from './databases.js';
import { inMemory } from './memory.js';
import { isInstalled, startPostgres } from './servers.js';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    hasMosquitto: boolean;
  }
}

/** Without durability, for speed: tests of power cuts have their own servers. */
const QUICK = ['-c', 'fsync=off', '-c', 'full_page_writes=off'];
/** Keeps the write-ahead log from filling the memory in which the data may be. */
const SMALL_LOG = ['-c', 'min_wal_size=32MB', '-c', 'max_wal_size=256MB'];
/** Small, as test databases are small and each drop searches all buffers. */
const FEW_BUFFERS = ['-c', 'shared_buffers=64MB'];

export default async function setup(project: TestProject) {
  // The project's environment applies to its workers, not here.
  const { env } = project.config as { env?: Readonly<Record<string, string>> };
  const postgres = await startPostgres(
    [...QUICK, ...SMALL_LOG, ...FEW_BUFFERS],
    env?.OTAOPS_TEST_POSTGRES,
    // Creating a database in memory takes a fifth of the time: its hundreds of files cost more than their contents.
    inMemory(),
  );
  await makeTemplates(postgres.url);
  project.provide('postgresUrl', postgres.url);
  project.provide('hasMosquitto', await isInstalled('mosquitto', 'apt-get install mosquitto'));
  return () => postgres.stop();
}

async function makeTemplates(serverUrl: string): Promise<void> {
  const admin = new pg.Client(`${serverUrl}/postgres`);
  await admin.connect();
  for (const schema of [ADAPTER_SCHEMA, CAROTA_SCHEMA]) {
    const name = templateOf(schema);
    await admin.query(`create database ${name}`);
    const database = openPostgres({ url: `${serverUrl}/${name}` });
    await migrate(database, schema);
    // They take half of the database time of an adapter's first start.
    if (schema === ADAPTER_SCHEMA) await ensurePartitions(database, Date.now());
    await database.close();
  }
  await admin.end();
}
