/** An image described by targets metadata (POUF, sections 4 to 6). */
import { canonicalJson } from '../json/canonical-json.js';
import { type Reader } from '../json/reader.js';
import { type Hashes, readHashes, sameHashes } from './hashes.js';

export interface Target {
  readonly path: string;
  /** bytes */
  readonly length: number;
  readonly hashes: Hashes;
  /** Additional metadata, parsed when needed. */
  readonly custom: Reader | undefined;
}

/** @throws Refusal */
export function readTarget(path: string, entry: Reader): Target {
  const custom = entry.optional('custom');
  custom?.object();
  return {
    path,
    length: entry.member('length').integer(0),
    hashes: readHashes(entry.member('hashes')),
    custom,
  };
}

/** The non-custom metadata: length and hashes. */
export const isSameFile = (a: Target, b: Target): boolean =>
  a.length === b.length && sameHashes(a.hashes, b.hashes);

/** The custom metadata that must be equal in both repositories, `custom.match`, in canonical JSON. */
export function matchText({ custom }: Target): string {
  const match = custom?.optional('match')?.value;
  return match === undefined ? '' : canonicalJson(match).toString();
}
