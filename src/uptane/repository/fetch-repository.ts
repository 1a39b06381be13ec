/**
 * A copy of the files that another repository publishes, verified as vehicles do: a supplier proposes and signs the
 * next version of its role in the copy, and delivers it. Images are not copied.
 */
import { LIMITS, LONGEST_METADATA_SECONDS, SLOWEST } from '../limits.js';
import { readSnapshot } from '../metadata/snapshot.js';
import { readTimestamp } from '../metadata/timestamp.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { type Fetcher } from '../transfer/fetcher.js';
import { transferToMemory } from '../transfer/transfer.js';
import { metadataPath } from '../urls.js';
import { RepositoryFault } from './fault.js';
import { type RepositoryFiles } from './files.js';
import { checkRoleName, metadataFile, SETTINGS_FILE } from './names.js';
import { DEFAULT_PERIODS, writeSettings } from './periods.js';
import { verifyAsNewVehicle } from './verify-publication.js';

const subjectOf = (role: string) => ({ repository: 'image', role });

/**
 * Brings a folder up to date; its proposal is kept.
 *
 * @param fetcher of the folder with the metadata
 * @param firstRoot the root with which vehicles are provisioned
 * @returns paths of new files
 * @throws RepositoryFault, Refusal; then nothing has been written
 */
export async function fetchRepository(
  files: RepositoryFiles,
  fetcher: Fetcher,
  firstRoot: Uint8Array,
  now: Date,
): Promise<readonly string[]> {
  const storedRoot = await files.read(metadataFile('root', 1));
  if (storedRoot && Buffer.compare(storedRoot, firstRoot) !== 0) {
    throw new RepositoryFault('the folder is a copy of a repository with another first root');
  }
  const fetched = new Map<string, Uint8Array>([[metadataFile('root', 1), firstRoot]]);
  const fetch = async (role: string, version: number | undefined, bytes: number) => {
    const limits = { bytes, rate: SLOWEST, seconds: LONGEST_METADATA_SECONDS };
    const name = metadataPath(role, version);
    const file = await transferToMemory(fetcher, name, limits, subjectOf(role));
    if (file) fetched.set(metadataFile(role, version), file);
    return file;
  };
  const needed = async (...[role, version, bytes]: Parameters<typeof fetch>) => {
    const file = await fetch(role, version, bytes);
    if (file) return file;
    throw new RepositoryFault(`the repository has no ${metadataPath(role, version)}`);
  };
  for (let version = 2; version < 2 + LIMITS.newRoots; version++) {
    if (!(await fetch('root', version, LIMITS.root))) break;
  }
  const timestampBytes = await needed('timestamp', undefined, LIMITS.timestamp);
  const timestamp = readTimestamp(timestampBytes, subjectOf('timestamp'), IMAGE_REPOSITORY);
  const { version } = timestamp.snapshot;
  const snapshotBytes = await needed('snapshot', version, LIMITS.snapshot);
  const snapshot = readSnapshot(snapshotBytes, subjectOf('snapshot'), IMAGE_REPOSITORY);
  for (const [name, listed] of snapshot.files) {
    const role = name.replace(/\.json$/, '');
    // It becomes a file name here.
    checkRoleName(role);
    await needed(role, listed.version, LIMITS.targets);
  }
  await verifyAsNewVehicle({ files, overlay: fetched, now }, []);
  const written: string[] = [];
  // The timestamp last: it makes the others current.
  const inOrder = [...fetched].sort(
    ([a], [b]) => Number(a === metadataFile('timestamp')) - Number(b === metadataFile('timestamp')),
  );
  for (const [path, bytes] of inOrder) {
    const before = await files.read(path);
    if (before && Buffer.compare(before, bytes) === 0) continue;
    await files.write(path, bytes);
    written.push(path);
  }
  if ((await files.read(SETTINGS_FILE)) === undefined) {
    await files.write(
      SETTINGS_FILE,
      Buffer.from(writeSettings({ kind: 'image', periods: DEFAULT_PERIODS })),
    );
  }
  return written;
}
