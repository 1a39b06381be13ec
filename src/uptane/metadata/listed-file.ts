/** An entry of `meta` in timestamp and snapshot: another file's current version, optionally with length and hashes. */
import { type Reader } from '../json/reader.js';
import { hasKnownAlgorithm, type Hashes, readHashes } from './hashes.js';

export interface ListedFile {
  readonly version: number;
  /** bytes */
  readonly length: number | undefined;
  readonly hashes: Hashes | undefined;
}

/** @throws Refusal */
export function readListedFile(entry: Reader, isPinned: boolean): ListedFile {
  const member = (name: string) => (isPinned ? entry.member(name) : entry.optional(name));
  const hashesMember = member('hashes');
  const hashes = hashesMember && readHashes(hashesMember);
  // Unknown algorithms are ignored next to a known one; without a known one nothing could be checked.
  if (hashes && !hasKnownAlgorithm(hashes)) hashesMember.refuse('a hash by sha256 or sha512');
  return {
    version: entry.member('version').integer(1),
    length: member('length')?.integer(0),
    hashes,
  };
}
