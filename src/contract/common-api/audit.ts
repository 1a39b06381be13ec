/** `/v1.0/audit`: who did what, when, from where and why, and what came of it; refused attempts too (contract section 9). */
import Type from '../typebox.js';
import { json, Nullable, pageOf, PageQuery, routesOf, stream } from '../http/index.js';
import { Identifier } from '../values/text.js';
import { Timestamp } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';
import { AUDIT_OUTCOMES, AuditEntry, AuditSeal } from './audit-entry.js';
import { AUDIT_EXPORT_TYPE, AuditExportLine } from './audit-export.js';

const AuditFilter = {
  who: Type.Optional(Identifier('Name or id of a token.')),
  action: Type.Optional(Identifier('An action.')),
  outcome: Type.Optional(Type.Enum([...AUDIT_OUTCOMES], { description: 'The outcome.' })),
  subject: Type.Optional(Identifier('A ref-id, or another subject of the entry.')),
  vin: Type.Optional(Vin),
  from: Type.Optional(Timestamp('Only entries at or after this time.')),
  to: Type.Optional(Timestamp('Only entries before this time.')),
};
/** Filters and paging of `GET /v1.0/audit`. */
export const AuditQuery = Type.Object({ ...PageQuery.properties, ...AuditFilter });

const SealKey = Type.Object(
  {
    keyid: Type.String(),
    keytype: Type.String(),
    scheme: Type.String(),
    public: Type.String({ description: 'Ed25519: 32 bytes, hexadecimal.' }),
  },
  { title: 'SealKey' },
);

/** Where the chain stands. */
export const AuditStatus = Type.Object(
  {
    position: Type.Integer({ description: 'Entries in the chain.' }),
    hash: Type.String({ description: 'Hash of the last one.', pattern: '^[0-9a-f]{64}$' }),
    pending: Type.Integer({ description: 'Number of entries not yet in the chain.' }),
    seal: Nullable(AuditSeal, 'The latest seal.'),
    key: SealKey,
    keys: Type.Array(SealKey, { description: 'All keys that have sealed this log.' }),
    weaknesses: Type.Array(Type.String(), {
      description: 'Ways in which the server’s database role could change entries; empty: none.',
    }),
    copies: Type.Array(
      Type.Object(
        { name: Type.String(), position: Type.Integer(), behind: Type.Integer() },
        { title: 'AuditCopy' },
      ),
      { description: 'Progress of the copies of the log.' },
    ),
  },
  { title: 'AuditStatus' },
);
/** A value that fits the schema {@link AuditStatus}. */
export type AuditStatus = Type.Static<typeof AuditStatus>;

/** Verdict on the chain. */
export const AuditVerdict = Type.Object(
  {
    intact: Type.Boolean(),
    entries: Type.Integer({ description: 'Number of entries read.' }),
    seals: Type.Integer({ description: 'Number of valid seals.' }),
    sealedTo: Type.Integer({ description: 'Position up to which the log is sealed.' }),
    hash: Type.String({ description: 'Hash of the last entry whose chain is intact.' }),
    faults: Type.Array(Type.String(), {
      description:
        'Description of the first broken entry, a missing or wrong seal, or a gap; empty: intact.',
    }),
  },
  { title: 'AuditVerdict' },
);
/** A value that fits the schema {@link AuditVerdict}. */
export type AuditVerdict = Type.Static<typeof AuditVerdict>;

/** The audit log of a server. */
export const auditApi = routesOf('Audit', {
  listAudit: {
    method: 'GET',
    path: '/v1.0/audit',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the audit log, newest first',
    query: AuditQuery,
    answer: json(pageOf(AuditEntry), 'A page of the audit log.'),
  },
  getAuditStatus: {
    method: 'GET',
    path: '/v1.0/audit/status',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the state of the hash chain, its latest seal, and its keys',
    answer: json(AuditStatus, 'The current state.'),
  },
  verifyAudit: {
    method: 'GET',
    path: '/v1.0/audit/verification',
    permission: 'read',
    scope: 'unscoped-only',
    load: 'export',
    summary: 'Verify the entire chain and its seals against the server’s keys',
    description:
      'Here the server checks itself. If you do not trust the server or its database, export the log and run otaops audit verify with a copy of the key.',
    answer: json(AuditVerdict, 'The findings.'),
  },
  exportAudit: {
    method: 'GET',
    path: '/v1.0/audit/export',
    permission: 'read',
    scope: 'unscoped-only',
    load: 'export',
    audit: 'export-audit',
    summary: 'Export the audit log with its chain and seals, as JSON Lines',
    description: 'Streamed, oldest first; the format is in docs/audit.md.',
    answer: stream(
      AUDIT_EXPORT_TYPE,
      'A header, keys, entries, seals and an end, one per line.',
      AuditExportLine,
    ),
  },
});
