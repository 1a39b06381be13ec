/** A request for a time stamp (RFC 3161, section 2.4.1). Pure. */
import { der, integer, octets, oid, sequence, TAG, truth } from '../../asn1/index.js';

export const SHA256_OID = '2.16.840.1.101.3.4.2.1';

/**
 * TimeStampReq, DER. The certificate is asked for, so that the token can be verified in years to come.
 *
 * @param sha256 hexadecimal
 * @param nonce positive; the answer has the same
 */
export const timeStampRequest = (sha256: string, nonce: bigint): Buffer =>
  sequence(
    integer(1n),
    sequence(sequence(oid(SHA256_OID), der(TAG.null)), octets(Buffer.from(sha256, 'hex'))),
    integer(nonce),
    truth(true),
  );
