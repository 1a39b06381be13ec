/** `/v1.0/audit` of both servers: list, chain, verification, export. */
import { Readable } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import {
  AUDIT_EXPORT_TYPE,
  auditApi,
  type AuditEntry,
  type ServerName,
} from '../../contract/index.js';
import {
  auditStatus,
  type ChainedRow,
  entryFields,
  exportLog,
  listEntries,
  verifyLog,
} from '../audit/index.js';
import { type Database } from '../database/index.js';
import { type Signer } from '../../uptane/signing/index.js';
import { ID_POSITION, listCursor } from './cursor.js';
import { page } from './pages.js';
import { serve } from './serve.js';
import { timeRange } from './time-range.js';

export interface AuditContext {
  readonly reading: Database;
  /** Seals the log. */
  readonly auditKey: Signer;
}

const ENTRIES = listCursor('audit', ID_POSITION);

export function auditRoutes(
  server: FastifyInstance,
  name: ServerName,
  { reading, auditKey }: AuditContext,
): void {
  serve(server, auditApi.listAudit, async ({ query }) => {
    const { limit, cursor, vin, ...filter } = query;
    const before = Number(ENTRIES.read(cursor) ?? Number.MAX_SAFE_INTEGER);
    const match = { ...filter, ...timeRange(filter), vin: vin?.toUpperCase() };
    const rows = await listEntries(reading, match, { before, limit });
    return page(rows, limit, ENTRIES, ({ id }) => String(id), auditEntryBody);
  });

  serve(server, auditApi.getAuditStatus, () => auditStatus(reading, auditKey));

  serve(server, auditApi.verifyAudit, () => verifyLog(trimmed(exportLog(reading, name))));

  serve(server, auditApi.exportAudit, ({ reply }) =>
    reply
      .type(`${AUDIT_EXPORT_TYPE}; charset=utf-8`)
      .header('content-disposition', `attachment; filename="audit-${name}.jsonl"`)
      .send(Readable.from(exportLog(reading, name), { objectMode: false })),
  );
}

async function* trimmed(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield line.slice(0, -1);
}

export const auditEntryBody = (row: ChainedRow): AuditEntry => ({
  ...entryFields(row),
  position: row.position,
  hash: row.hash,
});
