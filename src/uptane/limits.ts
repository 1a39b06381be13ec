/** Limits of one cycle (POUF, section 7). Sizes in bytes; a file of exactly its limit is accepted. */

export const LIMITS = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  /** Targets and delegated targets. */
  targets: 5_000_000,
  /** Maximum number of new roots of one repository per cycle; the next cycle continues with the last one. */
  newRoots: 256,
  /** Maximum number of roles visited in the search for an image. */
  rolesPerImage: 32,
} as const;

/** The least rate of a transfer. */
export interface TransferRate {
  /** A response with fewer bytes than this … */
  readonly bytes: number;
  /** … in this time is aborted. */
  readonly seconds: number;
}

export const SLOWEST: TransferRate = { bytes: 1_000, seconds: 20 };

/** For one metadata file, at any rate. */
export const LONGEST_METADATA_SECONDS = 600;
