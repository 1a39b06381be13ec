/**
 * The audit log as JSON Lines: a header, the keys, entries as lines of the chain, each seal after the last entry that it
 * covers, and an end. Pages are read on demand, so memory does not grow with the log.
 */
import {
  AUDIT_EXPORT_FORMAT,
  type AuditExportLine,
  type ServerName,
} from '../../contract/index.js';
import { type PlainJson } from '../../uptane/json/canonical-json.js';
import { GENESIS, sortedJson } from '../chain/index.js';
import { only, type Queryable } from '../database/index.js';
import { AUDIT_COLUMNS } from './audit.js';
import { exportEntry } from './chain-record.js';
import { type ChainedRow } from './list-entries.js';
import { lastSeal, listKeys, listSeals, sealOf, type SealRow } from './seal-rows.js';
import { chainHead } from './sequencer.js';

const PAGE = 500;

/** Lines with their ends; up to the entry that is the last one in the chain now. */
export async function* exportLog(database: Queryable, log: ServerName): AsyncGenerator<string> {
  // Read before the head of the chain, so that all these seals cover entries in the export.
  const newest = (await lastSeal(database))?.id ?? 0;
  const head = await chainHead(database);
  yield line({ format: AUDIT_EXPORT_FORMAT, log, previous: GENESIS, from: 1 });
  for (const key of await listKeys(database)) yield line({ key });
  const seals = sealsOf(database, newest);
  let seal = await next(seals);
  let hash = GENESIS;
  let position = 0;
  while (position < head.position) {
    const rows = await database.query<ChainedRow>(
      `select ${AUDIT_COLUMNS}, c.position, c.hash
       from audit.chain c join audit.entries e on e.id = c.entry_id
       where c.position > $1 and c.position <= $2 order by c.position limit ${PAGE}`,
      [position, head.position],
    );
    for (const row of rows) {
      const at = row.position ?? 0;
      // Before the entry that it no longer covers, also where the last one that it covers is missing.
      for (; seal && seal.to_position < at; seal = await next(seals)) yield sealLine(seal);
      yield line(exportEntry(row));
      position = at;
      hash = row.hash ?? '';
    }
    if (rows.length === 0) break;
  }
  for (; seal; seal = await next(seals)) yield sealLine(seal);
  yield line({ end: { position, hash, unchained: await countUnchained(database) } });
}

/** Entries that are neither in the chain nor pending, because they were tampered with. */
async function countUnchained(database: Queryable): Promise<number> {
  const { unchained } = only(
    await database.query<{ unchained: number }>(
      `select count(*) as unchained from audit.entries e
       where not exists (select from audit.chain c where c.entry_id = e.id)
         and not exists (select from audit.pending p where p.entry_id = e.id)`,
    ),
  );
  return unchained;
}

const line = (value: AuditExportLine) => `${sortedJson(value as PlainJson)}\n`;
const sealLine = (seal: SealRow) => line({ seal: sealOf(seal) });

async function* sealsOf(database: Queryable, newest: number): AsyncGenerator<SealRow, undefined> {
  for (let after = 0; ;) {
    const rows = await listSeals(database, { after, limit: PAGE });
    yield* rows.filter(({ id }) => id <= newest);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return undefined;
    after = last.id;
  }
}

const next = async (seals: AsyncGenerator<SealRow, undefined>): Promise<SealRow | undefined> =>
  (await seals.next()).value;
