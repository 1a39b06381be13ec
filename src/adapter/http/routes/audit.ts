/** The audit log of one operation: who controlled it, when and why. */
import { operationAuditApi } from '../../../contract/adapter-api/index.js';
import { listEntries } from '../../../service/audit/index.js';
import {
  auditEntryBody,
  ID_POSITION,
  listCursor,
  page,
  serve,
  type Server,
} from '../../../service/http/index.js';
import { type HttpContext } from '../context.js';
import { operationOf } from './operation-bodies.js';

const ENTRIES = listCursor('operation-audit', ID_POSITION);

export function operationAuditRoutes(server: Server, context: HttpContext): void {
  serve(server, operationAuditApi.listOperationAudit, async ({ params, query }) => {
    const { limit, cursor } = query;
    const { ref_id: refId } = await operationOf(context, params['ref-id']);
    const before = Number(ENTRIES.read(cursor) ?? Number.MAX_SAFE_INTEGER);
    const rows = await listEntries(context.database, { refId }, { before, limit });
    return page(rows, limit, ENTRIES, ({ id }) => String(id), auditEntryBody);
  });
}
