/** The OTA Adapter put together: database, registry, C2DSender, D2C receiver, HTTP interface. */
import { randomInt, randomUUID } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from 'pino';
import {
  asyncApiDocument,
  DEFAULT_C2D_TOPIC,
  DEFAULT_D2C_TOPIC,
  topicTemplate,
} from '../contract/index.js';
import { C2dSender, DEFAULT_RETRY } from './c2d-sender/index.js';
import { addressGuard, createPoster } from './call-back/index.js';
import { type BatchRow, D2cReceiver } from './d2c-receiver/index.js';
import { EventStream } from './event-stream/index.js';
import { Pulse } from './group/index.js';
import { createHttpServer } from './http/index.js';
import { logMessage, logSends } from './message-log.js';
import { startMaintenance } from './maintenance.js';
import { type MessageLink } from './message-link/index.js';
import { Metrics, type Part } from './metrics/index.js';
import { checkCallBackSettings, openCallBack } from './open-call-back.js';
import { openLink } from './open-link.js';
import { Summaries } from './operations/index.js';
import { type AdapterSettings } from './settings.js';
import { VERSION } from '../service/version.js';
import { ADAPTER_SCHEMA } from './schema.js';
import { closeServer } from '../service/http/index.js';
import { OpenedParts } from '../service/opened.js';
import { loggedTo, openStorage, type Storage } from '../service/storage.js';
import { openTracing, type TracingOptions } from './tracing/index.js';

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

/** How long a stop waits for what was taken to be stored, ms. */
const DRAIN_MS = 7_000;

/**
 * Starts the adapter. Without URLs of real servers it brings its own database and broker.
 *
 * @throws BadSettings; DataDirectoryInUse; WrongClock; DatabaseError where the database cannot be reached or
 *   migrated; Error with code EADDRINUSE where a port is taken
 */
export async function startAdapter(settings: AdapterSettings, log: Logger): Promise<Adapter> {
  checkCallBackSettings(settings);
  // On failure, close what was opened, in reverse order.
  const opened = new OpenedParts(log);
  try {
    const storage = await openStorage(settings, ADAPTER_SCHEMA, loggedTo(log));
    opened.add('storage', () => storage.close());
    return await start(settings, storage, opened, log);
  } catch (error) {
    await opened.closeAll();
    throw error;
  }
}

async function start(
  settings: AdapterSettings,
  { database, clock: databaseClock, tokenFile, firstToken, migrated }: Storage,
  opened: OpenedParts,
  log: Logger,
): Promise<Adapter> {
  const clock = databaseClock.now;
  for (const name of migrated) log.info({ migration: name }, 'migrated');
  const c2dTopic = topicTemplate(settings.c2dTopic ?? DEFAULT_C2D_TOPIC);
  const d2cTopic = topicTemplate(settings.d2cTopic ?? DEFAULT_D2C_TOPIC);
  const instance = instanceOf(settings);
  const shards = takeShards();
  const metrics: Metrics = new Metrics({
    database,
    clock,
    clockOffset: databaseClock.offsetSeconds,
    waiting: () => receiver.waiting,
    linkConnected: () => link.isConnected,
    isSubscribed: () => link.isSubscribed,
  });
  const failed = (part: Part, message: string) => (error: Error) => {
    metrics.failed(part);
    log.error({ err: error }, message);
  };
  const tracing = await openTracing(tracingOptions(settings, instance));
  opened.add('tracing', () => tracing.stop());
  const maintenance = await startMaintenance({
    database,
    clock,
    shard: shards.http,
    historyDays: settings.historyDays,
    operationDays: settings.operationDays,
    deadLetterDays: settings.deadLetterDays,
    onFailure: failed('maintenance', 'maintenance failed'),
  });
  opened.add('maintenance', () => maintenance.stop());

  const stream = new EventStream({
    database,
    onFailure: failed('event-stream', 'events could not be given their place; trying again'),
  });
  await stream.start();
  opened.add('event stream', () => stream.stop());
  const poster = createPoster(addressGuard(settings.callbackAllow ?? []));
  const callBack = await openCallBack(settings, { database, stream, poster, metrics, clock }, log);
  opened.add('event call-back', () => callBack.stop());

  const receiver: D2cReceiver = new D2cReceiver({
    database,
    d2cTopic,
    shards: database.connections > 1 ? shards.ingest : shards.ingest.slice(0, 1),
    onBatch: (outcome, seconds, rows) => {
      metrics.batchStored(outcome, seconds);
      pulse.received(outcome.received);
      if (outcome.applied > 0) stream.committed();
      for (const row of rows) stored(row);
    },
    onFailure: failed('d2c-receiver', 'messages could not be stored; trying again'),
  });
  // Where nobody tells when a vehicle connects, it is there when something comes from it.
  const hearsOnlyMessages = settings.mqttUrl !== undefined && !settings.mqttPresenceTopic;
  const stored = (row: BatchRow) => {
    logMessage(log, row);
    if (row.kind === 'refused') return;
    if (hearsOnlyMessages) sender.vehicleHeard(row.systemId);
    tracing.stored(row, clock());
  };
  const link: MessageLink = await openLink(settings, {
    database,
    d2cTopic,
    c2dTopic,
    instance,
    clock,
    handlers: {
      onMessage: (received, settle) => receiver.receive(received, settle),
      backpressure: () => receiver.backpressure(),
      onVehicleConnected: (systemId) => sender.vehicleConnected(systemId),
      onUp: () => {
        log.info({ mqtt: link.address }, 'connected to the MQTT broker');
        sender.wake();
      },
      onSubscribed: () => log.info({ mqtt: link.address }, 'reads what vehicles send'),
      onProblem: (error) => {
        metrics.failed('message-link');
        const severity = settings.mqttUrl === undefined ? 'debug' : 'warn';
        log[severity]({ err: error }, 'a connection was refused or broke');
      },
    },
  });
  opened.add('message link', () => link.close());
  const sender: C2dSender = new C2dSender({
    database,
    c2dTopic,
    publish: (message) => link.publish(message),
    isConnected: () => link.isConnected,
    retry: settings.retry ?? DEFAULT_RETRY,
    shards: shards.sender,
    clock,
    traced: tracing.send,
    onSettled: (outcomes) => {
      metrics.triggersSettled(outcomes);
      pulse.triggered(outcomes.filter(({ outcome }) => outcome === 'sent').length);
      logSends(log, outcomes);
    },
    onFailure: failed('c2d-sender', 'triggers could not be sent; trying again'),
  });

  const pulse: Pulse = new Pulse({
    database,
    instance,
    clock,
    version: VERSION,
    now: () => ({
      broker: `${link.protocol}://${link.address}`,
      connected: link.isConnected,
      subscribed: link.isSubscribed,
      waiting: receiver.waiting,
    }),
    onFailure: failed('maintenance', 'the adapter could not say that it is there'),
  });
  opened.add('pulse', () => pulse.stop());

  const stopping = new AbortController();
  const http = await createHttpServer(
    {
      database,
      metrics,
      clock,
      log,
      stream,
      tracing,
      shard: shards.http,
      summaries: new Summaries(database, clock),
      wakeSender: () => sender.wake(),
      ingestOne: async (received) => {
        const outcome = await receiver.ingestOne(received);
        if (outcome.applied > 0) stream.committed();
        return outcome;
      },
      dispatchDefaults: { ttl: settings.triggerTtl, ackRequired: settings.ackRequired ?? true },
      checkCallbackUrl: (url) => poster.check(url),
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
      stopping: stopping.signal,
    },
    log,
  );
  opened.add('HTTP interface', () => {
    stopping.abort();
    return closeServer(http);
  });
  await http.listen({ host: settings.host, port: settings.httpPort });
  const { port } = http.server.address() as AddressInfo;
  sender.start();
  callBack.start();
  pulse.start();
  log.info({ http: port, mqtt: link.address, instance }, 'the OTA Adapter is ready');

  // What was taken from vehicles is stored before the connections are closed.
  opened.add('C2DSender', () => sender.stop());
  opened.add('D2C receiver', async () => {
    await link.pause();
    await Promise.race([receiver.drain(), sleep(DRAIN_MS, undefined, { ref: false })]);
    receiver.stop();
  });
  return {
    httpUrl: `http://${settings.host}:${port}`,
    mqttUrl: `${link.protocol}://${link.address}`,
    tokenFile,
    firstToken,
    // What is left then holds nothing acknowledged.
    stop: () => opened.stop(),
  };
}

/** Stable for one adapter on a host or in a container; with any free port it cannot be. */
function instanceOf({ instance, httpPort }: AdapterSettings): string {
  return instance ?? (httpPort === 0 ? randomUUID() : `${hostname()}-${httpPort}`);
}

function tracingOptions(
  { otlpUrl, traceRatio }: AdapterSettings,
  instance: string,
): TracingOptions | undefined {
  if (otlpUrl === undefined) return undefined;
  return { otlpUrl, ratio: traceRatio ?? 1, instance, version: VERSION };
}

/**
 * Counter shards of this process, drawn by chance: two processes with the same one only wait for
 * each other now and then, they do not count wrong.
 */
function takeShards() {
  const first = randomInt(1, 6_000) * 5;
  return { ingest: [first, first + 1], sender: [first + 2, first + 3], http: first + 4 };
}
