/** The time keys trusted by an ECU: a file with one public key in metadata format, or a list of them. */
import { type Authority } from '../../uptane/keys/authority.js';
import { isUsable, publicKeyOf } from '../../uptane/signing/listed-key.js';
import { keyIdOfListed, type ListedKey } from '../../uptane/signing/signer.js';
import { ProvisioningFault } from './provisioning-fault.js';

/** A signature by one of the keys suffices. @param name of the file, for messages @throws ProvisioningFault */
export function timeAuthority(bytes: Uint8Array, name: string): Authority {
  const keys = listIn(bytes, name).map((key, place) => {
    if (!isListedKey(key) || !isUsable(key)) {
      throw new ProvisioningFault(
        `${name}: key ${place + 1} is not {"keytype", "scheme", "keyval": {"public"}} with a usable key`,
      );
    }
    return key;
  });
  const byId = new Map(keys.map((key) => [keyIdOfListed(key), publicKeyOf(key)]));
  return {
    keys: byId,
    threshold: 1,
    identities: [...byId.values()].map(({ identity }) => identity).sort(),
  };
}

function listIn(bytes: Uint8Array, name: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new ProvisioningFault(`${name} is not JSON: ${(error as Error).message}`);
  }
  const keys: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (keys.length === 0) throw new ProvisioningFault(`${name} has no key`);
  return keys;
}

function isListedKey(value: unknown): value is ListedKey {
  const { keytype, scheme, keyval } = (value ?? {}) as Record<string, unknown>;
  const { public: text } = (keyval ?? {}) as Record<string, unknown>;
  return [keytype, scheme, text].every((member) => typeof member === 'string');
}
