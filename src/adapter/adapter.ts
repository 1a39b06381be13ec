/** The OTA Adapter put together: database, registry, C2DSender, D2C receiver, HTTP interface. */
import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from 'pino';
import {
  asyncApiDocument,
  DEFAULT_C2D_TOPIC,
  DEFAULT_D2C_TOPIC,
  topicTemplate,
} from '../protocol/index.js';
import { C2dSender, DEFAULT_RETRY } from './c2d-sender/index.js';
import { D2cReceiver } from './d2c-receiver/index.js';
import { type Database } from './database/index.js';
import { createHttpServer } from './http/index.js';
import { startMaintenance } from './maintenance.js';
import {
  type LinkHandlers,
  type MessageLink,
  openBrokerLink,
  startEmbeddedBroker,
} from './message-link/index.js';
import { Metrics } from './metrics/index.js';
import { checkVehicleCredential } from './registry/index.js';
import { type AdapterSettings } from './settings.js';
import { openStorage, type Storage } from './storage.js';

export interface Adapter {
  readonly httpUrl: string;
  /** Where vehicles connect to. */
  readonly mqttUrl: string;
  /** File with the administrator's token of the first start. */
  readonly tokenFile: string;
  /** The administrator's token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** Finishes what was taken from vehicles and ends. */
  stop(): Promise<void>;
}

export const VERSION = (createRequire(import.meta.url)('../../package.json') as { version: string })
  .version;

/** How long a stop waits for what was taken to be stored, and for everything together, ms. */
const DRAIN_MS = 7_000;
const STOP_MS = 9_000;
const WEEK_SECONDS = 7 * 24 * 60 * 60;

/**
 * Starts the adapter. Without URLs of real servers it brings its own database and broker.
 *
 * @throws DataDirectoryInUse; DatabaseError where the database cannot be reached or migrated;
 *   Error with code EADDRINUSE where a port is taken
 */
export async function startAdapter(settings: AdapterSettings, log: Logger): Promise<Adapter> {
  // Whatever was opened before a failure is closed again, last one first.
  const opened: Closer[] = [];
  try {
    const storage = await openStorage(settings, (error) => {
      log.warn({ err: error }, 'a connection to the database broke');
    });
    opened.push({ what: 'storage', close: () => storage.close() });
    return await start(settings, storage, opened, log);
  } catch (error) {
    await closeAll(opened, log);
    throw error;
  }
}

async function start(
  settings: AdapterSettings,
  { database, tokenFile, firstToken, migrated }: Storage,
  opened: Closer[],
  log: Logger,
): Promise<Adapter> {
  const clock = Date.now;
  for (const name of migrated) log.info({ migration: name }, 'migrated');
  const c2dTopic = topicTemplate(settings.c2dTopic ?? DEFAULT_C2D_TOPIC);
  const d2cTopic = topicTemplate(settings.d2cTopic ?? DEFAULT_D2C_TOPIC);
  const shards = takeShards();
  const metrics: Metrics = new Metrics({
    database,
    waiting: () => receiver.waiting,
    linkConnected: () => link.isConnected,
  });
  const maintenance = await startMaintenance({
    database,
    clock,
    historyDays: settings.historyDays,
    onFailure: (error) => {
      metrics.failed('maintenance');
      log.error({ err: error }, 'maintenance failed');
    },
  });
  opened.push({ what: 'maintenance', close: () => maintenance.stop() });

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
  const link: MessageLink = await openLink(settings, database, d2cTopic.filter, c2dTopic, {
    onMessage: (received, settle) => receiver.receive(received, settle),
    backpressure: () => receiver.backpressure(),
    onVehicleConnected: (systemId) => sender.vehicleConnected(systemId),
    onUp: () => {
      log.info({ mqtt: link.address }, 'connected to the MQTT broker');
      sender.wake();
    },
    onProblem: (error) => {
      metrics.failed('message-link');
      const severity = settings.mqttUrl === undefined ? 'debug' : 'warn';
      log[severity]({ err: error }, 'a connection was refused or broke');
    },
  });
  opened.push({ what: 'message link', close: () => link.close() });
  const sender: C2dSender = new C2dSender({
    database,
    c2dTopic,
    publish: (message) => link.publish(message),
    isConnected: () => link.isConnected,
    retry: settings.retry ?? DEFAULT_RETRY,
    shards: shards.sender,
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
          c2dTopic: settings.c2dTopic ?? DEFAULT_C2D_TOPIC,
          d2cTopic: settings.d2cTopic ?? DEFAULT_D2C_TOPIC,
        }),
      linkConnected: () => link.isConnected,
      version: VERSION,
    },
    log,
  );
  opened.push({ what: 'HTTP interface', close: () => http.close() });
  await http.listen({ host: settings.host, port: settings.httpPort });
  const { port } = http.server.address() as AddressInfo;
  sender.start();
  log.info({ http: port, mqtt: link.address }, 'the OTA Adapter is ready');

  // What was taken from vehicles is stored before the connections are closed.
  opened.push({ what: 'C2DSender', close: () => sender.stop() });
  opened.push({
    what: 'D2C receiver',
    async close() {
      await link.pause();
      await Promise.race([receiver.drain(), sleep(DRAIN_MS, undefined, { ref: false })]);
      receiver.stop();
    },
  });
  return {
    httpUrl: `http://${settings.host}:${port}`,
    mqttUrl: `${link.protocol}://${link.address}`,
    tokenFile,
    firstToken,
    // Whatever hangs then (a server that does not answer) is left: it holds nothing acknowledged.
    stop: () => Promise.race([closeAll(opened, log), sleep(STOP_MS, undefined, { ref: false })]),
  };
}

async function openLink(
  settings: AdapterSettings,
  database: Database,
  d2cFilter: string,
  c2dTopic: ReturnType<typeof topicTemplate>,
  handlers: LinkHandlers,
): Promise<MessageLink> {
  const { host, httpPort, mqttPort, mqttUrl, mqttSessionExpiry } = settings;
  const clock = Date.now;
  if (mqttUrl === undefined) {
    return startEmbeddedBroker({
      host,
      port: mqttPort,
      c2dTopic,
      clock,
      authenticate: (systemId, credential) =>
        checkVehicleCredential(database, systemId, credential),
      handlers,
    });
  }
  const pem = async (name: 'ca' | 'cert' | 'key', file: string | undefined) =>
    file === undefined ? {} : { [name]: await readFile(file, 'utf8') };
  return openBrokerLink({
    address: {
      url: mqttUrl,
      ...(await pem('ca', settings.mqttCa)),
      ...(await pem('cert', settings.mqttCert)),
      ...(await pem('key', settings.mqttKey)),
    },
    // Stable for one adapter on a host or in a container; with any free port it cannot be.
    instance: settings.instance ?? (httpPort === 0 ? randomUUID() : `${hostname()}-${httpPort}`),
    d2cFilter,
    sessionExpirySeconds: mqttSessionExpiry ?? WEEK_SECONDS,
    database,
    clock,
    handlers,
  });
}

/** A part that was opened, and how it is closed. */
interface Closer {
  readonly what: string;
  readonly close: () => Promise<unknown>;
}

const SLOW_MS = 2_000;

async function closeAll(opened: Closer[], log: Logger): Promise<void> {
  for (const { what, close } of opened.splice(0).reverse()) {
    const slow = setTimeout(() => log.warn({ part: what }, 'takes long to close'), SLOW_MS);
    await close().catch((error: unknown) => log.error({ err: error, part: what }, 'did not close'));
    clearTimeout(slow);
  }
}

/**
 * Counter shards of this process, drawn by chance: two processes with the same one only wait for
 * each other now and then, they do not count wrong.
 */
function takeShards() {
  const first = randomInt(1, 6_000) * 5;
  return { ingest: [first, first + 1], sender: [first + 2, first + 3], http: first + 4 };
}
