/** The audit log: who did what, when and why. */
import { auditApi, type AuditEntry } from '../../../contract/adapter-api/index.js';
import { auditBody } from '../../../service/audit/index.js';
import {
  ID_POSITION,
  type ListCursor,
  listCursor,
  page,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import { listActions, type OperationAuditRow } from '../../audit/index.js';
import { type HttpContext } from '../context.js';
import { operationOf } from './operation-bodies.js';

const OF_ALL = listCursor('audit', ID_POSITION);
const OF_OPERATION = listCursor('operation-audit', ID_POSITION);

export function auditRoutes(server: Server, context: HttpContext): void {
  const auditPage = async (
    list: ListCursor,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string },
    operationId?: number,
  ) => {
    const before = Number(list.read(cursor) ?? Number.MAX_SAFE_INTEGER);
    const rows = await listActions(context.database, { before, limit, operationId });
    return page(rows, limit, list, ({ id }) => String(id), auditEntry);
  };

  serve(server, auditApi.listOperationAudit, async ({ params, query }) =>
    auditPage(OF_OPERATION, query, (await operationOf(context, params['ref-id'])).id),
  );

  serve(server, auditApi.listAudit, ({ query }) => auditPage(OF_ALL, query));
}

const auditEntry = (row: OperationAuditRow): Served<AuditEntry> => ({
  ...auditBody(row),
  'ref-id': row.ref_id,
});
