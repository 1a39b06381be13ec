/**
 * An ECU's durable record of images: the image ordered by the Director, the images received, with their metadata, and the
 * last attack detected. The installer knows which of them runs.
 */
import { type InstalledImage } from '../../uptane/director/installed-image.js';
import { type PlainJson } from '../../uptane/json/canonical-json.js';
import { parseJson } from '../../uptane/json/parse-json.js';
import { Reader } from '../../uptane/json/reader.js';
import { readHashes } from '../../uptane/metadata/hashes.js';
import { type Refusal } from '../../uptane/refusal.js';
import { readIfThere, replaceFile } from '../../uptane/store/durable-file.js';

/** An image, and its version according to the update script. */
export interface KnownImage extends InstalledImage {
  readonly version: string;
}

/** For the next version report. */
export interface Detection {
  readonly attack: string | undefined;
  readonly reason: string;
}

/** Two slots, plus the image about to be written into one of them, plus a margin of one. */
const MOST_IMAGES = 4;
/** Longest reason in a version report, characters. */
const LONGEST_REASON = 1_000;

export class ImageRecord {
  readonly #path: string;
  #order: InstalledImage | undefined;
  #images: readonly KnownImage[];
  /** SHA-256 of the ordered image, once it is completely in a slot. */
  #written: string | undefined;
  #detection: Detection | undefined;

  /** @throws Refusal, BadJson if the file is not one of ours */
  constructor(path: string) {
    this.#path = path;
    const bytes = readIfThere(path);
    const file = bytes && new Reader(parseJson(bytes), { repository: 'local', role: path });
    this.#order = optional(file?.optional('order'), readImage);
    this.#written = optional(file?.optional('written'), (written) => written.string());
    this.#images = file?.member('images').items().map(readKnownImage) ?? [];
    this.#detection = optional(file?.optional('detection'), readDetection);
  }

  /** The verified order, if it contains anything new. */
  get order(): InstalledImage | undefined {
    return this.#order;
  }

  get detection(): Detection | undefined {
    return this.#detection;
  }

  /** Records a successful verification. */
  verified(order: InstalledImage | undefined): void {
    if (this.#written !== (order && sha256Of(order))) this.#written = undefined;
    this.#order = order;
    this.#detection = undefined;
    this.#write();
  }

  /** Records a failed verification: the previous order stays in force. */
  detected({ attack, message }: Refusal): void {
    this.#detection = { attack, reason: message.slice(0, LONGEST_REASON).toWellFormed() };
    this.#write();
  }

  /**
   * Records an image before it is written into a slot, so that it is known in any case. Another image with the same version
   * is removed from the record, so that they cannot be confused.
   *
   * @throws Error if that other image is running
   */
  remember(image: InstalledImage, version: string, running: KnownImage | undefined): void {
    const sha256 = sha256Of(image);
    if (running?.version === version && sha256Of(running) !== sha256) {
      throw new Error(`version ${version} is another image, ${running.path}, which is running`);
    }
    const others = this.#images.filter(
      (other) => sha256Of(other) !== sha256 && other.version !== version,
    );
    // The running image stays, however many follow: the next order is compared with its release counter.
    const isRunning = (one: KnownImage) => running && sha256Of(one) === sha256Of(running);
    const replaceable = others.filter((other) => !isRunning(other));
    this.#images = [
      ...others.filter(isRunning),
      ...[...replaceable, { ...image, version }].slice(1 - MOST_IMAGES),
    ];
    this.#write();
  }

  /** Whether the ordered image is completely in a slot. */
  get isWritten(): boolean {
    return this.#order !== undefined && this.#written === sha256Of(this.#order);
  }

  /** The ordered image is completely in a slot. */
  written(): void {
    this.#written = this.#order && sha256Of(this.#order);
    this.#write();
  }

  bySha256(sha256: string): KnownImage | undefined {
    return this.#images.find((image) => sha256Of(image) === sha256);
  }

  byVersion(version: string): KnownImage | undefined {
    return this.#images.findLast((image) => image.version === version);
  }

  get latest(): KnownImage | undefined {
    return this.#images.at(-1);
  }

  #write(): void {
    const content = {
      order: this.#order ? plain(this.#order) : null,
      written: this.#written ?? null,
      images: this.#images.map((image) => ({ ...plain(image), version: image.version })),
      detection: this.#detection
        ? { attack: this.#detection.attack ?? null, reason: this.#detection.reason }
        : null,
    };
    replaceFile(this.#path, `${JSON.stringify(content, null, 2)}\n`);
  }
}

export const sha256Of = ({ hashes }: Pick<InstalledImage, 'hashes'>): string | undefined =>
  hashes.get('sha256');

const plain = ({ path, length, hashes, releaseCounter, match }: InstalledImage) =>
  ({ path, length, hashes: Object.fromEntries(hashes), releaseCounter, match }) satisfies PlainJson;

const optional = <T>(member: Reader | undefined, read: (member: Reader) => T): T | undefined =>
  member === undefined || member.value === null ? undefined : read(member);

const readImage = (image: Reader): InstalledImage => ({
  path: image.member('path').string(),
  length: image.member('length').integer(0),
  hashes: readHashes(image.member('hashes')),
  releaseCounter: image.member('releaseCounter').integer(),
  match: image.member('match').string(),
});

const readKnownImage = (image: Reader): KnownImage => ({
  ...readImage(image),
  version: image.member('version').string(),
});

const readDetection = (detection: Reader): Detection => ({
  attack: optional(detection.optional('attack'), (attack) => attack.string()),
  reason: detection.member('reason').string(),
});
