/** The `keys` of root and delegations. */
import { POUF } from '../checks/sections.js';
import { type Reader } from '../json/reader.js';
import { Refusal, type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { keyIdOf } from './key-id.js';
import { isKnownKeyType, isKnownScheme, PublicKey } from './public-key.js';

/** Keys by id; those of an unknown type or scheme are left out. @throws Refusal */
export function readKeys(
  keys: Reader,
  subject: Subject,
  { keyIdIsDigest }: Rules,
): ReadonlyMap<string, PublicKey> {
  const supported = new Map<string, PublicKey>();
  for (const [id, key] of keys.members()) {
    const keyType = key.member('keytype').string();
    if (!isKnownKeyType(keyType)) continue;
    const scheme = key.member('scheme').string();
    if (!isKnownScheme(keyType, scheme)) continue;
    const members = { keyType, scheme, public: key.member('keyval').member('public').string() };
    if (keyIdIsDigest) checkKeyId(id, key, subject);
    supported.set(id, new PublicKey(id, members));
  }
  return supported;
}

function checkKeyId(id: string, key: Reader, subject: Subject): void {
  const expected = keyIdOf(key.object());
  if (id === expected) return;
  throw new Refusal(subject, {
    code: 'key-id',
    check: POUF.keyId,
    fault: 'a key id is not that of its key',
    expected,
    found: id,
  });
}
