/**
 * The metadata that an ECU has before its first cycle (Uptane, "Build-time prerequisite requirements for ECUs", item 1), so that
 * it rejects older files from the start. They are verified as in a cycle.
 */
import { checkLastRoot, onlineKeys } from '../../uptane/checks/check-root.js';
import { checkSnapshot } from '../../uptane/checks/check-snapshot.js';
import { checkTargets } from '../../uptane/checks/check-targets.js';
import { checkTimestamp } from '../../uptane/checks/check-timestamp.js';
import { readRoot } from '../../uptane/metadata/root.js';
import { type Targets } from '../../uptane/metadata/targets.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { type MetadataStore } from '../../uptane/store/metadata-store.js';
import { metadataPath } from '../../uptane/urls.js';
import { bundlePath, type RepositoryName } from '../secondary/metadata-bundle.js';
import { type MetadataBundle } from '../secondary/secondary.js';
import { ProvisioningFault } from './provisioning-fault.js';

/** The metadata of one repository, besides its root. */
export interface InitialFiles {
  readonly timestamp: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly targets: Uint8Array;
  /** See `MetadataStore`. */
  readonly onlineKeys: string;
}

interface InitialCheck {
  /** The root that is provisioned; it must be the latest one. */
  readonly root: Uint8Array;
  readonly bundle: MetadataBundle;
  readonly now: Date;
  /** A further check of the targets; throws to refuse them. */
  readonly checkTargets?: (targets: Targets) => void;
}

const RULES = { director: DIRECTOR, image: IMAGE_REPOSITORY } as const;

/** @throws ProvisioningFault if a file is missing, Refusal if one is not valid */
export function initialFiles(repository: RepositoryName, check: InitialCheck): InitialFiles {
  const { bundle, now } = check;
  const rules = RULES[repository];
  const subject = (role: string, version?: number) => ({ repository, role, version });
  const root = readRoot(check.root, subject('root'), rules);
  checkLastRoot(root, now);
  const file = (role: string, version?: number) => {
    const numbered = version !== undefined && root.consistentSnapshot ? version : undefined;
    const path = bundlePath(repository, metadataPath(role, numbered));
    const bytes = bundle.get(path);
    if (bytes) return bytes;
    throw new ProvisioningFault(`the metadata to provision lacks ${path}`);
  };
  const common = { previous: undefined, now, rules };
  const timestamp = checkTimestamp(file('timestamp'), {
    ...common,
    root,
    subject: subject('timestamp'),
  });
  const { version } = timestamp.snapshot;
  const snapshot = checkSnapshot(file('snapshot', version), {
    ...common,
    root,
    timestamp,
    subject: subject('snapshot', version),
  });
  const listed = snapshot.targets;
  const targets = checkTargets(file('targets', listed.version), {
    authority: root.authorities.targets,
    listed,
    now,
    rules,
    subject: subject('targets', listed.version),
  });
  check.checkTargets?.(targets);
  return {
    timestamp: timestamp.bytes,
    snapshot: snapshot.bytes,
    targets: targets.bytes,
    onlineKeys: onlineKeys(root),
  };
}

export function storeInitialFiles(store: MetadataStore, files: InitialFiles): void {
  // Otherwise the first cycle would treat them as files signed by other keys.
  store.writeOnlineKeys(files.onlineKeys);
  store.write('targets', files.targets);
  store.write('snapshot', files.snapshot);
  store.write('timestamp', files.timestamp);
}
