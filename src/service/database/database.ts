/** The one way to the database: one SQL dialect, on PostgreSQL 14+ and on the embedded PGlite. */

export type Parameter = string | number | boolean | Date | Uint8Array | null;

export interface Queryable {
  /**
   * Runs one statement. `bigint` comes back as a number, `timestamptz` as a Date, `json` parsed.
   *
   * @throws DatabaseError
   */
  query<Row extends object>(text: string, parameters?: readonly Parameter[]): Promise<Row[]>;
  /** Runs several statements without parameters, as a migration has them. */
  script(text: string): Promise<void>;
}

export interface Database extends Queryable {
  /** Commits what `work` did, or rolls it back if it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** How many statements it can work on at the same time. */
  readonly connections: number;
  /** What an embedded database must have done for it from time to time; a server does it itself. */
  maintain?(): Promise<void>;
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

/** Whether it answers. */
export const isReachable = (database: Queryable): Promise<boolean> =>
  database.query('select 1').then(
    () => true,
    () => false,
  );
