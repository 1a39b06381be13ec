/** Databases for tests: each is created from a template on the run's private server, in about 50 ms. */
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openPostgres, type Schema } from '../../src/service/database/index.js';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';

/** A test's own database. */
export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** Name of the migrated template database. */
export const templateOf = ({ part }: Schema) => `template_${part}`;

let databases = 0;

/** @param schema of its tables; undefined: empty */
export async function newDatabase(schema?: Schema): Promise<TestDatabase> {
  const name = `test_${process.pid}_${Date.now()}_${++databases}`;
  const template = schema ? templateOf(schema) : 'template1';
  await administer(`create database ${name} template ${template} strategy file_copy`);
  return {
    url: `${inject('postgresUrl')}/${name}`,
    drop: () => administer(`drop database if exists ${name} with (force)`),
  };
}

/** One connection per worker, from its first database to its end: a new one costs half as much as a database. */
let admin: Promise<pg.Client> | undefined;

async function administer(statement: string): Promise<void> {
  admin ??= connected();
  await (await admin).query(statement);
}

async function connected(): Promise<pg.Client> {
  const client = new pg.Client(`${inject('postgresUrl')}/postgres`);
  // The server ends before the worker does.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A new adapter database, opened. */
export async function openTestDatabase(): Promise<{
  database: Database;
  url: string;
  close: () => Promise<void>;
}> {
  const { url, drop } = await newDatabase(ADAPTER_SCHEMA);
  const database = openPostgres({ url });
  return {
    database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** Whether Mosquitto is installed. */
export const hasMosquitto = () => inject('hasMosquitto');

/** URL of a new database without tables. */
export const emptyPostgresUrl = async (): Promise<string> => (await newDatabase()).url;
