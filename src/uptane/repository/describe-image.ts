/** An image's targets metadata: length, hashes, hardware, release counter, and the MD5 required by the contract. */
import { createHash } from 'node:crypto';
import { RepositoryFault } from './fault.js';
import { type TargetContent } from './targets-content.js';

export interface ImageFacts {
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
}

/** Reads the image once. @throws RepositoryFault */
export async function describeImage(
  source: AsyncIterable<Uint8Array>,
  { hardwareIds, releaseCounter }: ImageFacts,
): Promise<TargetContent> {
  if (hardwareIds.length === 0)
    throw new RepositoryFault('an image needs at least one hardware id');
  if (!Number.isSafeInteger(releaseCounter) || releaseCounter < 0) {
    throw new RepositoryFault(
      `the release counter must be an integer of at least 0, not ${releaseCounter}`,
    );
  }
  const [sha256, sha512, md5] = ['sha256', 'sha512', 'md5'].map((name) => createHash(name));
  let length = 0;
  for await (const bytes of source) {
    length += bytes.length;
    for (const hash of [sha256, sha512, md5]) hash?.update(bytes);
  }
  const digest = (hash: typeof sha256) => hash?.digest('hex') ?? '';
  return {
    length,
    hashes: { sha256: digest(sha256), sha512: digest(sha512) },
    custom: { match: { hardwareIds: [...hardwareIds], releaseCounter }, md5: digest(md5) },
  };
}
