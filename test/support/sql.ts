/** Runs a test's statements on a server that may be killed at any time, each on its own connection. */
import pg from 'pg';
import { eventually } from './adapter.js';

/** Runs one statement and returns its rows. */
export type Sql = <Row extends pg.QueryResultRow>(text: string) => Promise<Row[]>;

export const sqlOn =
  (server: pg.ClientConfig): Sql =>
  async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => {
    const client = new pg.Client(server);
    // The statement fails if the server dies.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };

/** Waits until another session waits for a lock that this one holds. */
export const untilOthersWait = (holder: pg.Client) =>
  eventually(
    () => holder.query('select from pg_locks where pg_backend_pid() = any (pg_blocking_pids(pid))'),
    ({ rowCount }) => rowCount !== 0,
  );
