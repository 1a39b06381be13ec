/** A Secondary's full or partial verification of a bundle against its own stored metadata. */
import { checkDirectorTargetsForEcu } from '../../uptane/director/check-director-targets.js';
import {
  asInstalled,
  type InstalledImage,
  isInstalled,
} from '../../uptane/director/installed-image.js';
import { verifyFully } from '../../uptane/full-verification.js';
import { LIMITS } from '../../uptane/limits.js';
import { readRoot } from '../../uptane/metadata/root.js';
import { verifyPartially } from '../../uptane/partial-verification.js';
import { Refusal } from '../../uptane/refusal.js';
import { RepositoryClient } from '../../uptane/repository-client.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { type MetadataStore } from '../../uptane/store/metadata-store.js';
import { metadataPath } from '../../uptane/urls.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';
import { BundleFetcher, bundlePath } from './metadata-bundle.js';
import { type MetadataBundle } from './secondary.js';

export interface BundleVerification {
  readonly identity: EcuIdentity;
  readonly bundle: MetadataBundle;
  readonly director: MetadataStore;
  readonly image: MetadataStore;
  readonly installed: InstalledImage | undefined;
  /** Trusted time. */
  readonly now: Date;
}

const ecuOf = ({ identity: { vin, serial, hardwareId } }: BundleVerification) => ({
  vin,
  ecuId: serial,
  hardwareId,
});

/** @returns the ordered image that is not yet installed @throws Refusal */
export async function verifyBundleFully(
  verification: BundleVerification,
): Promise<InstalledImage | undefined> {
  const { bundle, director, image, installed, now } = verification;
  const ecu = ecuOf(verification);
  const [assignment] = await verifyFully({
    director: new RepositoryClient({
      name: 'director',
      rules: DIRECTOR,
      fetcher: new BundleFetcher(bundle, 'director'),
      store: director,
      now,
    }),
    image: new RepositoryClient({
      name: 'image',
      rules: IMAGE_REPOSITORY,
      fetcher: new BundleFetcher(bundle, 'image'),
      store: image,
      now,
    }),
    assignmentsOf: (targets) => checkDirectorTargetsForEcu(targets, ecu),
    installed: new Map(installed ? [[ecu.ecuId, installed]] : []),
  });
  return assignment && asInstalled(assignment);
}

/** Like `verifyBundleFully`, using only the Director's root and targets. */
export function verifyBundlePartially(
  verification: BundleVerification,
): InstalledImage | undefined {
  const { bundle, director, installed, now } = verification;
  const root = director.read('root');
  const subject = { repository: 'director', role: 'targets' };
  const missing = (fault: string) =>
    new Refusal(subject, { code: 'network', check: 'Uptane, Partial verification', fault });
  if (root === undefined) throw missing('cannot be verified: no root has been provisioned');
  const targets = targetsIn(bundle);
  if (targets === undefined) throw missing('is not there');
  const verified = verifyPartially({
    ecu: ecuOf(verification),
    root,
    newRoots: rootsAfter(root, bundle),
    previousTargets: director.read('targets'),
    targets,
    installed,
    now,
  });
  // Root first: with targets alone, the next verification could lack the key that signed them.
  director.write('root', verified.root);
  director.write('targets', targets);
  const { assignment } = verified;
  return assignment && !isInstalled(assignment, installed) ? asInstalled(assignment) : undefined;
}

function rootsAfter(root: Uint8Array, bundle: MetadataBundle): Uint8Array[] {
  const subject = { repository: 'director', role: 'root' };
  const { version } = readRoot(root, subject, DIRECTOR);
  const roots: Uint8Array[] = [];
  while (roots.length < LIMITS.newRoots) {
    const path = metadataPath('root', version + 1 + roots.length);
    const next = bundle.get(bundlePath('director', path));
    if (next === undefined) break;
    roots.push(next);
  }
  return roots;
}

/** Without a snapshot the version is unknown; the newest file in the bundle counts. */
function targetsIn(bundle: MetadataBundle): Uint8Array | undefined {
  const versions = [...bundle.keys()]
    .map((path) => /^director\/([1-9][0-9]{0,14})\.targets\.json$/.exec(path)?.[1])
    .filter((version) => version !== undefined)
    .map(Number);
  const newest = Math.max(...versions);
  return bundle.get(bundlePath('director', metadataPath('targets', newest)));
}
