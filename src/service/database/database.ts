/** The one way to the database: one SQL dialect, on PostgreSQL 14 and newer. */

export type Parameter = string | number | boolean | Date | Uint8Array | null;

export interface Queryable {
  /**
   * Runs one statement. `bigint` comes back as a number, `timestamptz` as a Date, `json` parsed.
   *
   * @param name under which each connection keeps it prepared: for a long one that is run all the time
   * @throws DatabaseError
   */
  query<Row extends object>(
    text: string,
    parameters?: readonly Parameter[],
    name?: string,
  ): Promise<Row[]>;
  /** Runs several statements without parameters, as a migration has them. */
  script(text: string): Promise<void>;
}

export interface Database extends Queryable {
  /** Commits what `work` did, or rolls it back if it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** How many statements it can work on at the same time. */
  readonly connections: number;
  /** Why an embedded database cannot work at the moment, in words; undefined: nothing is known. */
  readonly problem?: () => Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Settings of every session. Each statement looks up rows by key, in milliseconds; the planner, which
 * has no statistics of tables that were filled a minute ago, must not think of anything else.
 */
export const SESSION_SETTINGS = 'set jit = off; set enable_bitmapscan = off';

/** A statement failed. `code` is the SQLSTATE (PostgreSQL appendix A) where the server gave one. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: string | undefined;

  constructor(cause: unknown) {
    const { message, code } = describe(cause);
    super(message, { cause });
    this.code = code;
  }

  /**
   * Whether the statement itself was refused (bad data, broken rule), so that the same statement
   * would be refused again. Everything else (no connection, shutdown, deadlock, out of resources)
   * may succeed on another try.
   */
  get isPermanent(): boolean {
    const sqlState = this.code ?? '';
    return /^[0-9A-Z]{5}$/.test(sqlState) && PERMANENT_CLASSES.has(sqlState.slice(0, 2));
  }

  /** Whether the server has turned read-only or ends, so that its connections are of no use any more. */
  get isOfServer(): boolean {
    return OF_SERVER.has(this.code ?? '');
  }
}

/** Read-only transaction: a standby, or a primary that was deposed; shutdown and crash of a server. */
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
  if (row === undefined) throw new Error('a statement returned no row where one was due');
  return row;
}

/** Why it cannot work, in words that anyone may read; undefined: it can. */
export async function problemOf(database: Database): Promise<string | undefined> {
  const problem = await database.problem?.();
  if (problem !== undefined) return problem;
  return database.query('select 1').then(
    () => undefined,
    () => 'the database does not answer',
  );
}
