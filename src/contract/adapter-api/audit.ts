/** The audit log of one operation; that of all is in the common interface. */
import { AuditEntry } from '../common-api/audit-entry.js';
import { json, pageOf, PageQuery, RefIdParams, routesOf } from '../http/index.js';

/** Route of the audit log of one operation. */
export const operationAuditApi = routesOf('Audit', {
  listOperationAudit: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/audit',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the control actions on an operation, newest first',
    params: RefIdParams,
    query: PageQuery,
    answer: json(pageOf(AuditEntry), 'A page of the audit log.'),
    errors: ['OPERATION_NOT_FOUND'],
  },
});
