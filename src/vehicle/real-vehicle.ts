/** A vehicle on this machine: ECUs as files, or a command for real ones, and all data in one directory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificatesOf } from '../update-script/index.js';
import { VehicleAgent, type VehicleAgentOptions } from './agent.js';
import { type CloudLink } from './cloud-link.js';
import { HttpDownloads } from './download/index.js';
import { FileConditions } from './file-conditions.js';
import { HttpScriptSource } from './http-script-source.js';
import { type VehicleIdentity } from './identity.js';
import { CommandInstaller, type FactorySoftware, fileInstaller } from './installer/index.js';
import { below } from './provisioning/open-ecus.js';
import { FileJournal } from './journal/index.js';
import { MemoryOutbox } from './outbox.js';
import { CommandReboot, NoReboot } from './reboots.js';
import { type Distrust } from './secondary/secondary.js';
import {
  type Conditions,
  type Consent,
  type Equipment,
  type Installer,
  type Pace,
  UpdateRunner,
  type UpdateRunnerOptions,
} from './update/index.js';
import { type Patience, uptaneEquipment } from './uptane-equipment.js';
import { VehicleClock } from './vehicle-clock.js';

/** Identity, connection and equipment of a complete vehicle. */
export interface RealVehicleOptions {
  readonly identity: VehicleIdentity;
  readonly model: string;
  readonly link: CloudLink;
  /** Directory of journal, downloads and file ECUs; created if missing. */
  readonly directory: string;
  /** URL of the CarOTA Server. */
  readonly carotaUrl: string;
  readonly carotaToken: string;
  /** Trust by signed scripts: PEM file with their trust anchors. Without it, the vehicle uses Uptane. */
  readonly trustAnchorFile?: string | undefined;
  /** Default: `/uptane/director` of the CarOTA Server. Without the VIN. */
  readonly directorUrl?: string | undefined;
  /** Default: `/uptane/image` of the CarOTA Server. */
  readonly imageUrl?: string | undefined;
  /** Retries while fetching an order. */
  readonly patience?: Patience | undefined;
  readonly consent: Consent;
  /** File with the vehicle's status; without it, no precondition is met. */
  readonly conditions?: Conditions | undefined;
  /** With signed scripts: name and version of each file ECU; provisioned if missing. */
  readonly ecus?: readonly { readonly ecu: string; readonly version: string }[] | undefined;
  /** For real ECUs: see {@link CommandInstaller}. */
  readonly installerCommand?: string | undefined;
  /** Command that checks the health of a file ECU: `OTAOPS_ECU`, `OTAOPS_VERSION`, `OTAOPS_FILE`. */
  readonly healthCommand?: string | undefined;
  /** Command that restarts the computer. */
  readonly rebootCommand?: string | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly pace?: Partial<Pace> | undefined;
  /** See {@link UpdateRunnerOptions}. */
  readonly onOutcome?: UpdateRunnerOptions['onOutcome'];
  /** See {@link UpdateRunnerOptions}. */
  readonly onSurprise?: UpdateRunnerOptions['onSurprise'];
  /** Called with each refusal of an ECU on this hardware, with its attack, if one is recognised. */
  readonly onDistrust?: ((refusal: Distrust) => void) | undefined;
  /** See {@link VehicleAgentOptions}. */
  readonly onRefused?: VehicleAgentOptions['onRefused'];
  /** See {@link VehicleAgentOptions}. */
  readonly onBroken?: VehicleAgentOptions['onBroken'];
}

/** A complete vehicle. */
export interface RealVehicle {
  readonly agent: VehicleAgent;
  /** Its pause, resume and cancel are for the user. */
  readonly runner: UpdateRunner;
  /** Goes offline, stops the work at the next safe point and closes the journal. */
  stop(): Promise<void>;
}

/**
 * Opens a vehicle, which continues where it was. It is online after `agent.goOnline()`.
 *
 * @throws ProvisioningFault if it is not provisioned; CertificateRefused if the trust anchor cannot be read;
 * JournalDamaged
 */
export function openVehicle(options: RealVehicleOptions): RealVehicle {
  const clock = new VehicleClock(Date.now);
  const journal = new FileJournal(join(options.directory, 'journal'));
  const runner = new UpdateRunner({
    equipment: equipmentOf(options, clock),
    model: options.model,
    clock,
    pace: options.pace ?? {},
    ...heard('onOutcome', options.onOutcome),
    ...heard('onSurprise', options.onSurprise),
  });
  const agent = new VehicleAgent({
    identity: options.identity,
    link: options.link,
    otaManager: runner,
    journal,
    outbox: new MemoryOutbox(),
    clock,
    ...heard('onRefused', options.onRefused),
    ...heard('onBroken', options.onBroken),
  });
  return {
    agent,
    runner,
    async stop() {
      await agent.stop();
      journal.close();
    },
  };
}

function heard<Name extends string, Listener>(name: Name, listener: Listener | undefined) {
  return (listener === undefined ? {} : { [name]: listener }) as Partial<Record<Name, Listener>>;
}

function equipmentOf(options: RealVehicleOptions, clock: VehicleClock): Equipment {
  const { rebootCommand, trustAnchorFile } = options;
  const trusted =
    trustAnchorFile === undefined
      ? uptaneEquipment({
          ...options,
          vin: options.identity.vin,
          directorUrl: addressOf(options.directorUrl, options.carotaUrl, 'director'),
          imageUrl: addressOf(options.imageUrl, options.carotaUrl, 'image'),
          localInstaller: (ecus) => localInstaller(options, ecus),
          clock,
        })
      : signedScriptEquipment(options, trustAnchorFile);
  return {
    ...trusted,
    consent: options.consent,
    conditions: options.conditions ?? new FileConditions(undefined, 'UTC'),
    reboot: rebootCommand === undefined ? new NoReboot() : new CommandReboot(rebootCommand),
  };
}

const addressOf = (url: string | undefined, carotaUrl: string, repository: string): URL =>
  url === undefined ? below(new URL(carotaUrl), `uptane/${repository}`) : new URL(url);

function signedScriptEquipment(
  options: RealVehicleOptions,
  trustAnchorFile: string,
): Pick<Equipment, 'scripts' | 'downloads' | 'installer'> {
  const scripts = new HttpScriptSource({
    url: options.carotaUrl,
    token: options.carotaToken,
    trustAnchors: certificatesOf(readFileSync(trustAnchorFile, 'utf8')),
  });
  return {
    scripts,
    downloads: new HttpDownloads({
      directory: join(options.directory, 'downloads'),
      locate: (...what) => scripts.locate(...what),
      bytesPerSecond: options.bytesPerSecond,
    }),
    installer: localInstaller(options, options.ecus ?? []),
  };
}

function localInstaller(options: RealVehicleOptions, ecus: readonly FactorySoftware[]): Installer {
  const { directory, installerCommand, healthCommand } = options;
  return installerCommand === undefined
    ? fileInstaller({ directory: join(directory, 'ecus'), ecus, healthCommand })
    : new CommandInstaller(installerCommand);
}
