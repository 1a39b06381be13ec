/** Content of a Director's files (POUF, sections 4 and 6): the `signed` values, to be signed by each role. */
import { createHash } from 'node:crypto';
import { type PlainJson } from '../json/canonical-json.js';
import { formatUtcTime } from '../metadata/utc-time.js';
import { keyIdOfListed, type ListedKey } from '../signing/signer.js';
import { type SignedPart } from '../signing/sign.js';

/** An image of the image repository, as repeated by a Director. */
export interface DirectedImage {
  readonly path: string;
  /** bytes */
  readonly length: number;
  readonly hashes: Readonly<Record<string, string>>;
  /** `custom.match`. */
  readonly match: {
    readonly hardwareIds: readonly string[];
    readonly releaseCounter: number;
  };
}

/** One image for one or more ECUs. */
export interface DirectedTarget {
  readonly image: DirectedImage;
  /** Hardware id by serial number. */
  readonly ecus: ReadonlyMap<string, string>;
}

interface Common {
  readonly version: number;
  readonly expires: Date;
}

const SPEC_VERSION = '1.0.31';

const common = (type: string, { version, expires }: Common) => ({
  _type: type,
  spec_version: SPEC_VERSION,
  version,
  expires: formatUtcTime(expires),
});

/** The `targets` member: image and ECUs by path. Empty: nothing is ordered. */
export const targetsMember = (targets: readonly DirectedTarget[]): SignedPart =>
  Object.fromEntries(
    targets.map(({ image, ecus }) => [
      image.path,
      {
        length: image.length,
        hashes: { ...image.hashes },
        custom: {
          ecuIdentifiers: Object.fromEntries(
            [...ecus].map(([ecuId, hardwareId]) => [ecuId, { hardwareId }]),
          ),
          match: { ...image.match },
        },
      } satisfies PlainJson,
    ]),
  );

/** @param targets of {@link targetsMember} */
export const directorTargets = (
  file: Common & { readonly vin: string; readonly targets: SignedPart },
): SignedPart => ({
  ...common('targets', file),
  custom: { vin: file.vin },
  targets: file.targets,
});

export const directorSnapshot = (
  file: Common & { readonly targetsVersion: number },
): SignedPart => ({
  ...common('snapshot', file),
  meta: { 'targets.json': { version: file.targetsVersion } },
});

/** @param file `snapshot`: the file as served */
export const directorTimestamp = (
  file: Common & { readonly snapshotVersion: number; readonly snapshot: Uint8Array },
): SignedPart => ({
  ...common('timestamp', file),
  meta: {
    'snapshot.json': {
      version: file.snapshotVersion,
      length: file.snapshot.length,
      hashes: { sha256: createHash('sha256').update(file.snapshot).digest('hex') },
    },
  },
});

export type RoleKeys = Readonly<
  Record<'root' | 'timestamp' | 'snapshot' | 'targets', readonly ListedKey[]>
>;

/** Online roles have a threshold of 1; the offline root has its own. */
export const directorRoot = (
  file: Common & { readonly keys: RoleKeys; readonly rootThreshold: number },
): SignedPart => {
  const all = Object.values(file.keys).flat();
  const role = (keys: readonly ListedKey[], threshold: number): PlainJson => ({
    keyids: keys.map(keyIdOfListed),
    threshold,
  });
  return {
    ...common('root', file),
    consistent_snapshot: true,
    keys: Object.fromEntries(all.map((key) => [keyIdOfListed(key), key])),
    roles: {
      root: role(file.keys.root, file.rootThreshold),
      timestamp: role(file.keys.timestamp, 1),
      snapshot: role(file.keys.snapshot, 1),
      targets: role(file.keys.targets, 1),
    },
  };
};
