/** A delegation in a file: DELEGATION of the POUF, section 5, with the keys of its roles in a member `keys`. */
import { BadJson, parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { type ListedKey } from '../signing/signer.js';
import { RepositoryFault } from './fault.js';
import { readListedKeys } from './role-keys.js';
import { type DelegationContent, readDelegationContent } from './targets-content.js';

/** @throws RepositoryFault, Refusal */
export function readDelegationFile(
  bytes: Uint8Array,
  path: string,
): { readonly delegation: DelegationContent; readonly keys: readonly ListedKey[] } {
  const file = new Reader(parsed(bytes, path), { repository: 'local', role: path });
  const keys = file.optional('keys');
  return {
    delegation: readDelegationContent(file),
    keys: keys ? [...readListedKeys(keys).values()] : [],
  };
}

function parsed(bytes: Uint8Array, path: string) {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof BadJson) throw new RepositoryFault(`${path} ${error.message}`);
    throw error;
  }
}
