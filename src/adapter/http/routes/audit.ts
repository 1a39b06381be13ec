/** The audit log: who has done what, when and why. */
import Type from 'typebox';
import {
  describeRoute,
  ID_POSITION,
  json,
  type ListCursor,
  listCursor,
  Nullable,
  page,
  pageOf,
  PageQuery,
  RefIdParams,
  type Server,
  Time,
} from '../../../service/http/index.js';
import { type AuditEntry, listActions } from '../../audit/index.js';
import { type HttpContext } from '../context.js';
import { operationOf } from './operation-bodies.js';

const AuditBody = Type.Object(
  {
    id: Type.Integer(),
    at: Time,
    tokenId: Type.String(),
    tokenName: Type.String({ description: 'Who.' }),
    action: Type.String({ description: 'What.' }),
    'ref-id': Nullable(Type.String()),
    vin: Nullable(Type.String()),
    reason: Type.String({ description: 'Why, in the caller’s words.' }),
    detail: Type.Object({}, { additionalProperties: true }),
  },
  { title: 'AuditEntry' },
);

type Page = Type.Static<typeof PageQuery>;
type RefId = Type.Static<typeof RefIdParams>;
const tags = ['Insight'];
const OF_ALL = listCursor('audit', ID_POSITION);
const OF_OPERATION = listCursor('operation-audit', ID_POSITION);

export function auditRoutes(server: Server, context: HttpContext): void {
  const { database } = context;

  const auditPage = async (list: ListCursor, { limit, cursor }: Page, operationId?: number) => {
    const before = Number(list.read(cursor) ?? Number.MAX_SAFE_INTEGER);
    const rows = await listActions(database, { before, limit, operationId });
    return page(rows, limit, list, ({ id }) => String(id), auditBody);
  };

  server.get<{ Params: RefId; Querystring: Page }>(
    '/v1.0/ota/operations/:refId/audit',
    describeRoute('read', {
      tags,
      summary: 'Who has controlled the operation, when and why; newest first',
      params: RefIdParams,
      querystring: PageQuery,
      response: { 200: json(pageOf(AuditBody), 'A page of the audit log.') },
    }),
    async ({ params, query }) =>
      auditPage(OF_OPERATION, query, (await operationOf(context, params.refId)).id),
  );

  server.get<{ Querystring: Page }>(
    '/v1.0/audit',
    describeRoute('read', {
      tags,
      summary: 'The audit log of all operations and settings, newest first',
      querystring: PageQuery,
      response: { 200: json(pageOf(AuditBody), 'A page of the audit log.') },
    }),
    async ({ query }) => auditPage(OF_ALL, query),
  );
}

const auditBody = (entry: AuditEntry) => ({
  id: entry.id,
  at: entry.at,
  tokenId: entry.token_id,
  tokenName: entry.token_name,
  action: entry.action,
  'ref-id': entry.ref_id,
  vin: entry.vin,
  reason: entry.reason,
  detail: entry.detail,
});
