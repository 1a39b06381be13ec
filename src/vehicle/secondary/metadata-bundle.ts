/** A bundle of metadata as a repository that the verification fetches from. Whoever packed it need not be trusted. */
import { type Fetcher } from '../../uptane/transfer/fetcher.js';
import { type MetadataBundle } from './secondary.js';

export type RepositoryName = 'director' | 'image';

/** Most files, and most bytes, of one bundle. */
export const BUNDLE_LIMITS = { files: 1_000, bytes: 64_000_000 } as const;

export const bundlePath = (repository: RepositoryName, path: string) => `${repository}/${path}`;

export class BundleFetcher implements Fetcher {
  readonly #bundle: MetadataBundle;
  readonly #repository: RepositoryName;

  constructor(bundle: MetadataBundle, repository: RepositoryName) {
    this.#bundle = bundle;
    this.#repository = repository;
  }

  fetch(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const file = this.#bundle.get(bundlePath(this.#repository, path));
    return Promise.resolve(file && whole(file));
  }
}

// An async iterable is what the interface asks for.

async function* whole(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file;
}
