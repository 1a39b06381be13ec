/**
 * The Primary (Uptane, "What the Primary does"): obtains the attested time, sends the vehicle version manifest, verifies
 * both repositories, and distributes time and metadata to the Secondaries.
 */
import { STANDARD } from '../../uptane/checks/sections.js';
import { checkDirectorTargets } from '../../uptane/director/check-director-targets.js';
import { asInstalled, type InstalledImage } from '../../uptane/director/installed-image.js';
import { verifyFully } from '../../uptane/full-verification.js';
import { ImageCheck } from '../../uptane/image-check.js';
import { SLOWEST, type TransferRate } from '../../uptane/limits.js';
import { type ManifestFile, readManifest } from '../../uptane/manifest/read-manifest.js';
import { manifestPayload } from '../../uptane/manifest/vehicle-manifest.js';
import { type Target } from '../../uptane/metadata/target.js';
import { Refusal, type Subject } from '../../uptane/refusal.js';
import { RepositoryClient } from '../../uptane/repository-client.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { signStatement } from '../../uptane/manifest/statement.js';
import { type WrittenEnvelope, writeEnvelope } from '../../uptane/signing/sign.js';
import { type Signer } from '../../uptane/signing/signer.js';
import { type Fetcher } from '../../uptane/transfer/fetcher.js';
import { transferToMemory } from '../../uptane/transfer/transfer.js';
import { imagePath } from '../../uptane/urls.js';
import { type AttestedTime } from '../ecu/attested-time.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';
import { type ImageRecord } from '../ecu/image-record.js';
import { signedReport } from '../ecu/version-report.js';
import { type Secondary } from '../secondary/secondary.js';
import { type DirectorRequests } from './director-requests.js';
import { type Order, orderIn } from './order.js';
import { type PrimaryStore } from './primary-store.js';

/** An ECU of the vehicle, and the Secondary that represents it. */
export interface FittedSecondary {
  readonly identity: EcuIdentity;
  readonly secondary: Secondary;
}

export interface PrimaryOptions {
  /** Serial number of the OTA manager's ECU. */
  readonly identity: EcuIdentity;
  readonly signer: Signer;
  readonly time: AttestedTime;
  readonly record: ImageRecord;
  readonly secondaries: readonly FittedSecondary[];
  readonly requests: DirectorRequests;
  readonly fetchers: {
    readonly director: Fetcher;
    readonly imageMetadata: Fetcher;
    readonly images: Fetcher;
  };
  readonly stores: { readonly director: PrimaryStore; readonly image: PrimaryStore };
  /** Slower transfers are aborted; default: that of the POUF, section 7. */
  readonly slowest?: TransferRate | undefined;
  /** Called with each attested time, ms. */
  readonly onTime?: ((time: number) => void) | undefined;
}

/** Scripts are a few kilobytes long. */
const LONGEST_SCRIPT = 4 * 1024 * 1024;
/** Timeout for a script at any rate. */
const LONGEST_SCRIPT_SECONDS = 600;

/** The verified order, and the images that each ECU has. */
export interface VerifiedOrder extends Order {
  readonly installed: ReadonlyMap<string, InstalledImage>;
}

export class Primary {
  readonly #options: PrimaryOptions;
  /** One cycle at a time, because all share the stored metadata. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: PrimaryOptions) {
    this.#options = options;
  }

  /**
   * One update cycle, until all ECUs have verified metadata.
   *
   * @returns `undefined` if nothing is ordered
   * @throws Refusal, EcuRefused, EcuUnreachable, TryLater, SourceUnreachable
   */
  cycle(signal: AbortSignal): Promise<VerifiedOrder | undefined> {
    return this.#inTurn(async () => {
      const verified = await this.#verify(signal);
      await this.#handOver();
      this.#options.record.verified(verified && asInstalled(verified.script));
      return verified;
    });
  }

  /** Like `cycle`, but without effect on the Secondaries: the current order, during an update. */
  look(signal: AbortSignal): Promise<VerifiedOrder | undefined> {
    return this.#inTurn(() => this.#verify(signal));
  }

  /** The bytes of an ordered script, verified. @throws Refusal */
  async fetchScript({ script: { target } }: Order): Promise<Uint8Array> {
    const subject: Subject = { repository: 'image', role: target.path };
    const bytes = await transferToMemory(
      this.#options.fetchers.images,
      imagePath(target),
      {
        bytes: Math.min(target.length, LONGEST_SCRIPT),
        rate: this.#options.slowest ?? SLOWEST,
        seconds: LONGEST_SCRIPT_SECONDS,
      },
      subject,
    );
    if (bytes === undefined) {
      throw new Refusal(subject, {
        code: 'network',
        check: 'POUF, section 1',
        fault: 'is not there',
      });
    }
    checkImage(bytes, target, subject);
    return bytes;
  }

  /** For the next version report. */
  detected(refusal: Refusal): void {
    this.#options.record.detected(refusal);
  }

  /** Records an executed script: from now on the OTA manager reports it as its image. */
  recordExecution(scriptRefId: string): void {
    const { record } = this.#options;
    const { order } = record;
    if (order?.path !== `scripts/${scriptRefId}.json`) return;
    record.remember(order, scriptRefId, undefined);
  }

  /** Whether it is the script executed last. */
  hasExecuted(scriptRefId: string): boolean {
    return this.#options.record.latest?.version === scriptRefId;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work).catch((error: unknown) => {
      if (error instanceof Refusal) this.detected(error);
      throw error;
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #verify(signal: AbortSignal): Promise<VerifiedOrder | undefined> {
    const { identity, secondaries, stores, fetchers, slowest } = this.#options;
    // Time comes first, although the standard lists the manifest before it: reports contain the time, and the
    // Director rejects those of a vehicle that was parked since its last attested time.
    const now = await this.#attestTime(signal);
    const installed = await this.#sendManifest(signal);
    stores.director.begin();
    stores.image.begin();
    const ecus = new Map(
      [identity, ...secondaries.map((fitted) => fitted.identity)].map(
        ({ serial, hardwareId }) => [serial, hardwareId] as const,
      ),
    );
    const assignments = await verifyFully({
      director: new RepositoryClient({
        name: 'director',
        rules: DIRECTOR,
        fetcher: fetchers.director,
        store: stores.director,
        now,
        slowest,
      }),
      image: new RepositoryClient({
        name: 'image',
        rules: IMAGE_REPOSITORY,
        fetcher: fetchers.imageMetadata,
        store: stores.image,
        now,
        slowest,
      }),
      assignmentsOf: (targets) => checkDirectorTargets(targets, { vin: identity.vin, ecus }),
      installed,
      // A script may be executed again, e.g. after a rollback; the update decides whether that is necessary.
      isDone: () => false,
    });
    const order = orderIn(assignments, identity.serial);
    return order && { ...order, installed };
  }

  /** @returns the image of each ECU, by its own report */
  async #sendManifest(signal: AbortSignal): Promise<ReadonlyMap<string, InstalledImage>> {
    const { requests } = this.#options;
    const bytes = await this.#manifest();
    await requests.sendManifest(bytes, signal);
    return installedIn(readManifest(bytes));
  }

  async #manifest(): Promise<Uint8Array> {
    const { identity, signer, record, time, secondaries } = this.#options;
    const own = await signedReport({
      identity,
      signer,
      installed: record.latest,
      now: time.now(),
      detection: record.detection,
    });
    const ecuReports = new Map<string, WrittenEnvelope>([[identity.serial, own]]);
    for (const { identity: ecu, secondary } of secondaries) {
      const report = Buffer.from(await secondary.report());
      ecuReports.set(ecu.serial, JSON.parse(report.toString()) as WrittenEnvelope);
    }
    const payload = manifestPayload({ vin: identity.vin, primary: identity.serial, ecuReports });
    return writeEnvelope(await signStatement(payload, signer));
  }

  /** One request for all ECUs: the answer covers the nonce of each. */
  async #attestTime(signal: AbortSignal): Promise<Date> {
    const { time, secondaries, requests, onTime } = this.#options;
    const nonces = [time.newNonce()];
    for (const { secondary } of secondaries) nonces.push(await secondary.nonce());
    const signedTime = await requests.askTime(nonces, signal);
    time.accept(signedTime);
    onTime?.(time.now());
    for (const { secondary } of secondaries) await secondary.takeTime(signedTime);
    return time.forVerification();
  }

  /** Uptane, "Send metadata to Secondaries": each receives missing files and returns its result. */
  async #handOver(): Promise<void> {
    const { stores, secondaries } = this.#options;
    for (const { secondary } of secondaries) {
      const { roots } = await secondary.status();
      await secondary.takeMetadata(
        new Map([...stores.director.bundle(roots.director), ...stores.image.bundle(roots.image)]),
      );
    }
  }
}

const installedIn = ({ reports }: ManifestFile): Map<string, InstalledImage> =>
  new Map(
    [...reports].flatMap(([serial, { installed }]) =>
      installed ? [[serial, { ...installed, match: '' }] as const] : [],
    ),
  );

function checkImage(bytes: Uint8Array, target: Target, subject: Subject): void {
  if (target.length > LONGEST_SCRIPT) {
    throw new Refusal(subject, {
      code: 'length',
      check: STANDARD.imageLength,
      fault: 'is too long for an update script',
      expected: `at most ${LONGEST_SCRIPT} bytes`,
      found: `${target.length} bytes`,
    });
  }
  const check = new ImageCheck(target, subject);
  check.update(bytes);
  check.finish();
}
