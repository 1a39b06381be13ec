/** The PEM files of TLS with client certificates, from the settings of a command. */
import type { TlsFilePaths } from '../service/vehicle-tls/index.js';
import { BadSetting } from './settings/index.js';

export interface VehicleTlsFlags {
  readonly mqttTlsCert?: string;
  readonly mqttTlsKey?: string;
  readonly vehicleCa?: string;
  readonly vehicleCrl?: string;
}

/** @returns undefined: no TLS @throws BadSetting where some are missing */
export function vehicleTlsOf(flags: VehicleTlsFlags): TlsFilePaths | undefined {
  const { mqttTlsCert: cert, mqttTlsKey: key, vehicleCa: ca, vehicleCrl: crl } = flags;
  if (cert === undefined && key === undefined && ca === undefined && crl === undefined) {
    return undefined;
  }
  if (cert === undefined || key === undefined || ca === undefined) {
    throw new BadSetting('--mqtt-tls-cert, --mqtt-tls-key and --vehicle-ca must be given together');
  }
  return { cert, key, ca, crl };
}
