/** Statements of a test on a server that may be killed at any time: each has a connection of its own. */
import pg from 'pg';

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
