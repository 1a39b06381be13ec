/** The OTA Adapter put together: database, registry, C2DSender, D2C receiver, HTTP interface. */
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo } from 'node:net';
import { type Logger } from 'pino';
import {
  asyncApiDocument,
  DEFAULT_C2D_TOPIC,
  DEFAULT_D2C_TOPIC,
  topicTemplate,
} from '../protocol/index.js';
import { createFirstToken } from './access/index.js';
import { C2dSender, DEFAULT_RETRY, type RetryPolicy } from './c2d-sender/index.js';
import { D2cReceiver } from './d2c-receiver/index.js';
import {
  type Database,
  type DataDirectory,
  migrate,
  openDataDirectory,
  openEmbedded,
} from './database/index.js';
import { createHttpServer } from './http/index.js';
import { startMaintenance } from './maintenance.js';
import { type MessageLink, startEmbeddedBroker } from './message-link/index.js';
import { Metrics } from './metrics/index.js';
import { checkVehicleCredential } from './registry/index.js';

export interface AdapterSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly httpPort: number;
  /** Of the embedded broker; 0: any free port. */
  readonly mqttPort: number;
  readonly dataDir: string;
  readonly c2dTopic?: string;
  readonly d2cTopic?: string;
  readonly retry?: RetryPolicy;
}

export interface Adapter {
  readonly httpUrl: string;
  readonly mqttAddress: string;
  /** File with the administrator's token of the first start. */
  readonly tokenFile: string;
  /** The administrator's token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** Finishes what was taken from vehicles and ends. */
  stop(): Promise<void>;
}

export const VERSION = (createRequire(import.meta.url)('../../package.json') as { version: string })
  .version;

/** How long a stop waits for what was taken to be stored, ms. */
const DRAIN_MS = 8_000;

/**
 * Starts the adapter on the embedded database and broker.
 *
 * @throws DataDirectoryInUse; Error with code EADDRINUSE where a port is taken
 */
export async function startAdapter(settings: AdapterSettings, log: Logger): Promise<Adapter> {
  // Whatever was opened before a failure is closed again, last one first.
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const directory = await openDataDirectory(settings.dataDir);
    opened.push(() => directory.release());
    const database = await openEmbedded(directory.database);
    opened.push(() => database.close());
    return await start(settings, directory, database, opened, log);
  } catch (error) {
    await closeAll(opened, log);
    throw error;
  }
}

async function start(
  settings: AdapterSettings,
  directory: DataDirectory,
  database: Database,
  opened: (() => Promise<unknown>)[],
  log: Logger,
): Promise<Adapter> {
  const clock = Date.now;
  for (const name of await migrate(database)) log.info({ migration: name }, 'migrated');
  const firstToken = await createFirstToken(database, clock());
  if (firstToken !== undefined) {
    await writeFile(directory.token, `${firstToken}\n`, { mode: 0o600 });
  }
  const maintenance = await startMaintenance(database, clock, (error) => {
    metrics.failed('maintenance');
    log.error({ err: error }, 'maintenance failed');
  });
  opened.push(() => maintenance.stop());

  const c2dTopic = topicTemplate(settings.c2dTopic ?? DEFAULT_C2D_TOPIC);
  const d2cTopic = topicTemplate(settings.d2cTopic ?? DEFAULT_D2C_TOPIC);
  const shards = takeShards();
  const metrics: Metrics = new Metrics({
    database,
    waiting: () => receiver.waiting,
    linkConnected: () => link.isConnected,
  });
  const receiver: D2cReceiver = new D2cReceiver({
    database,
    d2cTopic,
    shards: database.connections > 1 ? shards.ingest : shards.ingest.slice(0, 1),
    onBatch: (outcome, seconds) => metrics.batchStored(outcome, seconds),
    onFailure: (error) => {
      metrics.failed('d2c-receiver');
      log.error({ err: error }, 'messages could not be stored; trying again');
    },
  });
  const link: MessageLink = await startEmbeddedBroker({
    host: settings.host,
    port: settings.mqttPort,
    c2dTopic,
    clock,
    authenticate: (systemId, credential) => checkVehicleCredential(database, systemId, credential),
    handlers: {
      onMessage: (received, settle) => receiver.receive(received, settle),
      onVehicleConnected: (systemId) => sender.vehicleConnected(systemId),
      onProblem: (error) => {
        metrics.failed('message-link');
        log.debug({ err: error }, 'a vehicle’s connection was refused or broke');
      },
    },
  });
  opened.push(() => link.close());
  const sender: C2dSender = new C2dSender({
    database,
    c2dTopic,
    publish: (message) => link.publish(message),
    retry: settings.retry ?? DEFAULT_RETRY,
    shard: shards.sender,
    clock,
    onSettled: (outcomes) => metrics.triggersSettled(outcomes),
    onFailure: (error) => {
      metrics.failed('c2d-sender');
      log.error({ err: error }, 'triggers could not be sent; trying again');
    },
  });

  const http = await createHttpServer(
    {
      database,
      metrics,
      clock,
      shard: shards.http,
      wakeSender: () => sender.wake(),
      ingestOne: (received) => receiver.ingestOne(received),
      asyncApi: () =>
        asyncApiDocument({
          version: VERSION,
          host: link.address,
          protocol: link.protocol,
          ...(settings.c2dTopic === undefined ? {} : { c2dTopic: settings.c2dTopic }),
          ...(settings.d2cTopic === undefined ? {} : { d2cTopic: settings.d2cTopic }),
        }),
      linkConnected: () => link.isConnected,
      version: VERSION,
    },
    log,
  );
  opened.push(() => http.close());
  await http.listen({ host: settings.host, port: settings.httpPort });
  const { port } = http.server.address() as AddressInfo;
  sender.start();
  log.info({ http: port, mqtt: link.address }, 'the OTA Adapter is ready');

  // What was taken from vehicles is stored before the connections are closed.
  opened.push(async () => {
    await sender.stop();
    await link.pause();
    await Promise.race([
      receiver.drain(),
      new Promise((done) => setTimeout(done, DRAIN_MS).unref()),
    ]);
    receiver.stop();
  });
  return {
    httpUrl: `http://${settings.host}:${port}`,
    mqttAddress: link.address,
    tokenFile: directory.token,
    firstToken,
    stop: () => closeAll(opened, log),
  };
}

async function closeAll(opened: (() => Promise<unknown>)[], log: Logger): Promise<void> {
  for (const close of opened.splice(0).reverse()) {
    await close().catch((error: unknown) => log.error({ err: error }, 'could not close'));
  }
}

/**
 * Counter shards of this process, drawn by chance: two processes with the same one only wait for
 * each other now and then, they do not count wrong.
 */
function takeShards() {
  const first = randomInt(1, 8_000) * 4;
  return { ingest: [first, first + 1], sender: first + 2, http: first + 3 };
}
