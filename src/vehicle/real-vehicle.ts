/** A vehicle on this machine: ECUs as files, or a command for real ones, and all data in one directory. */
import { join } from 'node:path';
import { VehicleAgent, type VehicleAgentOptions } from './agent.js';
import { type ClientTls } from './client-tls.js';
import { type CloudLink } from './cloud-link.js';
import { FileConditions } from './file-conditions.js';
import { type VehicleIdentity } from './identity.js';
import { CommandInstaller, type FactorySoftware, fileInstaller } from './installer/index.js';
import { below } from './provisioning/open-ecus.js';
import { FileJournal } from './journal/index.js';
import { MemoryOutbox } from './outbox.js';
import { CarotaAdmission } from './primary/carota-admission.js';
import { CommandReboot, NoReboot } from './reboots.js';
import { type EcuRejection } from './secondary/secondary.js';
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
  /** Directory of the provisioned vehicle: its keys and metadata, journal, downloads and file ECUs. */
  readonly directory: string;
  /** URL of the CarOTA Server. */
  readonly carotaUrl: string;
  /** Absent: the client certificate is enough. */
  readonly carotaToken?: string | undefined;
  /** For `https://` to the CarOTA Server: trusted CAs, and the client certificate. */
  readonly tls?: ClientTls | undefined;
  /** Default: `/uptane/director` of the CarOTA Server. Without the VIN. */
  readonly directorUrl?: string | undefined;
  /** Default: `/uptane/image` of the CarOTA Server. */
  readonly imageUrl?: string | undefined;
  /** Retries while fetching an order. */
  readonly patience?: Patience | undefined;
  readonly consent: Consent;
  /** File with the vehicle's status; without it, no precondition is met. */
  readonly conditions?: Conditions | undefined;
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
  readonly onEcuRejection?: ((refusal: EcuRejection) => void) | undefined;
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
 * @throws ProvisioningFault if it is not provisioned; JournalDamaged
 */
export function openVehicle(options: RealVehicleOptions): RealVehicle {
  const clock = new VehicleClock(Date.now);
  const journal = new FileJournal(join(options.directory, 'journal'));
  const runner = new UpdateRunner({
    equipment: equipmentOf(options, clock),
    model: options.model,
    clock,
    pace: options.pace ?? {},
    ...optional('onOutcome', options.onOutcome),
    ...optional('onSurprise', options.onSurprise),
  });
  const agent = new VehicleAgent({
    identity: options.identity,
    link: options.link,
    otaManager: runner,
    journal,
    outbox: new MemoryOutbox(),
    clock,
    ...optional('onRefused', options.onRefused),
    ...optional('onBroken', options.onBroken),
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

function optional<Name extends string, Listener>(name: Name, listener: Listener | undefined) {
  return (listener === undefined ? {} : { [name]: listener }) as Partial<Record<Name, Listener>>;
}

function equipmentOf(options: RealVehicleOptions, clock: VehicleClock): Equipment {
  const { rebootCommand } = options;
  return {
    ...uptaneEquipment({
      ...options,
      vin: options.identity.vin,
      directorUrl: addressOf(options.directorUrl, options.carotaUrl, 'director'),
      imageUrl: addressOf(options.imageUrl, options.carotaUrl, 'image'),
      localInstaller: (ecus) => localInstaller(options, ecus),
      clock,
    }),
    admission: new CarotaAdmission({
      url: options.carotaUrl,
      token: options.carotaToken,
      tls: options.tls,
      vin: options.identity.vin,
      pauseMs: options.patience?.pauseMs,
    }),
    consent: options.consent,
    conditions: options.conditions ?? new FileConditions(undefined, 'UTC'),
    reboot: rebootCommand === undefined ? new NoReboot() : new CommandReboot(rebootCommand),
  };
}

const addressOf = (url: string | undefined, carotaUrl: string, repository: string): URL =>
  url === undefined ? below(new URL(carotaUrl), `uptane/${repository}`) : new URL(url);

function localInstaller(options: RealVehicleOptions, ecus: readonly FactorySoftware[]): Installer {
  const { directory, installerCommand, healthCommand } = options;
  return installerCommand === undefined
    ? fileInstaller({ directory: join(directory, 'ecus'), ecus, healthCommand })
    : new CommandInstaller(installerCommand);
}
