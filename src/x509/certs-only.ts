/** Certificates in a CMS SignedData without signatures (RFC 5272, section 4.1: “certs-only”), as in EST answers. */
import {
  childrenOf,
  contextTag,
  DerFault,
  expectTag,
  readDer,
  readOid,
  TAG,
} from '../asn1/index.js';
import { der, integer, oid, sequence, set } from '../asn1/index.js';
import { OID } from './oids.js';

/** @param certificates in DER @returns in DER */
export const writeCertsOnly = (certificates: readonly Uint8Array[]): Buffer =>
  sequence(
    oid(OID.signedData),
    der(
      contextTag(0, true),
      sequence(
        integer(1n),
        set(),
        sequence(oid(OID.data)),
        der(contextTag(0, true), ...certificates),
        set(),
      ),
    ),
  );

/** EST's answer to how a request should be made (RFC 7030, section 4.5.2): with a key on P-256. */
export const CSR_ATTRIBUTES: Buffer = sequence(
  sequence(oid(OID.ecPublicKey), set(oid(OID.prime256v1))),
  oid(OID.ecdsaWithSha256),
);

/** @returns in DER @throws DerFault */
export function readCertsOnly(bytes: Uint8Array): Buffer[] {
  const [type, explicit] = childrenOf(readDer(bytes, TAG.sequence));
  if (readOid(type) !== OID.signedData) throw new DerFault('not a CMS SignedData');
  const [content] = childrenOf(expectTag(explicit, contextTag(0, true)));
  const fields = childrenOf(expectTag(content, TAG.sequence));
  const certificates = fields.find(({ tag }) => tag === contextTag(0, true));
  return certificates ? childrenOf(certificates).map(({ bytes: one }) => one) : [];
}
