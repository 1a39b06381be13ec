/**
 * The reference Secondary, with its own key, time, metadata and record on its own disk. Regardless of its Primary's
 * requests, it installs only images that its own verification has found to be ordered for it.
 */
import { join } from 'node:path';
import { STANDARD } from '../../uptane/checks/sections.js';
import { type InstalledImage } from '../../uptane/director/installed-image.js';
import { type Authority } from '../../uptane/keys/authority.js';
import { readRoot } from '../../uptane/metadata/root.js';
import { Refusal } from '../../uptane/refusal.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { writeEnvelope } from '../../uptane/signing/sign.js';
import { type Signer } from '../../uptane/signing/signer.js';
import { FileMetadataStore } from '../../uptane/store/file-metadata-store.js';
import { type MetadataStore } from '../../uptane/store/metadata-store.js';
import { type EcuUpdate } from '../../update-script/index.js';
import { AttestedTime } from '../ecu/attested-time.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';
import { ImageRecord, type KnownImage, sha256Of } from '../ecu/image-record.js';
import { signedReport } from '../ecu/version-report.js';
import { type Installer } from '../update/equipment.js';
import { ImageFile } from './image-file.js';
import {
  type MetadataBundle,
  type OrderedImage,
  type Secondary,
  type SecondaryStatus,
  type Verification,
} from './secondary.js';
import { verifyBundleFully, verifyBundlePartially } from './verify-bundle.js';

export interface ReferenceSecondaryOptions {
  readonly identity: EcuIdentity;
  readonly verification: Verification;
  readonly signer: Signer;
  readonly timeAuthority: Authority;
  /** Its own storage; see `ECU_FILES`. */
  readonly directory: string;
  readonly installer: Installer;
  /** ms; default: that of the process */
  readonly monotonic?: (() => number) | undefined;
  /** Called with each refusal. */
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

/** Names in an ECU's folder. */
export const ECU_FILES = {
  director: 'director',
  image: 'image',
  time: 'time.json',
  record: 'images.json',
  /** The image before installation. */
  software: 'software',
} as const;

export class ReferenceSecondary implements Secondary {
  readonly #options: ReferenceSecondaryOptions;
  readonly #director: MetadataStore;
  readonly #image: MetadataStore;
  readonly #time: AttestedTime;
  readonly #record: ImageRecord;
  readonly #file: ImageFile;
  /** One call at a time, so that metadata cannot change the order while a slot is written. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws Error, Refusal if its folder is damaged */
  constructor(options: ReferenceSecondaryOptions) {
    this.#options = options;
    const { directory, timeAuthority: authority, monotonic } = options;
    const path = (name: keyof typeof ECU_FILES) => join(directory, ECU_FILES[name]);
    this.#director = new FileMetadataStore(path('director'));
    this.#image = new FileMetadataStore(path('image'));
    this.#time = new AttestedTime({ path: path('time'), authority, monotonic });
    this.#record = new ImageRecord(path('record'));
    this.#file = new ImageFile(path('software'));
  }

  status(): Promise<SecondaryStatus> {
    return this.#inTurn(async () => {
      const { identity, verification } = this.#options;
      const director = rootVersion(this.#director, 'director');
      if (director === undefined) throw new Error('no root of the Director has been provisioned');
      const image = rootVersion(this.#image, 'image');
      return { ...identity, verification, roots: { director, image } };
    });
  }

  nonce(): Promise<string> {
    return this.#inTurn(async () => this.#time.newNonce());
  }

  report(): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const { identity, signer } = this.#options;
      const installed = await this.#running();
      const { detection } = this.#record;
      return writeEnvelope(
        await signedReport({ identity, signer, installed, now: this.#time.now(), detection }),
      );
    });
  }

  takeTime(signedTime: Uint8Array): Promise<void> {
    return this.#inTurn(async () => this.#time.accept(signedTime));
  }

  takeMetadata(bundle: MetadataBundle): Promise<OrderedImage | undefined> {
    return this.#inTurn(async () => {
      const { identity, verification } = this.#options;
      const check = {
        identity,
        bundle,
        director: this.#director,
        image: this.#image,
        installed: await this.#running(),
        now: this.#time.forVerification(),
      };
      const order = await (verification === 'full'
        ? verifyBundleFully(check)
        : verifyBundlePartially(check));
      if (order && sha256Of(order) === undefined) {
        throw refusal(order, 'lists no SHA-256, which identifies the content of a slot');
      }
      const before = this.#record.order;
      this.#record.verified(order);
      if (before && sha256Of(before) !== (order && sha256Of(order))) this.#file.remove();
      return order && { path: order.path, length: order.length };
    });
  }

  hasImage(): Promise<boolean> {
    return this.#inTurn(async () => {
      const { order } = this.#record;
      return order !== undefined && (await this.#file.is(order));
    });
  }

  takeImage(length: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#inTurn(async () => {
      const order = this.#ordered();
      if (length !== order.length) {
        throw new Refusal(subjectOf(order), {
          code: 'length',
          check: STANDARD.imageLength,
          fault: 'is offered with another length',
          expected: `${order.length} bytes`,
          found: `${length} bytes`,
          attack: length > order.length ? 'endless-data' : 'arbitrary-software',
        });
      }
      await this.#file.take(order, content);
    });
  }

  version(): Promise<string | undefined> {
    return this.#inTurn(() => this.#installer.version(this.#name));
  }

  install(update: EcuUpdate, signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      const order = this.#orderOf(update);
      // Hashed again at installation: a disk error or an attacker may have changed the file.
      if (!(await this.#file.is(order))) {
        this.#file.remove();
        throw refusal(order, 'does not have the hashes that the Director lists', 'hash');
      }
      this.#record.remember(order, update.version, await this.#running());
      await this.#installer.install(update, this.#file.path, signal);
      this.#record.written();
    });
  }

  activate(update: EcuUpdate): Promise<void> {
    return this.#inTurn(async () => {
      const order = this.#orderOf(update);
      // The other slot may contain older software, complete and once valid.
      if (!this.#record.isWritten) throw refusal(order, 'has not been written into a slot');
      await this.#installer.activate(update);
    });
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#installer.check(this.#name, signal));
  }

  confirm(update: EcuUpdate): Promise<void> {
    return this.#inTurn(async () => {
      await this.#installer.confirm(update);
      this.#file.remove();
    });
  }

  revert(update: EcuUpdate): Promise<void> {
    return this.#inTurn(() => this.#installer.revert(update));
  }

  get #installer(): Installer {
    return this.#options.installer;
  }

  get #name(): string {
    return this.#options.identity.name;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work).catch((error: unknown) => {
      if (error instanceof Refusal) {
        this.#record.detected(error);
        this.#options.onRefused?.(error);
      }
      throw error;
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** The running image, if it came with metadata. Identified by version if the installer cannot provide digests. */
  async #running(): Promise<KnownImage | undefined> {
    const digest = await this.#installer.digest?.(this.#name);
    if (digest !== undefined) return this.#record.bySha256(digest);
    const version = await this.#installer.version(this.#name);
    return version === undefined ? undefined : this.#record.byVersion(version);
  }

  /** @throws Refusal if nothing is ordered */
  #ordered(): InstalledImage {
    const { order } = this.#record;
    if (order) return order;
    throw new Refusal(
      { repository: 'director', role: 'targets' },
      {
        code: 'no-image',
        check: STANDARD.imageAssigned,
        fault: `orders nothing for the ECU ${this.#options.identity.serial}`,
      },
    );
  }

  /** @throws Refusal if something else is ordered than the update installs */
  #orderOf({ ecu, artifact }: EcuUpdate): InstalledImage {
    const order = this.#ordered();
    if (ecu !== this.#name || artifact.sha256 !== sha256Of(order)) {
      throw refusal(
        order,
        `is ordered for ${this.#name}, not the image ${artifact.sha256} for ${ecu}`,
      );
    }
    return order;
  }
}

const subjectOf = ({ path }: InstalledImage) => ({ repository: 'director', role: path });

const refusal = (order: InstalledImage, fault: string, code: 'mismatch' | 'hash' = 'mismatch') =>
  new Refusal(subjectOf(order), {
    code,
    check: code === 'hash' ? STANDARD.imageHashes : STANDARD.imageAssigned,
    fault,
  });

function rootVersion(store: MetadataStore, repository: 'director' | 'image'): number | undefined {
  const bytes = store.read('root');
  if (bytes === undefined) return undefined;
  const rules = repository === 'director' ? DIRECTOR : IMAGE_REPOSITORY;
  return readRoot(bytes, { repository, role: 'root' }, rules).version;
}
