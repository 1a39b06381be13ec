/**
 * The image repository as a folder to be served: `metadata/timestamp.json`, `N.snapshot.json`, `N.ROLE.json` (POUF, section
 * 1). It is read again after its timestamp was written. Its signatures are not verified here: vehicles verify them, and
 * reject anything that the Director takes from a folder that was tampered with.
 */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Batches } from '../../service/batches.js';
import { matchesPath } from '../../uptane/delegations/path-pattern.js';
import { type Reader } from '../../uptane/json/reader.js';
import { type Delegation } from '../../uptane/metadata/delegation.js';
import { readSnapshot, type Snapshot } from '../../uptane/metadata/snapshot.js';
import { readTimestamp } from '../../uptane/metadata/timestamp.js';
import { type Target } from '../../uptane/metadata/target.js';
import { readTargets } from '../../uptane/metadata/targets.js';
import { IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { metadataPath } from '../../uptane/urls.js';
import { type CataloguedImage, type ImageCatalogue, type Images } from './image-catalogue.js';

/** Images of one timestamp. */
class Contents implements Images {
  readonly #byPath: ReadonlyMap<string, CataloguedImage>;
  readonly #bySha256 = new Map<string, CataloguedImage[]>();

  constructor(byPath: ReadonlyMap<string, CataloguedImage>) {
    this.#byPath = byPath;
    for (const image of byPath.values()) {
      const { sha256 } = image.hashes;
      if (sha256 === undefined) continue;
      const same = this.#bySha256.get(sha256);
      if (same) same.push(image);
      else this.#bySha256.set(sha256, [image]);
    }
  }

  findByPath(path: string): CataloguedImage | undefined {
    return this.#byPath.get(path);
  }

  findBySha256(sha256: string): readonly CataloguedImage[] {
    return this.#bySha256.get(sha256) ?? [];
  }
}

const NOTHING = new Contents(new Map());

export class RepositoryFolder implements ImageCatalogue {
  readonly #metadata: string;
  #contents: Images = NOTHING;
  /** Identifies the timestamp to which the contents belong; empty: none. */
  #mark = '';
  /** Requests during a read wait for the next read. */
  readonly #looks = new Batches<undefined, Images>(
    async (asked) => {
      await this.#readIfNew();
      return asked.map(() => this.#contents);
    },
    { most: Infinity },
  );

  /** @param folder of the repository */
  constructor(folder: string) {
    this.#metadata = join(folder, 'metadata');
  }

  /** @throws Refusal if a file is invalid; a missing repository is empty */
  images(): Promise<Images> {
    return this.#looks.do(undefined);
  }

  async #readIfNew(): Promise<void> {
    const path = join(this.#metadata, metadataPath('timestamp'));
    const mark = markOf(path);
    if (mark === this.#mark) return;
    this.#contents = mark === '' ? NOTHING : await this.#read(await readFile(path));
    this.#mark = mark;
  }

  async #read(timestampBytes: Buffer): Promise<Images> {
    const timestamp = readTimestamp(timestampBytes, subjectOf('timestamp'), IMAGE_REPOSITORY);
    const snapshotBytes = await this.#file('snapshot', timestamp.snapshot.version);
    const snapshot = readSnapshot(snapshotBytes, subjectOf('snapshot'), IMAGE_REPOSITORY);
    const byPath = new Map<string, CataloguedImage>();
    await this.#visit('targets', snapshot, { byPath, visited: new Set(), mayList: () => true });
    return new Contents(byPath);
  }

  /** Pre-order, as a vehicle searches: the first role that lists a path has it. */
  async #visit(role: string, snapshot: Snapshot, search: Search): Promise<void> {
    const { byPath, visited, mayList } = search;
    if (visited.has(role)) return;
    visited.add(role);
    const listed = snapshot.files.get(`${role}.json`);
    // A delegated role that is not published has no images yet.
    if (!listed) return;
    const bytes = await this.#file(role, listed.version);
    const { targets, delegations } = readTargets(bytes, subjectOf(role), IMAGE_REPOSITORY);
    for (const target of targets.values()) {
      const image = imageOf(target);
      if (image && mayList(image.path) && !byPath.has(image.path)) byPath.set(image.path, image);
    }
    for (const delegation of delegations) {
      for (const { name } of delegation.roles) {
        await this.#visit(name, snapshot, {
          byPath,
          visited,
          mayList: (path) => mayList(path) && covers(delegation, path),
        });
      }
    }
  }

  #file(role: string, version: number): Promise<Buffer> {
    return readFile(join(this.#metadata, metadataPath(role, version)));
  }
}

interface Search {
  readonly byPath: Map<string, CataloguedImage>;
  readonly visited: Set<string>;
  readonly mayList: (path: string) => boolean;
}

const subjectOf = (role: string) => ({ repository: 'image', role });

const covers = ({ paths }: Delegation, path: string) =>
  paths.some((pattern) => matchesPath(pattern, path));

/** Undefined for an image without hardware ids or release counter, which no vehicle could install. */
function imageOf({ path, length, hashes, custom }: Target): CataloguedImage | undefined {
  const match = custom?.optional('match');
  if (!match || !hasBoth(match)) return undefined;
  return {
    path,
    length,
    hashes: Object.fromEntries(hashes),
    match: {
      hardwareIds: match.member('hardwareIds').strings(),
      releaseCounter: match.member('releaseCounter').integer(),
    },
  };
}

const hasBoth = (match: Reader) =>
  match.member('hardwareIds').exists && match.member('releaseCounter').exists;

/**
 * Differs whenever the file was written or replaced; empty if it does not exist. Synchronous, because every cycle needs it
 * and another thread would cost ten times the system call.
 */
function markOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeNs}` : '';
}
