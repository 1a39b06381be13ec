/** The published files of a repository, as clients get them. */
import { type Envelope } from '../metadata/envelope.js';
import { readRoot } from '../metadata/root.js';
import { readSnapshot } from '../metadata/snapshot.js';
import { readTargets } from '../metadata/targets.js';
import { readTimestamp } from '../metadata/timestamp.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { RepositoryFault } from './fault.js';
import { type RepositoryFiles } from './files.js';
import { metadataFile, SETTINGS_FILE } from './names.js';
import { readSettings, type RepositoryKind } from './periods.js';
import { readRootContent, type RootContent } from './root-content.js';
import { readTargetsContent, type TargetsContent } from './targets-content.js';

export interface PublishedFile<T> {
  readonly bytes: Uint8Array;
  readonly envelope: Envelope;
  readonly content: T;
}

export interface ListingContent {
  readonly version: number;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly expires: string;
}

export interface SnapshotContent extends ListingContent {
  /** Versions by role. */
  readonly versions: ReadonlyMap<string, number>;
}

/** Missing before the first publication, and after a kill during it. */
export interface Published {
  readonly kind: RepositoryKind;
  readonly root: PublishedFile<RootContent> | undefined;
  readonly timestamp: PublishedFile<ListingContent> | undefined;
  readonly snapshot: PublishedFile<SnapshotContent> | undefined;
  /** The files listed in the snapshot, by role. */
  readonly targets: ReadonlyMap<string, PublishedFile<TargetsContent>>;
  /**
   * The highest version of each role that was ever written, listed or not. A written version number is never reused for
   * other content, because a client may have fetched it.
   */
  readonly highest: ReadonlyMap<string, number>;
}

const subject = (role: string, version?: number) => ({ repository: 'image', role, version });

/** @throws RepositoryFault if a listed file is missing; Refusal if one is invalid */
export async function readPublished(files: RepositoryFiles): Promise<Published> {
  const settings = await files.read(SETTINGS_FILE);
  const kind = settings ? readSettings(settings).kind : 'image';
  const highest = highestVersions(await files.list('metadata'));
  const root = await readPublishedRoot(files, highest.get('root'));
  const timestampBytes = await files.read(metadataFile('timestamp'));
  if (timestampBytes === undefined) {
    return { kind, root, timestamp: undefined, snapshot: undefined, targets: new Map(), highest };
  }
  const timestamp = readTimestamp(timestampBytes, subject('timestamp'), IMAGE_REPOSITORY);
  const snapshotBytes = await needed(files, metadataFile('snapshot', timestamp.snapshot.version));
  const snapshot = readSnapshot(snapshotBytes, subject('snapshot'), IMAGE_REPOSITORY);
  const versions = new Map(
    [...snapshot.files].map(([name, { version }]) => [name.replace(/\.json$/, ''), version]),
  );
  const targets = new Map<string, PublishedFile<TargetsContent>>();
  for (const [role, version] of versions) {
    const bytes = await needed(files, metadataFile(role, version));
    const { envelope } = readTargets(bytes, subject(role, version), IMAGE_REPOSITORY);
    targets.set(role, { bytes, envelope, content: readTargetsContent(envelope) });
  }
  return {
    kind,
    root,
    timestamp: {
      bytes: timestampBytes,
      envelope: timestamp.envelope,
      content: { version: timestamp.version, expires: expiresOf(timestamp.envelope) },
    },
    snapshot: {
      bytes: snapshotBytes,
      envelope: snapshot.envelope,
      content: { version: snapshot.version, expires: expiresOf(snapshot.envelope), versions },
    },
    targets,
    highest,
  };
}

async function readPublishedRoot(files: RepositoryFiles, version: number | undefined) {
  if (version === undefined) return undefined;
  const bytes = await needed(files, metadataFile('root', version));
  const { envelope } = readRoot(bytes, subject('root', version), IMAGE_REPOSITORY);
  return { bytes, envelope, content: readRootContent(envelope) };
}

const expiresOf = ({ signed }: Envelope) => signed.member('expires').string();

async function needed(files: RepositoryFiles, path: string): Promise<Uint8Array> {
  const bytes = await files.read(path);
  if (bytes !== undefined) return bytes;
  throw new RepositoryFault(`the repository lists ${path}, but the file is not there`);
}

function highestVersions(names: readonly string[]): Map<string, number> {
  const highest = new Map<string, number>();
  for (const name of names) {
    const [, number, role] = /^([1-9][0-9]*)\.(.+)\.json$/.exec(name) ?? [];
    if (number === undefined || role === undefined) continue;
    highest.set(role, Math.max(Number(number), highest.get(role) ?? 0));
  }
  return highest;
}
