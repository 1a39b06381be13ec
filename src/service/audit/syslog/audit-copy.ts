/**
 * Copies the chain and its seals to syslog as they grow. The database knows how far the copy has come, so that it goes on
 * from there after any failure or restart; one process copies for all on the database. No action waits for it.
 */
import { hostname } from 'node:os';
import { type ServerName } from '../../../contract/index.js';
import { sortedJson } from '../../chain/index.js';
import { type Database, type Queryable } from '../../database/index.js';
import { AUDIT_COLUMNS } from '../audit.js';
import { chainRecord } from '../chain-record.js';
import { type ChainedRow } from '../list-entries.js';
import { listSeals, sealOf } from '../seal-rows.js';
import { type SyslogEntry, syslogMessage } from './syslog-message.js';
import { type SyslogTransport } from './syslog-transport.js';

export interface AuditCopyOptions {
  readonly database: Database;
  readonly log: ServerName;
  readonly transport: SyslogTransport;
  /** Entries that were not copied yet, after each attempt. */
  readonly onBehind: (entries: number) => void;
  readonly onFailure: (error: Error) => void;
}

/** Name of the copy in the table of copies. */
const NAME = 'syslog';
const BATCH = 200;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** An arbitrary number, not used for another advisory lock in this database. */
const LOCK = 0x07a0_0b8;

export class AuditCopy {
  readonly #options: AuditCopyOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(options: AuditCopyOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run().finally(() => {
        if (!this.#isStopped) this.start();
      });
    }, this.#pauseMs).unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#options.transport.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && (await this.#copyBatch())) this.#pauseMs = FIRST_PAUSE_MS;
      this.#pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      if (!this.#isStopped) this.#options.onFailure(error as Error);
    }
    await this.#tellBehind().catch(() => undefined);
  }

  async #tellBehind(): Promise<void> {
    const { database, onBehind } = this.#options;
    const [row] = await database.query<{ behind: number }>(
      `select coalesce((select max(position) from audit.chain), 0)
         - coalesce((select position from audit.copies where name = $1), 0) as behind`,
      [NAME],
    );
    onBehind(Math.max(0, row?.behind ?? 0));
  }

  /** @returns whether there may be more */
  #copyBatch(): Promise<boolean> {
    const { database, log, transport } = this.#options;
    return database.transaction(async (tx) => {
      const [lock] = await tx.query<{ locked: boolean }>(
        'select pg_try_advisory_xact_lock($1) as locked',
        [LOCK],
      );
      if (!lock?.locked) return false;
      const after = await cursorOf(tx);
      const { entries, cursor } = await next(tx, after);
      if (entries.length === 0) return false;
      const sender = { hostname: hostname(), app: `otaops-${log}`, pid: process.pid };
      await transport.send(entries.map((entry) => syslogMessage(entry, sender)));
      await tx.query(
        `insert into audit.copies (name, position, seal_id) values ($1, $2, $3)
         on conflict (name) do update set position = excluded.position, seal_id = excluded.seal_id`,
        [NAME, cursor.position, cursor.sealId],
      );
      return true;
    });
  }
}

interface Cursor {
  readonly position: number;
  readonly sealId: number;
}

async function cursorOf(tx: Queryable): Promise<Cursor> {
  const [row] = await tx.query<{ position: number; seal_id: number }>(
    'select position, seal_id from audit.copies where name = $1',
    [NAME],
  );
  return { position: row?.position ?? 0, sealId: row?.seal_id ?? 0 };
}

/** Entries first, then the seals that are new: a seal never comes before what it covers. */
async function next(
  tx: Queryable,
  after: Cursor,
): Promise<{ readonly entries: readonly SyslogEntry[]; readonly cursor: Cursor }> {
  const rows = await tx.query<ChainedRow>(
    `select ${AUDIT_COLUMNS}, c.position, c.hash
     from audit.chain c join audit.entries e on e.id = c.entry_id
     where c.position > $1 order by c.position limit ${BATCH}`,
    [after.position],
  );
  if (rows.length > 0) {
    const position = rows.at(-1)?.position ?? after.position;
    return { entries: rows.map(entryMessage), cursor: { ...after, position } };
  }
  const seals = await listSeals(tx, { after: after.sealId, limit: BATCH });
  const entries = seals.map((row): SyslogEntry => {
    const text = sortedJson({ seal: sealOf(row) });
    return { at: row.signed_at_ms, outcome: 'done', kind: 'seal', text };
  });
  return { entries, cursor: { ...after, sealId: seals.at(-1)?.id ?? after.sealId } };
}

const entryMessage = (row: ChainedRow): SyslogEntry => ({
  at: row.at.getTime(),
  outcome: row.outcome,
  kind: row.action,
  text: sortedJson({ ...chainRecord(row.position ?? 0, row), hash: row.hash }),
});
