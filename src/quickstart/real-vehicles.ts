/** Complete vehicle agents, which really download, verify, install and roll back files, and trust Uptane alone. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger } from 'pino';
import { ecuApi } from '../contract/carota-api/index.js';
import { type Client } from '../contract/index.js';
import { type FleetVehicle } from '../fleet/index.js';
import {
  AutomaticConsent,
  type InitialTrust,
  MqttLink,
  openVehicle,
  provisionVehicle,
  type RealVehicle,
} from '../vehicle/index.js';
import { HARDWARE } from './campaign.js';

export interface RealVehiclesOptions {
  readonly vehicles: readonly FleetVehicle[];
  readonly mqttUrl: string;
  readonly carotaUrl: string;
  /** For the CarOTA Server, by VIN. */
  readonly tokens: ReadonlyMap<string, string>;
  /** Contains a directory per vehicle. */
  readonly directory: string;
  readonly log: Logger;
}

/** Slow enough to watch a download of a megabyte, bytes per second. */
const BANDWIDTH = 300_000;
/** Health check of the last vehicle, which only the factory software passes. */
const SICK = 'test "$OTAOPS_VERSION" = 1.0.0 || { echo "new software did not start" >&2; exit 1; }';

/**
 * Gives each vehicle its ECUs, keys and roots, as a factory does, and registers them with the CarOTA Server, which already
 * has the vehicles. A vehicle with registered ECUs is not changed.
 */
export async function provisionRealVehicles(
  vehicles: readonly FleetVehicle[],
  directory: string,
  carota: Client,
  trust: InitialTrust,
): Promise<void> {
  const lines: string[] = [];
  for (const { vin } of vehicles) {
    const folder = join(directory, vin);
    if (existsSync(folder)) {
      const { ecus } = await carota.call(ecuApi.listEcus, { params: { vin } });
      if (ecus.length > 0) continue;
      // Remains of an interrupted start or another CarOTA Server have unknown keys.
      await rm(folder, { recursive: true });
    }
    const ecus = provisionVehicle(folder, descriptionOf(vin), trust);
    lines.push(JSON.stringify({ vin, ecus }));
  }
  const content = { type: 'application/x-ndjson', body: lines.join('\n') };
  const { rejected } = await carota.call(ecuApi.importEcus, { content });
  const [first] = rejected;
  if (first) throw new Error(`the agents' ECUs were not registered: ${first.errorMessage}`);
}

/** A Primary, and a Secondary that itself verifies the files from its Primary. */
const descriptionOf = (vin: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      vin,
      ecus: [
        {
          serial: `P-${vin}`,
          name: 'OTA-MANAGER',
          hardwareId: HARDWARE.primary,
          isPrimary: true,
        },
        { serial: `HU-${vin}`, name: 'HU', hardwareId: HARDWARE.headUnit, version: '1.0.0' },
      ],
    }),
  );

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
  { mqttUrl, carotaUrl, tokens, directory, log }: RealVehiclesOptions,
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
    carotaToken: tokens.get(vin) ?? '',
    consent: new AutomaticConsent(true),
    conditions: {
      timeZone: 'UTC',
      read: () => Promise.resolve({ battery: 80, gear: 'park', ignition: 'off' }),
    },
    healthCommand: isSick ? SICK : undefined,
    bytesPerSecond: BANDWIDTH,
    pace: { progressSeconds: 0.5, progressPercent: 10 },
    onSurprise: (phase, error) => log.warn({ vin, phase, err: error }, 'update of a vehicle'),
    onEcuRejection: (refusal) => log.warn({ vin, err: refusal }, 'refused by an ECU'),
    onBroken: (error) => log.error({ vin, err: error }, 'a vehicle has stopped'),
  });
  started.agent.goOnline();
  return started;
}
