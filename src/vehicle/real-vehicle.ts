/** A vehicle on this machine: ECUs as files, or a command for real ones, and all data in one directory. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { certificatesOf } from '../update-script/index.js';
import { VehicleAgent, type VehicleAgentOptions } from './agent.js';
import { type CloudLink } from './cloud-link.js';
import { HttpDownloads } from './download/index.js';
import { FileConditions } from './file-conditions.js';
import { HttpScriptSource } from './http-script-source.js';
import { type VehicleIdentity } from './identity.js';
import { CommandInstaller, FileInstaller, runCommand } from './installer/index.js';
import { FileJournal } from './journal/index.js';
import { MemoryOutbox } from './outbox.js';
import { CommandReboot, NoReboot } from './reboots.js';
import {
  type Conditions,
  type Consent,
  type Equipment,
  type Pace,
  UpdateRunner,
  type UpdateRunnerOptions,
} from './update/index.js';
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
  /** PEM file with the trust anchors of scripts. */
  readonly trustAnchorFile: string;
  readonly consent: Consent;
  /** File with the vehicle's status; without it, no precondition is met. */
  readonly conditions?: Conditions | undefined;
  /** Name and version of each file ECU; provisioned if missing. */
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
  /** See {@link VehicleAgentOptions}. */
  readonly onRefused?: VehicleAgentOptions['onRefused'];
  /** See {@link VehicleAgentOptions}. */
  readonly onBroken?: VehicleAgentOptions['onBroken'];
}

/** A complete vehicle. */
export interface RealVehicle {
  readonly agent: VehicleAgent;
  /** Its pause, resume and cancel belong to the user. */
  readonly runner: UpdateRunner;
  /** Goes offline, stops the work at the next safe point and closes the journal. */
  stop(): Promise<void>;
}

/**
 * Opens a vehicle, which continues where it was. It is online after `agent.goOnline()`.
 *
 * @throws CertificateRefused if the trust anchor cannot be read; JournalDamaged
 */
export function openVehicle(options: RealVehicleOptions): RealVehicle {
  const clock = new VehicleClock(Date.now);
  const journal = new FileJournal(join(options.directory, 'journal'));
  const runner = new UpdateRunner({
    equipment: equipmentOf(options),
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

function equipmentOf(options: RealVehicleOptions): Equipment {
  const { directory, rebootCommand } = options;
  const scripts = new HttpScriptSource({
    url: options.carotaUrl,
    token: options.carotaToken,
    trustAnchors: certificatesOf(readFileSync(options.trustAnchorFile, 'utf8')),
  });
  return {
    scripts,
    consent: options.consent,
    conditions: options.conditions ?? new FileConditions(undefined, 'UTC'),
    downloads: new HttpDownloads({
      directory: join(directory, 'downloads'),
      locate: (...what) => scripts.locate(...what),
      bytesPerSecond: options.bytesPerSecond,
    }),
    installer:
      options.installerCommand === undefined
        ? fileInstaller(options)
        : new CommandInstaller(options.installerCommand),
    reboot: rebootCommand === undefined ? new NoReboot() : new CommandReboot(rebootCommand),
  };
}

function fileInstaller({ directory, ecus = [], healthCommand }: RealVehicleOptions): FileInstaller {
  const installer = new FileInstaller({
    directory: join(directory, 'ecus'),
    ...(healthCommand === undefined
      ? {}
      : {
          health: async ({ ecu, version, software }, signal) => {
            const facts = {
              OTAOPS_ECU: ecu,
              OTAOPS_VERSION: version,
              OTAOPS_FILE: resolve(software),
            };
            await runCommand(healthCommand, facts, signal);
          },
        }),
  });
  for (const { ecu, version } of ecus) installer.provision(ecu, version);
  return installer;
}
