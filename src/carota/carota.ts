/** Starts a CarOTA Server and stops it in order. */
import { join, resolve } from 'node:path';
import { type AddressInfo } from 'node:net';
import { type Logger } from 'pino';
import { loggedTo, openStorage, type Storage } from '../service/storage.js';
import { VERSION } from '../service/version.js';
import { type ArtifactStore, DiskStore, openS3Store } from './artifacts/index.js';
import { expireRefusedEvents } from './events/index.js';
import { createCarotaServer } from './http/server.js';
import { CarotaMetrics } from './metrics.js';
import { ownKey } from './own-key.js';
import { AdapterClient, Scheduler } from './schedules/index.js';
import { CAROTA_SCHEMA } from './schema.js';
import { type CarotaSettings } from './settings.js';
import { openSigningKeys } from './signing/index.js';

export interface Carota {
  readonly httpUrl: string;
  readonly tokenFile: string;
  /** The administrator's token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** What vehicles trust, where the signing keys are of our own making. */
  readonly trustAnchorFile: string | undefined;
  stop(): Promise<void>;
}

const URL_TTL_SECONDS = 24 * 60 * 60;
const UPKEEP_MS = 10 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @throws BadSettings, DataDirectoryInUse, DatabaseError, ForeignDatabase, WrongClock, BadSigningKeys; Error with code EADDRINUSE where the port
 *   is taken
 */
export async function startCarota(settings: CarotaSettings, log: Logger): Promise<Carota> {
  const adapter = new AdapterClient(settings);
  const storage = await openStorage(settings, CAROTA_SCHEMA, loggedTo(log));
  try {
    for (const name of storage.migrated) log.info({ migration: name }, 'migrated');
    const running = await start(settings, adapter, storage, log);
    return {
      ...running,
      tokenFile: storage.tokenFile,
      firstToken: storage.firstToken,
      async stop() {
        await running.stop();
        await storage.close();
      },
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function start(
  settings: CarotaSettings,
  adapter: AdapterClient,
  storage: Storage,
  log: Logger,
) {
  const { database } = storage;
  const clock = storage.clock.now;
  const signer = await openSigningKeys(settings, clock());
  const metrics = new CarotaMetrics(database, storage.clock.offsetSeconds);
  const scheduler = new Scheduler({
    database,
    adapter,
    clock,
    onFailure: (refId, error) => {
      metrics.schedulerFailed();
      log.warn({ schedule: refId, err: error }, 'a schedule waits; trying again');
    },
  });
  const stopping = new AbortController();
  const server = await createCarotaServer({
    database,
    store: await openStore(settings),
    incoming: join(resolve(settings.dataDir), 'incoming'),
    signer,
    urlKey: await ownKey(database, 'artifact-url'),
    urlTtl: settings.urlTtl ?? URL_TTL_SECONDS,
    publicUrl: settings.publicUrl,
    callbackSecrets: settings.callbackSecrets ?? [],
    approval: settings.approval ?? 'none',
    stopping: stopping.signal,
    metrics,
    clock,
    wake: () => scheduler.wake(),
    log,
    version: VERSION,
  });
  await server.listen({ host: settings.host, port: settings.httpPort });
  await scheduler.start();
  const { refusedEventDays: days } = settings;
  const keepUp = async () => {
    if (days !== undefined) await expireRefusedEvents(database, clock() - days * DAY_MS);
  };
  let keepingUp: Promise<void> = Promise.resolve();
  const upkeep = setInterval(() => {
    keepingUp = keepUp().catch((error: unknown) => log.error({ err: error }, 'upkeep failed'));
  }, UPKEEP_MS);
  const { port } = server.server.address() as AddressInfo;
  return {
    httpUrl: `http://${settings.host}:${port}`,
    trustAnchorFile: signer.trustAnchorFile,
    async stop() {
      stopping.abort();
      clearInterval(upkeep);
      await keepingUp;
      await scheduler.stop();
      server.server.closeAllConnections();
      await server.close();
    },
  };
}

async function openStore({
  dataDir,
  s3Url,
  s3Bucket,
  s3Region,
}: CarotaSettings): Promise<ArtifactStore> {
  if (s3Url === undefined || s3Bucket === undefined) {
    return new DiskStore(join(resolve(dataDir), 'artifacts'));
  }
  return openS3Store({ s3Url, s3Bucket, s3Region: s3Region ?? 'us-east-1' });
}
