/** A request for a time stamp (RFC 3161, section 2.4.1). Pure. */
import { der, integer, octets, oid, sequence, TAG, truth } from '../../asn1/index.js';
import { OID } from '../../x509/index.js';

/**
 * TimeStampReq, DER. It requests the certificate, so that the token can still be verified years later.
 *
 * @param sha256 hexadecimal
 * @param nonce positive; the answer repeats it
 */
export const timeStampRequest = (sha256: string, nonce: bigint): Buffer =>
  sequence(
    integer(1n),
    sequence(sequence(oid(OID.sha256), der(TAG.null)), octets(Buffer.from(sha256, 'hex'))),
    integer(nonce),
    truth(true),
  );
