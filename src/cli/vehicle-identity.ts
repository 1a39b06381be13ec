/** How the agent shows who it is: files with a certificate, one that it has got itself, or neither. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ClientTls } from '../vehicle/index.js';
import { baseAddress } from '../contract/client/address.js';
import { clientFault } from '../service/bad-settings.js';
import { BadSetting } from './settings/index.js';
import { UsageError } from './usage-error.js';

export interface IdentityFlags {
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly enrolmentCode?: string;
  readonly bootstrapCert?: string;
  readonly bootstrapKey?: string;
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
  const bootstrap = await bootstrapOf(flags);
  const ca = await readOf('--ca', flags.ca);
  if (clientCert !== undefined) {
    if (code !== undefined || bootstrap) {
      throw new BadSetting(
        'give either --client-cert or an option for enrolment (--enrolment-code, --bootstrap-cert), not both',
      );
    }
    const cert = await readOf('--client-cert', clientCert);
    const key = await readOf('--client-key', clientKey);
    return { tls: new ClientTls({ ca, cert, key }), stop: () => Promise.resolve() };
  }
  const store = new CertificateStore(join(directory, 'identity'));
  const tls = new ClientTls({ ca });
  if (code === undefined && !bootstrap && store.read() === undefined) {
    return { tls: ca === undefined ? undefined : tls, stop: () => Promise.resolve() };
  }
  const url = new URL(flags.carotaUrl);
  if (url.protocol !== 'https:') throw new BadSetting('enrolment needs an https:// --carota-url');
  const own = new OwnCertificate({
    store,
    tls,
    systemId,
    client: new EstClient({ url, systemId, tls, code, bootstrap }),
    clock: Date.now,
    onRenewed: ({ notAfter }) =>
      log.info({ until: new Date(notAfter) }, 'the vehicle has a new client certificate'),
    onFailure: (error) => log.warn({ err: error }, 'no new client certificate yet; retrying'),
  });
  await own.start();
  return { tls, stop: () => own.stop() };
}

/** @throws BadSetting */
async function bootstrapOf({ bootstrapCert, bootstrapKey, enrolmentCode }: IdentityFlags) {
  if ((bootstrapCert === undefined) !== (bootstrapKey === undefined)) {
    throw new BadSetting('--bootstrap-cert and --bootstrap-key must be given together');
  }
  const cert = await readOf('--bootstrap-cert', bootstrapCert);
  const key = await readOf('--bootstrap-key', bootstrapKey);
  if (cert === undefined || key === undefined) return undefined;
  if (enrolmentCode !== undefined) {
    throw new BadSetting('give either --bootstrap-cert or --enrolment-code, not both');
  }
  return { cert, key };
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

/** Orders and the token leave this machine over TLS only. @throws UsageError */
export function refusePlainHttp({
  carotaUrl,
  directorUrl,
  imageUrl,
  allowPlainHttp,
}: Addresses): void {
  for (const url of [carotaUrl, directorUrl, imageUrl]) {
    if (url === undefined) continue;
    try {
      baseAddress({ url, token: '', allowPlainHttp });
    } catch (error) {
      throw new UsageError(clientFault(error));
    }
  }
}
