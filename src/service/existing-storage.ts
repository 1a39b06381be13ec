/** Opens the database of a stopped server unchanged: without migrations and without creating a token. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseClock } from './clock/index.js';
import {
  type Database,
  openEmbedded,
  openPostgres,
  type Schema,
  schemaIn,
} from './database/index.js';
import { type StorageSettings } from './storage.js';

/** There is no database of an adapter or CarOTA Server. */
class NoServerHere extends Error {
  override readonly name = 'NoServerHere';
}

export interface ExistingStorage {
  readonly database: Database;
  /** The database's time. */
  readonly clock: DatabaseClock;
  /** The server to which it belongs. */
  readonly part: Schema['part'];
  close(): Promise<void>;
}

/** @throws NoServerHere, DataDirectoryInUse, EmbeddedUnavailable, DatabaseError, BadDatabaseUrl */
export async function openExistingStorage({
  databaseUrl,
  dataDir,
}: StorageSettings): Promise<ExistingStorage> {
  if (databaseUrl === undefined && !existsSync(dataDir)) {
    throw new NoServerHere(`there is no folder ${resolve(dataDir)}: is --data-dir right?`);
  }
  const ignored = () => undefined;
  const database =
    databaseUrl === undefined
      ? await openEmbedded(dataDir, ignored)
      : openPostgres({ url: databaseUrl, onConnectionLost: ignored });
  let clock: DatabaseClock | undefined;
  const close = async () => {
    await clock?.stop();
    await database.close();
  };
  try {
    const part = await schemaIn(database);
    if (part === undefined) {
      const where = databaseUrl === undefined ? resolve(dataDir) : 'this database';
      throw new NoServerHere(`no adapter or CarOTA Server has used ${where} yet`);
    }
    clock = await DatabaseClock.start(database, {});
    return { database, clock, part, close };
  } catch (error) {
    await close();
    throw error;
  }
}
