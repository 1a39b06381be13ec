/** Opens TLS with client certificates for the embedded broker, if the settings ask for it. */
import { type Logger } from 'pino';
import { BadSettings } from '../service/bad-settings.js';
import { type Queryable } from '../service/database/index.js';
import { type OpenedParts } from '../service/opened.js';
import { VehicleTls } from '../service/vehicle-tls/index.js';
import { type Part } from './metrics/index.js';
import { type AdapterSettings } from './settings.js';

interface VehicleTlsContext {
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
  readonly opened: OpenedParts;
  readonly failed: (part: Part, message: string) => (error: Error) => void;
  readonly log: Logger;
}

/** @throws BadSettings, DatabaseError */
export async function openVehicleTls(
  { vehicleTls: paths, mqttPlain, mqttUrl }: AdapterSettings,
  { database, clock, opened, failed, log }: VehicleTlsContext,
): Promise<VehicleTls | undefined> {
  if (paths === undefined) {
    if (mqttPlain === false && mqttUrl === undefined) {
      throw new BadSettings('without plain MQTT, the embedded broker needs --mqtt-tls-cert');
    }
    return undefined;
  }
  if (mqttUrl !== undefined) {
    throw new BadSettings(
      '--mqtt-tls-cert is for the embedded broker, and --mqtt-url names another',
    );
  }
  const tls = new VehicleTls({
    paths,
    database,
    clock,
    onFailure: failed('message-link', 'TLS files or revocations could not be read; retrying'),
    onEnded: (systemId, why) => log.warn({ systemId, why }, 'a connection ended: its certificate'),
  });
  await tls.start();
  opened.add('TLS of the vehicles', () => tls.stop());
  return tls;
}
