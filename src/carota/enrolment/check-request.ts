/** Requirements for a certification request (RFC 7030, section 4.2.1). Pure. */
import { type KeyObject } from 'node:crypto';
import { DerFault } from '../../asn1/index.js';
import { LEAST_RSA_BITS, readCertificateRequest } from '../../x509/index.js';
import { type CheckedRequest } from './authority.js';

/** The request is refused; the message says why. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * @param body PKCS #10 in base64
 * @param systemId of the caller, who can request a certificate only for itself
 * @throws RequestRefused
 */
export function checkRequest(body: Uint8Array, systemId: string): CheckedRequest {
  const text = Buffer.from(body).toString('latin1').replaceAll(/\s/g, '');
  if (!BASE64.test(text)) throw new RequestRefused('the body is not a PKCS #10 request in base64');
  const request = Buffer.from(text, 'base64');
  try {
    const { commonNames, publicKeyInfo } = readCertificateRequest(request, acceptKey);
    const [name, ...others] = commonNames;
    if (name !== systemId || others.length > 0) {
      throw new RequestRefused(`the only common name must be the system_id ${systemId}`);
    }
    return { systemId, publicKeyInfo, request };
  } catch (error) {
    if (error instanceof DerFault) throw new RequestRefused(`no request: ${error.message}`);
    throw error;
  }
}

const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1']);
const RSA_BITS = { least: LEAST_RSA_BITS, most: 4096 };
/** Each bit of an exponent costs time; 65,537 is the usual one. */
const MOST_EXPONENT = 2n ** 32n;

/** @throws RequestRefused */
function acceptKey(key: KeyObject): void {
  const fault = keyFault(key);
  if (fault !== undefined) throw new RequestRefused(fault);
}

function keyFault({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  switch (asymmetricKeyType) {
    case 'ec':
      return CURVES.has(asymmetricKeyDetails.namedCurve)
        ? undefined
        : 'EC keys must be on P-256 or P-384';
    case 'rsa': {
      const { modulusLength: bits = 0, publicExponent = MOST_EXPONENT + 1n } = asymmetricKeyDetails;
      if (publicExponent > MOST_EXPONENT) return 'RSA exponents must be at most 2^32';
      return bits >= RSA_BITS.least && bits <= RSA_BITS.most
        ? undefined
        : `RSA keys must have ${RSA_BITS.least} to ${RSA_BITS.most} bits`;
    }
    case 'ed25519':
      return undefined;
    default:
      return `keys of type ${asymmetricKeyType} are not accepted`;
  }
}
