/** Tokens that are about to expire, in the metrics and in the log, before a program fails. */
import { type Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import { DatabaseError, type Queryable } from '../database/index.js';

/** How long before its end a token counts as expiring, days. */
const EXPIRING_DAYS = 14;
const LOOK_MS = 60 * 60 * 1000;
const DAY_MS = 24 * LOOK_MS;
/** Lines in the log at a time; the metric has the number of all. */
const MOST_LINES = 100;

/** Condition on a row of `tokens` at the time $1: one with a successor may expire. */
const IS_EXPIRING = `revoked_at is null and replaced_by is null and expires_at > $1::timestamptz
  and expires_at <= $1::timestamptz + interval '${EXPIRING_DAYS} days'`;

/** @param clock ms */
export function countExpiringTokens(
  registry: Registry,
  database: Queryable,
  clock: () => number,
): void {
  new Gauge({
    name: 'otaops_tokens_expiring',
    help: `Tokens without a successor that expire within ${EXPIRING_DAYS} days.`,
    registers: [registry],
    async collect() {
      try {
        const [row] = await database.query<{ count: number }>(
          `select count(*) as count from tokens where ${IS_EXPIRING}`,
          [new Date(clock())],
        );
        this.set(row?.count ?? 0);
      } catch (error) {
        // The other metrics matter most while the database is down; this one keeps its last value.
        if (!(error instanceof DatabaseError)) throw error;
      }
    },
  });
}

/** Names them in the log, each once a day. @param clock ms */
export class ExpiringTokens {
  readonly #database: Queryable;
  readonly #clock: () => number;
  readonly #log: Logger;
  readonly #namedAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(database: Queryable, clock: () => number, log: Logger) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
    void this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  look(): Promise<void> {
    this.#looking = this.#look().catch((error: unknown) => {
      this.#log.error({ err: error }, 'the expiry of tokens could not be checked; retrying');
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const now = this.#clock();
    for (const [id, at] of this.#namedAt) if (now - at >= DAY_MS) this.#namedAt.delete(id);
    const rows = await this.#database.query<{
      id: string;
      name: string;
      role: string;
      expires_at: Date;
    }>(
      `select id, name, role, expires_at from tokens where ${IS_EXPIRING}
       order by expires_at limit ${MOST_LINES}`,
      [new Date(now)],
    );
    for (const { id, name, role, expires_at } of rows) {
      if (this.#namedAt.has(id)) continue;
      this.#namedAt.set(id, now);
      this.#log.warn({ tokenId: id, name, role, expires: expires_at }, 'a token expires soon');
    }
  }
}
