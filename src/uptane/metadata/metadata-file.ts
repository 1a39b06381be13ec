/** Common members of all roles' metadata (POUF, section 3). */
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { type Envelope, readEnvelope } from './envelope.js';
import { parseUtcTime } from './utc-time.js';

export type MetadataType = 'root' | 'timestamp' | 'snapshot' | 'targets';

/** A parsed, well-formed metadata file, whose signatures are not verified yet. */
export interface MetadataFile {
  /** As served and as stored. */
  readonly bytes: Uint8Array;
  readonly envelope: Envelope;
  readonly version: number;
  readonly expires: Date;
  /** With the version stated in the file. */
  readonly subject: Subject;
}

/** @throws Refusal `malformed` */
export function readMetadataFile(
  type: MetadataType,
  bytes: Uint8Array,
  subject: Subject,
  rules: Rules,
): MetadataFile {
  const envelope = readEnvelope(bytes, subject);
  const { signed } = envelope;
  const actualType = signed.member('_type');
  if (actualType.string() !== type) actualType.refuse(`"${type}"`);
  const specVersion = signed.member('spec_version');
  if (!rules.specVersion.test(specVersion.string())) specVersion.refuse('version 1 of TUF');
  const version = signed.member('version').integer(1);
  const expiresMember = signed.member('expires');
  const expires = parseUtcTime(expiresMember.string());
  if (!expires) return expiresMember.refuse('a time like 2030-01-31T23:59:59Z');
  return { bytes, envelope, version, expires, subject: { ...subject, version } };
}
