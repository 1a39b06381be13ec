/**
 * Provisioning (Uptane, "Build-time prerequisite requirements for ECUs"): the roots of both repositories, the time and
 * its keys, and an identity key for each ECU. What marks an ECU as provisioned is written last.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRoot } from '../../uptane/metadata/root.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { type ListedKey } from '../../uptane/signing/signer.js';
import { replaceFile } from '../../uptane/store/durable-file.js';
import { FileMetadataStore, fileNameOf } from '../../uptane/store/file-metadata-store.js';
import { writeFloor } from '../ecu/attested-time.js';
import { createEcuKey } from '../ecu/ecu-key.js';
import { PrimaryStore } from '../primary/primary-store.js';
import { ECU_FILES } from '../secondary/reference-secondary.js';
import { readSecondaryDescription, readVehicleDescription } from './descriptions.js';
import { ProvisioningFault } from './provisioning-fault.js';
import { timeAuthority } from './time-keys.js';

/** Files of a vehicle's folder. */
export const vehicleFiles = (directory: string) => ({
  description: join(directory, 'vehicle.json'),
  timeKeys: join(directory, 'time-keys.json'),
  primary: join(directory, 'primary'),
  /** Of an ECU that shares the Primary's hardware. */
  ecu: (serial: string) => join(directory, 'secondaries', fileNameOf(serial)),
});

/** Files of the folder of a Secondary in a process of its own. */
export const secondaryFiles = (directory: string) => ({
  description: join(directory, 'ecu.json'),
  timeKeys: join(directory, 'time-keys.json'),
  socket: join(directory, 'ecu.sock'),
  slots: join(directory, 'slots'),
});

export const KEY_FILE = 'key.pem';

/** What is trusted from the start, each as the bytes of a file. */
export interface InitialTrust {
  readonly directorRoot: Uint8Array;
  readonly imageRoot: Uint8Array;
  readonly timeKeys: Uint8Array;
  /** The time now, ms: no ECU will ever believe an earlier one. */
  readonly now: number;
}

/** An ECU as the Director's inventory has it. */
export interface InventoryEntry {
  readonly serial: string;
  readonly name: string;
  readonly hardwareId: string;
  readonly isPrimary: boolean;
  /** In the form of metadata. */
  readonly publicKey: Readonly<{
    keytype: string;
    scheme: string;
    keyval: Readonly<{ public: string }>;
  }>;
}

/**
 * @param description bytes of a vehicle description
 * @returns what to register at the Director; an ECU behind a socket is provisioned by itself, and not among them
 * @throws ProvisioningFault, Refusal; the vehicle is not provisioned then
 */
export function provisionVehicle(
  directory: string,
  description: Uint8Array,
  trust: InitialTrust,
): readonly InventoryEntry[] {
  const files = vehicleFiles(directory);
  refuseAgain(files.description);
  const { ecus } = readVehicleDescription(description, 'the vehicle description');
  checkTrust(trust);
  const inventory = ecus
    .filter(({ socket }) => socket === undefined)
    .map(({ serial, name, hardwareId, isPrimary = false }) => {
      const folder = isPrimary ? files.primary : files.ecu(serial);
      const publicKey = provisionEcu(folder, trust, isPrimary);
      return { serial, name, hardwareId, isPrimary, publicKey };
    });
  replaceFile(files.timeKeys, trust.timeKeys);
  replaceFile(files.description, description);
  return inventory;
}

/** As `provisionVehicle`, for a Secondary in a process of its own. */
export function provisionSecondary(
  directory: string,
  description: Uint8Array,
  trust: InitialTrust,
): InventoryEntry {
  const files = secondaryFiles(directory);
  refuseAgain(files.description);
  const { serial, name, hardwareId } = readSecondaryDescription(
    description,
    'the description of the ECU',
  );
  checkTrust(trust);
  const publicKey = provisionEcu(directory, trust, false);
  replaceFile(files.timeKeys, trust.timeKeys);
  replaceFile(files.description, description);
  return { serial, name, hardwareId, isPrimary: false, publicKey };
}

/** A second time would take the memory of versions and releases from it, which guards against going back. */
function refuseAgain(marker: string): void {
  if (!existsSync(marker)) return;
  throw new ProvisioningFault(
    `${marker} exists: it is provisioned already; take the folder away to begin anew`,
  );
}

function checkTrust({ directorRoot, imageRoot, timeKeys }: InitialTrust): void {
  readRoot(directorRoot, { repository: 'director', role: 'root' }, DIRECTOR);
  readRoot(imageRoot, { repository: 'image', role: 'root' }, IMAGE_REPOSITORY);
  timeAuthority(timeKeys, 'the time keys');
}

function provisionEcu(
  folder: string,
  { directorRoot, imageRoot, now }: InitialTrust,
  isPrimary: boolean,
): ListedKey {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const director = join(folder, ECU_FILES.director);
  const image = join(folder, ECU_FILES.image);
  const stores = isPrimary
    ? [
        new PrimaryStore('director', DIRECTOR, director),
        new PrimaryStore('image', IMAGE_REPOSITORY, image),
      ]
    : [new FileMetadataStore(director), new FileMetadataStore(image)];
  stores[0]?.write('root', directorRoot);
  stores[1]?.write('root', imageRoot);
  writeFloor(join(folder, ECU_FILES.time), now);
  return createEcuKey(join(folder, KEY_FILE)).key;
}
