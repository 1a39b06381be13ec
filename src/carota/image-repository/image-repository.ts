/**
 * The image repository that this server serves (contract section 8): a folder of ceremonies. Artifacts and update scripts
 * become targets there. With keys generated here, for trials, they are published at once; with offline keys they are
 * proposed, and people sign and publish them (docs/key-ceremonies.md).
 */
import { join } from 'node:path';
import { type ImageRepositoryStatus, type Target } from '../../contract/carota-api/index.js';
import {
  addTarget,
  DEFAULT_PERIODS,
  describeImage,
  exclusively,
  FolderFiles,
  imageFiles,
  ImageRepository,
  proposedImage,
  RepositoryFault,
  type RepositoryStatus,
  signableBy,
  signReviewed,
  type TopRole,
} from '../../uptane/repository/index.js';
import { type Signer } from '../../uptane/signing/index.js';
import { Refusal } from '../../uptane/refusal.js';
import { type ArtifactStore, findArtifact } from '../artifacts/index.js';
import { type Database } from '../../service/database/index.js';
import { repositoryMark } from '../images/index.js';
import { type DeliveryResult, takeDelivery } from './deliveries.js';
import { type Mirror } from './mirror.js';
import { recordImage } from './published-images.js';

/** The image cannot be a target; nothing has changed. */
export class TargetRefused extends Error {
  override readonly name = 'TargetRefused';
}

/** @throws TargetRefused if the artifact was deleted in the meantime */
async function checkStored(database: Database, sha256: string): Promise<void> {
  if (await findArtifact(database, sha256)) return;
  throw new TargetRefused(`artifact ${sha256} was deleted in the meantime`);
}

export interface NewTarget {
  readonly path: string;
  /** Of an artifact that is stored. */
  readonly sha256: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
}

/** State of the repository, for people, including the holders of its keys. */
export interface RepositoryOverview
  extends RepositoryStatus, Readonly<Pick<ImageRepositoryStatus, 'isTrial' | 'onlineKeys'>> {}

export interface ImageRepositoryOptions {
  readonly folder: string;
  readonly database: Database;
  readonly store: ArtifactStore;
  /** Holder of the keys of snapshot and timestamp; `elsewhere`: people refresh them by hand. */
  readonly onlineKeys: ImageRepositoryStatus['onlineKeys'];
  /** Their signers; none: `elsewhere`. */
  readonly online: () => Promise<readonly Signer[]>;
  /** Keys of root and targets, if they are on this server for trials. */
  readonly offline: readonly Signer[];
  /** ms */
  readonly clock: () => number;
  /** ms. Throws while the time is in doubt; then nothing is signed. */
  readonly signingTime: () => number;
  /** Destination for copies of all published files; undefined: none. */
  readonly mirror?: Mirror | undefined;
  /** Called when a copy after a publication fails; {@link ServedRepository.mirror} repeats it. */
  readonly onMirrorFailure?: ((error: unknown) => void) | undefined;
}

/** Fraction of the timestamp's lifetime; when less is left, a new one is signed. */
const FRESH = 3 / 4;

/** Before root or targets of a trial expire. */
const RENEW_DAYS = 30;

const isOffline = (role: string) => role !== 'snapshot' && role !== 'timestamp';

/** Other processes publish in far less time, seconds. */
export const PATIENCE = 30;

export class ServedRepository {
  readonly folder: string;
  readonly #options: ImageRepositoryOptions;
  readonly #files: FolderFiles;
  readonly #repository: ImageRepository;
  /** Serializes changes. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ImageRepositoryOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.#files = new FolderFiles(options.folder);
    this.#repository = new ImageRepository(this.#files, { hasImagesElsewhere: true });
  }

  /** @returns `undefined` if there is no such file */
  metadata(file: string): Promise<Uint8Array | undefined> {
    return this.#files.read(`metadata/${file}`);
  }

  /** Makes an artifact a target. Repeating it changes nothing. @throws TargetRefused */
  async addTarget(target: NewTarget): Promise<Target['state']> {
    const { path, sha256, hardwareIds, releaseCounter } = target;
    const { store, database } = this.#options;
    try {
      const bytes = await store.read(sha256, undefined);
      const content = await describeImage(bytes, {
        hardwareIds,
        releaseCounter,
      });
      const state = await this.#change(async () => {
        await checkStored(database, sha256);
        // The publisher needs the image, and may work on another machine.
        if (this.#options.offline.length === 0) {
          await this.#repository.keepImage(sha256, await store.read(sha256, undefined));
        }
        await this.#repository.propose({
          change: addTarget('targets', path, content),
          now: this.#signingTime(),
        });
        // Images come before the metadata that lists them.
        await recordImage(database, path, Object.values(content.hashes), sha256);
        return this.#publishIfTrial();
      });
      if (state === 'published') await this.#mirrorPublished();
      return state;
    } catch (error) {
      if (error instanceof RepositoryFault || error instanceof Refusal) {
        throw new TargetRefused(error.message);
      }
      await checkStored(database, sha256);
      throw error;
    }
  }

  /**
   * Does work while nothing else changes in the repository.
   *
   * @param isMeant selects targets by path and digests
   * @param work receives the paths of the selected targets that are published or proposed
   */
  whileListed<T>(
    isMeant: (path: string, digests: readonly string[]) => boolean,
    work: (paths: readonly string[]) => Promise<T>,
  ): Promise<T> {
    return this.#change(async () => {
      const { published, proposal } = await this.#repository.read();
      const paths = [...published.targets.values(), ...proposal.targets.values()].flatMap(
        ({ content: { targets } }) =>
          [...targets]
            .filter(([path, { hashes }]) => isMeant(path, Object.values(hashes)))
            .map(([path]) => path),
      );
      return work([...new Set(paths)]);
    });
  }

  /** Removes copies of an image that no metadata lists. Part of {@link whileListed}. */
  async removeImage(
    sha256: string,
    names: readonly { readonly path: string; readonly digest: string }[],
  ): Promise<void> {
    const files = names.flatMap(({ path, digest }) => imageFiles(path, { digest }));
    for (const file of [proposedImage(sha256), ...files]) await this.#files.remove(file);
  }

  /** Signed metadata of suppliers. @throws DeliveryRefused */
  async deliver(bytes: Uint8Array): Promise<DeliveryResult> {
    const { database, store, online } = this.#options;
    const result = await takeDelivery(
      {
        repository: this.#repository,
        database,
        store,
        online,
        signingTime: () => this.#signingTime(),
        exclusively: (work) => this.#change(work),
      },
      bytes,
    );
    if (result.state === 'published') await this.#mirrorPublished();
    return result;
  }

  /** Brings the copy in the bucket up to date, if there is one. */
  async mirror(): Promise<void> {
    const { mirror } = this.#options;
    if (!mirror) return;
    // Large images do not hold up publications.
    await mirror.copyImages();
    await this.#change(async () => {
      await mirror.copyImages();
      await mirror.copyMetadata();
    });
  }

  /** A publication stands even if the bucket does not answer. */
  async #mirrorPublished(): Promise<void> {
    await this.mirror().catch((error: unknown) => this.#options.onMirrorFailure?.(error));
  }

  /**
   * Signs a new timestamp if a quarter of its lifetime has passed, and a snapshot when it is due; for trials, also root and
   * targets.
   */
  async refreshIfDue(): Promise<void> {
    const online = await this.#options.online();
    if (online.length === 0) return;
    await this.#change(async () => {
      await this.#renewIfTrial();
      const { published } = await this.status();
      const timestamp = published.find(({ role }) => role === 'timestamp');
      const { timestamp: days } = await this.#repository.periods();
      if (timestamp === undefined || timestamp.daysLeft > days * FRESH) return;
      await this.#repository.refresh(online, this.#signingTime());
    });
  }

  /** @throws RepositoryFault if there is no repository */
  async overview(): Promise<RepositoryOverview> {
    const { onlineKeys, offline } = this.#options;
    return { isTrial: offline.length > 0, onlineKeys, ...(await this.status()) };
  }

  /** A text that differs when something was published, proposed or signed. */
  mark(): Promise<string> {
    return repositoryMark(this.folder);
  }

  status(): Promise<RepositoryStatus> {
    return this.#repository.status(this.#now());
  }

  /** Establishes a repository whose keys are all here. */
  async establish(keys: Readonly<Record<TopRole, Signer>>): Promise<void> {
    const only = ({ key }: Signer) => ({ keys: [key], threshold: 1 });
    await this.#change(async () => {
      if ((await this.#files.read('repository.json')) === undefined) {
        await this.#repository.init(
          {
            root: only(keys.root),
            targets: only(keys.targets),
            snapshot: only(keys.snapshot),
            timestamp: only(keys.timestamp),
          },
          DEFAULT_PERIODS,
          this.#signingTime(),
        );
      }
      await this.#publishIfTrial();
    });
  }

  /** Renews root and targets in trials, where no person does. If people hold the keys, they are reminded before expiry. */
  async #renewIfTrial(): Promise<void> {
    if (this.#options.offline.length === 0) return;
    const { published } = await this.status();
    const renew = published
      .filter(({ role, daysLeft }) => isOffline(role) && daysLeft < RENEW_DAYS)
      .map(({ role }) => role);
    if (renew.length === 0) return;
    await this.#repository.propose({ change: (state) => state, renew, now: this.#signingTime() });
    await this.#publishIfTrial();
  }

  async #publishIfTrial(): Promise<Target['state']> {
    const { offline, online } = this.#options;
    if (offline.length === 0) return 'proposed';
    const now = this.#signingTime();
    const { proposed } = await this.status();
    if (proposed.length === 0) return 'published';
    for (const signer of offline) {
      const reviewed = await this.#repository.review(now);
      if (signableBy(reviewed, signer.keyId).length === 0) continue;
      const added = await signReviewed(reviewed, signer, undefined);
      await this.#repository.addSignatures(reviewed, added);
    }
    await this.#repository.publish(await online(), now);
    return 'published';
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const change = this.#last
      .catch(() => undefined)
      .then(() => exclusively(join(this.folder, 'lock'), work, PATIENCE));
    this.#last = change;
    return change;
  }

  #signingTime(): Date {
    return new Date(this.#options.signingTime());
  }

  #now(): Date {
    return new Date(this.#options.clock());
  }
}
