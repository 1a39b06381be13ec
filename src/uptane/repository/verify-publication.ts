/**
 * Verifies with the vehicles' own code that clients will accept a publication. One that they would reject is never
 * written.
 */
import { onlineKeys } from '../checks/check-root.js';
import { readRoot } from '../metadata/root.js';
import { RepositoryClient } from '../repository-client.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../rules.js';
import { MemoryMetadataStore } from '../store/memory-metadata-store.js';
import { type Fetcher } from '../transfer/fetcher.js';
import { type RepositoryFiles } from './files.js';
import { metadataFile } from './names.js';
import { type Published } from './published.js';

/** Published bytes by path (see `names.ts`). */
export type Overlay = ReadonlyMap<string, Uint8Array>;

export interface PublicationView {
  readonly files: RepositoryFiles;
  /** Overrides `files`. */
  readonly overlay: Overlay;
  readonly now: Date;
}

export interface ListedImage {
  readonly path: string;
  readonly hardwareId: string;
}

/** Verifies as a new vehicle with the first root. @throws Refusal */
export async function verifyAsNewVehicle(
  view: PublicationView,
  images: readonly ListedImage[],
): Promise<void> {
  const path = metadataFile('root', 1);
  const root = view.overlay.get(path) ?? (await view.files.read(path));
  await cycle(view, new MemoryMetadataStore(root ? [['root', root]] : []), images);
}

/** Verifies the roots alone, by the Director's rules, from the first to one that has not expired. @throws Refusal */
export async function verifyRootChain(view: PublicationView): Promise<void> {
  const path = metadataFile('root', 1);
  const root = view.overlay.get(path) ?? (await view.files.read(path));
  const client = new RepositoryClient({
    name: 'director',
    rules: DIRECTOR,
    fetcher: new OverlayFetcher(view),
    store: new MemoryMetadataStore(root ? [['root', root]] : []),
    now: view.now,
  });
  await client.updateRoot();
}

/** Verifies as a vehicle with all currently published files. @throws Refusal */
export async function verifyAsCurrentVehicle(
  view: PublicationView,
  published: Published,
  images: readonly ListedImage[],
): Promise<void> {
  const { root, timestamp, snapshot, targets } = published;
  if (root === undefined) return;
  const store = new MemoryMetadataStore([
    ['root', root.bytes],
    ...(timestamp ? [['timestamp', timestamp.bytes] as const] : []),
    ...(snapshot ? [['snapshot', snapshot.bytes] as const] : []),
    ...[...targets].map(([role, { bytes }]) => [role, bytes] as const),
  ]);
  const subject = { repository: 'image', role: 'root' };
  store.writeOnlineKeys(onlineKeys(readRoot(root.bytes, subject, IMAGE_REPOSITORY)));
  await cycle(view, store, images);
}

async function cycle(
  view: PublicationView,
  store: MemoryMetadataStore,
  images: readonly ListedImage[],
): Promise<void> {
  const client = new RepositoryClient({
    name: 'image',
    rules: IMAGE_REPOSITORY,
    fetcher: new OverlayFetcher(view),
    store,
    now: view.now,
  });
  await client.updateRoot();
  await client.updateTimestamp();
  await client.updateSnapshot();
  await client.updateTargets();
  for (const image of images) await client.findImage(image);
}

class OverlayFetcher implements Fetcher {
  readonly #view: PublicationView;

  constructor(view: PublicationView) {
    this.#view = view;
  }

  /** @param name as in a URL */
  async fetch(name: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const { overlay, files } = this.#view;
    const path = `metadata/${decodeURIComponent(name)}`;
    const bytes = overlay.get(path) ?? (await files.read(path));
    return bytes && once(bytes);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
