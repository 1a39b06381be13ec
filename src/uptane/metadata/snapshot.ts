/** Snapshot metadata (POUF, section 4): the version of every targets file. */
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { type ListedFile, readListedFile } from './listed-file.js';
import { type MetadataFile, readMetadataFile } from './metadata-file.js';

export interface Snapshot extends MetadataFile {
  readonly targets: ListedFile;
  /** By file name, `ROLE.json`. */
  readonly files: ReadonlyMap<string, ListedFile>;
}

/** @throws Refusal */
export function readSnapshot(bytes: Uint8Array, subject: Subject, rules: Rules): Snapshot {
  const file = readMetadataFile('snapshot', bytes, subject, rules);
  const meta = file.envelope.signed.member('meta');
  const targets = readListedFile(meta.member('targets.json'), false);
  const files = new Map(
    meta.members().map(([name, entry]) => [name, readListedFile(entry, false)] as const),
  );
  return { ...file, targets, files };
}
