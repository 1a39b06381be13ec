/**
 * Provisioning (Uptane, "Build-time prerequisite requirements for ECUs"): metadata of both repositories, the time and its
 * keys, and an identity key for each ECU. The file that marks an ECU as provisioned is written last.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkDirectorTargets,
  checkDirectorTargetsForEcu,
} from '../../uptane/director/check-director-targets.js';
import { readRoot } from '../../uptane/metadata/root.js';
import { type Targets } from '../../uptane/metadata/targets.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { type ListedKey } from '../../uptane/signing/signer.js';
import { replaceFile } from '../../uptane/store/durable-file.js';
import { FileMetadataStore, fileNameOf } from '../../uptane/store/file-metadata-store.js';
import { type MetadataStore } from '../../uptane/store/metadata-store.js';
import { writeFloor } from '../ecu/attested-time.js';
import { createEcuKey } from '../ecu/ecu-key.js';
import { PrimaryStore } from '../primary/primary-store.js';
import { type RepositoryName } from '../secondary/metadata-bundle.js';
import { ECU_FILES } from '../secondary/reference-secondary.js';
import { type MetadataBundle } from '../secondary/secondary.js';
import { readSecondaryDescription, readVehicleDescription } from './descriptions.js';
import { type InitialFiles, initialFiles, storeInitialFiles } from './initial-metadata.js';
import { ProvisioningFault } from './provisioning-fault.js';
import { timeAuthority } from './time-keys.js';

/** Files of a vehicle's folder. */
export const vehicleFiles = (directory: string) => ({
  description: join(directory, 'vehicle.json'),
  timeKeys: join(directory, 'time-keys.json'),
  primary: join(directory, 'primary'),
  /** Folder of an ECU that shares the Primary's hardware. */
  ecu: (serial: string) => join(directory, 'secondaries', fileNameOf(serial)),
});

/** Files in the folder of a Secondary in its own process. */
export const secondaryFiles = (directory: string) => ({
  description: join(directory, 'ecu.json'),
  timeKeys: join(directory, 'time-keys.json'),
  socket: join(directory, 'ecu.sock'),
  slots: join(directory, 'slots'),
});

export const KEY_FILE = 'key.pem';

/** Initial trust, each as the bytes of a file. */
export interface InitialTrust {
  readonly directorRoot: Uint8Array;
  readonly imageRoot: Uint8Array;
  readonly timeKeys: Uint8Array;
  /** The current time, ms: no ECU will ever accept an earlier one. */
  readonly now: number;
  /**
   * Timestamp, snapshot and targets of both repositories, under their published names. Without them, older files are
   * accepted until the first cycle, unless they have expired.
   */
  readonly metadata?: MetadataBundle | undefined;
}

/** An ECU in the Director's inventory. */
export interface InventoryEntry {
  readonly serial: string;
  readonly name: string;
  readonly hardwareId: string;
  readonly isPrimary: boolean;
  /** In metadata format. */
  readonly publicKey: Readonly<{
    keytype: string;
    scheme: string;
    keyval: Readonly<{ public: string }>;
  }>;
}

/**
 * @param description bytes of a vehicle description
 * @returns the registration for the Director, without ECUs behind sockets, which are provisioned separately
 * @throws ProvisioningFault, Refusal; the vehicle is then not provisioned
 */
export function provisionVehicle(
  directory: string,
  description: Uint8Array,
  trust: InitialTrust,
): readonly InventoryEntry[] {
  const files = vehicleFiles(directory);
  refuseAgain(files.description);
  const { vin, ecus } = readVehicleDescription(description, 'the vehicle description');
  const hardware = new Map(ecus.map(({ serial, hardwareId }) => [serial, hardwareId]));
  const metadata = checkedTrust(trust, (targets) =>
    checkDirectorTargets(targets, { vin, ecus: hardware }),
  );
  const inventory = ecus
    .filter(({ socket }) => socket === undefined)
    .map(({ serial, name, hardwareId, isPrimary = false }) => {
      const folder = isPrimary ? files.primary : files.ecu(serial);
      const publicKey = provisionEcu(folder, trust, metadata, isPrimary);
      return { serial, name, hardwareId, isPrimary, publicKey };
    });
  replaceFile(files.timeKeys, trust.timeKeys);
  replaceFile(files.description, description);
  return inventory;
}

/** Like `provisionVehicle`, for a Secondary in its own process. */
export function provisionSecondary(
  directory: string,
  description: Uint8Array,
  trust: InitialTrust,
): InventoryEntry {
  const files = secondaryFiles(directory);
  refuseAgain(files.description);
  const { vin, serial, name, hardwareId } = readSecondaryDescription(
    description,
    'the description of the ECU',
  );
  const metadata = checkedTrust(trust, (targets) =>
    checkDirectorTargetsForEcu(targets, { vin, ecuId: serial, hardwareId }),
  );
  const publicKey = provisionEcu(directory, trust, metadata, false);
  replaceFile(files.timeKeys, trust.timeKeys);
  replaceFile(files.description, description);
  return { serial, name, hardwareId, isPrimary: false, publicKey };
}

/** Provisioning twice would erase the stored versions and release counters, which prevent rollback. */
function refuseAgain(marker: string): void {
  if (!existsSync(marker)) return;
  throw new ProvisioningFault(
    `${marker} exists: already provisioned; remove the folder to start over`,
  );
}

/** Verified metadata besides the roots. */
type InitialMetadata = Readonly<Record<RepositoryName, InitialFiles>>;

/** @param ofDirector checks the targets of the Director further @returns undefined where only roots are provisioned */
function checkedTrust(
  { directorRoot, imageRoot, timeKeys, metadata: bundle, now }: InitialTrust,
  ofDirector: (targets: Targets) => unknown,
): InitialMetadata | undefined {
  readRoot(directorRoot, { repository: 'director', role: 'root' }, DIRECTOR);
  readRoot(imageRoot, { repository: 'image', role: 'root' }, IMAGE_REPOSITORY);
  timeAuthority(timeKeys, 'the time keys');
  if (!bundle) return undefined;
  const common = { bundle, now: new Date(now) };
  return {
    director: initialFiles('director', {
      ...common,
      root: directorRoot,
      checkTargets: (targets) => void ofDirector(targets),
    }),
    image: initialFiles('image', { ...common, root: imageRoot }),
  };
}

function provisionEcu(
  folder: string,
  { directorRoot, imageRoot, now }: InitialTrust,
  metadata: InitialMetadata | undefined,
  isPrimary: boolean,
): ListedKey {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const director = join(folder, ECU_FILES.director);
  const image = join(folder, ECU_FILES.image);
  const stores: Readonly<Record<RepositoryName, MetadataStore>> = isPrimary
    ? {
        director: new PrimaryStore('director', DIRECTOR, director),
        image: new PrimaryStore('image', IMAGE_REPOSITORY, image),
      }
    : { director: new FileMetadataStore(director), image: new FileMetadataStore(image) };
  stores.director.write('root', directorRoot);
  stores.image.write('root', imageRoot);
  if (metadata) {
    storeInitialFiles(stores.director, metadata.director);
    storeInitialFiles(stores.image, metadata.image);
  }
  writeFloor(join(folder, ECU_FILES.time), now);
  return createEcuKey(join(folder, KEY_FILE)).key;
}
