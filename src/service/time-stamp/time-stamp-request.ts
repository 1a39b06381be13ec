/** A request for a time stamp (RFC 3161, section 2.4.1). Pure. */
import { TAG, writeDer, writeInteger, writeOid } from './der.js';

export const SHA256_OID = '2.16.840.1.101.3.4.2.1';

/**
 * TimeStampReq, DER. The certificate is asked for, so that the token can be verified in years to come.
 *
 * @param sha256 hexadecimal
 * @param nonce positive; the answer has the same
 */
export const timeStampRequest = (sha256: string, nonce: bigint): Buffer =>
  writeDer(TAG.sequence, [
    writeInteger(1n),
    writeDer(TAG.sequence, [
      writeDer(TAG.sequence, [writeOid(SHA256_OID), writeDer(TAG.null, [])]),
      writeDer(TAG.octetString, Buffer.from(sha256, 'hex')),
    ]),
    writeInteger(nonce),
    writeDer(TAG.boolean, Buffer.from([0xff])),
  ]);
