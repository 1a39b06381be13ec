/** Opens the image repository: one that people have established, or one with keys generated here, for trials. */
import { join, resolve } from 'node:path';
import { exclusively } from '../../uptane/repository/index.js';
import { SignerClient } from '../../uptane/signing/index.js';
import { type PublishedObjects } from '../artifacts/index.js';
import { type CarotaSettings } from '../settings.js';
import { type ImageRepositoryOptions, PATIENCE, ServedRepository } from './image-repository.js';
import { Mirror } from './mirror.js';
import { openTrialKeys } from './trial-keys.js';

export interface OpenedRepository {
  readonly repository: ServedRepository;
  /** The root that vehicles trust, if its keys were generated here. */
  readonly rootFile: string | undefined;
  close(): void;
}

type Parts = Pick<
  ImageRepositoryOptions,
  'database' | 'store' | 'clock' | 'signingTime' | 'onMirrorFailure'
> & {
  /** Bucket for a CDN; undefined: none. */
  readonly objects?: PublishedObjects | undefined;
};

/** @throws RepositoryFault, KeyFileFault */
export async function openImageRepository(
  { dataDir, imageRepositoryDir, imageSigner }: CarotaSettings,
  parts: Parts,
): Promise<OpenedRepository> {
  if (imageRepositoryDir !== undefined) {
    const client = imageSigner === undefined ? undefined : new SignerClient(imageSigner);
    const repository = new ServedRepository({
      ...parts,
      folder: resolve(imageRepositoryDir),
      mirror: mirrorOf(parts, resolve(imageRepositoryDir)),
      onlineKeys: client ? 'signer' : 'elsewhere',
      online: async () => (await client?.signers()) ?? [],
      offline: [],
    });
    return { repository, rootFile: undefined, close: () => client?.close() };
  }
  const folder = resolve(dataDir, 'image-repository');
  // Of several processes that start at once, one generates the keys.
  const keys = await exclusively(
    join(folder, 'lock'),
    () => openTrialKeys(resolve(dataDir, 'image-repository-keys')),
    PATIENCE,
  );
  const repository = new ServedRepository({
    ...parts,
    folder,
    mirror: mirrorOf(parts, folder),
    onlineKeys: 'server',
    online: async () => [keys.snapshot, keys.timestamp],
    offline: [keys.root, keys.targets],
  });
  await repository.establish(keys);
  return {
    repository,
    rootFile: join(folder, 'metadata', '1.root.json'),
    close: () => undefined,
  };
}

const mirrorOf = ({ objects, ...parts }: Parts, folder: string): Mirror | undefined =>
  objects && new Mirror({ ...parts, folder, objects });
