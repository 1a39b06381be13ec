/** Opens the port for vehicles, with TLS and client certificates, and enrolment on it, if configured. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger } from 'pino';
import { type AttemptLog } from '../service/audit/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { type Database } from '../service/database/index.js';
import { VehicleDoor } from '../service/http/index.js';
import { type OpenedParts } from '../service/opened.js';
import { type TlsFilePaths, VehicleTls } from '../service/vehicle-tls/index.js';
import { readPem } from '../x509/index.js';
import {
  AUTHORITY_FILES,
  BuiltInAuthority,
  type CertificateAuthority,
  CommandAuthority,
  Enrolment,
} from './enrolment/index.js';
import { type CarotaMetrics } from './metrics.js';
import { type CarotaSettings } from './settings.js';
import { findBySystemId } from './vehicles/index.js';

interface VehicleDoorContext {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  readonly metrics: CarotaMetrics;
  readonly opened: OpenedParts;
  readonly log: Logger;
  readonly attempts: AttemptLog;
}

interface OpenedDoor {
  readonly vehicles: VehicleDoor | undefined;
  readonly enrolment: Enrolment | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CERTIFICATE_DAYS = 90;

/** @throws BadSettings, DatabaseError */
export async function openVehicleDoor(
  settings: CarotaSettings,
  { database, clock, metrics, opened, log, attempts }: VehicleDoorContext,
): Promise<OpenedDoor> {
  const authority = await openAuthority(settings, clock);
  const paths = withOwnAuthority(settings);
  if (settings.vehicleBootstrapCa !== undefined && authority === undefined) {
    throw new BadSettings('--vehicle-bootstrap-ca needs --enrolment-ca or --enrolment-command');
  }
  if (paths === undefined) return { vehicles: undefined, enrolment: undefined };
  const enrolment =
    authority &&
    new Enrolment({
      database,
      authority,
      clock,
      onFailure: (error) => log.error({ err: error }, 'revocations were not published; retrying'),
    });
  const tls = new VehicleTls({
    paths,
    database,
    clock,
    onFailure: (error) =>
      log.error({ err: error }, 'TLS files or revocations could not be read; retrying'),
    onRevoked: () => enrolment?.publish(),
    onEnded: (systemId, why) => log.warn({ systemId, why }, 'a connection ended: its certificate'),
  });
  await tls.start();
  opened.add('TLS of the vehicles', () => tls.stop());
  if (enrolment) {
    opened.add('enrolment', () => enrolment.stop());
    enrolment.publish();
  }
  const vehicles = new VehicleDoor({
    tls,
    vinOf: (systemId) => findBySystemId(database, systemId),
    limits: settings.httpLimits,
    onRefused: (limit) => metrics.limitRefused(limit),
    onSignInFailed: (attempt) => attempts.signInFailed(attempt),
  });
  return { vehicles, enrolment };
}

/** Certificates of the built-in authority are accepted if no other authorities are named. */
function withOwnAuthority({
  vehicleTls,
  enrolmentCa,
  vehicleBootstrapCa: bootstrap,
}: CarotaSettings): TlsFilePaths | undefined {
  if (vehicleTls === undefined) {
    if (enrolmentCa === undefined) return undefined;
    throw new BadSettings('enrolment needs the port for vehicles: --vehicle-tls-cert');
  }
  const { cert, key, crl } = vehicleTls;
  const ca = vehicleTls.ca ?? (enrolmentCa && join(enrolmentCa, AUTHORITY_FILES.certificate));
  if (ca === undefined) throw new BadSettings('--vehicle-ca is missing');
  return { cert, key, ca, crl, bootstrap };
}

async function openAuthority(
  { enrolmentCa, enrolmentCommand, certificateDays, vehicleTls }: CarotaSettings,
  clock: () => number,
): Promise<CertificateAuthority | undefined> {
  if (enrolmentCa !== undefined) {
    if (enrolmentCommand !== undefined) {
      throw new BadSettings('give either --enrolment-ca or --enrolment-command, not both');
    }
    const validityMs = (certificateDays ?? CERTIFICATE_DAYS) * DAY_MS;
    return BuiltInAuthority.open({ folder: enrolmentCa, validityMs, clock });
  }
  if (enrolmentCommand === undefined) return undefined;
  if (vehicleTls?.ca === undefined) {
    throw new BadSettings('--enrolment-command needs --vehicle-tls-cert and --vehicle-ca');
  }
  const text = await readFile(vehicleTls.ca, 'utf8').catch((error: unknown) => {
    throw new BadSettings(`${vehicleTls.ca}: ${(error as Error).message}`);
  });
  return new CommandAuthority(enrolmentCommand, readPem(text, 'CERTIFICATE'));
}
