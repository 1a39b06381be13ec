/** An entry of the audit log, and the seals of its hash chain. */
import Type from '../typebox.js';
import { ErrorCodeName, Nullable, Time } from '../http/index.js';

/** What became of an action. */
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;

/** An entry of the audit log. */
export const AuditEntry = Type.Object(
  {
    id: Type.Integer(),
    at: Time,
    tokenId: Type.String({
      description: 'Id of the token; empty: the server itself, a vehicle, or an unknown caller.',
    }),
    tokenName: Type.String({ description: 'Name of the caller.' }),
    address: Type.String({ description: 'Address of the caller; empty: not over the network.' }),
    action: Type.String({
      description:
        'The action; each route that changes something has its own, and some are of the server itself.',
    }),
    outcome: Type.Enum([...AUDIT_OUTCOMES], { title: 'AuditOutcome' }),
    errorCode: Nullable(ErrorCodeName, 'Error code of the refusal or failure.'),
    'ref-id': Nullable(Type.String({ description: 'The operation or schedule.' })),
    vin: Nullable(Type.String()),
    subject: Type.String({ description: 'Other subject of the action, e.g. the id of a token.' }),
    reason: Type.String({ description: 'Reason given by the caller.' }),
    detail: Type.Object({}, { additionalProperties: true, description: 'Details of the outcome.' }),
    position: Nullable(
      Type.Integer({
        description: 'Position in the hash chain; null for about a second after the action.',
      }),
    ),
    hash: Nullable(Type.String({ description: 'SHA-256 over the entry and the previous hash.' })),
  },
  { title: 'AuditEntry' },
);
/** A value that fits the schema {@link AuditEntry}. */
export type AuditEntry = Type.Static<typeof AuditEntry>;

/** SHA-256 of an entry in the chain. */
export const ChainHash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** A signed statement about the head of the chain. */
export const AuditSeal = Type.Object(
  {
    from: Type.Integer({ description: 'Position of the first entry since the previous seal.' }),
    to: Type.Integer({ description: 'Position of the last entry.' }),
    count: Type.Integer(),
    hash: ChainHash,
    time: Type.Integer({ description: 'Unix time, ms.' }),
    keyid: Type.String(),
    signature: Type.String({
      description: 'Ed25519, hexadecimal, of the canonical JSON (OLPC) of the other members.',
    }),
  },
  { title: 'AuditSeal' },
);
