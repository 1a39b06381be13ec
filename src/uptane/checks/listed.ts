/** Whether a file is the one listed in timestamp or snapshot. */
import { hashFault } from '../metadata/hashes.js';
import { type ListedFile } from '../metadata/listed-file.js';
import { type MetadataFile } from '../metadata/metadata-file.js';
import { Refusal, type Subject } from '../refusal.js';

/**
 * Length and hashes of the served bytes, which protect the parser too.
 *
 * @throws Refusal `length`, `mix-and-match`
 */
export function checkListedBytes(
  bytes: Uint8Array,
  { length, hashes }: ListedFile,
  subject: Subject,
  check: string,
): void {
  if (length !== undefined && bytes.length !== length) {
    throw new Refusal(subject, {
      code: 'length',
      check,
      fault: bytes.length < length ? 'is too short' : 'is too long',
      expected: `${length} bytes`,
      found: `${bytes.length} bytes`,
      attack: 'mix-and-match',
    });
  }
  const fault = hashes && hashFault(bytes, hashes);
  if (fault) {
    throw new Refusal(subject, {
      code: 'mix-and-match',
      check,
      fault: 'does not have the hash that is listed',
      ...fault,
    });
  }
}

/** @throws Refusal `mix-and-match` */
export function checkListedVersion(file: MetadataFile, listed: ListedFile, check: string): void {
  if (file.version === listed.version) return;
  throw new Refusal(file.subject, {
    code: 'mix-and-match',
    check,
    fault: 'is not of the version that is listed',
    expected: `version ${listed.version}`,
    found: `version ${file.version}`,
  });
}

/** Whether a stored file is the listed one; does not throw. */
export function isListed(file: MetadataFile, { version, length, hashes }: ListedFile): boolean {
  if (file.version !== version) return false;
  if (length !== undefined && file.bytes.length !== length) return false;
  return hashes === undefined || hashFault(file.bytes, hashes) === undefined;
}
