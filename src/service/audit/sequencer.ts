/**
 * Chains committed entries, and seals the chain every day. Writers of entries never wait; one process at a time chains, for
 * all on the database.
 */
import { GENESIS, linkHash, seal } from '../chain/index.js';
import { type Database, numberArray, type Queryable, textArray } from '../database/index.js';
import { type Signer } from '../../uptane/signing/index.js';
import { AUDIT_COLUMNS, type AuditRow } from './audit.js';
import { chainRecord } from './chain-record.js';

export interface SequencerOptions {
  readonly database: Database;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly signer: Signer;
  readonly onFailure: (error: Error) => void;
}

/** How long an entry waits at most for its hash while all is well, ms. */
const EVERY_MS = 1_000;
/** Entries in one transaction. */
const BATCH = 500;
const DAY_MS = 24 * 60 * 60 * 1000;
/** An arbitrary number, not used for another advisory lock in this database. */
const LOCK = 0x07a0_0b7;

export class AuditSequencer {
  readonly #options: SequencerOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      void this.run()
        .catch((error: unknown) => this.#options.onFailure(error as Error))
        .finally(() => this.#timer?.refresh());
    }, EVERY_MS).unref();
  }

  /** Chains the committed entries, if the database is available. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.run().catch(() => undefined);
  }

  /** Chains all that is committed now, and seals if a new day has started. @throws DatabaseError */
  run(): Promise<void> {
    const run = this.#running.then(() => this.#run());
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #run(): Promise<void> {
    const { database, signer, clock } = this.#options;
    let chained = BATCH;
    while (chained === BATCH) chained = await database.transaction(chainPending);
    await database.transaction(async (tx) => {
      if (await isLocked(tx)) await sealIfDue(tx, signer, clock());
    });
  }
}

const isLocked = async (tx: Queryable): Promise<boolean> => {
  const [row] = await tx.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock($1) as locked',
    [LOCK],
  );
  return row?.locked ?? false;
};

/** Position and hash of the last entry of the chain. */
export async function chainHead(tx: Queryable): Promise<{ position: number; hash: string }> {
  const [head] = await tx.query<{ position: number; hash: string }>(
    'select position, hash from audit.chain order by position desc limit 1',
  );
  return head ?? { position: 0, hash: GENESIS };
}

/** @returns how many entries were chained */
async function chainPending(tx: Queryable): Promise<number> {
  const [any] = await tx.query('select from audit.pending limit 1');
  if (!any || !(await isLocked(tx))) return 0;
  const rows = await tx.query<AuditRow>(
    `select ${AUDIT_COLUMNS} from audit.pending p join audit.entries e on e.id = p.entry_id
     order by p.entry_id limit ${BATCH}`,
  );
  let { position, hash } = await chainHead(tx);
  const links = rows.map((row) => {
    position += 1;
    hash = linkHash(hash, chainRecord(position, row));
    return { position, id: row.id, hash };
  });
  // The trigger of the chain takes them out of `audit.pending`.
  await tx.query(
    `insert into audit.chain (position, entry_id, hash)
     select * from unnest($1::bigint[], $2::bigint[], $3::text[])`,
    [
      numberArray(links.map((link) => link.position)),
      numberArray(links.map(({ id }) => id)),
      textArray(links.map((link) => link.hash)),
    ],
  );
  return links.length;
}

/** Once in each UTC day, also if nothing was added: a seal shows that nothing was taken away. */
async function sealIfDue(tx: Queryable, signer: Signer, now: number): Promise<void> {
  const [last] = await tx.query<{ to_position: number; signed_at_ms: number }>(
    'select to_position, signed_at_ms from audit.seals order by id desc limit 1',
  );
  // Another day, not a later one: a clock that was ahead must not stop the sealing.
  if (last && dayOf(last.signed_at_ms) === dayOf(now)) return;
  const { position, hash } = await chainHead(tx);
  if (position === 0) return;
  const from = (last?.to_position ?? 0) + 1;
  const made = await seal(signer, { from, to: position, hash, time: now });
  await tx.query(
    'insert into audit.keys (keyid, key) values ($1, $2::json) on conflict do nothing',
    [signer.keyId, JSON.stringify(signer.key)],
  );
  await tx.query(
    `insert into audit.seals (from_position, to_position, hash, signed_at_ms, keyid, signature)
     values ($1, $2, $3, $4, $5, $6)`,
    [made.from, made.to, made.hash, made.time, made.keyid, made.signature],
  );
}

const dayOf = (ms: number) => Math.floor(ms / DAY_MS);
