/** Certificate chains: checked as RFC 5280 has it, by pkijs. */
import { X509Certificate } from 'node:crypto';
import * as pkijs from 'pkijs';

/** OIDs: extended key usage, and code signing among its values (RFC 5280, 4.2.1.12). */
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** A certificate is not one that signs update scripts, or not for us. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

/** The certificates of a PEM text. @throws CertificateRefused where it has none, or a broken one */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new CertificateRefused('there is no certificate in PEM');
  return blocks.map((block) => parsed(block));
}

/** @param encoded PEM, or DER in base64 as x5c has it. @throws CertificateRefused */
export function parsed(encoded: string): X509Certificate {
  try {
    return new X509Certificate(
      encoded.startsWith('-----') ? encoded : Buffer.from(encoded, 'base64'),
    );
  } catch {
    throw new CertificateRefused('a certificate cannot be read');
  }
}

/**
 * Whether a chain leads to one of the trust anchors and its first certificate may sign scripts.
 *
 * @param chain the signer's certificate first
 * @param at ms
 * @throws CertificateRefused, and why
 */
export async function checkChain(
  chain: readonly X509Certificate[],
  trustAnchors: readonly X509Certificate[],
  at: number,
): Promise<void> {
  const [signer] = chain;
  if (!signer) throw new CertificateRefused('the signature brings no certificate');
  for (const certificate of chain) checkTime(certificate, at);
  const engine = new pkijs.CertificateChainValidationEngine({
    trustedCerts: trustAnchors.map(forPkijs),
    // The engine looks at the last one's way up.
    certs: [...chain].reverse().map(forPkijs),
    checkDate: new Date(at),
  });
  const { result, resultMessage } = await engine.verify();
  if (!result) {
    throw new CertificateRefused(
      `the certificate of ${nameOf(signer)} does not lead to a trust anchor: ${resultMessage}`,
    );
  }
  if (signer.ca) throw new CertificateRefused(`${nameOf(signer)} is an authority, not a signer`);
  if (!extendedKeyUsage(signer).includes(CODE_SIGNING)) {
    throw new CertificateRefused(`the certificate of ${nameOf(signer)} is not for code signing`);
  }
}

function checkTime(certificate: X509Certificate, at: number): void {
  const day = (text: string) => new Date(text).toISOString().slice(0, 10);
  if (at > Date.parse(certificate.validTo)) {
    throw new CertificateRefused(
      `the certificate of ${nameOf(certificate)} expired on ${day(certificate.validTo)}`,
    );
  }
  if (at < Date.parse(certificate.validFrom)) {
    throw new CertificateRefused(
      `the certificate of ${nameOf(certificate)} is valid from ${day(certificate.validFrom)}; the clock says ${new Date(at).toISOString().slice(0, 10)}`,
    );
  }
}

const forPkijs = (certificate: X509Certificate) => pkijs.Certificate.fromBER(certificate.raw);

function extendedKeyUsage(certificate: X509Certificate): readonly string[] {
  const extension = forPkijs(certificate).extensions?.find(
    ({ extnID }) => extnID === EXTENDED_KEY_USAGE,
  );
  const usage: unknown = extension?.parsedValue;
  return usage instanceof pkijs.ExtKeyUsage ? usage.keyPurposes : [];
}

/** The common name, or the whole subject. */
const nameOf = ({ subject }: X509Certificate): string =>
  /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
