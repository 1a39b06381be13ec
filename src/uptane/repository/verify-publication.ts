/**
 * Whether clients accept a repository as it will be, decided by the code that vehicles verify with. What they would
 * refuse is never written.
 */
import { onlineKeys } from '../checks/check-root.js';
import { readRoot } from '../metadata/root.js';
import { RepositoryClient } from '../repository-client.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { MemoryMetadataStore } from '../store/memory-metadata-store.js';
import { type Fetcher } from '../transfer/fetcher.js';
import { type RepositoryFiles } from './files.js';
import { metadataFile } from './names.js';
import { type Published } from './published.js';

/** Paths of `names.ts` and the bytes that will be there. */
export type Overlay = ReadonlyMap<string, Uint8Array>;

export interface PublicationView {
  readonly files: RepositoryFiles;
  /** Seen in place of what is in `files`. */
  readonly overlay: Overlay;
  readonly now: Date;
}

export interface ListedImage {
  readonly path: string;
  readonly hardwareId: string;
}

/** A vehicle with the very first root, which has never asked before. @throws Refusal */
export async function verifyAsNewVehicle(
  view: PublicationView,
  images: readonly ListedImage[],
): Promise<void> {
  const path = metadataFile('root', 1);
  const root = view.overlay.get(path) ?? (await view.files.read(path));
  await cycle(view, new MemoryMetadataStore(root ? [['root', root]] : []), images);
}

/** A vehicle that has everything that is published now. @throws Refusal */
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

  /** @param name as a URL has it */
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
