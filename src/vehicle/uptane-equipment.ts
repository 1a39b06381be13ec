/** The equipment of a vehicle with Uptane: orders, downloads, and verifying ECUs. */
import { join } from 'node:path';
import { imagePath } from '../uptane/urls.js';
import { type ClientTls } from './client-tls.js';
import { type FactorySoftware } from './installer/index.js';
import { HttpDownloads, type SlowestRate } from './download/index.js';
import { EcuInstaller } from './primary/ecu-installer.js';
import { UptaneScriptSource } from './primary/uptane-script-source.js';
import { openPrimary } from './provisioning/open-ecus.js';
import {
  DownloadFailed,
  type Equipment,
  type Installer,
  type VerifiedImage,
} from './update/index.js';
import { tlsFetch } from './tls-fetch.js';
import { type VehicleClock } from './vehicle-clock.js';

/** Retries while fetching an order. */
export interface Patience {
  /** Maximum number of cycles, and of download attempts without progress. */
  readonly attempts?: number | undefined;
  /** Pause before the second attempt, ms; doubled before each further one. */
  readonly pauseMs?: number | undefined;
  /** Slower transfers are aborted. */
  readonly slowest?: SlowestRate | undefined;
}

export interface UptaneEquipmentOptions {
  readonly vin: string;
  /** Directory of the provisioned vehicle. */
  readonly directory: string;
  /** Without the VIN. */
  readonly directorUrl: URL;
  readonly imageUrl: URL;
  /** Absent: the client certificate is enough. */
  readonly carotaToken?: string | undefined;
  readonly tls?: ClientTls | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly patience?: Patience | undefined;
  readonly clock: VehicleClock;
  /** Installer of the ECUs that share the Primary's hardware. */
  readonly localInstaller: (ecus: readonly FactorySoftware[]) => Installer;
  readonly onEcuRejection?: ((refusal: Error) => void) | undefined;
}

/** @throws ProvisioningFault */
export function uptaneEquipment(
  options: UptaneEquipmentOptions,
): Pick<Equipment, 'scripts' | 'downloads' | 'installer'> {
  const { directory, directorUrl, imageUrl, clock, carotaToken, tls, patience = {} } = options;
  const headers = carotaToken === undefined ? {} : { 'authorization-token': carotaToken };
  const isSame = imageUrl.origin === directorUrl.origin;
  const opened = openPrimary({
    vin: options.vin,
    directory,
    directorUrl,
    imageUrl,
    headers,
    tls,
    installerOf: (local) =>
      options.localInstaller(
        local.flatMap(({ name, version }) =>
          version === undefined ? [] : [{ ecu: name, version }],
        ),
      ),
    slowest: patience.slowest,
    onTime: (time) => clock.attest(time),
    onRefused: options.onEcuRejection,
  });
  clock.notBefore(opened.floor);
  const ecus = opened.secondaries;
  return {
    scripts: new UptaneScriptSource({
      primary: opened.primary,
      serialOf: new Map(ecus.map(({ identity }) => [identity.name, identity.serial])),
      ...patience,
    }),
    downloads: new HttpDownloads({
      directory: join(directory, 'downloads'),
      locate: (wanted) => Promise.resolve(imageAddress(imageUrl, wanted.image)),
      headers: isSame ? headers : {},
      ...(isSame && tls ? { fetch: tlsFetch(tls) } : {}),
      bytesPerSecond: options.bytesPerSecond,
      ...patience,
    }),
    installer: new EcuInstaller({
      secondaries: new Map(ecus.map(({ identity, secondary }) => [identity.name, secondary])),
      pauseMs: patience.pauseMs,
    }),
  };
}

/** @throws DownloadFailed for an image without verified metadata */
function imageAddress(imageUrl: URL, image: VerifiedImage | undefined): string {
  if (image === undefined) throw new DownloadFailed('no verified metadata describes the image');
  const { path, length, hashes } = image;
  const file = imagePath({
    path,
    length,
    hashes: new Map(Object.entries(hashes)),
    custom: undefined,
  });
  return `${imageUrl.href.replace(/\/$/, '')}/targets/${file}`;
}
