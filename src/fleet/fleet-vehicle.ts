/** The vehicles of a simulated fleet: always the same ones for the same number. */
import { createHash } from 'node:crypto';
import { vinCheckDigit } from '../contract/index.js';
import { type VehicleIdentity } from '../vehicle/index.js';

export interface FleetVehicle extends VehicleIdentity {
  readonly credential: string;
  readonly model: string;
}

const DIGITS = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789';
/** Manufacturer and type, then the check digit's place. */
const PREFIX = 'XSMVEH24';

/** VIN number n, with a valid check digit. */
function fleetVin(n: number): string {
  let serial = '';
  for (let rest = n; serial.length < 8; rest = Math.floor(rest / DIGITS.length)) {
    serial = (DIGITS[rest % DIGITS.length] ?? '') + serial;
  }
  const check = vinCheckDigit(`${PREFIX}0${serial}`);
  return `${PREFIX}${check}${serial}`;
}

/** The credential of a simulated vehicle. It is no secret: anyone can simulate it. */
export const simulatedCredential = (vin: string): string =>
  createHash('sha256').update(`simulated ${vin}`).digest('base64url');

function simulatedVehicle(vin: string): FleetVehicle {
  return {
    vin,
    systemId: `c2c-sys-${vin}`,
    deviceId: `device-${vin.slice(-8)}`,
    ecuType: 'TCU',
    model: 'vehicle model a',
    credential: simulatedCredential(vin),
  };
}

/** A fleet of the given size; the VINs in `named` are among it. */
export function fleetOf(size: number, named: readonly string[] = []): FleetVehicle[] {
  const vins = [...named, ...Array.from({ length: size - named.length }, (_, n) => fleetVin(n))];
  return vins.slice(0, size).map(simulatedVehicle);
}

/** The registration of a vehicle, as one line of NDJSON. */
export function registrationLine(vehicle: FleetVehicle): string {
  const { vin, systemId, deviceId, ecuType, model, credential } = vehicle;
  return JSON.stringify({
    vin,
    system_id: systemId,
    device_id: deviceId,
    ecu_type: ecuType,
    model,
    credential,
  });
}
