/** The audit log: who has done what, when and why. */
import Type from 'typebox';
import { json, Nullable, pageOf, PageQuery, RefIdParams, routesOf, Time } from '../http/index.js';

export const AUDIT_ACTIONS = [
  'pause',
  'resume',
  'cancel',
  'change',
  'retrigger',
  'change-rate',
  'replay-dead-letters',
  'add-callback',
  'change-callback',
  'remove-callback',
  'replay-callback',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const AuditEntry = Type.Object(
  {
    id: Type.Integer(),
    at: Time,
    tokenId: Type.String(),
    tokenName: Type.String({ description: 'Who.' }),
    action: Type.Enum([...AUDIT_ACTIONS], { title: 'AuditAction', description: 'What.' }),
    'ref-id': Nullable(Type.String()),
    vin: Nullable(Type.String()),
    reason: Type.String({ description: 'Why, in the caller’s words.' }),
    detail: Type.Object({}, { additionalProperties: true, description: 'What came of it.' }),
  },
  { title: 'AuditEntry' },
);
export type AuditEntry = Type.Static<typeof AuditEntry>;

export const auditApi = routesOf('Insight', {
  listOperationAudit: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/audit',
    permission: 'read',
    summary: 'List who has controlled an operation, when and why; newest first',
    params: RefIdParams,
    query: PageQuery,
    answer: json(pageOf(AuditEntry), 'A page of the audit log.'),
    errors: ['OPERATION_NOT_FOUND'],
  },
  listAudit: {
    method: 'GET',
    path: '/v1.0/audit',
    permission: 'read',
    summary: 'List the audit log of all operations and settings, newest first',
    query: PageQuery,
    answer: json(pageOf(AuditEntry), 'A page of the audit log.'),
  },
});
