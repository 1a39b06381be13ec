/**
 * The whole loop on one machine: CarOTA Server and adapter with their embedded database and broker, a simulated fleet,
 * a few complete vehicle agents, the seed's trigger and two schedules, all through the real interfaces.
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
import { type InitialTrust } from '../vehicle/index.js';
import { isOver, type Release, release, schedule } from './campaign.js';
import { anyFreePort, nextFreePort } from './free-port.js';
import { provisionRealVehicles, startRealVehicles } from './real-vehicles.js';
import { SEED_TRIGGER } from './seed-trigger.js';

export interface QuickstartOptions {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly carotaPort: number;
  readonly dataDir: string;
  readonly vehicles: number;
  readonly seed: number;
  /** Simulated seconds per real second. */
  readonly speed: number;
  /** Progress messages. */
  readonly tell: (line: string) => void;
}

export interface Quickstart {
  readonly httpUrl: string;
  readonly mqttUrl: string;
  readonly token: string;
  /** File that has it. */
  readonly tokenFile: string;
  readonly carotaUrl: string;
  readonly carotaToken: string;
  readonly carotaTokenFile: string;
  /** VINs of the fleet, those of the seed first. */
  readonly vins: readonly string[];
  /** The operations that were triggered or planned. */
  readonly refIds: readonly string[];
  /** Number of complete agents. */
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
  let agents: Promise<{ stop(): Promise<void> }> | undefined;
  let planning: Promise<void> | undefined;
  const stop = async () => {
    await planning?.catch(() => undefined);
    const started = await agents?.catch(() => undefined);
    await Promise.all([fleet.stop(), started?.stop()]);
    await Promise.all([adapter.stop(), carota.stop()]);
  };
  try {
    tell(`Registering ${vehicles.length} vehicles …`);
    await register(toAdapter, vehicles);
    tell(`Starting ${simulated.length} simulated vehicles and ${real.length} full agents …`);
    fleet.start();
    await importVehicles(toCarota, simulated, 'simulated');
    await importVehicles(toCarota, real, 'agent');
    tell('Triggering the first operation and planning two schedules …');
    const triggered = await trigger(toAdapter, tell);
    const plan = planOf(triggered.isFirst, simulated, real);
    // From here on there is progress to show. The agents get their keys in the meantime; triggers for them wait until they
    // are online.
    planning = carryOut(toCarota, plan);
    agents = startAgents(real, join(options.dataDir, 'vehicles'), servers, log);
    const prepared = Promise.all([planning, agents]);
    // `progress` passes the failure on.
    prepared.catch(() => undefined);
    const planned = plan.schedules.map((schedule) => schedule['ref-id']);
    const refIds = [triggered.refId, ...planned];
    return {
      httpUrl: adapter.httpUrl,
      mqttUrl: adapter.mqttUrl,
      token: servers.adapterToken,
      tokenFile: servers.adapterTokenFile,
      carotaUrl: carota.httpUrl,
      carotaToken: servers.carotaToken,
      carotaTokenFile: servers.carotaTokenFile,
      vins: simulated.map(({ vin }) => vin),
      refIds,
      realVehicles: real.length,
      async progress() {
        await failureOf(prepared);
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

/** Complete agents in addition to the simulated fleet. */
const REAL_VEHICLES = 4;

/** Starts adapter and CarOTA Server, each with a token for the other, and the call-back between them. */
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
      // The CarOTA Server runs on this machine.
      callbackAllow: ['127.0.0.0/8'],
    },
    log,
  );
  try {
    tell('Starting the CarOTA Server with its database and trial keys …');
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
      adapterTokenFile: adapter.tokenFile,
      toAdapter: new Client({ url: adapter.httpUrl, token: adapterToken }),
      carota,
      carotaToken,
      carotaTokenFile: carota.tokenFile,
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
    // The adapter needs it before the CarOTA Server listens.
    carotaPort: carotaPort === 0 ? await anyFreePort(host) : await nextFreePort(host, carotaPort),
  };
  if (free.httpPort !== httpPort) tell(`Port ${httpPort} is taken; HTTP uses ${free.httpPort}.`);
  if (free.mqttPort !== mqttPort) tell(`Port ${mqttPort} is taken; MQTT uses ${free.mqttPort}.`);
  if (carotaPort !== 0 && free.carotaPort !== carotaPort) {
    tell(`Port ${carotaPort} is taken; the CarOTA Server uses ${free.carotaPort}.`);
  }
  return free;
}

/** Provisions the complete agents and switches them on. */
async function startAgents(
  vehicles: readonly FleetVehicle[],
  directory: string,
  { adapter, carota, toCarota }: Awaited<ReturnType<typeof startServers>>,
  log: Logger,
): Promise<{ stop(): Promise<void> }> {
  await provisionRealVehicles(vehicles, directory, toCarota, await trustIn(carota));
  return startRealVehicles({
    vehicles,
    mqttUrl: adapter.mqttUrl,
    carotaUrl: carota.httpUrl,
    tokens: await vehicleTokens(toCarota, vehicles),
    directory,
    log,
  });
}

/** Trust anchors for provisioning the vehicles: roots and time keys generated by the CarOTA Server. */
async function trustIn(carota: Carota): Promise<InitialTrust> {
  const { directorRootFile = '', imageRootFile = '', timeKeysFile = '' } = carota;
  return {
    directorRoot: await readFile(directorRootFile),
    imageRoot: await readFile(imageRootFile),
    timeKeys: await readFile(timeKeysFile),
    now: Date.now(),
  };
}

/** Each vehicle has its own, by VIN. */
async function vehicleTokens(
  carota: Client,
  vehicles: readonly FleetVehicle[],
): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const { vin } of vehicles) {
    const body = { role: 'vehicle', name: `quickstart ${vin}`, vin } as const;
    tokens.set(vin, (await carota.call(carotaTokenApi.createToken, { body })).token);
  }
  return tokens;
}

async function register(adapter: Client, vehicles: readonly FleetVehicle[]): Promise<void> {
  const content = ndjson(vehicles.map(registrationLine));
  await adapter.call(registryApi.importVehicles, { content });
}

/** The CarOTA Server selects vehicles by their properties; a tag distinguishes the two kinds. */
async function importVehicles(
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

/** Posts the seed's own trigger to the adapter. In a data directory that was used before, it adds nothing. */
async function trigger(
  adapter: Client,
  tell: (line: string) => void,
): Promise<{ refId: string; isFirst: boolean }> {
  const { 'ref-id': refId, accepted } = await adapter.call(triggerApi.trigger, {
    body: SEED_TRIGGER,
  });
  if (accepted === 0)
    tell(`'${refId}' exists from an earlier run: repeating the trigger adds nothing.`);
  return { refId, isFirst: accepted > 0 };
}

/** Size of the software of the complete agents, bytes. */
const SOFTWARE_BYTES = 1_500_000;

interface Plan {
  readonly release: Release;
  readonly schedules: readonly SchedulePlan[];
}

/** Two schedules: the simulated fleet at once; the complete agents canary first, with a guard. */
function planOf(
  isFirst: boolean,
  simulated: readonly FleetVehicle[],
  real: readonly FleetVehicle[],
): Plan {
  const { model, 'script-ref-id': seedScript, vins: seedVins } = SEED_TRIGGER.body;
  // Each run has new versions, because an installed version is not installed again.
  const now = new Date().toISOString().slice(0, 19);
  const version = isFirst ? '1.1.0' : `1.1.${Date.now()}`;
  const scriptRefId = isFirst ? seedScript : `hu only ${now}`;
  const releaseCounter = isFirst ? 1 : Date.now();
  const software = new Uint8Array(randomBytes(SOFTWARE_BYTES));
  const rest = simulated.map(({ vin }) => vin).filter((vin) => !isFirst || !seedVins.includes(vin));
  const schedules: SchedulePlan[] = [
    {
      'ref-id': isFirst ? 'schedule 0910' : `schedule ${now}`,
      'script-ref-id': scriptRefId,
      model,
      vins: rest,
    },
    {
      'ref-id': isFirst ? 'schedule 0911' : `schedule ${now} agents`,
      'script-ref-id': scriptRefId,
      model,
      vins: real.map(({ vin }) => vin),
      waves: [{ vins: real.slice(0, 1).map(({ vin }) => vin) }],
      guard: { maxFailures: 2, soak: 0 },
    },
  ];
  return {
    release: { scriptRefId, model, version, releaseCounter, software },
    schedules: schedules.filter(({ vins = [] }) => vins.length > 0),
  };
}

async function carryOut(carota: Client, { release: wanted, schedules }: Plan): Promise<void> {
  await release(carota, wanted);
  for (const one of schedules) await schedule(carota, one);
}

/** Rejects if the work has failed by now; does not wait for it. */
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work, Promise.resolve()]);
