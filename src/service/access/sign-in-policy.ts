/** How long wrong credentials keep further ones out: pure. */

/** Failures are forgotten after this time without another one, ms. */
export const FORGOTTEN_MS = 60 * 60 * 1000;
const FIRST_LOCK_MS = 1_000;
const LONGEST_LOCK_MS = 15 * 60 * 1000;

/** @param free failures without consequences; 0: none has any @returns the pause after the last failure, ms */
export function lockMs(failures: number, free: number): number {
  if (free === 0 || failures <= free) return 0;
  return Math.min(FIRST_LOCK_MS * 2 ** (failures - free - 1), LONGEST_LOCK_MS);
}
