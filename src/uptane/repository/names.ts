/**
 * Valid names in a repository (Uptane, "Rules for filenames in repositories and metadata"), and the paths of its files.
 * Every web server and object store must serve them under the percent-encoded URL requested by vehicles, so names that
 * some of them treat specially are rejected.
 */
import { RepositoryFault } from './fault.js';

/** File systems limit names to 255 bytes; an image's starts with 128 hex digits and a dot. */
const LONGEST_PART = 126;

const ROLE = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/;
/** Control characters, invisible ones that reorder text, and path separators of other systems. */
const FORBIDDEN = /[\p{C}\u2028\u2029\\]/u;

/** @throws RepositoryFault */
export function checkRoleName(role: string): void {
  if (ROLE.test(role)) return;
  throw new RepositoryFault(
    `${JSON.stringify(role)} cannot be the name of a role: letters, digits, ".", "_", "~" and "-", at most 100`,
  );
}

/** @throws RepositoryFault */
export function checkTargetPath(path: string): void {
  const refuse = (why: string): never => {
    throw new RepositoryFault(`${JSON.stringify(path)} cannot be the path of a target: ${why}`);
  };
  if (!path.isWellFormed() || path.normalize('NFC') !== path) {
    refuse('it is not in Unicode Normalization Form C');
  }
  if (FORBIDDEN.test(path)) refuse('it has a control character or a backslash');
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') refuse('a part of it is empty, "." or ".."');
    if (Buffer.byteLength(part) > LONGEST_PART) {
      refuse(`a part of it is longer than ${LONGEST_PART} bytes`);
    }
  }
}

/** @param version `undefined`: the timestamp */
export const metadataFile = (role: string, version?: number): string =>
  version === undefined ? `metadata/${role}.json` : `metadata/${version}.${role}.json`;

/** One file per listed hash. */
export function imageFiles(path: string, hashes: Readonly<Record<string, string>>): string[] {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  return Object.values(hashes).map((hash) => ['targets', ...parts, `${hash}.${name}`].join('/'));
}

export const PROPOSED_METADATA = 'proposal/metadata';
export const proposedFile = (role: string): string => `${PROPOSED_METADATA}/${role}.json`;
export const PROPOSED_IMAGES = 'proposal/images';
export const proposedImage = (sha256: string): string => `${PROPOSED_IMAGES}/${sha256}`;
export const SETTINGS_FILE = 'repository.json';
