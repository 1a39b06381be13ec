/**
 * The Primary's trusted metadata of one repository. In addition to the current files it keeps every root since
 * provisioning, for Secondaries that missed some, and records the roles used by a cycle, which must be handed over.
 */
import { readRoot } from '../../uptane/metadata/root.js';
import { readSnapshot } from '../../uptane/metadata/snapshot.js';
import { type Rules } from '../../uptane/rules.js';
import { FileMetadataStore } from '../../uptane/store/file-metadata-store.js';
import { type MetadataStore } from '../../uptane/store/metadata-store.js';
import { metadataPath } from '../../uptane/urls.js';
import { bundlePath, type RepositoryName } from '../secondary/metadata-bundle.js';

export class PrimaryStore implements MetadataStore {
  readonly #name: RepositoryName;
  readonly #rules: Rules;
  readonly #files: FileMetadataStore;
  /** Roots by version, stored as roles with those names. */
  readonly #roots: FileMetadataStore;
  readonly #used = new Set<string>();

  constructor(name: RepositoryName, rules: Rules, directory: string) {
    this.#name = name;
    this.#rules = rules;
    this.#files = new FileMetadataStore(directory);
    this.#roots = new FileMetadataStore(`${directory}-roots`);
  }

  /** Starts a new cycle, in which no role has been used yet. */
  begin(): void {
    this.#used.clear();
  }

  read(role: string): Uint8Array | undefined {
    this.#used.add(role);
    return this.#files.read(role);
  }

  write(role: string, bytes: Uint8Array): void {
    this.#used.add(role);
    // History first: after a power cut in between, the same root is fetched and written again.
    if (role === 'root') this.#roots.write(String(this.#versionOfRoot(bytes)), bytes);
    this.#files.write(role, bytes);
  }

  remove(role: string): void {
    this.#files.remove(role);
  }

  readOnlineKeys(): string | undefined {
    return this.#files.readOnlineKeys();
  }

  writeOnlineKeys(keys: string): void {
    this.#files.writeOnlineKeys(keys);
  }

  /**
   * The files with which a Secondary can repeat the verification of this cycle.
   *
   * @param root version that it trusts; `undefined`: it does not use this repository
   */
  *bundle(root: number | undefined): Generator<[path: string, bytes: Uint8Array]> {
    if (root === undefined) return;
    for (let version = root + 1; ; version += 1) {
      const bytes = this.#roots.read(String(version));
      if (bytes === undefined) break;
      yield [this.#path(metadataPath('root', version)), bytes];
    }
    const timestamp = this.#used.has('timestamp') ? this.#files.read('timestamp') : undefined;
    const snapshot = this.#files.read('snapshot');
    if (timestamp === undefined || snapshot === undefined) return;
    yield [this.#path(metadataPath('timestamp')), timestamp];
    const subject = { repository: this.#name, role: 'snapshot' };
    const { version, files } = readSnapshot(snapshot, subject, this.#rules);
    yield [this.#path(metadataPath('snapshot', version)), snapshot];
    for (const role of this.#used) {
      const listed = files.get(`${role}.json`);
      const bytes = listed && this.#files.read(role);
      if (bytes) yield [this.#path(metadataPath(role, listed.version)), bytes];
    }
  }

  #versionOfRoot(bytes: Uint8Array): number {
    return readRoot(bytes, { repository: this.#name, role: 'root' }, this.#rules).version;
  }

  #path(path: string): string {
    return bundlePath(this.#name, path);
  }
}
