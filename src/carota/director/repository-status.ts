/** The state of the Director repository, for people. */
import { type DirectorRepositoryStatus } from '../../contract/carota-api/index.js';
import { LIFETIMES } from '../../uptane/director-repository/next-files.js';
import {
  daysUntil,
  expiryNotice,
  FolderFiles,
  ImageRepository,
  keysByRole,
  OFFLINE_NOTICE_DAYS,
  RepositoryFault,
  type RepositoryStatus,
  signersOf,
  validityOf,
} from '../../uptane/repository/index.js';
import { formatUtcTime } from '../../uptane/metadata/utc-time.js';
import { type DirectorKeys } from './director-keys.js';

/** In the order in which a vehicle fetches them. */
const ONLINE = ['timestamp', 'snapshot', 'targets'] as const;

/** @param folder of the Director, with the ceremonies of its root */
export async function directorStatus(
  keys: DirectorKeys,
  folder: string,
  now: Date,
): Promise<DirectorRepositoryStatus> {
  const { version, ceremony } = await ceremonyIn(folder, now);
  const { attention, ...status } = statusOf(keys, now);
  const isNewer = version > keys.lastRoot.version;
  const notice = `root version ${version} is published in the folder and takes effect at the next start of the server`;
  return { ...status, ceremony, attention: [...attention, ...(isNewer ? [notice] : [])] };
}

interface Ceremony {
  /** Of the published root; 0: none. */
  readonly version: number;
  readonly ceremony: DirectorRepositoryStatus['ceremony'];
}

async function ceremonyIn(folder: string, now: Date): Promise<Ceremony> {
  const files = new FolderFiles(folder);
  if ((await files.read('repository.json')) === undefined) return { version: 0, ceremony: null };
  try {
    const repository = new ImageRepository(files);
    const { published, proposed, faults, difference } = await repository.status(now);
    const root = published.find(({ role }) => role === 'root');
    const ceremony = {
      proposed: proposed.map(copied),
      faults: [...faults],
      difference: [...difference],
    };
    return { version: root?.version ?? 0, ceremony };
  } catch (error) {
    if (!(error instanceof RepositoryFault)) throw error;
    return { version: 0, ceremony: { proposed: [], faults: [error.message], difference: [] } };
  }
}

type Proposed = NonNullable<DirectorRepositoryStatus['ceremony']>['proposed'][number];

/** Removes the readonly modifiers, as the contract's types require. */
const copied = (proposed: RepositoryStatus['proposed'][number]): Proposed =>
  structuredClone(proposed) as Proposed;

function statusOf(keys: DirectorKeys, now: Date): Omit<DirectorRepositoryStatus, 'ceremony'> {
  const { lastRoot, isTrial, onlineKeys, time } = keys;
  const { version, authorities, envelope } = lastRoot;
  const expires = formatUtcTime(lastRoot.expires);
  const daysLeft = daysUntil(expires, now);
  const root = {
    role: 'root',
    version,
    expires,
    daysLeft,
    validity: validityOf(daysLeft, OFFLINE_NOTICE_DAYS),
    threshold: authorities.root.threshold,
    keys: [...authorities.root.keys.keys()],
    signedBy: signersOf(envelope, authorities.root),
  };
  return {
    isTrial,
    onlineKeys,
    root,
    online: ONLINE.map((role) => ({
      role,
      threshold: authorities[role].threshold,
      keys: [...authorities[role].keys.keys()],
      lifetimeSeconds: LIFETIMES[role] / 1000,
    })),
    timeKey: time.keyId,
    keys: [
      ...keysByRole((['root', ...ONLINE] as const).map((role) => [role, authorities[role]])).map(
        ({ roles, ...key }) => ({ ...key, roles: [...roles] }),
      ),
      {
        id: time.keyId,
        keytype: time.key.keytype,
        scheme: time.key.scheme,
        roles: ['time'],
      },
    ],
    attention: expiryNotice(root),
  };
}
