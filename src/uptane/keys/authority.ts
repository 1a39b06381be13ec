/** The keys of a role, and its threshold. */
import { type Reader } from '../json/reader.js';
import { type PublicKey } from './public-key.js';

export interface Authority {
  /** The key ids that the role lists, with their keys; ids without a known key are omitted. */
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly threshold: number;
  /** The distinct keys of the role, sorted. Ids without a known key represent themselves. */
  readonly identities: readonly string[];
}

/** @param role with the members `keyids` and `threshold` */
export function readAuthority(role: Reader, keys: ReadonlyMap<string, PublicKey>): Authority {
  const keyIds = role.member('keyids').strings();
  const threshold = role.member('threshold').integer(1);
  const listed = new Map<string, PublicKey>();
  for (const id of keyIds) {
    const key = keys.get(id);
    if (key) listed.set(id, key);
  }
  return {
    keys: listed,
    threshold,
    get identities() {
      return [...new Set(keyIds.map((id) => keys.get(id)?.identity ?? `unknown ${id}`))].sort();
    },
  };
}
