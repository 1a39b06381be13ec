/**
 * The main job on one machine: the adapter on its embedded default, a simulated fleet, and the
 * seed's trigger through the real HTTP interface.
 */
import { readFile } from 'node:fs/promises';
import { type Logger } from 'pino';
import { startAdapter } from '../adapter/index.js';
import { Fleet, type FleetVehicle, fleetOf, registrationLine } from '../fleet/index.js';
import { type CarOtaServerEvent } from '../protocol/index.js';
import { nextFreePort } from './free-port.js';
import { type ProgressShown } from './progress-view.js';
import { SEED_TRIGGER } from './seed-trigger.js';

export interface QuickstartOptions {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly dataDir: string;
  readonly vehicles: number;
  readonly seed: number;
  /** How many simulated seconds pass in a real one. */
  readonly speed: number;
  /** Tells the user what he should know on the way. */
  readonly tell: (line: string) => void;
}

export interface Quickstart {
  readonly httpUrl: string;
  readonly mqttUrl: string;
  readonly token: string;
  /** VINs of the fleet, the seed's first. */
  readonly vins: readonly string[];
  /** The operations that were triggered. */
  readonly refIds: readonly string[];
  progress(): Promise<ProgressShown[]>;
  stop(): Promise<void>;
}

export async function startQuickstart(
  options: QuickstartOptions,
  log: Logger,
): Promise<Quickstart> {
  const ports = await freePorts(options);
  const adapter = await startAdapter({ ...options, ...ports }, log);
  const vehicles = fleetOf(options.vehicles, SEED_TRIGGER.body.vins);
  const fleet = new Fleet({
    vehicles,
    mqttUrl: adapter.mqttUrl,
    seed: options.seed,
    speed: options.speed,
    onError: (vin, error) => log.debug({ vin, err: error }, 'connection of a vehicle'),
  });
  try {
    const token = (await readFile(adapter.tokenFile, 'utf8')).trim();
    const call = caller(adapter.httpUrl, token);
    await register(call, vehicles);
    fleet.start();
    const refIds = await trigger(call, vehicles, options.tell);
    return {
      httpUrl: adapter.httpUrl,
      mqttUrl: adapter.mqttUrl,
      token,
      vins: vehicles.map(({ vin }) => vin),
      refIds,
      progress: () => Promise.all(refIds.map((refId) => operation(call, refId))),
      async stop() {
        await fleet.stop();
        await adapter.stop();
      },
    };
  } catch (error) {
    await fleet.stop();
    await adapter.stop();
    throw error;
  }
}

async function freePorts({ host, httpPort, mqttPort, tell }: QuickstartOptions) {
  const free = {
    httpPort: await nextFreePort(host, httpPort),
    mqttPort: await nextFreePort(host, mqttPort),
  };
  if (free.httpPort !== httpPort) tell(`Port ${httpPort} is taken; HTTP uses ${free.httpPort}.`);
  if (free.mqttPort !== mqttPort) tell(`Port ${mqttPort} is taken; MQTT uses ${free.mqttPort}.`);
  return free;
}

type Call = <T>(method: string, path: string, contentType?: string, body?: string) => Promise<T>;

function caller(url: string, token: string): Call {
  return async <T>(method: string, path: string, contentType?: string, body?: string) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'authorization-token': token,
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
}

async function register(call: Call, vehicles: readonly FleetVehicle[]): Promise<void> {
  const lines = vehicles.map(registrationLine).join('\n');
  await call('POST', '/v1.0/vehicles/import', 'application/x-ndjson', lines);
}

const operation = (call: Call, refId: string) =>
  call<ProgressShown>('GET', `/v1.0/ota/operations/${encodeURIComponent(refId)}`);

/**
 * Triggers the seed's operation, and one for the rest of the fleet. In a data directory that has
 * been used before these are known, and the next ones of their kind are triggered.
 */
async function trigger(
  call: Call,
  vehicles: readonly FleetVehicle[],
  tell: (line: string) => void,
): Promise<string[]> {
  const named = new Set(SEED_TRIGGER.body.vins);
  const rest = vehicles.map(({ vin }) => vin).filter((vin) => !named.has(vin));
  const wholeFleet = { ...SEED_TRIGGER.body, 'ref-id': 'schedule 0910', vins: rest };
  const first = await post(call, SEED_TRIGGER);
  if (first.accepted > 0) {
    if (rest.length === 0) return [first['ref-id']];
    return [first['ref-id'], (await post(call, { ...SEED_TRIGGER, body: wholeFleet }))['ref-id']];
  }
  tell(`'${first['ref-id']}' is known from an earlier run: the same trigger again adds nothing.`);
  const refId = `schedule ${new Date().toISOString().slice(0, 19)}`;
  const vins = vehicles.map(({ vin }) => vin);
  const body = { ...SEED_TRIGGER.body, 'ref-id': refId, vins };
  return [first['ref-id'], (await post(call, { ...SEED_TRIGGER, body }))['ref-id']];
}

const post = (call: Call, event: CarOtaServerEvent) =>
  call<{ 'ref-id': string; accepted: number }>(
    'POST',
    '/v1.0/ota/trigger',
    'application/json',
    JSON.stringify(event),
  );
