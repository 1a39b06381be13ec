/** A vehicle with real files, a real journal and real verification, whose parts a test may replace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutomaticConsent,
  type Conditions,
  type Consent,
  type Equipment,
  FileInstaller,
  FileJournal,
  HttpDownloads,
  type Installer,
  MemoryOutbox,
  NoReboot,
  type Pace,
  provisionVehicle,
  type SlowestRate,
  UpdateRunner,
  VehicleAgent,
  VehicleClock,
} from '../../../src/vehicle/index.js';
import { uptaneEquipment } from '../../../src/vehicle/uptane-equipment.js';
import { temporaryDirectory } from '../../support/servers.js';
import { type CarotaDouble, describeEcus } from './carota-double.js';
import { IDENTITY, MODEL, PlatformDouble } from './platform-double.js';

export interface TestVehicleOptions {
  readonly carota: CarotaDouble;
  /** Versions by name. */
  readonly ecus?: Readonly<Record<string, string>>;
  readonly consent?: Consent;
  readonly conditions?: Conditions;
  readonly health?: (version: string, signal: AbortSignal) => Promise<void>;
  readonly bytesPerSecond?: number;
  /** Slower transfers are aborted. */
  readonly slowest?: SlowestRate;
  /** Free space on the disk. */
  readonly freeBytes?: () => Promise<number>;
  /** Clock that advances the attested time, in ms. */
  readonly monotonic?: () => number;
  readonly pace?: Partial<Pace>;
  readonly installer?: (real: Installer) => Installer;
  readonly onPhase?: (phase: string, runner: UpdateRunner) => void;
}

export function startVehicle(options: TestVehicleOptions) {
  const { carota, ecus = { HU: '1.0.0' } } = options;
  const directory = temporaryDirectory('vehicle');
  provisionVehicle(directory, describeEcus(ecus), carota.world.trust);
  const installer = new FileInstaller({
    directory: join(directory, 'ecus'),
    ...(options.health
      ? {
          health: ({ version }, signal) => options.health?.(version, signal) ?? Promise.resolve(),
        }
      : {}),
  });
  for (const [ecu, version] of Object.entries(ecus)) installer.provision(ecu, version);
  const clock = new VehicleClock(Date.now, options.monotonic);
  const trusted = uptaneEquipment({
    vin: IDENTITY.vin,
    directory,
    directorUrl: new URL(`${carota.url}/director`),
    imageUrl: new URL(`${carota.url}/image`),
    carotaToken: 'token',
    bytesPerSecond: options.bytesPerSecond,
    patience: { attempts: 3, pauseMs: 5, slowest: options.slowest },
    clock,
    localInstaller: () => installer,
  });
  const equipment: Equipment = {
    ...trusted,
    consent: options.consent ?? new AutomaticConsent(true),
    conditions: options.conditions ?? {
      timeZone: 'UTC',
      read: () => Promise.resolve({ battery: 100, gear: 'park', ignition: 'off' }),
    },
    ...(options.freeBytes
      ? {
          downloads: new HttpDownloads({
            directory: join(directory, 'downloads'),
            locate: () => Promise.reject(new Error('there is no room for it')),
            freeBytes: options.freeBytes,
          }),
        }
      : {}),
    installer: options.installer?.(trusted.installer) ?? trusted.installer,
    reboot: new NoReboot(),
  };
  const runner: UpdateRunner = new UpdateRunner({
    equipment,
    model: MODEL,
    clock,
    pace: { progressSeconds: 0, lookMs: 5, checkSeconds: 60, ...options.pace },
    onOutcome: (phase) => options.onPhase?.(phase, runner),
  });
  const platform = new PlatformDouble();
  const journal = new FileJournal(join(directory, 'journal'));
  const agent = new VehicleAgent({
    identity: IDENTITY,
    link: platform,
    otaManager: runner,
    journal,
    outbox: new MemoryOutbox(),
    clock,
  });
  agent.goOnline();
  return {
    agent,
    runner,
    platform,
    installer,
    directory,
    /** The software that an ECU runs, checked to be intact and healthy. */
    async runs(ecu = 'HU'): Promise<string | undefined> {
      await installer.check(ecu, AbortSignal.timeout(5_000));
      return installer.version(ecu);
    },
    software: (ecu: string, slot: 'a' | 'b') =>
      readFileSync(join(directory, 'ecus', ecu, slot, 'software')),
    /** Sends one trigger and waits until its update has finished and been reported. */
    async update(scriptRefId = 'hu only 001'): Promise<void> {
      platform.trigger(scriptRefId);
      await agent.idle();
    },
    async stop(): Promise<void> {
      await agent.stop();
      journal.close();
    },
  };
}
