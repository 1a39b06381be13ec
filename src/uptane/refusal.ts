/** Rejections by the verification: reason, and the attack they indicate. */

/**
 * Stable codes of refusals (POUF, section 8).
 *
 * `storage` is not a fault of the repositories, but of the client's own disk or provisioning.
 */
export type RefusalCode =
  | 'malformed'
  | 'signature'
  | 'key-id'
  | 'rollback'
  | 'freeze'
  | 'mix-and-match'
  | 'length'
  | 'hash'
  | 'slow'
  | 'network'
  | 'vehicle'
  | 'ecu'
  | 'hardware-id'
  | 'delegation'
  | 'release-counter'
  | 'no-image'
  | 'mismatch'
  | 'storage';

/** The attacks of the standard ("Description of threats") that a failed check indicates. */
export const ATTACKS = [
  'arbitrary-software',
  'rollback',
  'freeze',
  'mix-and-match',
  'endless-data',
  'slow-retrieval',
  'wrong-ecu',
] as const;
export type Attack = (typeof ATTACKS)[number];

const ATTACK_OF: Partial<Record<RefusalCode, Attack>> = {
  signature: 'arbitrary-software',
  'key-id': 'arbitrary-software',
  hash: 'arbitrary-software',
  mismatch: 'arbitrary-software',
  'no-image': 'arbitrary-software',
  delegation: 'arbitrary-software',
  rollback: 'rollback',
  'release-counter': 'rollback',
  freeze: 'freeze',
  'mix-and-match': 'mix-and-match',
  slow: 'slow-retrieval',
  vehicle: 'wrong-ecu',
  ecu: 'wrong-ecu',
  'hardware-id': 'wrong-ecu',
};

/** Repository and file being checked. */
export interface Subject {
  /** `director`, `image`, or any other name that the caller gives a repository. */
  readonly repository: string;
  /** `root`, `timestamp`, `snapshot`, `targets`, a delegated role, or the path of an image. */
  readonly role: string;
  /** Version of the metadata file, if known. */
  readonly version?: number | undefined;
}

export interface RefusalReason {
  readonly code: RefusalCode;
  /** Section of the Uptane Standard, or of the POUF, that requires the check. */
  readonly check: string;
  /** The fault, as a sentence without a subject: `has expired`. */
  readonly fault: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  /** If the code alone does not determine it. */
  readonly attack?: Attack | undefined;
}

/** A check has failed; nothing that failed is trusted or stored. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly repository: string;
  readonly role: string;
  readonly version: number | undefined;
  readonly check: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly attack: Attack | undefined;

  constructor({ repository, role, version }: Subject, reason: RefusalReason) {
    const { code, check, expected, found, attack } = reason;
    super(sentence({ repository, role, version }, reason));
    this.code = code;
    this.repository = repository;
    this.role = role;
    this.version = version;
    this.check = check;
    this.expected = shortened(expected);
    this.found = shortened(found);
    this.attack = attack ?? ATTACK_OF[code];
  }
}

function sentence({ repository, role, version }: Subject, reason: RefusalReason): string {
  const { fault, check, expected, found } = reason;
  const file = version === undefined ? shortened(role) : `${shortened(role)} version ${version}`;
  const details = [
    ...(expected === undefined ? [] : [`expected ${shortened(expected)}`]),
    ...(found === undefined ? [] : [`found ${shortened(found)}`]),
  ];
  const comparison = details.length === 0 ? '' : `: ${details.join(', ')}`;
  return `${repository} repository, ${file}: ${shortened(fault)}${comparison} (${check})`;
}

const LONGEST_TEXT = 200;

/** Texts in a refusal may come from an attacker and end up in logs and messages to the cloud. */
function shortened<T extends string | undefined>(text: T): T {
  if (text === undefined) return text;
  const printable = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\ufffd');
  const cut = printable.length > LONGEST_TEXT ? `${printable.slice(0, LONGEST_TEXT)}…` : printable;
  // Signed and stored as JSON, which cannot contain lone surrogates; truncation may create one.
  return cut.toWellFormed() as T;
}
