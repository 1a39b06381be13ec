/**
 * The vehicle that a client certificate identifies (contract section 9): its `system_id` is the common name of the subject,
 * a DNS name, or a URI `urn:otaops:system:<system_id>`. All its names must agree, because for an ambiguous certificate it is
 * unknown which name the issuer has verified.
 */
import { checkOf, SystemId } from '../../contract/index.js';
import { type Certificate, mayBeUsedFor, OID } from '../../x509/index.js';

/** A client certificate is not that of a vehicle, or no longer. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

/** The name of a vehicle as a URI, percent-encoded. */
const URI_PREFIX = 'urn:otaops:system:';

const isSystemId = checkOf(SystemId);

/** The `system_id`. @throws CertificateRefused */
export function vehicleNameIn(certificate: Certificate): string {
  const { commonNames, alternativeNames, isAuthority, purposes } = certificate;
  if (isAuthority) throw refused('it belongs to a certification authority');
  // OpenSSL lets a key for key agreement pass as well, which no handshake has used since TLS 1.3.
  if (!mayBeUsedFor(certificate, 'digitalSignature')) {
    throw refused('its key usage does not include digital signatures');
  }
  if (purposes && !purposes.some((purpose) => CLIENT.has(purpose))) {
    throw refused('its extended key usage does not include client authentication');
  }
  if (commonNames.length > 1) throw refused('its subject has several common names');
  const names = new Set(commonNames);
  for (const { kind, value } of alternativeNames) {
    if (kind === 'other') throw refused('it contains a name that is neither a DNS name nor a URI');
    names.add(kind === 'dns' ? value : systemIdOf(value));
  }
  const [name, another] = names;
  if (name === undefined) throw refused('it has no name');
  if (another !== undefined) throw refused('its names differ');
  if (!isSystemId.matches(name)) throw refused('its name is not a system_id');
  return name;
}

const CLIENT: ReadonlySet<string> = new Set([OID.clientAuth, OID.anyExtendedKeyUsage]);

function systemIdOf(uri: string): string {
  if (!uri.startsWith(URI_PREFIX)) throw refused(`it has a URI that is not ${URI_PREFIX}…`);
  try {
    return decodeURIComponent(uri.slice(URI_PREFIX.length));
  } catch {
    throw refused('its URI is not percent-encoded');
  }
}

const refused = (why: string) =>
  new CertificateRefused(`the client certificate is refused: ${why}`);
