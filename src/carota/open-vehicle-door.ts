/** Opens the port of the vehicles, with TLS and client certificates, if the settings ask for it. */
import { type Logger } from 'pino';
import { type Queryable } from '../service/database/index.js';
import { VehicleDoor } from '../service/http/index.js';
import { type OpenedParts } from '../service/opened.js';
import { VehicleTls } from '../service/vehicle-tls/index.js';
import { type CarotaMetrics } from './metrics.js';
import { type CarotaSettings } from './settings.js';
import { findBySystemId } from './vehicles/index.js';

interface VehicleDoorContext {
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
  readonly metrics: CarotaMetrics;
  readonly opened: OpenedParts;
  readonly log: Logger;
}

/** @throws BadSettings, DatabaseError */
export async function openVehicleDoor(
  { vehicleTls: paths, httpLimits }: CarotaSettings,
  { database, clock, metrics, opened, log }: VehicleDoorContext,
): Promise<VehicleDoor | undefined> {
  if (paths === undefined) return undefined;
  const tls = new VehicleTls({
    paths,
    database,
    clock,
    onFailure: (error) =>
      log.error({ err: error }, 'TLS files or revocations could not be read; retrying'),
    onEnded: (systemId, why) => log.warn({ systemId, why }, 'a connection ended: its certificate'),
  });
  await tls.start();
  opened.add('TLS of the vehicles', () => tls.stop());
  return new VehicleDoor({
    tls,
    vinOf: (systemId) => findBySystemId(database, systemId),
    limits: httpLimits,
    onRefused: (limit) => metrics.limitRefused(limit),
  });
}
