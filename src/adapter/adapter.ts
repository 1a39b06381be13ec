/** The OTA Adapter: creates its parts, opens them in order and closes them in reverse order. */
import { setMaxListeners } from 'node:events';
import { type AddressInfo } from 'node:net';
import { type Logger } from 'pino';
import { ROLES } from '../contract/adapter-api/index.js';
import { asyncApiDocument, DEFAULT_C2D_TOPIC, DEFAULT_D2C_TOPIC } from '../contract/index.js';
import { openAudit } from '../service/audit/index.js';
import { ExpiringTokens } from '../service/access/index.js';
import { closeServer } from '../service/http/index.js';
import { openSignInGuards } from '../service/open-sign-in-guards.js';
import { OpenedParts } from '../service/opened.js';
import { loggedTo, openStorage, type Storage } from '../service/storage.js';
import { openSignOn } from '../service/sign-on/index.js';
import {
  checkCertificate,
  fetchTrusting,
  openCertificate,
  trustedAuthorities,
} from '../service/tls/index.js';
import { VERSION } from '../service/version.js';
import { addressGuard, createPoster } from '../service/outgoing/index.js';
import { openSecretBox } from '../service/secrets/index.js';
import { readBrokerTls } from './broker-tls.js';
import { EventStream } from './event-stream/index.js';
import { Heartbeat, Traffic } from './group/index.js';
import { createHttpServer } from './http/index.js';
import { chooseShards, instanceOf } from './identity.js';
import { startMaintenance } from './maintenance.js';
import { type BrokerTls } from './message-link/index.js';
import { createMessagePath, type MessagePath } from './message-path.js';
import { Metrics, type Part } from './metrics/index.js';
import { checkCallBackSettings, openCallBack } from './open-call-back.js';
import { openVehicleTls } from './open-vehicle-tls.js';
import { Summaries } from './operations/index.js';
import { ADAPTER_SCHEMA } from './schema.js';
import { type AdapterSettings } from './settings.js';
import { openTracing, type TracingOptions } from './tracing/index.js';

export interface Adapter {
  readonly httpUrl: string;
  /** Where vehicles connect. */
  readonly mqttUrl: string;
  /** Address for connections to the embedded broker with TLS. */
  readonly mqttsUrl: string | undefined;
  /** File with the initial admin token. */
  readonly tokenFile: string;
  /** The initial admin token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** Stores and acknowledges the messages already received, then stops. */
  stop(): Promise<void>;
}

/**
 * Starts an adapter. Without URLs of real servers it uses its own database and broker.
 *
 * @throws BadSettings; DataDirectoryInUse; WrongClock; DatabaseError where the database cannot be reached or
 *   migrated; Error with code EADDRINUSE where a port is taken
 */
export async function startAdapter(settings: AdapterSettings, log: Logger): Promise<Adapter> {
  checkCallBackSettings(settings);
  await checkCertificate(settings);
  const trust: Trust = {
    ca: await trustedAuthorities(settings.ca),
    brokerTls: await readBrokerTls(settings),
  };
  // On failure, close what was opened, in reverse order.
  const opened = new OpenedParts(log);
  try {
    const storage = await openStorage(settings, ADAPTER_SCHEMA, loggedTo(log));
    opened.add('storage', () => storage.close());
    return await start(settings, trust, storage, opened, log);
  } catch (error) {
    await opened.closeAll();
    throw error;
  }
}

/** Certificates for connections to others. */
interface Trust {
  /** See {@link trustedAuthorities}. */
  readonly ca: string[] | undefined;
  readonly brokerTls: BrokerTls;
}

async function start(
  settings: AdapterSettings,
  { ca, brokerTls }: Trust,
  { database, clock: databaseClock, tokenFile, firstToken, migrated }: Storage,
  opened: OpenedParts,
  log: Logger,
): Promise<Adapter> {
  const clock = databaseClock.now;
  for (const name of migrated) log.info({ migration: name }, 'migrated');
  const instance = instanceOf(settings);
  const shards = chooseShards(database.connections);
  const metrics = new Metrics({
    database: database.requests,
    clock,
    clockOffset: databaseClock.offsetSeconds,
  });
  const failed = (part: Part, message: string) => (error: Error) => {
    metrics.failed(part);
    log.error({ err: error }, message);
  };

  const tracing = await openTracing(tracingOptions(settings, instance));
  opened.add('tracing', () => tracing.stop());
  const audited = {
    name: 'adapter',
    database,
    clock,
    version: VERSION,
    copy: metrics.auditCopy(),
  } as const;
  const audit = await openAudit(settings, audited, opened, log);
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
    onFailure: failed('event-stream', 'events could not be assigned positions; retrying'),
  });
  await stream.start();
  opened.add('event stream', () => stream.stop());
  const box = await openSecretBox(settings, log, 'call-backs');
  const poster = createPoster(addressGuard(settings.callbackAllow ?? []), { ca });
  const callBack = await openCallBack(
    settings,
    { database, stream, poster, metrics, clock, box },
    log,
  );
  opened.add('event call-back', () => callBack.stop());

  const signIns = openSignInGuards(
    { people: settings.signInLimits, vehicles: settings.vehicleSignInLimits },
    {
      database: database.requests,
      clock,
      opened,
      attempts: audit.attempts,
      watching: metrics.signIns(log),
    },
  );
  const vehicleTls = await openVehicleTls(settings, {
    database: database.requests,
    clock,
    opened,
    failed,
    log,
  });
  const expiring = new ExpiringTokens(database.requests, clock, log);
  expiring.start();
  opened.add('expiry of tokens', () => expiring.stop());
  const traffic = new Traffic();
  const path = createMessagePath(settings, {
    database,
    clock,
    instance,
    shards,
    stream,
    traffic,
    signIns: signIns.vehicles,
    vehicleTls,
    brokerTls,
    attempts: audit.attempts,
    metrics,
    tracing,
    log,
    failed,
  });
  const { link, sender, receiver } = path;
  metrics.watch({ link, receiver });
  await path.open();
  opened.add('message link', () => link.close());
  const heartbeat = new Heartbeat({
    database,
    instance,
    clock,
    version: VERSION,
    traffic,
    status: () => statusOf(path),
    onFailure: failed('maintenance', 'the heartbeat could not be recorded; retrying'),
  });
  opened.add('heartbeat', () => heartbeat.stop());

  const certificate = await openCertificate(settings, metrics.certificate(log));
  opened.add('certificate', () => certificate?.close());
  const signOn = openSignOn(settings, {
    hasTls: certificate !== undefined,
    roles: ROLES,
    clock,
    fetch: fetchTrusting(ca),
  });
  const stopping = new AbortController();
  // Each open stream and long poll adds a listener.
  setMaxListeners(0, stopping.signal);
  const http = await createHttpServer(
    {
      database: database.requests,
      reading: database.reading,
      metrics,
      clock,
      log,
      stream,
      tracing,
      shard: shards.http,
      summaries: new Summaries(database.reading, clock),
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
          isEmbedded: settings.mqttUrl === undefined,
          c2dTopic: settings.c2dTopic ?? DEFAULT_C2D_TOPIC,
          d2cTopic: settings.d2cTopic ?? DEFAULT_D2C_TOPIC,
        }),
      linkConnected: () => link.isConnected,
      version: VERSION,
      limits: settings.httpLimits,
      certificate,
      hstsSeconds: settings.hstsSeconds,
      signOn,
      signIns: signIns.people,
      auditKey: audit.key,
      attempts: audit.attempts,
      box,
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
  heartbeat.start();
  log.info({ http: port, mqtt: link.address, instance }, 'the OTA Adapter is ready');

  opened.add('C2DSender', () => sender.stop());
  // First of all on a stop: received messages are stored and acknowledged before connections close.
  opened.add('D2C receiver', () => path.drain());
  return {
    httpUrl: `${certificate ? 'https' : 'http'}://${settings.host}:${port}`,
    mqttUrl: `${link.protocol}://${link.address}`,
    mqttsUrl: link.tlsAddress === undefined ? undefined : `mqtts://${link.tlsAddress}`,
    tokenFile,
    firstToken,
    stop: () => opened.stop(),
  };
}

const statusOf = ({ link, receiver }: MessagePath) => ({
  broker: `${link.protocol}://${link.address}`,
  connected: link.isConnected,
  subscribed: link.isSubscribed,
  waiting: receiver.waiting,
});

function tracingOptions(
  { otlpUrl, traceRatio }: AdapterSettings,
  instance: string,
): TracingOptions | undefined {
  if (otlpUrl === undefined) return undefined;
  return { otlpUrl, ratio: traceRatio ?? 1, instance, version: VERSION };
}
