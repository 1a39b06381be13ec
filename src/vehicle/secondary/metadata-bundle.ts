/** A metadata bundle as a repository for the verification. Its packer need not be trusted. */
import { type Fetcher } from '../../uptane/transfer/fetcher.js';
import { type MetadataBundle } from './secondary.js';

export type RepositoryName = 'director' | 'image';

/** Maximum number of files and bytes of a bundle. */
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
    return Promise.resolve(file && singleChunk(file));
  }
}

// The interface requires an async iterable.

async function* singleChunk(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file;
}
