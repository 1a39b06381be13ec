/** A certificate with its key, as PEM texts; pure. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { TLS_POLICY } from './policy.js';

/** Texts of a certificate chain and its key that cannot be used; the message says why. */
export class UnusableCertificate extends Error {
  override readonly name = 'UnusableCertificate';
}

export interface Certificate {
  /** The server’s own certificate, then those of intermediate CAs. */
  readonly cert: string;
  readonly key: string;
  /** When the first certificate of the chain expires, ms. */
  readonly expires: number;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM text. @throws UnusableCertificate if there is none, or one cannot be parsed */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) throw new UnusableCertificate('there is no PEM certificate in it');
  // A file may be read while it is being written.
  if (begun !== blocks.length) throw new UnusableCertificate('it ends within a certificate');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new UnusableCertificate(`certificate ${index + 1}: ${(error as Error).message}`);
    }
  });
}

/** @throws UnusableCertificate */
export function certificateOf(cert: string, key: string): Certificate {
  if (key.includes('ENCRYPTED')) {
    throw new UnusableCertificate('the key is encrypted: give a file without a passphrase');
  }
  const chain = certificatesIn(cert);
  try {
    // Node accepts an empty key silently.
    const isOwn = chain[0]?.checkPrivateKey(createPrivateKey(key)) ?? false;
    if (!isOwn) throw new Error('mismatch: the key belongs to another certificate');
    createSecureContext({ ...TLS_POLICY, cert, key });
  } catch (error) {
    throw new UnusableCertificate(`certificate and key do not work: ${(error as Error).message}`);
  }
  return { cert, key, expires: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))) };
}
