/**
 * One repository's part of a cycle: fetches, checks and stores its metadata, in the standard's order ("Full
 * verification"). `checks/` decides whether a file is valid; this file decides when it is fetched and what is stored.
 *
 * Each valid file is stored at once, so that a version once seen is never forgotten, even if the rest of the cycle fails.
 */
import { checkLastRoot, checkNextRoot, onlineKeys } from './checks/check-root.js';
import { checkSnapshot } from './checks/check-snapshot.js';
import { checkTargets } from './checks/check-targets.js';
import { checkTimestamp } from './checks/check-timestamp.js';
import { isListed } from './checks/listed.js';
import { POUF, STANDARD } from './checks/sections.js';
import { checkThreshold } from './checks/threshold.js';
import { findImage, type FoundImage } from './delegations/find-image.js';
import { type WantedImage } from './delegations/applies.js';
import { type Authority } from './keys/authority.js';
import { LIMITS, LONGEST_METADATA_SECONDS, SLOWEST, type TransferRate } from './limits.js';
import { type DelegatedRole } from './metadata/delegation.js';
import { type ListedFile } from './metadata/listed-file.js';
import { type MetadataFile } from './metadata/metadata-file.js';
import { readRoot, type Root } from './metadata/root.js';
import { readSnapshot, type Snapshot } from './metadata/snapshot.js';
import { readTargets, type Targets } from './metadata/targets.js';
import { readTimestamp, type Timestamp } from './metadata/timestamp.js';
import { Refusal, type Subject } from './refusal.js';
import { type Rules } from './rules.js';
import { type MetadataStore } from './store/metadata-store.js';
import { type Fetcher } from './transfer/fetcher.js';
import { transferToMemory } from './transfer/transfer.js';
import { metadataPath } from './urls.js';

export interface RepositoryOptions {
  /** For messages: `director`, `image` … */
  readonly name: string;
  readonly rules: Rules;
  /** URL of the metadata folder. */
  readonly fetcher: Fetcher;
  readonly store: MetadataStore;
  /** Trusted time, fixed for the cycle. */
  readonly now: Date;
  /** Slower transfers are aborted; default: that of the POUF, section 7. */
  readonly slowest?: TransferRate | undefined;
}

type ReadFile<T extends MetadataFile> = (bytes: Uint8Array, subject: Subject, rules: Rules) => T;

export class RepositoryClient {
  readonly #options: RepositoryOptions;
  #root: Root | undefined;
  #timestamp: Timestamp | undefined;
  #snapshot: Snapshot | undefined;
  #targets: Targets | undefined;
  /** Fetched and verified, not yet stored; see `tryTargets`. */
  #tried: Uint8Array | undefined;
  /**
   * The targets roles of this cycle: the current file, and the authority of its last verification. Another delegation to
   * the same role verifies it again.
   */
  readonly #verified = new Map<string, { authority: Authority; targets: Targets }>();

  constructor(options: RepositoryOptions) {
    this.#options = options;
  }

  /** The verified top-level targets. */
  get targets(): Targets {
    return inOrder(this.#targets);
  }

  get root(): Root {
    return inOrder(this.#root);
  }

  /** Uptane, "How to check Root metadata". @throws Refusal */
  async updateRoot(): Promise<void> {
    const { rules, now, store } = this.#options;
    let root = this.#provisionedRoot();
    this.#forgetOtherKeys(root);
    for (let count = 0; count < LIMITS.newRoots; count += 1) {
      const version = root.version + 1;
      const subject = this.#subject('root', version);
      const bytes = await this.#fetch(metadataPath('root', version), LIMITS.root, subject);
      if (bytes === undefined) break;
      root = checkNextRoot(bytes, root, subject, rules);
      store.write('root', bytes);
      this.#forgetOtherKeys(root);
    }
    checkLastRoot(root, now);
    this.#root = root;
  }

  /** Uptane, "How to check Timestamp metadata". @throws Refusal */
  async updateTimestamp(): Promise<void> {
    const { rules, now, store } = this.#options;
    const subject = this.#subject('timestamp');
    const bytes = await this.#fetchListed(metadataPath('timestamp'), LIMITS.timestamp, subject);
    const previous = this.#stored('timestamp', readTimestamp);
    const timestamp = checkTimestamp(bytes, { root: this.root, previous, now, subject, rules });
    if (!previous || !isSame(timestamp, previous)) store.write('timestamp', timestamp.bytes);
    this.#timestamp = timestamp;
  }

  /** Whether the stored snapshot is the one listed in the timestamp, so that nothing is new. */
  isUnchanged(): boolean {
    const stored = this.#stored('snapshot', readSnapshot);
    return stored !== undefined && isListed(stored, inOrder(this.#timestamp).snapshot);
  }

  /** The stored top-level targets, if the stored snapshot lists them. They were verified when they were stored. */
  storedTargets(): Targets | undefined {
    const stored = this.#stored('targets', readTargets);
    const listed = this.#stored('snapshot', readSnapshot)?.targets;
    return stored && listed && isListed(stored, listed) ? stored : undefined;
  }

  /** Uptane, "How to check Snapshot metadata". @throws Refusal */
  async updateSnapshot(): Promise<void> {
    const { rules, now, store } = this.#options;
    const timestamp = inOrder(this.#timestamp);
    const { version, length = LIMITS.snapshot } = timestamp.snapshot;
    const subject = this.#subject('snapshot', version);
    const previous = this.#stored('snapshot', readSnapshot);
    const check = { root: this.root, timestamp, previous, now, subject, rules };
    if (previous && isListed(previous, timestamp.snapshot)) {
      this.#snapshot = unlessRefused(() => checkSnapshot(previous.bytes, check));
      if (this.#snapshot) return;
      // Root may have new keys, and the repository may have re-signed the same version.
    }
    const path = this.#versionedPath('snapshot', version);
    const bytes = await this.#fetchListed(path, Math.min(length, LIMITS.snapshot), subject);
    this.#snapshot = checkSnapshot(bytes, check);
    store.write('snapshot', bytes);
  }

  /**
   * Uptane, "How to check Targets metadata", for the top-level role.
   *
   * @throws Refusal
   */
  async updateTargets(): Promise<void> {
    const { targets: listed } = inOrder(this.#snapshot);
    this.#targets = await this.#updateTargetsRole('targets', {
      authority: this.root.authorities.targets,
      listed,
    });
  }

  /**
   * The same, but the file is stored only by `keepTargets`: what is ordered may turn out not to exist, and then "the ECU SHALL
   * retain its previous Targets metadata" (Uptane, "Download latest image"). The stored snapshot still prevents a rollback.
   *
   * @param checkFurther a further check before the file is trusted; throws to refuse it
   * @throws Refusal
   */
  async tryTargets(checkFurther: (targets: Targets) => void): Promise<void> {
    const { targets: listed } = inOrder(this.#snapshot);
    this.#targets = await this.#updateTargetsRole('targets', {
      authority: this.root.authorities.targets,
      listed,
      checkFurther,
      store: (bytes) => (this.#tried = bytes),
    });
  }

  /** Stores the targets that `tryTargets` has fetched, if any. */
  keepTargets(): void {
    if (this.#tried) this.#options.store.write('targets', this.#tried);
    this.#tried = undefined;
  }

  /** Uptane, "How to resolve delegations". @throws Refusal if a role on the path cannot be fetched or verified */
  findImage(image: WantedImage): Promise<FoundImage | undefined> {
    return findImage({
      image,
      targets: this.targets,
      load: (role) => this.#loadDelegated(role),
      mostRoles: LIMITS.rolesPerImage,
      searchBelowTerminating: this.#options.rules.searchBelowTerminating,
    });
  }

  async #loadDelegated({ name, authority }: DelegatedRole): Promise<Targets> {
    const listed = inOrder(this.#snapshot).files.get(`${name}.json`);
    if (listed === undefined) {
      throw new Refusal(this.#subject(name), {
        code: 'mix-and-match',
        check: STANDARD.targetsPinned,
        fault: 'is delegated to, but the snapshot does not list it',
      });
    }
    return this.#updateTargetsRole(name, { authority, listed });
  }

  async #updateTargetsRole(
    role: string,
    {
      authority,
      listed,
      checkFurther,
      store = (bytes) => this.#options.store.write(role, bytes),
    }: TargetsUpdate,
  ): Promise<Targets> {
    const before = this.#verified.get(role);
    if (before?.authority === authority) return before.targets;
    const { rules, now } = this.#options;
    const subject = this.#subject(role, listed.version);
    const verified = (bytes: Uint8Array): Targets => {
      const targets = checkTargets(bytes, { authority, listed, now, subject, rules });
      checkFurther?.(targets);
      this.#verified.set(role, { authority, targets });
      return targets;
    };
    if (before) return verified(before.targets.bytes);
    const stored = this.#stored(role, readTargets);
    if (stored && isListed(stored, listed)) {
      const usable = unlessRefused(() => verified(stored.bytes));
      if (usable) return usable;
      // Fetched again for the same reason as a snapshot.
    }
    const limit = Math.min(listed.length ?? LIMITS.targets, LIMITS.targets);
    const bytes = await this.#fetchListed(
      this.#versionedPath(role, listed.version),
      limit,
      subject,
    );
    const targets = verified(bytes);
    store(bytes);
    return targets;
  }

  #provisionedRoot(): Root {
    const { rules, store } = this.#options;
    const subject = this.#subject('root');
    const bytes = store.read('root');
    if (bytes === undefined) {
      throw new Refusal(subject, {
        code: 'storage',
        check: 'Uptane, Build-time prerequisite requirements for ECUs',
        fault: 'no root has been provisioned',
      });
    }
    const root = readRoot(bytes, subject, rules);
    if (rules.verifyProvisionedRoot) {
      checkThreshold(root, root.authorities.root, STANDARD.rootSignature, rules);
    }
    return root;
  }

  /**
   * Uptane, "How to check Root metadata", step 4. If the power was cut between writing a root and forgetting, the
   * next cycle starts by forgetting.
   */
  #forgetOtherKeys(root: Root): void {
    const { store } = this.#options;
    const keys = onlineKeys(root);
    const before = store.readOnlineKeys();
    if (before === keys) return;
    if (before !== undefined) {
      store.remove('timestamp');
      store.remove('snapshot');
    }
    store.writeOnlineKeys(keys);
  }

  /** A stored file; `undefined` also if the disk has corrupted it. */
  #stored<T extends MetadataFile>(role: string, read: ReadFile<T>): T | undefined {
    const { store, rules } = this.#options;
    const bytes = store.read(role);
    return bytes && unlessRefused(() => read(bytes, this.#subject(role), rules));
  }

  #subject(role: string, version?: number): Subject {
    return { repository: this.#options.name, role, version };
  }

  #versionedPath(role: string, version: number): string {
    return metadataPath(role, this.root.consistentSnapshot ? version : undefined);
  }

  async #fetchListed(path: string, bytes: number, subject: Subject): Promise<Uint8Array> {
    const file = await this.#fetch(path, bytes, subject);
    if (file !== undefined) return file;
    throw new Refusal(subject, { code: 'network', check: POUF.urls, fault: 'is not there' });
  }

  #fetch(path: string, bytes: number, subject: Subject): Promise<Uint8Array | undefined> {
    const { slowest = SLOWEST } = this.#options;
    const limits = { bytes, rate: slowest, seconds: LONGEST_METADATA_SECONDS };
    return transferToMemory(this.#options.fetcher, path, limits, subject);
  }
}

interface TargetsUpdate {
  readonly authority: Authority;
  readonly listed: ListedFile;
  readonly checkFurther?: (targets: Targets) => void;
  readonly store?: (bytes: Uint8Array) => void;
}

function inOrder<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the steps of a cycle are called in their order');
  return value;
}

const isSame = (a: MetadataFile, b: MetadataFile) => Buffer.compare(a.bytes, b.bytes) === 0;

function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
