/**
 * Durable record of each ECU's image. An installation is recorded before and after: after a power cut in between, the
 * ECU's image is inspected, so that its release counter is never underestimated.
 */
import { type Assignment } from '../director/check-director-targets.js';
import { asInstalled, type InstalledImage } from '../director/installed-image.js';
import { type PlainJson } from '../json/canonical-json.js';
import { parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { readHashes } from '../metadata/hashes.js';
import { readIfThere, replaceFile } from '../store/durable-file.js';

type Images = Map<string, InstalledImage>;

export class InstalledImages {
  readonly #path: string;
  readonly #installed: Images;
  readonly #pending: Images;

  /** @throws Refusal if the file is not one of ours */
  constructor(path: string) {
    this.#path = path;
    const bytes = readIfThere(path);
    const file = bytes && new Reader(parseJson(bytes), { repository: 'local', role: path });
    this.#installed = file
      ? readImages(file.member('installed'))
      : new Map<string, InstalledImage>();
    this.#pending = file ? readImages(file.member('pending')) : new Map<string, InstalledImage>();
  }

  /** By ECU identifier. */
  get images(): ReadonlyMap<string, InstalledImage> {
    return this.#installed;
  }

  /** Called before an ECU's image is replaced. */
  begin(assignment: Assignment): void {
    this.#pending.set(assignment.ecuId, asInstalled(assignment));
    this.#write();
  }

  /** Called after an ECU's image was replaced. */
  end({ ecuId }: Assignment): void {
    this.#finish(ecuId, true);
  }

  /** Determines the result of installations interrupted by a power cut. */
  async resolve(has: (ecuId: string, image: InstalledImage) => Promise<boolean>): Promise<void> {
    for (const [ecuId, image] of this.#pending) this.#finish(ecuId, await has(ecuId, image));
  }

  #finish(ecuId: string, isInstalled: boolean): void {
    const image = this.#pending.get(ecuId);
    if (image && isInstalled) this.#installed.set(ecuId, image);
    this.#pending.delete(ecuId);
    this.#write();
  }

  #write(): void {
    const content = { installed: plain(this.#installed), pending: plain(this.#pending) };
    replaceFile(this.#path, `${JSON.stringify(content, null, 2)}\n`);
  }
}

const plain = (images: Images): PlainJson =>
  Object.fromEntries(
    [...images].map(([ecuId, image]) => [
      ecuId,
      { ...image, hashes: Object.fromEntries(image.hashes) },
    ]),
  );

const readImages = (member: Reader): Images =>
  new Map(
    member.members().map(([ecuId, image]) => [
      ecuId,
      {
        path: image.member('path').string(),
        length: image.member('length').integer(0),
        hashes: readHashes(image.member('hashes')),
        releaseCounter: image.member('releaseCounter').integer(),
        match: image.member('match').string(),
      },
    ]),
  );
