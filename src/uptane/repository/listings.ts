/** The next snapshot and timestamp, signed online at each publication. Pure. */
import { createHash } from 'node:crypto';
import { type SignedPart } from '../signing/sign.js';
import { type Published } from './published.js';
import { SPEC_VERSION } from './spec-version.js';

export const nextSnapshot = (
  version: number,
  expires: string,
  versions: ReadonlyMap<string, number>,
): SignedPart => ({
  _type: 'snapshot',
  spec_version: SPEC_VERSION,
  version,
  expires,
  meta: Object.fromEntries(
    [...versions].map(([role, number]) => [`${role}.json`, { version: number }]),
  ),
});

/** @param snapshot its file, as served */
export const nextTimestamp = (
  version: number,
  expires: string,
  snapshot: { readonly version: number; readonly bytes: Uint8Array },
): SignedPart => ({
  _type: 'timestamp',
  spec_version: SPEC_VERSION,
  version,
  expires,
  meta: {
    'snapshot.json': {
      version: snapshot.version,
      length: snapshot.bytes.length,
      hashes: { sha256: createHash('sha256').update(snapshot.bytes).digest('hex') },
    },
  },
});

/**
 * Versions listed in the next snapshot. A listed role stays listed (Uptane, "How to check Snapshot metadata", step 6),
 * even without a delegation to it, until the timestamp or snapshot keys change.
 */
export function versionsToList(
  published: Published,
  reachable: ReadonlyMap<string, number>,
  haveOnlineKeysChanged: boolean,
): ReadonlyMap<string, number> {
  if (haveOnlineKeysChanged) return reachable;
  return new Map([...(published.snapshot?.content.versions ?? []), ...reachable]);
}
