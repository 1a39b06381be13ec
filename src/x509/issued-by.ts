/** Whether one certificate was issued by the holder of another (RFC 5280, section 6): by name and signature. */
import { X509Certificate } from 'node:crypto';
import { type Certificate } from './certificate.js';

export const isSelfIssued = ({ subject, issuer }: Certificate): boolean => subject.equals(issuer);

/** With every algorithm that OpenSSL supports, even old ones: whether they are accepted is decided elsewhere. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!issuer.subject.equals(certificate.issuer)) return false;
  try {
    return new X509Certificate(certificate.bytes).verify(issuer.publicKey());
  } catch {
    return false;
  }
}
