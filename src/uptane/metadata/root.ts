/** Root metadata (POUF, section 4): the keys and thresholds of the four top-level roles. */
import { type Authority, readAuthority } from '../keys/authority.js';
import { readKeys } from '../keys/read-keys.js';
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { type MetadataFile, type MetadataType, readMetadataFile } from './metadata-file.js';

export interface Root extends MetadataFile {
  readonly authorities: Readonly<Record<MetadataType, Authority>>;
  /** Whether names of files on the repository have version numbers or hashes. */
  readonly consistentSnapshot: boolean;
}

/** @throws Refusal */
export function readRoot(bytes: Uint8Array, subject: Subject, rules: Rules): Root {
  const file = readMetadataFile('root', bytes, subject, rules);
  const { signed } = file.envelope;
  const consistent = rules.alwaysConsistentSnapshot
    ? signed.member('consistent_snapshot')
    : signed.optional('consistent_snapshot');
  const consistentSnapshot = consistent?.boolean() ?? false;
  if (rules.alwaysConsistentSnapshot && !consistentSnapshot) consistent?.refuse('true');
  const keys = readKeys(signed.member('keys'), file.subject, rules);
  const roles = signed.member('roles');
  const authorityOf = (role: MetadataType) => readAuthority(roles.member(role), keys);
  return {
    ...file,
    consistentSnapshot,
    authorities: {
      root: authorityOf('root'),
      timestamp: authorityOf('timestamp'),
      snapshot: authorityOf('snapshot'),
      targets: authorityOf('targets'),
    },
  };
}
