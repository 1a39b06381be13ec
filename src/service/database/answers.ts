/** Whether a PostgreSQL server accepts connections. */
import pg from 'pg';

/** So that a server that accepts the connection and stays silent, as one that is dying may, does not hold up the caller. */
const WITHIN_MS = 5_000;

/**
 * @param url `postgres://…`
 * @param withinMs a server that has not answered by then does not answer
 */
export async function answers(url: string, withinMs = WITHIN_MS): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: withinMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
