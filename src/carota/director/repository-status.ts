/** What people want to know of the Director repository as a whole. Pure. */
import { type DirectorRepositoryStatus } from '../../contract/carota-api/index.js';
import { LIFETIMES } from '../../uptane/director-repository/next-files.js';
import {
  daysUntil,
  expiryNotice,
  keysByRole,
  OFFLINE_NOTICE_DAYS,
  signersOf,
  validityOf,
} from '../../uptane/repository/index.js';
import { formatUtcTime } from '../../uptane/metadata/utc-time.js';
import { type DirectorKeys } from './director-keys.js';

/** In the order in which a vehicle fetches them. */
const ONLINE = ['timestamp', 'snapshot', 'targets'] as const;

export function directorStatus(keys: DirectorKeys, now: Date): DirectorRepositoryStatus {
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
