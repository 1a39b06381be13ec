/** A PostgreSQL server as the database. */
import pg from 'pg';
import {
  type Database,
  DatabaseError,
  type Parameter,
  type Queryable,
  SESSION_SETTINGS,
} from './database.js';

/** int8 as a number: our counts and ids stay far below 2^53. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: string;
  /** Connections at most. Enough for ingest, sending and the HTTP interface side by side. */
  readonly connections?: number;
  /** Called when an idle connection breaks; the pool opens another when it needs one. */
  readonly onConnectionLost?: (error: Error) => void;
}

const DEFAULT_CONNECTIONS = 8;
/** A server that does not answer in this time is treated as down. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement without an answer for so long is given up: its connection may be half open. */
const QUERY_TIMEOUT_MS = 20_000;
/** Locks of a transaction whose client has vanished are released after this time. */
const IDLE_IN_TRANSACTION_MS = 20_000;

export function openPostgres(options: PostgresOptions): Database {
  const connections = options.connections ?? DEFAULT_CONNECTIONS;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: 'otaops',
    // The pool waits for the promise, which its types do not know yet.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    onConnect: async (client) => {
      await client.query(SESSION_SETTINGS);
    },
    types,
  });
  pool.on('error', (error) => options.onConnectionLost?.(error));

  return {
    connections,
    query: queryWith(pool),
    script: scriptWith(pool),
    async transaction(work) {
      const client = await pool.connect().catch(rethrow);
      // A connection that breaks between two statements must not end the process.
      const ignore = () => undefined;
      client.on('error', ignore);
      const tx: Queryable = { query: queryWith(client), script: scriptWith(client) };
      let broken = false;
      try {
        await tx.script('begin');
        const result = await work(tx);
        await tx.script('commit');
        return result;
      } catch (error) {
        await tx.script('rollback').catch(() => (broken = true));
        throw error;
      } finally {
        client.removeListener('error', ignore);
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

type Runner = pg.Pool | pg.PoolClient;

function queryWith(runner: Runner): Queryable['query'] {
  return async <Row extends object>(
    text: string,
    parameters: readonly Parameter[] = [],
    name?: string,
  ) => {
    const values = [...parameters];
    const result = await runner
      .query<Row & pg.QueryResultRow>(
        name === undefined ? { text, values } : { name, text, values },
      )
      .catch(rethrow);
    return result.rows as Row[];
  };
}

function scriptWith(runner: Runner): Queryable['script'] {
  return async (text) => {
    await runner.query(text).catch(rethrow);
  };
}

function rethrow(error: unknown): never {
  throw new DatabaseError(error);
}
