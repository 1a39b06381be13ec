/**
 * A copy of all published files of the image repository, in a bucket for a CDN. The folder is authoritative; the copy is
 * updated after each publication, and every few minutes for files that people publish.
 */
import { type Readable } from 'node:stream';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { FolderFiles, imageFiles, ImageRepository } from '../../uptane/repository/index.js';
import { type ArtifactStore, type PublishedObjects } from '../artifacts/index.js';
import { type Queryable } from '../../service/database/index.js';
import { findImage } from './published-images.js';

export interface MirrorOptions {
  readonly folder: string;
  readonly database: Queryable;
  readonly store: ArtifactStore;
  readonly objects: PublishedObjects;
}

/** Names have versions or hashes, so their content never changes. */
const FOREVER = 'public, max-age=31536000, immutable';
/** The timestamp makes a publication current, so a CDN must not cache it for long. */
const SHORT = 'public, max-age=30';

const METADATA = 'metadata';
const TIMESTAMP = `${METADATA}/timestamp.json`;
/** `N.ROLE.json` */
const VERSIONED = /^([1-9][0-9]*)\.(.+)$/;
const isRoot = (path: string) => path.endsWith('.root.json');

export class Mirror {
  readonly #options: MirrorOptions;
  readonly #files: FolderFiles;
  /** Paths in the bucket; read once. */
  #mirrored: Set<string> | undefined;
  #timestamp: Uint8Array | undefined;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#files = new FolderFiles(options.folder);
  }

  /** Images that published metadata lists. This may take a long time; nothing in the bucket refers to them yet. */
  async copyImages(): Promise<void> {
    const mirrored = await this.#paths();
    const { published } = await new ImageRepository(this.#files).read();
    for (const { content } of published.targets.values()) {
      for (const [path, { hashes }] of content.targets) {
        for (const [at, file] of imageFiles(path, hashes).entries()) {
          if (mirrored.has(file)) continue;
          const image = await this.#image(path, Object.values(hashes)[at] ?? '', file);
          if (image) await this.#put(file, image, 'application/octet-stream', FOREVER);
        }
      }
    }
  }

  /**
   * Metadata: first files that nothing refers to yet, then the timestamp, then new roots, so that vehicles accept the copy
   * wherever this stops. No other process may publish or copy at the same time: an older timestamp would be a rollback.
   */
  async copyMetadata(): Promise<void> {
    const mirrored = await this.#paths();
    const timestamp = await this.#files.read(TIMESTAMP);
    if (timestamp === undefined) return;
    const versioned = (await this.#files.list(METADATA)).filter((name) => VERSIONED.test(name));
    // Until the timestamp was copied once, the newest files are copied again: a copy interrupted before its timestamp,
    // and a folder restored from the bucket, may have given one version number two contents.
    const again = this.#timestamp ? new Set<string>() : newestOf(versioned);
    const fresh = versioned
      .filter((name) => again.has(name) || !mirrored.has(`${METADATA}/${name}`))
      .map((name) => `${METADATA}/${name}`);
    for (const path of fresh) if (!isRoot(path)) await this.#copy(path);
    if (!this.#timestamp || Buffer.compare(this.#timestamp, timestamp) !== 0) {
      await this.#put(TIMESTAMP, timestamp, 'application/json', SHORT);
      this.#timestamp = timestamp;
    }
    for (const path of fresh) if (isRoot(path)) await this.#copy(path);
  }

  async #copy(path: string): Promise<void> {
    const bytes = await this.#files.read(path);
    if (bytes) await this.#put(path, bytes, 'application/json', FOREVER);
  }

  /** An artifact of this server, or a file that people have published into the folder. */
  async #image(path: string, digest: string, file: string): Promise<Readable | undefined> {
    const { database, store, folder } = this.#options;
    const artifact = await findImage(database, path, digest);
    if (artifact) return store.read(artifact.sha256, undefined);
    if ((await this.#files.size(file)) === undefined) return undefined;
    return createReadStream(join(folder, ...file.split('/')));
  }

  async #put(path: string, body: Uint8Array | Readable, type: string, cacheControl: string) {
    await this.#options.objects.put(path, body, { type, cacheControl });
    (await this.#paths()).add(path);
  }

  async #paths(): Promise<Set<string>> {
    this.#mirrored ??= new Set(await this.#options.objects.list());
    return this.#mirrored;
  }
}

/** Of each role the file with the highest version. */
function newestOf(names: readonly string[]): ReadonlySet<string> {
  const newest = new Map<string, { readonly version: number; readonly name: string }>();
  for (const name of names) {
    const [, version = '', role = ''] = VERSIONED.exec(name) ?? [];
    if (Number(version) > (newest.get(role)?.version ?? 0)) {
      newest.set(role, { version: Number(version), name });
    }
  }
  return new Set([...newest.values()].map(({ name }) => name));
}
