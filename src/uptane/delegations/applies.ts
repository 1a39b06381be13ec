/** Whether a delegation applies to an image (Uptane, "How to resolve delegations", step 4.1). */
import { createHash } from 'node:crypto';
import { type Delegation } from '../metadata/delegation.js';
import { matchesPath } from './path-pattern.js';

export interface WantedImage {
  /** Target path. */
  readonly path: string;
  /** Hardware id of the ECU chosen by the Director; `undefined` without a Director (TUF). */
  readonly hardwareId: string | undefined;
}

export function appliesTo(delegation: Delegation, { path, hardwareId }: WantedImage): boolean {
  const { hardwareIds, paths, pathHashPrefixes } = delegation;
  if (hardwareIds && (hardwareId === undefined || !hardwareIds.includes(hardwareId))) return false;
  if (paths.some((pattern) => matchesPath(pattern, path))) return true;
  if (pathHashPrefixes.length === 0) return false;
  const digest = createHash('sha256').update(path).digest('hex');
  return pathHashPrefixes.some((prefix) => digest.startsWith(prefix));
}
