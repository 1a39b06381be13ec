/** Content of root (POUF, section 4), in a form that a proposal can change. */
import { type Envelope } from '../metadata/envelope.js';
import { type SignedPart } from '../signing/sign.js';
import {
  type Keys,
  readListedKeys,
  readRoleKeys,
  type RoleKeys,
  TOP_ROLES,
  type TopRole,
  usedKeys,
} from './role-keys.js';
import { SPEC_VERSION } from './spec-version.js';

export interface RootContent {
  readonly version: number;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly expires: string;
  readonly keys: Keys;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
}

/** @throws Refusal */
export function readRootContent({ signed }: Envelope): RootContent {
  const roles = signed.member('roles');
  const keysOf = (role: TopRole) => readRoleKeys(roles.member(role));
  return {
    version: signed.member('version').integer(1),
    expires: signed.member('expires').string(),
    keys: readListedKeys(signed.member('keys')),
    roles: {
      root: keysOf('root'),
      timestamp: keysOf('timestamp'),
      snapshot: keysOf('snapshot'),
      targets: keysOf('targets'),
    },
  };
}

/** Omits keys that no role lists any longer. */
export function writeRootContent({ version, expires, keys, roles }: RootContent): SignedPart {
  return {
    _type: 'root',
    spec_version: SPEC_VERSION,
    version,
    expires,
    consistent_snapshot: true,
    keys: Object.fromEntries(usedKeys(keys, Object.values(roles))),
    roles: Object.fromEntries(
      TOP_ROLES.map((role) => {
        const { keyIds, threshold } = roles[role];
        return [role, { keyids: keyIds, threshold }];
      }),
    ),
  };
}
