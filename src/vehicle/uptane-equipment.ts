/** The equipment of a vehicle that trusts by Uptane: what is ordered, where images are, and ECUs that verify. */
import { join } from 'node:path';
import { imagePath } from '../uptane/urls.js';
import { type FactorySoftware } from './installer/index.js';
import { HttpDownloads } from './download/index.js';
import { EcuInstaller } from './primary/ecu-installer.js';
import { UptaneScriptSource } from './primary/uptane-script-source.js';
import { openPrimary } from './provisioning/open-ecus.js';
import { DownloadFailed, type Equipment, type Installer } from './update/index.js';
import { type VehicleClock } from './vehicle-clock.js';

export interface UptaneEquipmentOptions {
  readonly vin: string;
  /** Of the vehicle, provisioned. */
  readonly directory: string;
  /** Without the VIN. */
  readonly directorUrl: URL;
  readonly imageUrl: URL;
  readonly carotaToken: string;
  readonly bytesPerSecond?: number | undefined;
  readonly clock: VehicleClock;
  /** Of the ECUs that share the Primary's hardware. */
  readonly localInstaller: (ecus: readonly FactorySoftware[]) => Installer;
  readonly onDistrust?: ((refusal: Error) => void) | undefined;
}

/** @throws ProvisioningFault */
export function uptaneEquipment(
  options: UptaneEquipmentOptions,
): Pick<Equipment, 'scripts' | 'downloads' | 'installer'> {
  const { directory, directorUrl, imageUrl, clock } = options;
  const headers = { 'authorization-token': options.carotaToken };
  const opened = openPrimary({
    vin: options.vin,
    directory,
    directorUrl,
    imageUrl,
    headers,
    installerOf: (local) =>
      options.localInstaller(
        local.flatMap(({ name, version }) => (version === undefined ? [] : [{ ecu: name, version }])),
      ),
    onTime: (time) => clock.attest(time),
    onRefused: options.onDistrust,
  });
  clock.notBefore(opened.floor);
  const byName = opened.secondaries.map(({ identity: { name, serial }, secondary }) => ({
    ...{ name, serial, secondary },
  }));
  return {
    scripts: new UptaneScriptSource({
      primary: opened.primary,
      serialOf: new Map(byName.map(({ name, serial }) => [name, serial])),
    }),
    downloads: new HttpDownloads({
      directory: join(directory, 'downloads'),
      locate: (wanted) => Promise.resolve(imageAddress(imageUrl, wanted.image)),
      headers: imageUrl.origin === directorUrl.origin ? headers : {},
      bytesPerSecond: options.bytesPerSecond,
    }),
    installer: new EcuInstaller(new Map(byName.map(({ name, secondary }) => [name, secondary]))),
  };
}

/** @throws DownloadFailed for an image that no verified metadata describe */
function imageAddress(imageUrl: URL, image: { path: string; length: number; hashes: Readonly<Record<string, string>> } | undefined): string {
  if (image === undefined) throw new DownloadFailed('no verified metadata describe the image');
  const { path, length, hashes } = image;
  const file = imagePath({ path, length, hashes: new Map(Object.entries(hashes)), custom: undefined });
  return `${imageUrl.href.replace(/\/$/, '')}/targets/${file}`;
}
