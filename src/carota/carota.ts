/** The CarOTA Server: creates its parts, opens them in order and closes them in reverse order. */
import { setMaxListeners } from 'node:events';
import { type AddressInfo } from 'node:net';
import { type Logger } from 'pino';
import { CAROTA_ROLES } from '../contract/carota-api/index.js';
import { ExpiringTokens, VEHICLE_ROLE } from '../service/access/index.js';
import { openAudit } from '../service/audit/index.js';
import { openSealKey } from '../service/chain/index.js';
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
import { askTimeStamp } from '../service/time-stamp/index.js';
import { VERSION } from '../service/version.js';
import { createCarotaServer } from './http/server.js';
import { keepFresh, openImageRepository } from './image-repository/index.js';
import { CarotaMetrics } from './metrics.js';
import { openArtifacts, openPublicBucket } from './open-artifacts.js';
import { openDirector } from './open-director.js';
import { openNotifications } from './open-notifications.js';
import { createScheduling } from './create-scheduling.js';
import { openVehicleDoor } from './open-vehicle-door.js';
import { AdapterClient } from './schedules/index.js';
import { CAROTA_SCHEMA } from './schema.js';
import { type CarotaSettings } from './settings.js';
import { startUpkeep } from './upkeep.js';

export interface Carota {
  readonly httpUrl: string;
  /** Where vehicles call with client certificates. */
  readonly vehicleUrl: string | undefined;
  readonly tokenFile: string;
  /** The initial admin token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** The image repository's root, if its keys were generated here. */
  readonly imageRootFile: string | undefined;
  /** The Director's root, if its keys were generated here. */
  readonly directorRootFile: string | undefined;
  /** The keys that sign the time, if they were generated here. */
  readonly timeKeysFile: string | undefined;
  stop(): Promise<void>;
}

const DEFAULT_VEHICLE_PORT = 8443;

/**
 * @throws BadSettings, DataDirectoryInUse, DatabaseError, ForeignDatabase, WrongClock, BadDirectorKeys, RepositoryFault, KeyFileFault;
 *   Error with code EADDRINUSE where the port is taken
 */
export async function startCarota(settings: CarotaSettings, log: Logger): Promise<Carota> {
  await checkCertificate(settings);
  const fetch = fetchTrusting(await trustedAuthorities(settings.ca));
  const adapter = new AdapterClient(settings, fetch);
  const opened = new OpenedParts(log);
  try {
    const storage = await openStorage(settings, CAROTA_SCHEMA, loggedTo(log));
    opened.add('storage', () => storage.close());
    return await start(settings, { adapter, fetch }, storage, opened, log);
  } catch (error) {
    await opened.closeAll();
    throw error;
  }
}

/** How this server calls others. */
interface Outgoing {
  readonly adapter: AdapterClient;
  /** See `fetchTrusting`. */
  readonly fetch: typeof globalThis.fetch | undefined;
}

async function start(
  settings: CarotaSettings,
  { adapter, fetch }: Outgoing,
  { database, clock: databaseClock, tokenFile, firstToken, migrated }: Storage,
  opened: OpenedParts,
  log: Logger,
): Promise<Carota> {
  for (const name of migrated) log.info({ migration: name }, 'migrated');
  const clock = databaseClock.now;
  const metrics = new CarotaMetrics(database.requests, clock, databaseClock.offsetSeconds);
  const common = { database, clock, metrics, opened, log };
  const onRequests = { ...common, database: database.requests };
  const audited = {
    name: 'carota',
    database,
    clock,
    version: VERSION,
    copy: metrics.auditCopy(),
  } as const;
  const { key: auditKey, attempts } = await openAudit(settings, audited, opened, log);
  const artifacts = await openArtifacts(settings, onRequests);
  const images = await openImageRepository(settings, {
    database,
    store: artifacts.store,
    clock,
    signingTime: databaseClock.agreed,
    objects: await openPublicBucket(settings),
    onMirrorFailure: (error) => log.error({ err: error }, 'a publication was not copied'),
  });
  opened.add('image repository', async () => images.close());
  const director = await openDirector(settings, {
    ...common,
    imageFolder: images.repository.folder,
    signingTime: databaseClock.agreed,
  });
  const signIns = openSignInGuards(
    { people: settings.signInLimits },
    { ...onRequests, attempts, watching: metrics.signIns(log) },
  );
  const expiring = new ExpiringTokens(database.requests, clock, log);
  expiring.start();
  opened.add('expiry of tokens', () => expiring.stop());
  const { vehicles, enrolment } = await openVehicleDoor(settings, { ...onRequests, attempts });
  const certificate = await openCertificate(settings, metrics.certificate(log));
  opened.add('certificate', () => certificate?.close());
  const signOn = openSignOn(settings, {
    hasTls: certificate !== undefined,
    // Vehicles have separate tokens.
    roles: CAROTA_ROLES.filter((role) => role !== VEHICLE_ROLE),
    clock,
    fetch,
  });
  const notifications = await openNotifications(settings, {
    ...common,
    adapter,
    images: images.repository,
    directorRootExpires: director.rootExpires,
  });
  opened.add('notifications', () => notifications.sender.stop());
  const scheduling = createScheduling(settings, { ...common, adapter });
  const stopping = new AbortController();
  // Each open stream and long poll adds a listener.
  setMaxListeners(0, stopping.signal);
  const server = await createCarotaServer({
    ...artifacts,
    database: database.requests,
    reading: database.reading,
    clock,
    metrics,
    log,
    version: VERSION,
    stopping: stopping.signal,
    callbackSecrets: settings.callbackSecrets ?? [],
    approval: settings.approval ?? 'none',
    mayControl: adapter.mayControl,
    wake: () => scheduling.wake(),
    director: director.director,
    images: images.repository,
    imageAccess: settings.imageAccess ?? 'anyone',
    dossiers: {
      sealKey: await openSealKey(settings.dataDir, settings.auditKeyFile),
      timeStamp: timeStamps(settings, fetch),
    },
    notifications,
    limits: settings.httpLimits,
    certificate,
    hstsSeconds: settings.hstsSeconds,
    signOn,
    signIns: signIns.people,
    vehicleSignIns: signIns.vehicles,
    vehicles,
    enrolment,
    auditKey,
    attempts,
  });
  opened.add('HTTP interface', () => {
    stopping.abort();
    return closeServer(server);
  });
  await scheduling.grantGrace();
  await server.listen({ host: settings.host, port: settings.httpPort });
  const { port } = server.server.address() as AddressInfo;
  const vehiclePort = await vehicles?.listen(
    server,
    settings.host,
    settings.vehiclePort ?? DEFAULT_VEHICLE_PORT,
  );
  opened.add('port of the vehicles', () => vehicles?.close());
  await scheduling.start();
  notifications.sender.start();
  notifications.watch.start();
  opened.add('watch', () => notifications.watch.stop());
  const refreshing = keepFresh(images.repository, metrics, log);
  opened.add('refreshing of the image repository', () => refreshing.stop());
  opened.add('upkeep', startUpkeep(database, settings.refusedEventDays, clock, log));
  return {
    vehicleUrl: vehiclePort === undefined ? undefined : `https://${settings.host}:${vehiclePort}`,
    httpUrl: `${certificate ? 'https' : 'http'}://${settings.host}:${port}`,
    tokenFile,
    firstToken,
    imageRootFile: images.rootFile,
    directorRootFile: director.rootFile,
    timeKeysFile: director.timeKeysFile,
    stop: () => opened.stop(),
  };
}

/** @param fetch see `fetchTrusting` */
function timeStamps({ timestampUrl: url }: CarotaSettings, fetch: Outgoing['fetch']) {
  if (url === undefined) return undefined;
  return (hash: string) => askTimeStamp(url, hash, { fetch });
}
