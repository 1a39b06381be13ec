/** The CarOTA Server: creates its parts, opens them in order and closes them in reverse order. */
import { setMaxListeners } from 'node:events';
import { join, resolve } from 'node:path';
import { type AddressInfo } from 'node:net';
import { type Logger } from 'pino';
import { CAROTA_ROLES } from '../contract/carota-api/index.js';
import {
  DEFAULT_SIGN_IN_LIMITS,
  DEFAULT_VEHICLE_SIGN_IN_LIMITS,
  ExpiringTokens,
  SignInGuard,
  type SignInLimits,
  VEHICLE_ROLE,
} from '../service/access/index.js';
import { openAudit } from '../service/audit/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { openSealKey } from '../service/chain/index.js';
import { type Database } from '../service/database/index.js';
import { closeServer } from '../service/http/index.js';
import { OpenedParts } from '../service/opened.js';
import { loggedTo, openStorage, type Storage } from '../service/storage.js';
import { derivedKeys } from '../service/secrets/index.js';
import { openSignOn } from '../service/sign-on/index.js';
import { fetchTrusting, openCertificate, trustedAuthorities } from '../service/tls/index.js';
import { askTimeStamp } from '../service/time-stamp/index.js';
import { VERSION } from '../service/version.js';
import { SignerClient } from '../uptane/signing/index.js';
import {
  type ArtifactStore,
  DEFAULT_UPLOAD_QUOTA,
  DiskStore,
  IncomingFolder,
  openS3Objects,
  openS3Store,
  type PublishedObjects,
  Uploads,
} from './artifacts/index.js';
import { Director, openDirectorKeys, TIME_KEYS } from './director/index.js';
import { expireRefusedEvents } from './events/index.js';
import { createCarotaServer } from './http/server.js';
import { keepFresh, openImageRepository } from './image-repository/index.js';
import { RepositoryFolder } from './images/index.js';
import { CarotaMetrics } from './metrics.js';
import { openNotifications } from './open-notifications.js';
import { AdapterClient, Retries, Scheduler } from './schedules/index.js';
import { CAROTA_SCHEMA } from './schema.js';
import { openVehicleDoor } from './open-vehicle-door.js';
import { type CarotaSettings } from './settings.js';

export interface Carota {
  readonly httpUrl: string;
  /** Where vehicles call with client certificates. */
  readonly vehicleUrl: string | undefined;
  readonly tokenFile: string;
  /** The initial admin token, if this was the first start. */
  readonly firstToken: string | undefined;
  /** The image repository's root, where its keys are of our own making. */
  readonly imageRootFile: string | undefined;
  /** The Director's root, where its keys are of our own making. */
  readonly directorRootFile: string | undefined;
  /** The keys that sign the time, if they were generated here. */
  readonly timeKeysFile: string | undefined;
  stop(): Promise<void>;
}

const DEFAULT_VEHICLE_PORT = 8443;
const URL_TTL_SECONDS = 24 * 60 * 60;
const DEADLINE_GRACE_SECONDS = 60;
const UPKEEP_MS = 10 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @throws BadSettings, DataDirectoryInUse, DatabaseError, ForeignDatabase, WrongClock, BadDirectorKeys, RepositoryFault, KeyFileFault;
 *   Error with code EADDRINUSE where the port is taken
 */
export async function startCarota(settings: CarotaSettings, log: Logger): Promise<Carota> {
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
  const audited = {
    name: 'carota',
    database,
    clock,
    version: VERSION,
    copy: metrics.auditCopy(),
  } as const;
  const audit = await openAudit(settings, audited, opened, log);
  const directorFolder = resolve(settings.directorDir ?? join(settings.dataDir, 'director'));
  const signerProcess = settings.directorSigner
    ? new SignerClient(settings.directorSigner)
    : undefined;
  if (signerProcess) {
    opened.add('signer', () => {
      signerProcess.close();
      return Promise.resolve();
    });
  }
  const offered = await signerProcess?.signers();
  const directorKeys = await openDirectorKeys(database, directorFolder, clock(), offered);
  metrics.directorRootExpires(directorKeys.rootExpires);
  const scheduler = new Scheduler({
    database,
    adapter,
    approval: settings.approval ?? 'none',
    clock,
    deadlineGrace: settings.deadlineGrace ?? DEADLINE_GRACE_SECONDS,
    onConfirmed: (operation, seconds) => metrics.controlConfirmed(operation, seconds),
    onFailure: (refId, error) => {
      metrics.schedulerFailed();
      log.warn({ schedule: refId, err: error }, 'a schedule is delayed; retrying');
    },
  });
  const stopping = new AbortController();
  // Each open stream and long poll adds a listener.
  setMaxListeners(0, stopping.signal);
  const store = await openStore(settings);
  const images = await openImageRepository(settings, {
    database,
    store,
    clock,
    signingTime: databaseClock.agreed,
    objects: await openObjects(settings),
    onMirrorFailure: (error) => log.error({ err: error }, 'a publication was not copied'),
  });
  opened.add('image repository', async () => images.close());
  const watching = metrics.signIns(log);
  const openGuard = (name: string, limits: SignInLimits) => {
    const guard = new SignInGuard({
      database: database.requests,
      clock,
      limits,
      ...watching,
      onFailed: (attempt) => {
        watching.onFailed(attempt);
        audit.attempts.signInFailed(attempt);
      },
    });
    guard.start();
    opened.add(name, () => guard.stop());
    return guard;
  };
  const signIns = openGuard('failed sign-ins', settings.signInLimits ?? DEFAULT_SIGN_IN_LIMITS);
  const vehicleSignIns = openGuard('failed codes', DEFAULT_VEHICLE_SIGN_IN_LIMITS);
  const expiring = new ExpiringTokens(database.requests, clock, log);
  expiring.start();
  opened.add('expiry of tokens', () => expiring.stop());
  const { vehicles, enrolment } = await openVehicleDoor(settings, {
    database: database.requests,
    clock,
    metrics,
    opened,
    log,
    attempts: audit.attempts,
  });
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
    ...{ database, adapter, images: images.repository, metrics, clock, log },
    directorRootExpires: directorKeys.rootExpires,
  });
  opened.add('notifications', () => notifications.sender.stop());
  const incoming = await IncomingFolder.open(resolve(settings.dataDir));
  const uploads = new Uploads({
    database: database.requests,
    store,
    incoming,
    quota: settings.uploadQuota ?? DEFAULT_UPLOAD_QUOTA,
    clock,
    onFailure: (error) => log.warn({ err: error }, 'upkeep of uploads failed; it is repeated'),
  });
  opened.add('uploads', () => uploads.stop());
  // Remains of a killed server: partial artifacts, and dossiers with their VINs.
  await uploads.start();
  const server = await createCarotaServer({
    vehicles,
    enrolment,
    database: database.requests,
    reading: database.reading,
    store,
    incoming,
    uploads,
    urlKeys: await derivedKeys(settings, 'artifact URLs', log),
    urlTtl: settings.urlTtl ?? URL_TTL_SECONDS,
    publicUrl: settings.publicUrl,
    callbackSecrets: settings.callbackSecrets ?? [],
    approval: settings.approval ?? 'none',
    stopping: stopping.signal,
    director: new Director({
      database,
      keys: directorKeys,
      folder: directorFolder,
      catalogue: new RepositoryFolder(images.repository.folder),
      clock: databaseClock.agreed,
      onManifest: (outcome) => metrics.manifestReceived(outcome),
      onEcu: (standing) => metrics.ecuReported(standing),
      onAttack: (attack) => metrics.attackReported(attack),
      onSigned: (role) => metrics.metadataSigned(role),
    }),
    dossiers: {
      sealKey: await openSealKey(settings.dataDir, settings.auditKeyFile),
      timeStamp: await timeStamps(settings),
    },
    images: images.repository,
    imageAccess: settings.imageAccess ?? 'anyone',
    metrics,
    clock,
    notifications,
    mayControl: adapter.mayControl,
    wake: () => scheduler.wake(),
    log,
    version: VERSION,
    limits: settings.httpLimits,
    certificate,
    hstsSeconds: settings.hstsSeconds,
    signOn,
    signIns,
    vehicleSignIns,
    auditKey: audit.key,
    attempts: audit.attempts,
  });
  opened.add('HTTP interface', () => {
    stopping.abort();
    return closeServer(server);
  });
  await scheduler.grantGrace();
  await server.listen({ host: settings.host, port: settings.httpPort });
  const { port } = server.server.address() as AddressInfo;
  const vehiclePort = await vehicles?.listen(
    server,
    settings.host,
    settings.vehiclePort ?? DEFAULT_VEHICLE_PORT,
  );
  if (vehicles) opened.add('port of the vehicles', () => vehicles.close());
  await scheduler.start();
  opened.add('scheduler', () => scheduler.stop());
  const retries = new Retries({
    database,
    adapter,
    clock,
    onFailure: (refId, error) => log.warn({ schedule: refId, err: error }, 'a retry is delayed'),
  });
  retries.start();
  opened.add('retries', () => retries.stop());
  notifications.sender.start();
  notifications.watch.start();
  opened.add('watch', () => notifications.watch.stop());
  const refreshing = keepFresh(images.repository, metrics, log);
  opened.add('refreshing of the image repository', () => refreshing.stop());
  opened.add('upkeep', startUpkeep(database, settings.refusedEventDays, clock, log));
  const trialFile = (name: string) =>
    directorKeys.isTrial ? join(directorFolder, 'metadata', name) : undefined;
  return {
    vehicleUrl: vehiclePort === undefined ? undefined : `https://${settings.host}:${vehiclePort}`,
    httpUrl: `${certificate ? 'https' : 'http'}://${settings.host}:${port}`,
    tokenFile,
    firstToken,
    imageRootFile: images.rootFile,
    directorRootFile: trialFile('1.root.json'),
    timeKeysFile: trialFile(TIME_KEYS),
    stop: () => opened.stop(),
  };
}

/** Deletes refused events after the time set. @returns stops it */
function startUpkeep(
  database: Database,
  days: number | undefined,
  clock: () => number,
  log: Logger,
): () => Promise<void> {
  if (days === undefined) return () => Promise.resolve();
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = expireRefusedEvents(database, clock() - days * DAY_MS).catch((error: unknown) =>
      log.error({ err: error }, 'upkeep failed'),
    );
  }, UPKEEP_MS);
  return () => {
    clearInterval(timer);
    return running;
  };
}

async function timeStamps({ timestampUrl: url, ca }: CarotaSettings) {
  if (url === undefined) return undefined;
  const fetch = fetchTrusting(await trustedAuthorities(ca));
  return (hash: string) => askTimeStamp(url, hash, { fetch });
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

/** @throws BadSettings */
async function openObjects({
  imageBucket,
  s3Url,
  s3Region,
}: CarotaSettings): Promise<PublishedObjects | undefined> {
  if (imageBucket === undefined) return undefined;
  if (s3Url === undefined) throw new BadSettings('--image-bucket needs --s3-url');
  return openS3Objects({ s3Url, s3Bucket: imageBucket, s3Region: s3Region ?? 'us-east-1' });
}
