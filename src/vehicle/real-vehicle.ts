/** A vehicle on this machine: files as ECUs or a command for real ones, and everything kept in one folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  /** Journal, downloads and file ECUs; made if it is not there. */
  readonly directory: string;
  /** Of the CarOTA Server. */
  readonly carotaUrl: string;
  readonly carotaToken: string;
  /** PEM file with the certificates that a script's chain may lead to. */
  readonly trustAnchorFile: string;
  readonly consent: Consent;
  /** Undefined: nothing is known of the vehicle, and no precondition is met. */
  readonly conditions?: Conditions | undefined;
  /** Name and version of each ECU that is a folder; provisioned where it is not there yet. */
  readonly ecus?: readonly { readonly ecu: string; readonly version: string }[] | undefined;
  /** For real ECUs: see {@link CommandInstaller}. */
  readonly installerCommand?: string | undefined;
  /** Proves the health of a file ECU: `OTAOPS_ECU`, `OTAOPS_VERSION`, `OTAOPS_FILE`. */
  readonly healthCommand?: string | undefined;
  /** Restarts the computer that this runs on. */
  readonly rebootCommand?: string | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly pace?: Partial<Pace> | undefined;
  /** Of the update runner. */
  readonly onOutcome?: UpdateRunnerOptions['onOutcome'];
  /** Of the update runner. */
  readonly onSurprise?: UpdateRunnerOptions['onSurprise'];
  /** Of the agent. */
  readonly onRefused?: VehicleAgentOptions['onRefused'];
  /** Of the agent. */
  readonly onBroken?: VehicleAgentOptions['onBroken'];
}

/** A complete vehicle. */
export interface RealVehicle {
  readonly agent: VehicleAgent;
  /** Pause, resume and cancel are the user's. */
  readonly runner: UpdateRunner;
  /** Goes offline, stops the work at the next safe point and closes the journal. */
  stop(): Promise<void>;
}

/**
 * Goes on where it was. It is online after `agent.goOnline()`.
 *
 * @throws CertificateRefused where the trust anchor cannot be read; JournalDamaged
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
            const facts = { OTAOPS_ECU: ecu, OTAOPS_VERSION: version, OTAOPS_FILE: software };
            await runCommand(healthCommand, facts, signal);
          },
        }),
  });
  for (const { ecu, version } of ecus) installer.provision(ecu, version);
  return installer;
}
