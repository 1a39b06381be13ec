/** Opens the artifacts: the store on disk or S3, uploads in progress, and the keys that sign their URLs. */
import { join, resolve } from 'node:path';
import { type Logger } from 'pino';
import { BadSettings } from '../service/bad-settings.js';
import { type Database } from '../service/database/index.js';
import { type OpenedParts } from '../service/opened.js';
import { derivedKeys } from '../service/secrets/index.js';
import {
  type ArtifactStore,
  DEFAULT_UPLOAD_QUOTA,
  DiskStore,
  IncomingFolder,
  openS3Objects,
  openS3Store,
  type PublishedObjects,
  Uploads,
} from './artifacts/index.js';
import { type CarotaContext } from './http/context.js';
import { type CarotaSettings } from './settings.js';

interface ArtifactsContext {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  readonly opened: OpenedParts;
  readonly log: Logger;
}

export type OpenedArtifacts = Pick<
  CarotaContext,
  'store' | 'incoming' | 'uploads' | 'urlKeys' | 'urlTtl' | 'publicUrl'
>;

const URL_TTL_SECONDS = 24 * 60 * 60;
const DEFAULT_S3_REGION = 'us-east-1';

/** Removes the remains of a killed server: partial artifacts, and dossiers with their VINs. */
export async function openArtifacts(
  settings: CarotaSettings,
  { database, clock, opened, log }: ArtifactsContext,
): Promise<OpenedArtifacts> {
  const store = await openStore(settings);
  const incoming = await IncomingFolder.open(resolve(settings.dataDir));
  const uploads = new Uploads({
    database,
    store,
    incoming,
    quota: settings.uploadQuota ?? DEFAULT_UPLOAD_QUOTA,
    clock,
    onFailure: (error) => log.warn({ err: error }, 'upkeep of uploads failed; retrying'),
  });
  opened.add('uploads', () => uploads.stop());
  await uploads.start();
  return {
    store,
    incoming,
    uploads,
    urlKeys: await derivedKeys(settings, 'artifact URLs', log),
    urlTtl: settings.urlTtl ?? URL_TTL_SECONDS,
    publicUrl: settings.publicUrl,
  };
}

async function openStore({
  dataDir,
  s3Url,
  s3Bucket,
  s3Region,
}: CarotaSettings): Promise<ArtifactStore> {
  if (s3Url === undefined || s3Bucket === undefined) {
    return new DiskStore(join(resolve(dataDir), 'artifacts'));
  }
  return openS3Store({ s3Url, s3Bucket, s3Region: s3Region ?? DEFAULT_S3_REGION });
}

/**
 * The bucket of the image repository's copy for a CDN.
 *
 * @returns undefined: none is configured
 * @throws BadSettings
 */
export async function openPublicBucket({
  imageBucket,
  s3Url,
  s3Region,
}: CarotaSettings): Promise<PublishedObjects | undefined> {
  if (imageBucket === undefined) return undefined;
  if (s3Url === undefined) throw new BadSettings('--image-bucket needs --s3-url');
  return openS3Objects({ s3Url, s3Bucket: imageBucket, s3Region: s3Region ?? DEFAULT_S3_REGION });
}
