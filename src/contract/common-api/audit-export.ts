/**
 * The lines of an export of the audit log (docs/audit.md). An entry has the fields that it has in the list, with the same
 * names and forms; copies by syslog and OTLP are these lines too.
 */
import Type from '../typebox.js';
import { AuditEntry, AuditSeal, ChainHash } from './audit-entry.js';
import { SERVER_NAMES } from './session.js';

/** Media type of an export. */
export const AUDIT_EXPORT_TYPE = 'application/x-ndjson';

/** Version of the format, in the first line. */
export const AUDIT_EXPORT_FORMAT = 'otaops-audit-1';

const closed = { additionalProperties: false } as const;
const Position = Type.Integer({ minimum: 1, description: 'Position in the chain, from 1.' });

/** The first line. */
export const AuditExportHeader = Type.Object(
  {
    format: Type.Literal(AUDIT_EXPORT_FORMAT),
    log: Type.Enum([...SERVER_NAMES]),
    from: Position,
    previous: Type.String({
      ...ChainHash,
      description: 'Hash before the first entry: 64 zeros at the beginning of the chain.',
    }),
  },
  { ...closed, title: 'AuditExportHeader' },
);

/** A public key that has sealed the log. */
export const AuditExportKey = Type.Object(
  {
    key: Type.Object(
      {
        keytype: Type.Literal('ed25519'),
        scheme: Type.Literal('ed25519'),
        keyval: Type.Object(
          { public: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Hexadecimal.' }) },
          closed,
        ),
      },
      closed,
    ),
  },
  { ...closed, title: 'AuditExportKey' },
);
/** A value that fits the schema {@link AuditExportKey}. */
export type AuditExportKey = Type.Static<typeof AuditExportKey>;

/** An entry; copies have it too. */
export const AuditExportEntry = Type.Object(
  {
    ...AuditEntry.properties,
    detail: Type.Object(
      {},
      {
        additionalProperties: true,
        description:
          'Details of the outcome. Fractions, and integers beyond ±(2^53-1), are text: canonical JSON has no form for them.',
      },
    ),
    position: Position,
    hash: Type.String({
      ...ChainHash,
      description:
        'SHA-256 over the hash of the previous entry (64 zeros for the first), a line feed, and this entry without `hash` in canonical JSON (OLPC).',
    }),
  },
  { ...closed, title: 'AuditExportEntry' },
);
/** A value that fits the schema {@link AuditExportEntry}. */
export type AuditExportEntry = Type.Static<typeof AuditExportEntry>;

/** A seal, after the last entry that it covers; copies have it too. */
export const AuditExportSeal = Type.Object(
  { seal: Type.Object(AuditSeal.properties, closed) },
  { ...closed, title: 'AuditExportSeal' },
);

/** The last line. */
export const AuditExportEnd = Type.Object(
  {
    end: Type.Object(
      {
        position: Type.Integer({ minimum: 0, description: 'Position of the last entry; 0: none.' }),
        hash: Type.String({ ...ChainHash, description: 'Hash of the last entry.' }),
        unchained: Type.Integer({
          minimum: 0,
          description: 'Number of entries that are neither in the chain nor pending.',
        }),
      },
      closed,
    ),
  },
  { ...closed, title: 'AuditExportEnd' },
);
/** A value that fits the schema {@link AuditExportEnd}. */
export type AuditExportEnd = Type.Static<typeof AuditExportEnd>;

/** A line of an export. */
export const AuditExportLine = Type.Union(
  [AuditExportHeader, AuditExportKey, AuditExportEntry, AuditExportSeal, AuditExportEnd],
  { title: 'AuditExportLine' },
);
/** A value that fits the schema {@link AuditExportLine}. */
export type AuditExportLine = Type.Static<typeof AuditExportLine>;
