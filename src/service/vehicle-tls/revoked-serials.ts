/** Serial numbers revoked in the database: which ones, and their effect on every process within a second. */
import { type Queryable } from '../database/index.js';

export interface RevokedCertificate {
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  readonly revoked_at: Date;
  /** Name of the caller's token. */
  readonly revoked_by: string;
  readonly reason: string;
}

const COLUMNS = 'serial, revoked_at, revoked_by, reason';

/** @returns the first revocation of this serial: a second one changes nothing */
export async function revokeCertificate(
  database: Queryable,
  revocation: { readonly serial: string; readonly by: string; readonly reason: string },
  now: number,
): Promise<RevokedCertificate> {
  const [row] = await database.query<RevokedCertificate>(
    `insert into revoked_certificates as r (serial, revoked_at, revoked_by, reason)
     values ($1, $2, $3, $4)
     on conflict (serial) do update set serial = r.serial
     returning ${COLUMNS}`,
    [revocation.serial, new Date(now), revocation.by, revocation.reason],
  );
  if (!row) throw new Error('a revocation was not stored');
  return row;
}

/** In the order of the serials, after the given one. */
export const listRevokedCertificates = (
  database: Queryable,
  after: string,
  limit: number,
): Promise<RevokedCertificate[]> =>
  database.query<RevokedCertificate>(
    `select ${COLUMNS} from revoked_certificates where serial > $1 order by serial limit $2`,
    [after, limit],
  );

/** Interval between checks, ms. */
const LOOK_MS = 1_000;

export interface RevokedSerialsOptions {
  readonly database: Queryable;
  readonly onAdded: () => void;
  readonly onFailure: (error: Error) => void;
}

/** All serials are kept in memory: a revocation is final, so the set only grows. */
export class RevokedSerials {
  readonly #options: RevokedSerialsOptions;
  readonly #serials = new Set<string>();
  /** The snapshot whose transactions have been read. */
  #snapshot: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #look: Promise<void> = Promise.resolve();

  constructor(options: RevokedSerialsOptions) {
    this.#options = options;
  }

  has(serial: string): boolean {
    return this.#serials.has(serial);
  }

  /** @throws DatabaseError */
  async start(): Promise<void> {
    await this.#read();
    this.#timer = setTimeout(() => {
      this.#look = this.#read()
        .catch((error: unknown) => this.#options.onFailure(error as Error))
        .finally(() => {
          if (!this.#isStopped) this.#timer?.refresh();
        });
    }, LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#look;
  }

  /** Revocations that have become visible since the last check, in any order of their commits. */
  async #read(): Promise<void> {
    const [row] = await this.#options.database.query<{
      snapshot: string;
      added: string[] | null;
    }>(
      `select pg_current_snapshot()::text as snapshot,
         (select array_agg(serial) from revoked_certificates
          where $1::text is null or (
            xact >= pg_snapshot_xmin($1::text::pg_snapshot)
            and not pg_visible_in_snapshot(xact, $1::text::pg_snapshot)
          )) as added`,
      [this.#snapshot],
    );
    if (!row) throw new Error('the database has no snapshot');
    for (const serial of row.added ?? []) this.#serials.add(serial);
    this.#snapshot = row.snapshot;
    if ((row.added?.length ?? 0) > 0) this.#options.onAdded();
  }
}
