/** Opens what a server stores things in: the database, and the file for the first token. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createFirstToken } from './access/index.js';
import {
  type Database,
  migrate,
  openEmbedded,
  openPostgres,
  type Schema,
} from './database/index.js';

export interface StorageSettings {
  /** Of the embedded database, and of the file with the first token. */
  readonly dataDir: string;
  /** `postgres://…`; undefined: the embedded database. */
  readonly databaseUrl?: string | undefined;
}

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
 * @throws DataDirectoryInUse, EmbeddedUnavailable, DatabaseError, ForeignDatabase
 */
export async function openStorage(
  settings: StorageSettings,
  schema: Schema,
  onConnectionLost: (error: Error) => void = () => undefined,
): Promise<Storage> {
  const { databaseUrl, dataDir } = settings;
  const database =
    databaseUrl === undefined
      ? await openEmbedded(dataDir, onConnectionLost)
      : openPostgres({ url: databaseUrl, onConnectionLost });
  const close = () => database.close();
  try {
    const migrated = await migrate(database, schema);
    const tokenFile = join(resolve(settings.dataDir), 'token');
    const firstToken = await createFirstToken(database, Date.now(), (secret) =>
      writeDurably(tokenFile, `${secret}\n`),
    );
    return { database, tokenFile, firstToken, migrated, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Mode 0600; wholly there, also after a power cut, when this returns. */
async function writeDurably(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = await open(`${file}.new`, 'w', 0o600);
  try {
    await fresh.writeFile(text);
    await fresh.sync();
  } finally {
    await fresh.close();
  }
  await rename(`${file}.new`, file);
  const parent = await open(folder);
  await parent.sync().finally(() => parent.close());
}
