/** A PostgreSQL server as the database, or the primary of several. */
import type pg from 'pg';
import { type Database, DatabaseError, type Parameter, type Queryable } from './database.js';
import { HostLanes } from './host-lanes.js';
import { type HostPool } from './host-pool.js';
import { databaseTarget } from './hosts.js';
import { type Lane, LANE_CONNECTIONS, type LanedDatabase, READING_SECONDS } from './lanes.js';
import { PrimaryFollower } from './primary-follower.js';

interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…`, with several hosts see {@link databaseTarget} */
  readonly url: string;
  /** Maximum number of connections of the lane of messages. */
  readonly connections?: number;
  /** How long a statement of the reading lane may take. */
  readonly readingSeconds?: number | undefined;
  /** Called when an idle connection breaks; the pool opens another when it needs one. */
  readonly onConnectionLost?: ((error: Error) => void) | undefined;
  /** Called when another host has become the primary. */
  readonly onPrimary?: ((to: string, from: string | undefined) => void) | undefined;
}

/** @throws BadDatabaseUrl */
export function openPostgres(options: PostgresOptions): LanedDatabase {
  const connections = options.connections ?? LANE_CONNECTIONS.messages;
  const { readingSeconds = READING_SECONDS, onConnectionLost } = options;
  const primary = new PrimaryFollower({
    target: databaseTarget(options.url),
    open: (host) => new HostLanes(host, { connections, readingSeconds, onConnectionLost }),
    onPrimary: options.onPrimary,
  });
  const laneOf = (lane: Lane, size: number): Database => {
    /** A failure may mean that another host is the primary by now. */
    const onPrimary = async <T>(work: (pool: HostPool) => Promise<T>): Promise<T> => {
      try {
        return await work((await primary.lanes()).pool(lane));
      } catch (error) {
        if (error instanceof DatabaseError) primary.failed(error);
        throw error;
      }
    };
    return {
      connections: size,
      query: (text, parameters, name) =>
        onPrimary((pool) => queryWith(pool)(text, parameters, name)),
      script: (text) => onPrimary((pool) => scriptWith(pool)(text)),
      transaction: (work) => onPrimary((pool) => transaction(pool, work)),
      close: () => Promise.resolve(),
    };
  };
  return {
    ...laneOf('messages', connections),
    requests: laneOf('requests', LANE_CONNECTIONS.requests),
    reading: laneOf('reading', LANE_CONNECTIONS.reading),
    close: () => primary.close(),
  };
}

async function transaction<T>(pool: HostPool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch(rethrow);
  // A connection that breaks between two statements must not crash the process.
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
    broken = error instanceof DatabaseError && (!error.isAnswer || error.isOfServer);
    // The server rolls back when the connection ends. A half-open one would not answer this statement either.
    if (!broken) await tx.script('rollback').catch(() => (broken = true));
    throw error;
  } finally {
    client.removeListener('error', ignore);
    client.release(broken);
  }
}

interface Runner {
  query(statement: string | pg.QueryConfig): Promise<pg.QueryResult>;
}

function queryWith(runner: Runner): Queryable['query'] {
  return async <Row extends object>(
    text: string,
    parameters: readonly Parameter[] = [],
    name?: string,
  ) => {
    const values = [...parameters];
    const result = await runner
      .query(name === undefined ? { text, values } : { name, text, values })
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
  throw error instanceof DatabaseError ? error : new DatabaseError(error);
}
