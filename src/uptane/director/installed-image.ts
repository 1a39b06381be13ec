/** An ECU's image, and whether an order contains a new one. */
import { type Hashes, sameHashes } from '../metadata/hashes.js';
import { matchText } from '../metadata/target.js';
import { type Assignment } from './check-director-targets.js';

export interface InstalledImage {
  readonly path: string;
  /** bytes */
  readonly length: number;
  readonly hashes: Hashes;
  readonly releaseCounter: number;
  /** `custom.match` in canonical JSON. */
  readonly match: string;
}

export const asInstalled = ({ target, match }: Assignment): InstalledImage => ({
  path: target.path,
  length: target.length,
  hashes: target.hashes,
  releaseCounter: match.releaseCounter,
  match: matchText(target),
});

/** Uptane, "Full verification", step 6: whether the ECU already has this image. */
export function isInstalled(
  { target }: Assignment,
  installed: InstalledImage | undefined,
): boolean {
  return (
    installed?.path === target.path &&
    installed.length === target.length &&
    sameHashes(installed.hashes, target.hashes) &&
    installed.match === matchText(target)
  );
}
