/**
 * Which of a vehicle's files a Director has to sign anew, and with which versions. Pure.
 *
 * A version is never below the time in seconds. So after the database was restored from a backup, the next versions are
 * above all that vehicles have seen since the backup was made, and no vehicle takes them for a rollback.
 */

export interface SignedFile {
  readonly version: number;
  /** ms */
  readonly expires: number;
}

/** What is stored for a vehicle. */
export interface SignedFiles {
  /** What the targets say; see `wanted`. */
  readonly content: string;
  /** What they were signed under; see `epoch`. */
  readonly epoch: string;
  readonly targets: SignedFile;
  readonly snapshot: SignedFile;
  readonly timestamp: SignedFile;
}

/** Files to sign, each with its version; `undefined`: the stored one stays. */
export interface NextFiles {
  readonly targets: SignedFile | undefined;
  readonly snapshot: SignedFile | undefined;
  readonly timestamp: SignedFile;
}

const HOUR = 60 * 60 * 1000;

/**
 * Lifetimes, ms. A file is signed anew in the second half of its lifetime, when it is asked for. So a vehicle that is cut
 * off from the Director notices after a day at most, and one that asks every hour costs two signatures a day.
 */
export const LIFETIMES = {
  timestamp: 24 * HOUR,
  snapshot: 7 * 24 * HOUR,
  targets: 7 * 24 * HOUR,
} as const;

type Role = keyof typeof LIFETIMES;

/**
 * @param wanted a text that differs where the list of targets does
 * @param epoch a text that differs where stored versions may not be the last ones that vehicles have seen (another
 *   database, a restored one), or where other keys sign
 * @param now ms
 * @returns undefined where all stored files stay
 */
export function nextFiles(
  stored: SignedFiles | undefined,
  { wanted, epoch, now }: { readonly wanted: string; readonly epoch: string; readonly now: number },
): NextFiles | undefined {
  const isAll = stored?.epoch !== epoch;
  const next = (role: Role): SignedFile => ({
    version: nextVersion(stored?.[role].version, now),
    // Whole seconds, as they are written.
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
