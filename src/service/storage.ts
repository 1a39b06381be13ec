/** Opens a server's storage: the database, and the file of the initial admin token. */
import { join, resolve } from 'node:path';
import { type Logger } from 'pino';
import { createFirstToken } from './access/index.js';
import { protectAudit } from './audit/index.js';
import { type BothClocks, DatabaseClock, REFUSE_SECONDS } from './clock/index.js';
import {
  type LanedDatabase,
  migrate,
  openEmbedded,
  openPostgres,
  type Schema,
  SERVER_ROLE,
} from './database/index.js';
import { writeDurably } from './write-durably.js';

export interface StorageSettings {
  /** Directory of the embedded database and of the file with the initial admin token. */
  readonly dataDir: string;
  /** `postgres://…`; without it, the embedded database. */
  readonly databaseUrl?: string | undefined;
  /** Time limit of a statement that reads for people, seconds. */
  readonly searchSeconds?: number | undefined;
}

/** Called on events while the storage is open. */
export interface StorageListeners {
  /** An idle connection broke; a new one is opened on demand. */
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
  readonly database: LanedDatabase;
  /** The database's time. */
  readonly clock: DatabaseClock;
  /** File with the initial admin token. */
  readonly tokenFile: string;
  /** The initial admin token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** Names of the migrations that ran. */
  readonly migrated: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens and migrates the database; the first start creates the initial admin token.
 *
 * @throws DataDirectoryInUse, EmbeddedUnavailable, DatabaseError, ForeignDatabase, WrongClock,
 *   BadDatabaseUrl
 */
export async function openStorage(
  settings: StorageSettings,
  schema: Schema,
  listeners: StorageListeners = {},
): Promise<Storage> {
  const { databaseUrl, dataDir, searchSeconds } = settings;
  const { onConnectionLost = () => undefined, onPrimary } = listeners;
  const database =
    databaseUrl === undefined
      ? await openEmbedded(dataDir, onConnectionLost, searchSeconds)
      : openPostgres({
          url: databaseUrl,
          readingSeconds: searchSeconds,
          onConnectionLost,
          onPrimary,
        });
  let clock: DatabaseClock | undefined;
  const close = async () => {
    await clock?.stop();
    await database.close();
  };
  try {
    clock = await DatabaseClock.start(database, {
      onWrong: listeners.onWrongClock,
      onJump: listeners.onClockJump,
    });
    clock.refuseIfWrong();
    const migrated = await migrate(database, schema);
    await database.asSuperuser?.((tx) => protectAudit(tx, SERVER_ROLE));
    const tokenFile = join(resolve(dataDir), 'token');
    const firstToken = await createFirstToken(database, clock.now(), (secret) =>
      writeDurably(tokenFile, `${secret}\n`),
    );
    return { database, clock, tokenFile, firstToken, migrated, close };
  } catch (error) {
    await close();
    throw error;
  }
}
