/** A vehicle with real files and a real journal, and a message platform that the test can inspect. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeMessage,
  encodeMessage,
  type MetaField,
  type OtaEvent,
  otaTrigger,
  statusName,
} from '../../../src/contract/index.js';
import {
  AutomaticConsent,
  type CloudLink,
  type CloudLinkHandlers,
  type Conditions,
  type Consent,
  type Equipment,
  FileInstaller,
  FileJournal,
  HttpDownloads,
  type HttpDownloadsOptions,
  HttpScriptSource,
  type Installer,
  MemoryOutbox,
  NoReboot,
  type Pace,
  UpdateRunner,
  VehicleAgent,
  VehicleClock,
} from '../../../src/vehicle/index.js';
import { temporaryDirectory } from '../../support/servers.js';
import { type CarotaDouble } from './carota-double.js';

export const IDENTITY = {
  vin: '5YJSA1E40FF345678',
  systemId: 'c2c-sys-5YJSA1E40FF345678',
  deviceId: 'device1234',
  ecuType: 'TCU',
};
export const MODEL = 'vehicle model a';
const REF_ID = 'schedule 0909';

/** Records a vehicle's messages, and acknowledges them while it is up. */
export class PlatformDouble implements CloudLink {
  readonly messages: ReturnType<typeof decoded>[] = [];
  isUp = false;
  #handlers: CloudLinkHandlers | undefined;

  open(handlers: CloudLinkHandlers): void {
    this.#handlers = handlers;
    this.isUp = true;
    handlers.onUp();
  }

  publish(payload: Buffer): Promise<void> {
    this.messages.push(decoded(payload));
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isUp = false;
    return Promise.resolve();
  }

  /** @param time ms @param ttl seconds */
  trigger(
    scriptRefId: string,
    triggerId: string = crypto.randomUUID(),
    time = Date.now(),
    ttl = -1,
  ): void {
    this.#handlers?.onMessage(triggerOf(scriptRefId, triggerId, time, ttl));
  }

  get events(): OtaEvent[] {
    return this.messages.filter((message) => message.message_type === 'OTA_EVENT');
  }

  /** Without progress events. */
  get statuses(): string[] {
    const names = this.events.map(({ body }) => statusName(body.status));
    return names.filter((name) => name !== 'downloading');
  }

  meta(key = 'reason'): string | undefined {
    return metaOf(this.events.at(-1)?.body.meta ?? [], key);
  }
}

export const metaOf = (meta: readonly MetaField[], key: string) =>
  meta.find((field) => field.key === key)?.value;

export function triggerOf(
  scriptRefId: string,
  triggerId: string,
  time = Date.now(),
  ttl = -1,
): Buffer {
  const { vin } = IDENTITY;
  return encodeMessage(
    otaTrigger({
      ...IDENTITY,
      triggerId,
      time,
      ttl,
      ackRequired: true,
      body: { model: MODEL, 'ref-id': REF_ID, 'script-ref-id': scriptRefId, vin },
    }),
  );
}

function decoded(payload: Uint8Array) {
  const result = decodeMessage(payload);
  if (!result.ok) throw new Error(`the vehicle sent ${result.fault.code} ${result.fault.path}`);
  return result.value;
}

export interface TestVehicleOptions {
  readonly carota: CarotaDouble;
  readonly directory?: string;
  readonly ecus?: Readonly<Record<string, string>>;
  readonly consent?: Consent;
  readonly conditions?: Conditions;
  readonly health?: (version: string) => Promise<void>;
  readonly downloads?: Partial<HttpDownloadsOptions>;
  readonly clock?: () => number;
  readonly pace?: Partial<Pace>;
  readonly installer?: (real: Installer) => Installer;
  readonly onPhase?: (phase: string, runner: UpdateRunner) => void;
}

export function startVehicle(options: TestVehicleOptions) {
  const { carota, directory = temporaryDirectory('vehicle') } = options;
  mkdirSync(directory, { recursive: true });
  const installer = new FileInstaller({
    directory: join(directory, 'ecus'),
    ...(options.health
      ? { health: ({ version }) => options.health?.(version) ?? Promise.resolve() }
      : {}),
  });
  for (const [ecu, version] of Object.entries(options.ecus ?? { HU: '1.0.0' })) {
    installer.provision(ecu, version);
  }
  const scripts = new HttpScriptSource({
    url: carota.url,
    token: 'token',
    trustAnchors: [carota.anchor.certificate],
    attempts: 3,
    pauseMs: 5,
  });
  const equipment: Equipment = {
    scripts,
    consent: options.consent ?? new AutomaticConsent(true),
    conditions: options.conditions ?? {
      timeZone: 'UTC',
      read: () => Promise.resolve({ battery: 100, gear: 'park', ignition: 'off' }),
    },
    downloads: new HttpDownloads({
      directory: join(directory, 'downloads'),
      locate: (...what) => scripts.locate(...what),
      attempts: 3,
      pauseMs: 5,
      stallSeconds: 0.2,
      ...options.downloads,
    }),
    installer: options.installer?.(installer) ?? installer,
    reboot: new NoReboot(),
  };
  const clock = new VehicleClock(options.clock ?? Date.now);
  const runner: UpdateRunner = new UpdateRunner({
    equipment,
    model: MODEL,
    clock,
    pace: { progressSeconds: 0, lookMs: 5, checkSeconds: 2, ...options.pace },
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
    /** One trigger, until its update has finished and been reported. */
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
