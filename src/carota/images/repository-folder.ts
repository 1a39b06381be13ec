/**
 * The image repository as a folder that is served: `metadata/timestamp.json`, `N.snapshot.json`, `N.ROLE.json` (POUF,
 * section 1). It is read again when its timestamp has changed. Its signatures are not verified here: vehicles do that, and
 * refuse whatever the Director takes from a folder that was tampered with.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matchesPath } from '../../uptane/delegations/path-pattern.js';
import { type Reader } from '../../uptane/json/reader.js';
import { type Delegation } from '../../uptane/metadata/delegation.js';
import { readSnapshot, type Snapshot } from '../../uptane/metadata/snapshot.js';
import { readTimestamp } from '../../uptane/metadata/timestamp.js';
import { type Target } from '../../uptane/metadata/target.js';
import { readTargets } from '../../uptane/metadata/targets.js';
import { IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { metadataPath } from '../../uptane/urls.js';
import { type CataloguedImage, type ImageCatalogue } from './image-catalogue.js';

interface Contents {
  readonly revision: string;
  readonly byPath: ReadonlyMap<string, CataloguedImage>;
  readonly bySha256: ReadonlyMap<string, readonly CataloguedImage[]>;
}

const EMPTY: Contents = { revision: 'empty', byPath: new Map(), bySha256: new Map() };

/** The timestamp is read so often at most, ms. */
const LOOK_MS = 1_000;

export class RepositoryFolder implements ImageCatalogue {
  readonly #metadata: string;
  readonly #now: () => number;
  #contents = EMPTY;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  /** @param folder of the repository @param now a clock that only moves forward, ms */
  constructor(folder: string, now: () => number = () => performance.now()) {
    this.#metadata = join(folder, 'metadata');
    this.#now = now;
  }

  async revision(): Promise<string> {
    return (await this.#current()).revision;
  }

  async findByPath(path: string): Promise<CataloguedImage | undefined> {
    return (await this.#current()).byPath.get(path);
  }

  async findBySha256(sha256: string): Promise<readonly CataloguedImage[]> {
    return (await this.#current()).bySha256.get(sha256) ?? [];
  }

  async #current(): Promise<Contents> {
    if (this.#now() - this.#lookedAt >= LOOK_MS) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
      await this.#looking;
    }
    return this.#contents;
  }

  /** @throws Refusal where a file is not what it should be; a repository that is not there is empty */
  async #look(): Promise<void> {
    const bytes = await readIfThere(join(this.#metadata, metadataPath('timestamp')));
    const revision = bytes?.toString('utf8') ?? EMPTY.revision;
    if (revision !== this.#contents.revision) {
      this.#contents = bytes ? await this.#read(bytes, revision) : EMPTY;
    }
    this.#lookedAt = this.#now();
  }

  async #read(timestampBytes: Buffer, revision: string): Promise<Contents> {
    const timestamp = readTimestamp(timestampBytes, subjectOf('timestamp'), IMAGE_REPOSITORY);
    const snapshotBytes = await this.#file('snapshot', timestamp.snapshot.version);
    const snapshot = readSnapshot(snapshotBytes, subjectOf('snapshot'), IMAGE_REPOSITORY);
    const byPath = new Map<string, CataloguedImage>();
    await this.#visit('targets', snapshot, { byPath, visited: new Set(), mayList: () => true });
    const bySha256 = new Map<string, CataloguedImage[]>();
    for (const image of byPath.values()) {
      const { sha256 } = image.hashes;
      if (sha256 !== undefined) bySha256.set(sha256, [...(bySha256.get(sha256) ?? []), image]);
    }
    return { revision, byPath, bySha256 };
  }

  /** Pre-order, as a vehicle searches: the first role that lists a path has it. */
  async #visit(role: string, snapshot: Snapshot, search: Search): Promise<void> {
    const { byPath, visited, mayList } = search;
    if (visited.has(role)) return;
    visited.add(role);
    const listed = snapshot.files.get(`${role}.json`);
    // A role that is delegated to and not published has no images yet.
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

/** Undefined for what no vehicle could install: without hardware ids or release counter. */
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

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
