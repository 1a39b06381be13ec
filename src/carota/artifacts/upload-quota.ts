/** The quota of artifacts and update scripts: pure. */

export interface UploadQuota {
  /** Number of artifacts, uploads in progress included. */
  readonly artifacts: number;
  /** Total size of all artifacts, bytes. */
  readonly artifactBytes: number;
  /** Part of it that one token may upload, bytes. */
  readonly artifactBytesPerToken: number;
  /** Number of update scripts. */
  readonly scripts: number;
  /** Total size of the update scripts in the database, bytes. */
  readonly scriptBytes: number;
  /** Space that uploads leave free on their disk, bytes: an embedded database may share it. */
  readonly freeDiskBytes: number;
}

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 * MEBIBYTE;

export const DEFAULT_UPLOAD_QUOTA: UploadQuota = {
  artifacts: 10_000,
  artifactBytes: 512 * GIBIBYTE,
  artifactBytesPerToken: 256 * GIBIBYTE,
  scripts: 10_000,
  scriptBytes: GIBIBYTE,
  freeDiskBytes: 512 * MEBIBYTE,
};

export interface Used {
  readonly number: number;
  /** bytes */
  readonly bytes: number;
}

/**
 * @param used including the new upload @param ownBytes total size of the token's uploads @param more requested bytes
 * @returns the reason for a refusal
 */
export function artifactFault(
  { number, bytes }: Used,
  ownBytes: number,
  more: number,
  quota: UploadQuota,
): string | undefined {
  if (number > quota.artifacts) return `there are ${quota.artifacts} artifacts, as many as allowed`;
  if (bytes + more > quota.artifactBytes)
    return fullOf('the artifacts', bytes, more, quota.artifactBytes);
  if (ownBytes + more > quota.artifactBytesPerToken) {
    return fullOf('the artifacts of this token', ownBytes, more, quota.artifactBytesPerToken);
  }
  return undefined;
}

/** @param used including the new script @returns the reason for a refusal */
export function scriptFault({ number, bytes }: Used, quota: UploadQuota): string | undefined {
  if (number > quota.scripts)
    return `there are ${quota.scripts} update scripts, as many as allowed`;
  if (bytes > quota.scriptBytes) {
    return `with this one the update scripts would take ${bytes} bytes, above the limit of ${quota.scriptBytes}`;
  }
  return undefined;
}

const fullOf = (what: string, used: number, more: number, most: number) =>
  `${what} take ${used} bytes; ${more} more would exceed the limit of ${most}`;

/** The quota does not allow an upload; nothing is kept. */
export class QuotaExceeded extends Error {
  override readonly name = 'QuotaExceeded';

  constructor(
    readonly limit: 'artifact-quota' | 'script-quota',
    message: string,
  ) {
    super(message);
  }
}
