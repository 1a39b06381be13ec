/** The databases that storage tests run on: unchanged on the embedded one and on PostgreSQL. */
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { rmSync } from 'node:fs';
import pg from 'pg';
import { inject } from 'vitest';
import {
  type Database,
  migrate,
  openEmbedded,
  openPostgres,
} from '../../src/service/database/index.js';
import { temporaryDirectory } from './servers.js';

export interface TestDatabase {
  readonly name: 'embedded' | 'PostgreSQL';
  /** A new, empty, migrated database. */
  open(): Promise<{ database: Database; close: () => Promise<void> }>;
}

const embedded: TestDatabase = {
  name: 'embedded',
  async open() {
    const directory = temporaryDirectory('pglite');
    const database = await openEmbedded(directory);
    await migrate(database, ADAPTER_SCHEMA);
    return {
      database,
      close: async () => {
        await database.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

let databases = 0;

/** Makes a new database on the run's private server. */
async function createPostgresDatabase(serverUrl: string): Promise<string> {
  const name = `test_${process.pid}_${Date.now()}_${++databases}`;
  const admin = new pg.Client(`${serverUrl}/postgres`);
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  return `${serverUrl}/${name}`;
}

const postgres = (serverUrl: string): TestDatabase => ({
  name: 'PostgreSQL',
  async open() {
    const database = openPostgres({ url: await createPostgresDatabase(serverUrl) });
    await migrate(database, ADAPTER_SCHEMA);
    return { database, close: () => database.close() };
  },
});

/** Whether PostgreSQL and Mosquitto are installed. */
export const hasRealServers = () => inject('postgresUrl') !== null && inject('hasMosquitto');

/** Of a new database without tables; undefined where PostgreSQL is not installed. */
export async function emptyPostgresUrl(): Promise<string | undefined> {
  const serverUrl = inject('postgresUrl');
  return serverUrl === null ? undefined : createPostgresDatabase(serverUrl);
}

export function testDatabases(): TestDatabase[] {
  const serverUrl = inject('postgresUrl');
  return serverUrl === null ? [embedded] : [embedded, postgres(serverUrl)];
}
