/** Opens what an adapter stores things in: the database, and the file for the first token. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createFirstToken } from './access/index.js';
import {
  type Database,
  migrate,
  openDataDirectory,
  openEmbedded,
  openPostgres,
} from './database/index.js';
import { type AdapterSettings } from './settings.js';

export interface Storage {
  readonly database: Database;
  /** File with the administrator's token of the first start. */
  readonly tokenFile: string;
  /** The administrator's token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** Names of the migrations that were run. */
  readonly migrated: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens and migrates the database; the first start makes the administrator's token.
 *
 * @throws DataDirectoryInUse, DatabaseError
 */
export async function openStorage(
  settings: Pick<AdapterSettings, 'dataDir' | 'databaseUrl'>,
  onConnectionLost: (error: Error) => void = () => undefined,
): Promise<Storage> {
  const { database, close } = await open(settings, onConnectionLost);
  try {
    const migrated = await migrate(database);
    const firstToken = await createFirstToken(database, Date.now());
    const tokenFile = join(resolve(settings.dataDir), 'token');
    if (firstToken !== undefined) {
      await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
      await writeFile(tokenFile, `${firstToken}\n`, { mode: 0o600 });
    }
    return { database, tokenFile, firstToken, migrated, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { dataDir, databaseUrl }: Pick<AdapterSettings, 'dataDir' | 'databaseUrl'>,
  onConnectionLost: (error: Error) => void,
): Promise<{ database: Database; close: () => Promise<void> }> {
  if (databaseUrl !== undefined) {
    const database = openPostgres({ url: databaseUrl, onConnectionLost });
    return { database, close: () => database.close() };
  }
  const directory = await openDataDirectory(dataDir);
  try {
    const database = await openEmbedded(directory.database);
    const close = async () => {
      await database.close();
      await directory.release();
    };
    return { database, close };
  } catch (error) {
    await directory.release();
    throw error;
  }
}
