/** Timestamp metadata (POUF, section 4): the current snapshot. */
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { type ListedFile, readListedFile } from './listed-file.js';
import { type MetadataFile, readMetadataFile } from './metadata-file.js';

export interface Timestamp extends MetadataFile {
  readonly snapshot: ListedFile;
}

/** @throws Refusal */
export function readTimestamp(bytes: Uint8Array, subject: Subject, rules: Rules): Timestamp {
  const file = readMetadataFile('timestamp', bytes, subject, rules);
  const entry = file.envelope.signed.member('meta').member('snapshot.json');
  return { ...file, snapshot: readListedFile(entry, rules.timestampPinsSnapshot) };
}
