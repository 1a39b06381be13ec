/**
 * Continuously copies the chain and its seals to a receiver. The progress is stored in the database, so copying continues
 * from there after any failure or restart; one process copies for all on the database. No action waits for it.
 */
import { hostname } from 'node:os';
import { type Backoff, backoffPause, type ServerName } from '../../../contract/index.js';
import { VERSION } from '../../version.js';
import { sortedJson } from '../../chain/index.js';
import { type Database, type Queryable } from '../../database/index.js';
import { AUDIT_COLUMNS } from '../audit.js';
import { exportEntry } from '../chain-record.js';
import { type ChainedRow } from '../list-entries.js';
import { listSeals, sealOf } from '../seal-rows.js';
import { BatchRefused, type CopyTransport, type CopiedLine } from './copied-line.js';

export interface AuditCopyOptions {
  readonly database: Database;
  readonly log: ServerName;
  readonly transport: CopyTransport;
  /** Number of entries not copied yet, after each attempt. */
  readonly onBehind: (entries: number) => void;
  /** Copying is retried, unless the receiver has permanently refused lines. */
  readonly onFailure: (error: Error) => void;
}

const LARGEST_BATCH = 200;
/** Interval between checks for new entries, ms. */
const LOOK_MS = 1_000;
const RETRY: Backoff = { firstPauseMs: 2_000, longestPauseMs: 60_000 };
/** Arbitrary numbers, not used for another advisory lock in this database. */
const LOCKS = { syslog: 0x07a0_0b8, otlp: 0x07a0_0ba } as const;

export class AuditCopy {
  readonly #options: AuditCopyOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** In a row. */
  #failures = 0;
  /** Smaller after a refusal, down to the line that causes it. */
  #batch = LARGEST_BATCH;

  constructor(options: AuditCopyOptions) {
    this.#options = options;
  }

  start(): void {
    const pauseMs =
      this.#failures === 0 ? LOOK_MS : backoffPause(RETRY, this.#failures, Math.random());
    this.#timer = setTimeout(() => {
      this.#running = this.#run().finally(() => {
        if (!this.#isStopped) this.start();
      });
    }, pauseMs).unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#options.transport.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && (await this.#copyBatch())) this.#failures = 0;
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (!this.#isStopped) this.#options.onFailure(error as Error);
    }
    await this.#reportLag().catch(() => undefined);
  }

  async #reportLag(): Promise<void> {
    const { database, onBehind, transport } = this.#options;
    const [row] = await database.query<{ behind: number }>(
      `select coalesce((select max(position) from audit.chain), 0)
         - coalesce((select position from audit.copies where name = $1), 0) as behind`,
      [transport.name],
    );
    onBehind(Math.max(0, row?.behind ?? 0));
  }

  /** @returns whether there may be more */
  #copyBatch(): Promise<boolean> {
    const { database, log, transport } = this.#options;
    return database.transaction(async (tx) => {
      const [lock] = await tx.query<{ locked: boolean }>(
        'select pg_try_advisory_xact_lock($1) as locked',
        [LOCKS[transport.name]],
      );
      if (!lock?.locked) return false;
      const after = await cursorOf(tx, transport.name);
      const { entries, cursor } = await next(tx, after, this.#batch);
      if (entries.length === 0) return false;
      const sender = { log, hostname: hostname(), pid: process.pid, version: VERSION };
      try {
        const refused = await transport.send(entries, sender);
        if (refused) this.#options.onFailure(refused);
        else this.#batch = Math.min(this.#batch * 2, LARGEST_BATCH);
      } catch (error) {
        if (!(error instanceof BatchRefused)) throw error;
        // Each in a separate transaction: accepted lines are not sent again because of a later failure.
        this.#batch = Math.ceil(entries.length / 2);
        return true;
      }
      await tx.query(
        `insert into audit.copies (name, position, seal_id) values ($1, $2, $3)
         on conflict (name) do update set position = excluded.position, seal_id = excluded.seal_id`,
        [transport.name, cursor.position, cursor.sealId],
      );
      return true;
    });
  }
}

interface Cursor {
  readonly position: number;
  readonly sealId: number;
}

async function cursorOf(tx: Queryable, name: CopyTransport['name']): Promise<Cursor> {
  const [row] = await tx.query<{ position: number; seal_id: number }>(
    'select position, seal_id from audit.copies where name = $1',
    [name],
  );
  return { position: row?.position ?? 0, sealId: row?.seal_id ?? 0 };
}

/** Entries first, then the new seals: a seal never precedes the entries that it covers. */
async function next(
  tx: Queryable,
  after: Cursor,
  limit: number,
): Promise<{ readonly entries: readonly CopiedLine[]; readonly cursor: Cursor }> {
  const rows = await tx.query<ChainedRow>(
    `select ${AUDIT_COLUMNS}, c.position, c.hash
     from audit.chain c join audit.entries e on e.id = c.entry_id
     where c.position > $1 order by c.position limit $2`,
    [after.position, limit],
  );
  if (rows.length > 0) {
    const position = rows.at(-1)?.position ?? after.position;
    return { entries: rows.map(entryMessage), cursor: { ...after, position } };
  }
  const seals = await listSeals(tx, { after: after.sealId, limit });
  const entries = seals.map((row): CopiedLine => {
    const text = sortedJson({ seal: sealOf(row) });
    const facts = { position: row.to_position };
    return { at: row.signed_at_ms, outcome: 'done', kind: 'seal', text, facts };
  });
  return { entries, cursor: { ...after, sealId: seals.at(-1)?.id ?? after.sealId } };
}

function entryMessage(row: ChainedRow): CopiedLine {
  const entry = exportEntry(row);
  const { position, action, tokenId, tokenName, address, errorCode, vin, subject } = entry;
  const facts = { position, action, tokenId, tokenName, address, errorCode, vin, subject };
  return {
    at: row.at.getTime(),
    outcome: row.outcome,
    kind: action,
    text: sortedJson(entry),
    facts: { ...facts, 'ref-id': entry['ref-id'] },
  };
}
