/** `/v1.0/audit`: who did what, when, from where and why, and what came of it; refused attempts too (contract section 9). */
import Type from '../typebox.js';
import { json, Nullable, pageOf, PageQuery, routesOf, stream, Time } from '../http/index.js';
import { Identifier } from '../values/text.js';
import { Timestamp } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';

/** What became of an action. */
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;

/** An entry of the audit log. */
export const AuditEntry = Type.Object(
  {
    id: Type.Integer(),
    at: Time,
    tokenId: Type.String({ description: 'Empty: the server itself, a vehicle, or nobody known.' }),
    tokenName: Type.String({ description: 'Who.' }),
    address: Type.String({ description: 'From where; empty: not over the network.' }),
    action: Type.String({ description: 'What; each route that changes something names its own.' }),
    outcome: Type.Enum([...AUDIT_OUTCOMES], { title: 'AuditOutcome' }),
    errorCode: Nullable(Type.String({ description: 'Why it was refused or failed.' })),
    'ref-id': Nullable(Type.String({ description: 'The operation or schedule.' })),
    vin: Nullable(Type.String()),
    subject: Type.String({ description: 'What else it is about, e.g. the id of a token.' }),
    reason: Type.String({ description: 'Why, in the caller’s words.' }),
    detail: Type.Object({}, { additionalProperties: true, description: 'What came of it.' }),
    position: Nullable(
      Type.Integer({ description: 'In the hash chain; null for about a second after the action.' }),
    ),
    hash: Nullable(Type.String({ description: 'SHA-256 of the entry and the hash before it.' })),
  },
  { title: 'AuditEntry' },
);
/** A value that fits the schema {@link AuditEntry}. */
export type AuditEntry = Type.Static<typeof AuditEntry>;

const AuditFilter = {
  who: Type.Optional(Identifier('Name or id of a token.')),
  action: Type.Optional(Identifier('An action.')),
  outcome: Type.Optional(Type.Enum([...AUDIT_OUTCOMES], { description: 'How it ended.' })),
  subject: Type.Optional(Identifier('A ref-id, or what else the entry is about.')),
  vin: Type.Optional(Vin),
  from: Type.Optional(Timestamp('Only entries of this time or later.')),
  to: Type.Optional(Timestamp('Only entries before this time.')),
};
/** Filters and paging of `GET /v1.0/audit`. */
export const AuditQuery = Type.Object({ ...PageQuery.properties, ...AuditFilter });

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** A signed statement about the head of the chain. */
export const AuditSeal = Type.Object(
  {
    from: Type.Integer({ description: 'Position of the first entry since the seal before.' }),
    to: Type.Integer({ description: 'Position of the last entry.' }),
    count: Type.Integer(),
    hash: Hash,
    time: Type.Integer({ description: 'Unix time, ms.' }),
    keyid: Type.String(),
    signature: Type.String({
      description: 'Ed25519, hexadecimal, of the canonical JSON (OLPC) of the other members.',
    }),
  },
  { title: 'AuditSeal' },
);

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
    pending: Type.Integer({ description: 'Entries that are not in the chain yet.' }),
    seal: Nullable(AuditSeal, 'The last one.'),
    key: SealKey,
    keys: Type.Array(SealKey, { description: 'All that have sealed this log.' }),
    weaknesses: Type.Array(Type.String(), {
      description:
        'How the database role of this server could change entries; empty: it could not.',
    }),
    copies: Type.Array(
      Type.Object(
        { name: Type.String(), position: Type.Integer(), behind: Type.Integer() },
        { title: 'AuditCopy' },
      ),
      { description: 'How far the log was copied elsewhere.' },
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
    entries: Type.Integer({ description: 'Entries that were read.' }),
    seals: Type.Integer({ description: 'Seals that hold.' }),
    sealedTo: Type.Integer({ description: 'Position up to which the log is sealed.' }),
    hash: Type.String({ description: 'Of the last entry that follows from those before.' }),
    faults: Type.Array(Type.String(), {
      description: 'Of the first broken entry, a missing or wrong seal, a gap; empty: intact.',
    }),
  },
  { title: 'AuditVerdict' },
);
/** A value that fits the schema {@link AuditVerdict}. */
export type AuditVerdict = Type.Static<typeof AuditVerdict>;

/** Media type of an export. */
export const AUDIT_EXPORT_TYPE = 'application/x-ndjson';

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
    summary: 'Show where the hash chain stands, its last seal, and the keys that seal it',
    answer: json(AuditStatus, 'As it is now.'),
  },
  verifyAudit: {
    method: 'GET',
    path: '/v1.0/audit/verification',
    permission: 'read',
    scope: 'unscoped-only',
    load: 'export',
    summary: 'Verify the whole chain and its seals against the keys that the server has',
    description:
      'The server judges itself here. Who does not trust it, or its database, exports the log and runs otaops audit verify with a copy of the key.',
    answer: json(AuditVerdict, 'What was found.'),
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
      'A header, keys, entries and seals, and an end, one on each line.',
    ),
  },
});
