/** A lock in a server's database, so that the server can be killed in the middle of a transaction. */
import pg from 'pg';

export class HeldLock {
  private constructor(private readonly client: pg.Client) {}

  /** @param statement takes the lock, in a transaction of its own */
  static async take(url: string, statement: string): Promise<HeldLock> {
    const client = new pg.Client(url);
    await client.connect();
    await client.query('begin');
    await client.query(statement);
    return new HeldLock(client);
  }

  /** Resolves once another session waits for the lock. */
  async isWaitedFor(): Promise<void> {
    for (;;) {
      const { rows } = await this.client.query<{ waiting: boolean }>(
        'select exists (select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))) as waiting',
      );
      if (rows[0]?.waiting) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async release(): Promise<void> {
    await this.client.end();
  }
}
