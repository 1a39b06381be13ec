/** Access to the database: PostgreSQL 14 or newer. */

export type Parameter = string | number | boolean | Date | Uint8Array | null;

export interface Queryable {
  /**
   * Runs one statement. `bigint` comes back as a number, `timestamptz` as a Date, `json` parsed.
   *
   * @param name of the prepared statement on each connection, for a long statement that is run frequently
   * @throws DatabaseError
   */
  query<Row extends object>(
    text: string,
    parameters?: readonly Parameter[],
    name?: string,
  ): Promise<Row[]>;
  /** Runs several statements without parameters, such as a migration. */
  script(text: string): Promise<void>;
}

export interface Database extends Queryable {
  /** Commits the transaction of `work`, or rolls it back if it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Number of statements that can run at the same time. */
  readonly connections: number;
  /** Why an embedded database is currently unavailable, in words; undefined if no problem is known. */
  readonly problem?: () => Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Settings of every session. Each statement looks up rows by key, in milliseconds. The planner has no statistics of
 * tables that were filled a minute ago and must not consider other plans.
 */
export const SESSION_SETTINGS = 'set jit = off; set enable_bitmapscan = off';

/** A statement failed. `code` is the SQLSTATE (PostgreSQL appendix A) if the server sent one. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: string | undefined;

  constructor(cause: unknown) {
    const { message, code } = describe(cause);
    super(message, { cause });
    this.code = code;
  }

  /**
   * Whether the statement itself was refused (bad data, violated rule), so that a retry would be refused too. Everything
   * else (no connection, shutdown, deadlock, out of resources) may succeed on a retry.
   */
  get isPermanent(): boolean {
    return this.isAnswer && PERMANENT_CLASSES.has((this.code ?? '').slice(0, 2));
  }

  /** Whether the server itself answered with this error; otherwise its connection may be half open, and useless. */
  get isAnswer(): boolean {
    return SQL_STATE.test(this.code ?? '');
  }

  /** Whether the server has become read-only or is shutting down, so that its connections are useless. */
  get isOfServer(): boolean {
    return OF_SERVER.has(this.code ?? '');
  }
}

/** Unlike codes of Node, such as EPIPE. */
const SQL_STATE = /^(?!E[A-Z]{4}$)[0-9A-Z]{5}$/;

/** Read-only transaction (a standby or a deposed primary); shutdown and crash of a server. */
const OF_SERVER = new Set(['25006', '57P01', '57P02', '57P03', '57P05']);

/** SQLSTATE classes: data exception, integrity violation, syntax or access rule, feature, program. */
const PERMANENT_CLASSES = new Set(['0A', '21', '22', '23', '42', '54']);

function describe(cause: unknown): { message: string; code: string | undefined } {
  if (!(cause instanceof Error)) return { message: String(cause), code: undefined };
  // Connecting to several addresses of one name fails with an AggregateError without a message.
  const inner = cause instanceof AggregateError ? (cause.errors[0] as Error) : cause;
  const code = (inner as { code?: unknown }).code;
  return { message: inner.message, code: typeof code === 'string' ? code : undefined };
}

/** The first row of a statement that always returns one. */
export function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('a statement returned no row where one was expected');
  return row;
}

/** A database that is frozen, or behind a dead link, never answers; after this time it counts as unavailable, ms. */
const ANSWER_MS = 5_000;

/** The pending check: while there is one, no further connection is used. */
const asked = new WeakMap<Database, Promise<boolean>>();

/** Why it cannot work, in words without secrets; undefined if it can. Known within seconds. */
export async function problemOf(database: Database): Promise<string | undefined> {
  const problem = await database.problem?.();
  if (problem !== undefined) return problem;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ANSWER_MS);
  });
  const isThere = await Promise.race([ask(database), late]);
  clearTimeout(timer);
  return isThere ? undefined : 'the database does not answer';
}

function ask(database: Database): Promise<boolean> {
  const waiting = asked.get(database);
  if (waiting) return waiting;
  const question = database
    .query('select 1')
    .then(
      () => true,
      () => false,
    )
    .finally(() => asked.delete(database));
  asked.set(database, question);
  return question;
}
