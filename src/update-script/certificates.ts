/** Reads X.509 certificates. `certificate-profile.ts` checks them. */
import { X509Certificate } from 'node:crypto';

/** A certificate or chain that is not trusted to sign update scripts; the message gives the reason. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

/** The certificates in a PEM text, in order. @throws CertificateRefused if there is none, or a malformed one */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new CertificateRefused('there is no certificate in PEM');
  return blocks.map(read);
}

/** @param base64 DER in base64, an element of `x5c` (RFC 7515, 4.1.6). @throws CertificateRefused */
export function certificateOf(base64: unknown): X509Certificate {
  const der = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
  // Node.js skips characters that are not base64, and accepts base64url.
  if (der === undefined || der.toString('base64') !== base64) {
    throw new CertificateRefused('x5c must be an array of certificates in base64');
  }
  const certificate = read(der);
  if (!certificate.raw.equals(der)) {
    throw new CertificateRefused('an element of x5c must be one certificate in DER');
  }
  return certificate;
}

function read(encoded: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(encoded);
  } catch {
    throw new CertificateRefused('a certificate cannot be read');
  }
}

const MAX_NAME = 100;

/** For messages: the common name, or the whole subject. */
export const nameOf = ({ subject }: X509Certificate): string =>
  (/^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')).slice(0, MAX_NAME);
