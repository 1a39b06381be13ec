/** Connections to one PostgreSQL host, which can all be dropped at once. */
import pg from 'pg';
import { SESSION_SETTINGS } from './database.js';
import { type DatabaseHost } from './hosts.js';
import { destroy } from './primary.js';

/** int8 as a number: our counts and ids stay far below 2^53. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

/** A server that does not answer within this time, ms, counts as down. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement without an answer for this long, ms, is abandoned: its connection may be half open. */
const QUERY_TIMEOUT_MS = 20_000;
/** Locks of a transaction whose client has vanished are released after this time, ms. */
const IDLE_IN_TRANSACTION_MS = 20_000;

export interface HostPoolOptions {
  readonly connections: number;
  readonly client: typeof pg.Client;
  /** The server cancels a statement after this time, ms; undefined: never. */
  readonly statementMs: number | undefined;
  readonly onConnectionLost: ((error: Error) => void) | undefined;
}

export class HostPool {
  readonly #pool: pg.Pool;
  readonly #clients = new Set<pg.PoolClient>();
  /** Rejects pending statements when the host is dropped. */
  readonly #waiting = new Set<(error: Error) => void>();
  #givenUp: Error | undefined;

  constructor(host: DatabaseHost, options: HostPoolOptions) {
    const { connections, client: Client, statementMs, onConnectionLost } = options;
    this.#pool = new pg.Pool({
      Client,
      connectionString: host.url,
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      ...(statementMs === undefined ? {} : { statement_timeout: statementMs }),
      keepAlive: true,
      application_name: 'otaops',
      // The pool awaits the promise, although its types do not say so.
      // eslint-disable-next-line @typescript-eslint/no-misused-promises
      onConnect: async (client) => {
        await client.query(SESSION_SETTINGS);
      },
      types,
    });
    this.#pool.on('error', (error) => {
      // A server that is stopped right after us may close the last connection before we do.
      if (!this.#givenUp && !this.#pool.ending) onConnectionLost?.(error);
    });
    this.#pool.on('connect', (client) => {
      this.#clients.add(client);
      if (this.#givenUp) destroy(client);
    });
    this.#pool.on('remove', (client) => this.#clients.delete(client));
  }

  /** Runs one statement on any connection. */
  query(statement: string | pg.QueryConfig): Promise<pg.QueryResult> {
    return this.#unlessGivenUp(this.#pool.query(statement));
  }

  /** A connection for one caller, who releases it. */
  async connect(): Promise<pg.PoolClient> {
    const connecting = this.#pool.connect();
    return this.#unlessGivenUp(connecting).catch((error: unknown) => {
      connecting.then(
        (client) => client.release(true),
        () => undefined,
      );
      throw error;
    });
  }

  /** Fails all pending statements at once, as the host may never answer. */
  giveUp(error: Error): void {
    this.#givenUp = error;
    for (const client of this.#clients) destroy(client);
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    void this.end().catch(() => undefined);
  }

  end(): Promise<void> {
    return this.#pool.ending ? Promise.resolve() : this.#pool.end();
  }

  /** Like `Promise.race`, which would keep its promises in memory. */
  #unlessGivenUp<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const done = () => this.#waiting.delete(reject);
      work
        .then(resolve, reject)
        .finally(done)
        .catch(() => undefined);
    });
  }
}
