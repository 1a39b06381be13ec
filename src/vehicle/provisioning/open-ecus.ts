/** Opens provisioned ECUs: the Primary's parts, and Secondaries in this process or behind their sockets. */
import { join } from 'node:path';
import { type Authority } from '../../uptane/keys/authority.js';
import { type TransferRate } from '../../uptane/limits.js';
import { type Refusal } from '../../uptane/refusal.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../uptane/rules.js';
import { readIfThere } from '../../uptane/store/durable-file.js';
import { HttpFetcher } from '../../uptane/transfer/http-fetcher.js';
import { type ClientTls } from '../client-tls.js';
import { AttestedTime } from '../ecu/attested-time.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';
import { openEcuKey } from '../ecu/ecu-key.js';
import { ImageRecord } from '../ecu/image-record.js';
import { DirectorRequests } from '../primary/director-requests.js';
import { type FittedSecondary, Primary } from '../primary/primary.js';
import { PrimaryStore } from '../primary/primary-store.js';
import { SecondaryLink } from '../secondary/link/secondary-link.js';
import { ECU_FILES, ReferenceSecondary } from '../secondary/reference-secondary.js';
import { type Installer } from '../update/equipment.js';
import {
  type EcuDescription,
  readSecondaryDescription,
  readVehicleDescription,
} from './descriptions.js';
import { KEY_FILE, secondaryFiles, vehicleFiles } from './provision.js';
import { ProvisioningFault } from './provisioning-fault.js';
import { timeAuthority } from './time-keys.js';

export interface UptaneAddresses {
  /** Without the VIN. */
  readonly directorUrl: URL;
  readonly imageUrl: URL;
  /** Sent to the Director with each request, e.g. a credential; to the image repository only on the same origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** As above, the client certificate. */
  readonly tls?: ClientTls | undefined;
}

export interface OpenPrimaryOptions extends UptaneAddresses {
  readonly vin: string;
  readonly directory: string;
  /** Installer of the ECUs that share the Primary's hardware. */
  readonly installerOf: (local: readonly EcuDescription[]) => Installer;
  readonly slowest?: TransferRate | undefined;
  readonly monotonic?: (() => number) | undefined;
  readonly onTime?: ((time: number) => void) | undefined;
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

export interface OpenedPrimary {
  readonly primary: Primary;
  readonly secondaries: readonly FittedSecondary[];
  /** The latest attested time, ms. */
  readonly floor: number;
}

/** @throws ProvisioningFault if the vehicle is not provisioned, or provisioned as another one */
export function openPrimary(options: OpenPrimaryOptions): OpenedPrimary {
  const { vin, directory, directorUrl, imageUrl, headers = {}, tls, monotonic } = options;
  const files = vehicleFiles(directory);
  const vehicle = readVehicleDescription(needed(files.description), files.description);
  if (vehicle.vin !== vin) {
    throw new ProvisioningFault(`${files.description} is for ${vehicle.vin}, not ${vin}`);
  }
  const authority = timeAuthority(needed(files.timeKeys), files.timeKeys);
  const primaryEcu = vehicle.ecus.find(({ isPrimary }) => isPrimary);
  if (!primaryEcu) throw new ProvisioningFault(`${files.description} has no Primary`);
  const others = vehicle.ecus.filter((ecu) => ecu !== primaryEcu);
  const installer = options.installerOf(others.filter(({ socket }) => socket === undefined));
  const secondaries = others.map((ecu) => fitted(ecu, options, installer, authority));
  const time = new AttestedTime({
    path: join(files.primary, ECU_FILES.time),
    authority,
    monotonic,
  });
  const ownDirector = below(directorUrl, encodeURIComponent(vin));
  const isSame = imageUrl.origin === directorUrl.origin;
  const imageHeaders = isSame ? headers : {};
  const certificate = () => tls?.options ?? {};
  const imageTls = isSame ? certificate : undefined;
  const primary = new Primary({
    identity: identityOf(vin, primaryEcu),
    signer: openEcuKey(join(files.primary, KEY_FILE)),
    time,
    record: new ImageRecord(join(files.primary, ECU_FILES.record)),
    secondaries,
    requests: new DirectorRequests({ url: ownDirector, headers, tls }),
    fetchers: {
      director: new HttpFetcher(ownDirector, headers, certificate),
      imageMetadata: new HttpFetcher(below(imageUrl, 'metadata'), imageHeaders, imageTls),
      images: new HttpFetcher(below(imageUrl, 'targets'), imageHeaders, imageTls),
    },
    stores: {
      director: new PrimaryStore('director', DIRECTOR, join(files.primary, ECU_FILES.director)),
      image: new PrimaryStore('image', IMAGE_REPOSITORY, join(files.primary, ECU_FILES.image)),
    },
    slowest: options.slowest,
    onTime: options.onTime,
  });
  return { primary, secondaries, floor: time.now() };
}

function fitted(
  ecu: EcuDescription,
  { vin, directory, monotonic, onRefused }: OpenPrimaryOptions,
  installer: Installer,
  authority: Authority,
): FittedSecondary {
  const identity = identityOf(vin, ecu);
  if (ecu.socket !== undefined) return { identity, secondary: new SecondaryLink(ecu.socket) };
  const folder = vehicleFiles(directory).ecu(ecu.serial);
  const secondary = new ReferenceSecondary({
    identity,
    verification: ecu.verification ?? 'full',
    signer: openEcuKey(join(folder, KEY_FILE)),
    timeAuthority: authority,
    directory: folder,
    installer,
    monotonic,
    onRefused,
  });
  return { identity, secondary };
}

export interface OpenSecondaryOptions {
  readonly directory: string;
  readonly installerOf: (name: string, factoryVersion: string | undefined) => Installer;
  readonly monotonic?: (() => number) | undefined;
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

/** A Secondary in its own process. @throws ProvisioningFault */
export function openSecondary(options: OpenSecondaryOptions): {
  readonly secondary: ReferenceSecondary;
  readonly identity: EcuIdentity;
} {
  const { directory, installerOf, monotonic, onRefused } = options;
  const files = secondaryFiles(directory);
  const ecu = readSecondaryDescription(needed(files.description), files.description);
  const identity = identityOf(ecu.vin, ecu);
  const secondary = new ReferenceSecondary({
    identity,
    verification: ecu.verification ?? 'full',
    signer: openEcuKey(join(directory, KEY_FILE)),
    timeAuthority: timeAuthority(needed(files.timeKeys), files.timeKeys),
    directory,
    installer: installerOf(ecu.name, ecu.version),
    monotonic,
    onRefused,
  });
  return { secondary, identity };
}

const identityOf = (
  vin: string,
  { serial, name, hardwareId }: Pick<EcuDescription, 'serial' | 'name' | 'hardwareId'>,
): EcuIdentity => ({ vin, serial, name, hardwareId });

function needed(path: string): Uint8Array {
  const bytes = readIfThere(path);
  if (bytes !== undefined) return bytes;
  throw new ProvisioningFault(`${path} is missing: it has not been provisioned`);
}

/** A URL below another one, which may or may not end with `/`. */
export function below(url: URL, path: string): URL {
  const base = new URL(url);
  base.pathname = `${base.pathname.replace(/\/$/, '')}/${path}`;
  return base;
}
