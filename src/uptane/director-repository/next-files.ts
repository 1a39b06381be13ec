/**
 * Which of a vehicle's files a Director must re-sign, and with which versions. Pure.
 *
 * A version is never below the time in seconds. So after the database was restored from a backup, the next versions
 * exceed all that vehicles have seen since the backup, and no vehicle mistakes them for a rollback.
 */

export interface SignedFile {
  readonly version: number;
  /** ms */
  readonly expires: number;
}

/** The stored state of a vehicle. */
export interface SignedFiles {
  /** Content of the targets; see `wanted`. */
  readonly content: string;
  /** Epoch in which they were signed; see `epoch`. */
  readonly epoch: string;
  readonly targets: SignedFile;
  readonly snapshot: SignedFile;
  readonly timestamp: SignedFile;
}

/** Files to sign, with their versions; `undefined`: the stored file stays. */
export interface NextFiles {
  readonly targets: SignedFile | undefined;
  readonly snapshot: SignedFile | undefined;
  readonly timestamp: SignedFile;
}

const HOUR = 60 * 60 * 1000;

/**
 * Lifetimes, ms. A file is re-signed when it is requested in the second half of its lifetime. So a vehicle cut off from
 * the Director notices after at most a day, and one that polls every hour costs two signatures a day.
 */
export const LIFETIMES = {
  timestamp: 24 * HOUR,
  snapshot: 7 * 24 * HOUR,
  targets: 7 * 24 * HOUR,
} as const;

type Role = keyof typeof LIFETIMES;

/**
 * @param wanted a text that identifies the list of targets
 * @param epoch a text that changes if stored versions may not be the latest that vehicles have seen (a different or
 *   restored database), or if the signing keys change
 * @param now ms
 * @returns undefined if all stored files stay
 */
export function nextFiles(
  stored: SignedFiles | undefined,
  { wanted, epoch, now }: { readonly wanted: string; readonly epoch: string; readonly now: number },
): NextFiles | undefined {
  const isAll = stored?.epoch !== epoch;
  const next = (role: Role): SignedFile => ({
    version: nextVersion(stored?.[role].version, now),
    // Whole seconds, as in the file.
    expires: Math.floor((now + LIFETIMES[role]) / 1000) * 1000,
  });
  const isDue = (role: Role) => isAll || isHalfOver(stored[role], role, now);
  const targets = isDue('targets') || stored?.content !== wanted ? next('targets') : undefined;
  const snapshot = targets || isDue('snapshot') ? next('snapshot') : undefined;
  if (!snapshot && !isDue('timestamp')) return undefined;
  return { targets, snapshot, timestamp: next('timestamp') };
}

const isHalfOver = ({ expires }: SignedFile, role: Role, now: number) =>
  expires - now < LIFETIMES[role] / 2;

/** @param now ms */
export const nextVersion = (last: number | undefined, now: number): number =>
  Math.max((last ?? 0) + 1, Math.floor(now / 1000));
