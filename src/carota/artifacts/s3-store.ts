/** Stores artifacts in an S3-compatible store. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { type S3Client } from '@aws-sdk/client-s3';
import { type ArtifactStore, type ByteRange } from './artifact-store.js';

export interface S3Settings {
  /** URL of the store, e.g. `https://s3.eu-central-1.amazonaws.com`. */
  readonly s3Url: string;
  readonly s3Bucket: string;
  readonly s3Region: string;
}

/** Size of an upload's parts, bytes; S3 accepts at most 10,000 parts. */
const PART_BYTES = 64 * 1024 * 1024;

/** The SDK finds its own credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the instance's role. */
export async function openS3Store({
  s3Url,
  s3Bucket,
  s3Region,
}: S3Settings): Promise<ArtifactStore> {
  const { DeleteObjectCommand, GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { Upload } = await import('@aws-sdk/lib-storage');
  const client = await openClient({ s3Url, s3Region });
  return {
    async put(sha256, file) {
      const body = createReadStream(file);
      const upload = new Upload({
        client,
        params: { Bucket: s3Bucket, Key: sha256, Body: body },
        partSize: PART_BYTES,
      });
      await upload.done();
      await rm(file, { force: true });
    },
    async read(sha256, range) {
      const { Body } = await client.send(
        new GetObjectCommand({ Bucket: s3Bucket, Key: sha256, ...rangeOf(range) }),
      );
      if (!Body) throw new Error(`the store has no ${sha256}`);
      return Body as Readable;
    },
    async remove(sha256) {
      await client.send(new DeleteObjectCommand({ Bucket: s3Bucket, Key: sha256 }));
    },
  };
}

const rangeOf = (range: ByteRange | undefined) =>
  range ? { Range: `bytes=${range.from}-${range.to}` } : {};

/** A bucket whose objects others read as files, e.g. a CDN. */
export interface PublishedObjects {
  /** Keys of all objects. */
  list(): Promise<readonly string[]>;
  put(
    key: string,
    body: Uint8Array | Readable,
    headers: { readonly type: string; readonly cacheControl: string },
  ): Promise<void>;
}

export async function openS3Objects({
  s3Url,
  s3Bucket: Bucket,
  s3Region,
}: S3Settings): Promise<PublishedObjects> {
  const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const { Upload } = await import('@aws-sdk/lib-storage');
  const client = await openClient({ s3Url, s3Region });
  return {
    async list() {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
        keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
      }
      return keys;
    },
    async put(Key, Body, { type: ContentType, cacheControl: CacheControl }) {
      const params = { Bucket, Key, Body, ContentType, CacheControl };
      await new Upload({ client, params, partSize: PART_BYTES }).done();
    },
  };
}

async function openClient({
  s3Url,
  s3Region,
}: Pick<S3Settings, 's3Url' | 's3Region'>): Promise<S3Client> {
  // The SDK is large, so it is loaded only when needed.
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({
    endpoint: s3Url,
    region: s3Region,
    // Stores other than Amazon's have no host name per bucket.
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
