/** A client of one TUF repository: the command line of the public conformance suite (`tuf-conformance`). */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STANDARD } from '../checks/sections.js';
import { downloadImage, isImage } from '../image-download.js';
import { SLOWEST } from '../limits.js';
import { Refusal } from '../refusal.js';
import { RepositoryClient } from '../repository-client.js';
import { TUF } from '../rules.js';
import { moveFile, replaceFile } from '../store/durable-file.js';
import { FileMetadataStore, fileNameOf } from '../store/file-metadata-store.js';
import { HttpFetcher } from '../transfer/http-fetcher.js';
import { imagePath } from '../urls.js';

const REPOSITORY = 'TUF';

export interface TufRepository {
  readonly metadataDirectory: string;
  readonly metadataUrl: URL;
}

export interface TufDownload extends TufRepository {
  /** Target paths, in order; the download ends at the first one that fails. */
  readonly targets: readonly string[];
  readonly targetsUrl: URL;
  readonly targetsDirectory: string;
}

/** Provisions the trusted root, which is checked at first use. */
export async function initTuf(metadataDirectory: string, rootFile: string): Promise<void> {
  const root = await readFile(rootFile);
  mkdirSync(metadataDirectory, { recursive: true });
  replaceFile(join(metadataDirectory, 'root.json'), root);
}

/** Updates the top-level metadata. @throws Refusal */
export async function refreshTuf(repository: TufRepository): Promise<RepositoryClient> {
  const client = new RepositoryClient({
    name: REPOSITORY,
    rules: TUF,
    fetcher: new HttpFetcher(repository.metadataUrl),
    store: new FileMetadataStore(repository.metadataDirectory),
    now: new Date(),
  });
  await client.updateRoot();
  await client.updateTimestamp();
  await client.updateSnapshot();
  await client.updateTargets();
  return client;
}

/** Updates the metadata and downloads missing targets. @throws Refusal */
export async function downloadTuf(download: TufDownload): Promise<void> {
  const client = await refreshTuf(download);
  mkdirSync(download.targetsDirectory, { recursive: true });
  for (const path of download.targets) await downloadTarget(client, path, download);
}

async function downloadTarget(
  client: RepositoryClient,
  path: string,
  { targetsUrl, targetsDirectory }: TufDownload,
): Promise<void> {
  const subject = { repository: REPOSITORY, role: path };
  const found = await client.findImage({ path, hardwareId: undefined });
  if (found === undefined) {
    throw new Refusal(subject, {
      code: 'no-image',
      check: STANDARD.resolveDelegations,
      fault: 'no role lists this target',
    });
  }
  const { target } = found;
  const file = join(targetsDirectory, fileNameOf(path));
  if (await isImage(file, target)) return;
  const unfinished = `${file}.unfinished`;
  const fetcher = new HttpFetcher(targetsUrl);
  const url = imagePath(target, client.root.consistentSnapshot);
  await downloadImage({ fetcher, url, target, subject, rate: SLOWEST }, unfinished);
  moveFile(unfinished, file);
}
