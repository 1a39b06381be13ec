/** How the agent shows who it is: files with a certificate, one that it has got itself, or neither. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ClientTls } from '../vehicle/index.js';
import { baseAddress } from '../contract/client/address.js';
import { BadSetting } from './settings/index.js';

export interface IdentityFlags {
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly enrolmentCode?: string;
  readonly carotaUrl: string;
  /** Of the vehicle. */
  readonly directory: string;
  readonly systemId: string;
  readonly log: Logger;
}

export interface VehicleIdentity {
  /** Undefined: nothing of TLS was set. */
  readonly tls: ClientTls | undefined;
  stop(): Promise<void>;
}

/** Enrols first, if it has to. @throws BadSetting, EnrolmentRefused */
export async function openVehicleIdentity(flags: IdentityFlags): Promise<VehicleIdentity> {
  const { ClientTls, CertificateStore, EstClient, OwnCertificate } =
    await import('../vehicle/index.js');
  const { clientCert, clientKey, enrolmentCode: code, directory, systemId, log } = flags;
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new BadSetting('--client-cert and --client-key must be given together');
  }
  const ca = await readOf('--ca', flags.ca);
  if (clientCert !== undefined) {
    if (code !== undefined) {
      throw new BadSetting('give either --client-cert or --enrolment-code, not both');
    }
    const cert = await readOf('--client-cert', clientCert);
    const key = await readOf('--client-key', clientKey);
    return { tls: new ClientTls({ ca, cert, key }), stop: () => Promise.resolve() };
  }
  const store = new CertificateStore(join(directory, 'identity'));
  const tls = new ClientTls({ ca });
  if (code === undefined && store.read() === undefined) {
    return { tls: ca === undefined ? undefined : tls, stop: () => Promise.resolve() };
  }
  const url = new URL(flags.carotaUrl);
  if (url.protocol !== 'https:') throw new BadSetting('enrolment needs an https:// --carota-url');
  const own = new OwnCertificate({
    store,
    tls,
    systemId,
    client: new EstClient({ url, systemId, tls, code }),
    clock: Date.now,
    onRenewed: ({ notAfter }) =>
      log.info({ until: new Date(notAfter) }, 'the vehicle has a new client certificate'),
    onFailure: (error) => log.warn({ err: error }, 'no new client certificate yet; retrying'),
  });
  await own.start();
  return { tls, stop: () => own.stop() };
}

async function readOf(flag: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new BadSetting(`${flag}: ${(error as Error).message}`);
  });
}

interface Addresses {
  readonly carotaUrl: string;
  readonly directorUrl?: string;
  readonly imageUrl?: string;
  readonly allowPlainHttp: boolean;
}

/** Of orders, and of the token, only this machine is told without TLS. @throws UnsafeAddress */
export function refusePlainHttp({
  carotaUrl,
  directorUrl,
  imageUrl,
  allowPlainHttp,
}: Addresses): void {
  for (const url of [carotaUrl, directorUrl, imageUrl]) {
    if (url !== undefined) baseAddress({ url, token: '', allowPlainHttp });
  }
}
