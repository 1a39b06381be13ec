/** The keys and threshold of a role, as listed in root and delegations. */
import { keyIdOf } from '../keys/key-id.js';
import { PublicKey } from '../keys/public-key.js';
import { type Authority } from '../keys/authority.js';
import { type Reader } from '../json/reader.js';
import { isUsable } from '../signing/listed-key.js';
import { type ListedKey } from '../signing/signer.js';

export type TopRole = 'root' | 'timestamp' | 'snapshot' | 'targets';
export const TOP_ROLES: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets'];

export const isTopRole = (role: string): role is TopRole => TOP_ROLES.includes(role as TopRole);

export interface RoleKeys {
  readonly keyIds: readonly string[];
  readonly threshold: number;
}

/** Keys by id, with all members, because the id covers them all. */
export type Keys = ReadonlyMap<string, ListedKey>;

export const readRoleKeys = (role: Reader): RoleKeys => ({
  keyIds: role.member('keyids').strings(),
  threshold: role.member('threshold').integer(1),
});

/** @throws Refusal if an id does not match its key, or vehicles do not support the type of a key */
export function readListedKeys(keys: Reader): Keys {
  return new Map(keys.members().map(([id, key]) => [id, readListedKey(id, key)]));
}

function readListedKey(id: string, key: Reader): ListedKey {
  const keytype = key.member('keytype').string();
  const scheme = key.member('scheme').string();
  key.member('keyval').member('public').string();
  const listed = key.plainObject() as unknown as ListedKey;
  if (!isUsable(listed)) {
    key.refuse(`an Ed25519, ECDSA P-256 or RSA-PSS key, not ${keytype} ${scheme}`);
  }
  if (keyIdOf(key.object()) !== id) key.refuse(`a key with the id ${id}`);
  return listed;
}

/** A role's keys in the form used by the verification. */
export function authorityOf({ keyIds, threshold }: RoleKeys, keys: Keys): Authority {
  const listed = new Map<string, PublicKey>();
  for (const id of keyIds) {
    const key = keys.get(id);
    if (key) {
      const { keytype: keyType, scheme, keyval } = key;
      listed.set(id, new PublicKey(id, { keyType, scheme, public: keyval.public }));
    }
  }
  const identities = [...new Set([...listed.values()].map(({ identity }) => identity))].sort();
  return { keys: listed, threshold, identities };
}

/** Only keys listed by a role. */
export const usedKeys = (keys: Keys, roles: readonly RoleKeys[]): Keys =>
  new Map([...keys].filter(([id]) => roles.some(({ keyIds }) => keyIds.includes(id))));
