/** Authorities and signers for tests: good ones, expired ones, foreign ones. */
import { type KeyObject, type X509Certificate } from 'node:crypto';
import { issueCertificate, newKeyPair } from '../../src/carota/signing/index.js';
import { type Signer } from '../../src/update-script/index.js';

export const DAY_MS = 24 * 60 * 60 * 1000;

export interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface Validity {
  /** ms; a day ago where not given */
  readonly from?: number;
  /** ms; in a year where not given */
  readonly to?: number;
}

const validity = ({ from = Date.now() - DAY_MS, to = Date.now() + 365 * DAY_MS }: Validity) => ({
  from,
  to,
});

export async function newAuthority(
  name: string,
  issuer?: Authority,
  valid: Validity = {},
): Promise<Authority> {
  const keys = newKeyPair();
  const certificate = await issueCertificate({
    name,
    ...keys,
    ...(issuer ? { issuer } : {}),
    ...validity(valid),
    use: 'authority',
  });
  return { certificate, key: keys.privateKey };
}

/** @param between the authorities between the signer's issuer and the trust anchor */
export async function newSigner(
  issuer: Authority,
  options: Validity & {
    readonly use?: 'code signing' | 'server' | 'authority';
    readonly between?: readonly Authority[];
  } = {},
): Promise<Signer> {
  const keys = newKeyPair();
  const certificate = await issueCertificate({
    name: 'signer',
    publicKey: keys.publicKey,
    issuer,
    ...validity(options),
    use: options.use ?? 'code signing',
  });
  const between = (options.between ?? []).map((authority) => authority.certificate);
  return { key: keys.privateKey, chain: [certificate, ...between] };
}
