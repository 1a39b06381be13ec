/** Complete vehicle agents, which really download, verify, install and roll back files. */
import { join } from 'node:path';
import { type Logger } from 'pino';
import { type FleetVehicle } from '../fleet/index.js';
import { AutomaticConsent, MqttLink, openVehicle, type RealVehicle } from '../vehicle/index.js';

export interface RealVehiclesOptions {
  readonly vehicles: readonly FleetVehicle[];
  readonly mqttUrl: string;
  readonly carotaUrl: string;
  readonly carotaToken: string;
  readonly trustAnchorFile: string;
  /** Contains a directory per vehicle. */
  readonly directory: string;
  readonly log: Logger;
}

/** Slow enough to watch a download of a megabyte, bytes per second. */
const BANDWIDTH = 300_000;
/** Health check of the last vehicle, which only the factory software passes. */
const SICK = 'test "$OTAOPS_VERSION" = 1.0.0 || { echo "new software did not start" >&2; exit 1; }';

export function startRealVehicles(options: RealVehiclesOptions): { stop(): Promise<void> } {
  const started = options.vehicles.map((vehicle, n) => {
    const isSick = n === options.vehicles.length - 1;
    return startOne(vehicle, isSick, options);
  });
  return {
    async stop() {
      await Promise.all(started.map((vehicle) => vehicle.stop()));
    },
  };
}

function startOne(
  vehicle: FleetVehicle,
  isSick: boolean,
  { mqttUrl, carotaUrl, carotaToken, trustAnchorFile, directory, log }: RealVehiclesOptions,
): RealVehicle {
  const { vin } = vehicle;
  const started = openVehicle({
    identity: vehicle,
    model: vehicle.model,
    link: new MqttLink({
      url: mqttUrl,
      systemId: vehicle.systemId,
      credential: vehicle.credential,
      onError: (error) => log.debug({ vin, err: error }, 'connection of a vehicle'),
    }),
    directory: join(directory, vin),
    carotaUrl,
    carotaToken,
    trustAnchorFile,
    consent: new AutomaticConsent(true),
    conditions: {
      timeZone: 'UTC',
      read: () => Promise.resolve({ battery: 80, gear: 'park', ignition: 'off' }),
    },
    ecus: [{ ecu: 'HU', version: '1.0.0' }],
    healthCommand: isSick ? SICK : undefined,
    bytesPerSecond: BANDWIDTH,
    pace: { progressSeconds: 0.5, progressPercent: 10 },
    onSurprise: (phase, error) => log.warn({ vin, phase, err: error }, 'update of a vehicle'),
    onBroken: (error) => log.error({ vin, err: error }, 'a vehicle has stopped'),
  });
  started.agent.goOnline();
  return started;
}
