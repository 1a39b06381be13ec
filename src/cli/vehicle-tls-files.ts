/** The PEM files of TLS with client certificates, from the settings of a command. */
import type { TlsFilePaths } from '../service/vehicle-tls/index.js';
import { BadSetting } from './settings/index.js';

export interface VehicleTlsFlags {
  readonly vehicleCa?: string;
  readonly vehicleCrl?: string;
}

/**
 * @param own the server's certificate and key
 * @param prefix of the flags that name them
 * @returns undefined: no TLS
 * @throws BadSetting where some are missing
 */
export function vehicleTlsOf(
  { vehicleCa: ca, vehicleCrl: crl }: VehicleTlsFlags,
  own: { readonly cert: string | undefined; readonly key: string | undefined },
  prefix: string,
): TlsFilePaths | undefined {
  const { cert, key } = own;
  if ([cert, key, ca, crl].every((path) => path === undefined)) return undefined;
  if (cert === undefined || key === undefined || ca === undefined) {
    throw new BadSetting(`${prefix}-cert, ${prefix}-key and --vehicle-ca must be given together`);
  }
  return { cert, key, ca, crl };
}
