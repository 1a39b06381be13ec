/** Opens what a server stores things in: the database, and the file for the first token. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Logger } from 'pino';
import { createFirstToken } from './access/index.js';
import { type BothClocks, DatabaseClock, REFUSE_SECONDS } from './clock/index.js';
import {
  type Database,
  migrate,
  openDataDirectory,
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

/** What happens while the storage is open. */
export interface StorageListeners {
  /** An idle connection broke; another one is opened when it is needed. */
  readonly onConnectionLost?: (error: Error) => void;
  /** Another host of the database has become the primary. */
  readonly onPrimary?: (to: string, from: string | undefined) => void;
  /** See {@link DatabaseClock}. */
  readonly onWrongClock?: (clocks: BothClocks) => void;
  readonly onClockJump?: (byMs: number) => void;
}

/** Writes them to the log. */
export function loggedTo(log: Logger): StorageListeners {
  return {
    onConnectionLost: (error) => log.warn({ err: error }, 'a connection to the database broke'),
    onPrimary: (to, from) =>
      log.warn({ to, from }, 'the primary of the database is another host now'),
    onWrongClock: ({ ours, database }) => {
      const clocks = { ours: new Date(ours), database: new Date(database) };
      const seconds = (ours - database) / 1000;
      log[Math.abs(seconds) > REFUSE_SECONDS ? 'error' : 'warn'](
        { clocks, seconds },
        'the clock of this machine and that of the database differ; the database’s counts',
      );
    },
    onClockJump: (byMs) => log.warn({ byMs }, 'the database’s time has jumped'),
  };
}

export interface Storage {
  readonly database: Database;
  /** The database's time. */
  readonly clock: DatabaseClock;
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
 * @throws DataDirectoryInUse, DatabaseError, ForeignDatabase, WrongClock, BadDatabaseUrl
 */
export async function openStorage(
  settings: StorageSettings,
  schema: Schema,
  listeners: StorageListeners = {},
): Promise<Storage> {
  const opened = await open(settings, schema, listeners);
  const { database } = opened;
  let clock: DatabaseClock | undefined;
  const close = async () => {
    await clock?.stop();
    await opened.close();
  };
  try {
    clock = await DatabaseClock.start(database, {
      onWrong: listeners.onWrongClock,
      onJump: listeners.onClockJump,
    });
    clock.refuseIfWrong();
    const migrated = await migrate(database, schema);
    const firstToken = await createFirstToken(database, clock.now());
    const tokenFile = join(resolve(settings.dataDir), 'token');
    if (firstToken !== undefined) {
      await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
      await writeFile(tokenFile, `${firstToken}\n`, { mode: 0o600 });
    }
    return { database, clock, tokenFile, firstToken, migrated, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { dataDir, databaseUrl }: StorageSettings,
  { upkeep }: Schema,
  { onConnectionLost, onPrimary }: StorageListeners,
): Promise<{ database: Database; close: () => Promise<void> }> {
  if (databaseUrl !== undefined) {
    const database = openPostgres({ url: databaseUrl, onConnectionLost, onPrimary });
    return { database, close: () => database.close() };
  }
  const directory = await openDataDirectory(dataDir);
  try {
    const database = await openEmbedded(directory.database, upkeep);
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
