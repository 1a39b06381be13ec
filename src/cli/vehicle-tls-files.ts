/** The PEM files of TLS with client certificates, from the settings of a command. */
import type { TlsFilePaths } from '../service/vehicle-tls/index.js';
import { BadSetting } from './settings/index.js';

export interface VehicleTlsFlags {
  readonly vehicleCa?: string;
  readonly vehicleCrl?: string;
}

interface OwnFiles {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Of the flags that name them. */
  readonly prefix: string;
}

/** @returns undefined: no TLS @throws BadSetting where some are missing */
export function vehicleTlsOf(flags: VehicleTlsFlags, own: OwnFiles): TlsFilePaths | undefined {
  const files = tlsFilesOf(flags, own);
  if (files === undefined) return undefined;
  const { ca } = files;
  if (ca === undefined) throw new BadSetting(`${own.prefix}-cert needs --vehicle-ca`);
  return { ...files, ca };
}

/** The same where an authority of our own may take the place of `--vehicle-ca`. @throws BadSetting */
export function tlsFilesOf(
  { vehicleCa: ca, vehicleCrl: crl }: VehicleTlsFlags,
  { cert, key, prefix }: OwnFiles,
) {
  if ([cert, key, ca, crl].every((path) => path === undefined)) return undefined;
  if (cert === undefined || key === undefined) {
    throw new BadSetting(`${prefix}-cert and ${prefix}-key must be given together`);
  }
  return { cert, key, ca, crl };
}
