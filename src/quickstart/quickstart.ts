/**
 * The whole loop on one machine: CarOTA Server and adapter on their embedded defaults, a simulated fleet, a few full
 * vehicle agents, the seed's trigger, and two schedules, all through the real interfaces.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger } from 'pino';
import { type Adapter, startAdapter } from '../adapter/index.js';
import { type Carota, startCarota } from '../carota/index.js';
import {
  type Operation,
  operationApi,
  registryApi,
  triggerApi,
} from '../contract/adapter-api/index.js';
import { carotaTokenApi, type SchedulePlan, vehicleApi } from '../contract/carota-api/index.js';
import { ApiError, Client } from '../contract/index.js';
import { Fleet, type FleetVehicle, fleetOf, registrationLine } from '../fleet/index.js';
import { isOver, release, schedule } from './campaign.js';
import { anyFreePort, nextFreePort } from './free-port.js';
import { startRealVehicles } from './real-vehicles.js';
import { SEED_TRIGGER } from './seed-trigger.js';

export interface QuickstartOptions {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly carotaPort: number;
  readonly dataDir: string;
  readonly vehicles: number;
  readonly seed: number;
  /** How many simulated seconds pass in a real one. */
  readonly speed: number;
  /** Progress messages. */
  readonly tell: (line: string) => void;
}

export interface Quickstart {
  readonly httpUrl: string;
  readonly mqttUrl: string;
  readonly token: string;
  readonly carotaUrl: string;
  readonly carotaToken: string;
  /** VINs of the fleet, the seed's first. */
  readonly vins: readonly string[];
  /** The operations that were triggered or planned. */
  readonly refIds: readonly string[];
  /** How many vehicles are full agents. */
  readonly realVehicles: number;
  /** Of each operation that the adapter has. */
  progress(): Promise<Operation[]>;
  /** Whether every vehicle has finished and no wave is to come. */
  isOver(progress: readonly Operation[]): Promise<boolean>;
  stop(): Promise<void>;
}

export async function startQuickstart(
  options: QuickstartOptions,
  log: Logger,
): Promise<Quickstart> {
  const ports = await freePorts(options);
  const servers = await startServers(options, ports, log);
  const { adapter, carota, toAdapter, toCarota } = servers;
  const { tell } = options;
  const vehicles = fleetOf(options.vehicles + REAL_VEHICLES, SEED_TRIGGER.body.vins);
  const simulated = vehicles.slice(0, options.vehicles);
  const real = vehicles.slice(options.vehicles);
  const fleet = new Fleet({
    vehicles: simulated,
    mqttUrl: adapter.mqttUrl,
    seed: options.seed,
    speed: options.speed,
    onError: (vin, error) => log.debug({ vin, err: error }, 'connection of a vehicle'),
  });
  let agents: { stop(): Promise<void> } | undefined;
  const stop = async () => {
    await Promise.all([fleet.stop(), agents?.stop()]);
    await Promise.all([adapter.stop(), carota.stop()]);
  };
  try {
    tell(`Registering ${vehicles.length} vehicles …`);
    await register(toAdapter, vehicles);
    tell(`Starting ${simulated.length} simulated vehicles and ${real.length} full agents …`);
    fleet.start();
    agents = startRealVehicles({
      vehicles: real,
      mqttUrl: adapter.mqttUrl,
      carotaUrl: carota.httpUrl,
      carotaToken: await vehicleToken(toCarota),
      trustAnchorFile: carota.trustAnchorFile ?? '',
      directory: join(options.dataDir, 'vehicles'),
      log,
    });
    await makeKnown(toCarota, simulated, 'simulated');
    await makeKnown(toCarota, real, 'agent');
    tell('Triggering the first operation and planning two schedules …');
    const triggered = await trigger(toAdapter, tell);
    const planned = await plan(toCarota, triggered.isFirst, simulated, real);
    const refIds = [triggered.refId, ...planned];
    return {
      httpUrl: adapter.httpUrl,
      mqttUrl: adapter.mqttUrl,
      token: servers.adapterToken,
      carotaUrl: carota.httpUrl,
      carotaToken: servers.carotaToken,
      vins: simulated.map(({ vin }) => vin),
      refIds,
      realVehicles: real.length,
      async progress() {
        const all = await Promise.all(refIds.map((refId) => operation(toAdapter, refId)));
        return all.filter((one) => one !== undefined);
      },
      async isOver(progress) {
        if (progress.length < refIds.length) return false;
        const over = await Promise.all(planned.map((refId) => isOver(toCarota, refId)));
        return (
          over.every(Boolean) && progress.every(({ vehicles: all, finished }) => finished === all)
        );
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Full agents, beside the simulated fleet. */
const REAL_VEHICLES = 4;

/** Adapter and CarOTA Server, each with a token for the other's interface, the call-back between them. */
async function startServers(
  options: QuickstartOptions,
  ports: Awaited<ReturnType<typeof freePorts>>,
  log: Logger,
) {
  const { host, dataDir, tell } = options;
  tell('Starting the OTA Adapter with its database and its broker …');
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const adapter: Adapter = await startAdapter(
    {
      ...options,
      httpPort: ports.httpPort,
      mqttPort: ports.mqttPort,
      callbackUrl: `http://${host}:${ports.carotaPort}/v1.0/ota/events`,
      callbackSecret: secret,
      // This machine's own addresses: the CarOTA Server is on it.
      callbackAllow: ['127.0.0.0/8'],
    },
    log,
  );
  try {
    tell('Starting the CarOTA Server with its database …');
    const adapterToken = (await readFile(adapter.tokenFile, 'utf8')).trim();
    const carota: Carota = await startCarota(
      {
        host,
        httpPort: ports.carotaPort,
        dataDir: join(dataDir, 'carota'),
        adapterUrl: adapter.httpUrl,
        adapterToken,
        adapterControlToken: adapterToken,
        callbackSecrets: [secret],
      },
      log,
    );
    const carotaToken = (await readFile(carota.tokenFile, 'utf8')).trim();
    return {
      adapter,
      adapterToken,
      toAdapter: new Client({ url: adapter.httpUrl, token: adapterToken }),
      carota,
      carotaToken,
      toCarota: new Client({ url: carota.httpUrl, token: carotaToken }),
    };
  } catch (error) {
    await adapter.stop();
    throw error;
  }
}

async function freePorts({ host, httpPort, mqttPort, carotaPort, tell }: QuickstartOptions) {
  const free = {
    httpPort: await nextFreePort(host, httpPort),
    mqttPort: await nextFreePort(host, mqttPort),
    // The adapter must know it before the CarOTA Server listens.
    carotaPort: carotaPort === 0 ? await anyFreePort(host) : await nextFreePort(host, carotaPort),
  };
  if (free.httpPort !== httpPort) tell(`Port ${httpPort} is taken; HTTP uses ${free.httpPort}.`);
  if (free.mqttPort !== mqttPort) tell(`Port ${mqttPort} is taken; MQTT uses ${free.mqttPort}.`);
  if (carotaPort !== 0 && free.carotaPort !== carotaPort) {
    tell(`Port ${carotaPort} is taken; the CarOTA Server uses ${free.carotaPort}.`);
  }
  return free;
}

async function vehicleToken(carota: Client): Promise<string> {
  const body = { role: 'vehicle', name: 'vehicles of the quickstart' };
  return (await carota.call(carotaTokenApi.createToken, { body })).token;
}

async function register(adapter: Client, vehicles: readonly FleetVehicle[]): Promise<void> {
  const content = ndjson(vehicles.map(registrationLine));
  await adapter.call(registryApi.importVehicles, { content });
}

/** The CarOTA Server chooses vehicles by what it knows of them; a tag says what kind they are. */
async function makeKnown(
  carota: Client,
  vehicles: readonly FleetVehicle[],
  tag: string,
): Promise<void> {
  const lines = vehicles.map(({ vin, model }) => JSON.stringify({ vin, model, tags: [tag] }));
  await carota.call(vehicleApi.importVehicles, { content: ndjson(lines) });
}

const ndjson = (lines: readonly string[]) => ({
  type: 'application/x-ndjson',
  body: lines.join('\n'),
});

/** Undefined while the adapter has no such operation. */
const operation = (adapter: Client, refId: string) =>
  adapter
    .call(operationApi.getOperation, { params: { 'ref-id': refId } })
    .catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'OPERATION_NOT_FOUND') return undefined;
      throw error;
    });

/** The seed's own trigger, at the adapter. In a data directory that has been used before it adds nothing. */
async function trigger(
  adapter: Client,
  tell: (line: string) => void,
): Promise<{ refId: string; isFirst: boolean }> {
  const { 'ref-id': refId, accepted } = await adapter.call(triggerApi.trigger, {
    body: SEED_TRIGGER,
  });
  if (accepted === 0)
    tell(`'${refId}' is known from an earlier run: the same trigger again adds nothing.`);
  return { refId, isFirst: accepted > 0 };
}

/** Of the software of the full agents, bytes. */
const SOFTWARE_BYTES = 1_500_000;

/**
 * Two schedules at the CarOTA Server: the simulated fleet at once; the full agents canary first, under the guard.
 *
 * @returns their ref-ids
 */
async function plan(
  carota: Client,
  isFirst: boolean,
  simulated: readonly FleetVehicle[],
  real: readonly FleetVehicle[],
): Promise<string[]> {
  const { model, 'script-ref-id': seedScript, vins: seedVins } = SEED_TRIGGER.body;
  // Further runs have further versions: what is installed is not installed again.
  const now = new Date().toISOString().slice(0, 19);
  const version = isFirst ? '1.1.0' : `1.1.${Date.now()}`;
  const realScript = isFirst ? seedScript : `hu only ${now}`;
  const software = new Uint8Array(randomBytes(SOFTWARE_BYTES));
  await release(carota, { scriptRefId: realScript, model, version, software });
  const rest = simulated.map(({ vin }) => vin).filter((vin) => !isFirst || !seedVins.includes(vin));
  const plans: SchedulePlan[] = [
    {
      'ref-id': isFirst ? 'schedule 0910' : `schedule ${now}`,
      'script-ref-id': realScript,
      model,
      vins: rest,
    },
    {
      'ref-id': isFirst ? 'schedule 0911' : `schedule ${now} agents`,
      'script-ref-id': realScript,
      model,
      vins: real.map(({ vin }) => vin),
      waves: [{ vins: real.slice(0, 1).map(({ vin }) => vin) }],
      guard: { maxFailures: 2 },
    },
  ];
  const planned = plans.filter(({ vins = [] }) => vins.length > 0);
  for (const one of planned) await schedule(carota, one);
  return planned.map((one) => one['ref-id']);
}
