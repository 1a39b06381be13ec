/** Names of files on the repositories (Uptane, "Rules for filenames"; POUF, section 1). Paths below a base URL. */
import { isKnownAlgorithm } from './metadata/hashes.js';
import { type Target } from './metadata/target.js';

/** @param version `undefined`: without one (the timestamp; everything but root without consistent snapshots) */
export function metadataPath(role: string, version?: number): string {
  const name = `${encodeURIComponent(role)}.json`;
  return version === undefined ? name : `${version}.${name}`;
}

/** @param isHashed whether the name starts with a hash of the image: always, except for TUF without consistent snapshots */
export function imagePath({ path, hashes }: Target, isHashed = true): string {
  const parts = path.split('/').map(encodeURIComponent);
  const name = parts.pop() ?? '';
  const digest = isHashed && [...hashes].find(([algorithm]) => isKnownAlgorithm(algorithm))?.[1];
  return [...parts, digest ? `${digest}.${name}` : name].join('/');
}
