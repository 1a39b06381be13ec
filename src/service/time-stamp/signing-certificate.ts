/**
 * The certificate with which a signer claims to have signed (RFC 2634, section 5.4; RFC 5035, section 4): without this
 * claim, another one with the same key or number could be substituted. Pure.
 */
import { createHash } from 'node:crypto';
import {
  childrenOf,
  contextTag,
  type Element,
  expectTag,
  readInteger,
  readOid,
  TAG,
} from '../../asn1/index.js';
import { type Certificate } from '../../x509/index.js';
import { BadTimeStamp } from './bad-time-stamp.js';
import { DIGESTS } from './digests.js';

/** Its hash is SHA-1: many authorities still send no other. An attack needs a second preimage, not just a collision. */
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
const DIRECTORY_NAME = contextTag(4, true);

/**
 * @param valueOf a signed attribute; undefined: missing
 * @throws BadTimeStamp @throws DerFault
 */
export function checkSigningCertificate(
  signer: Certificate,
  valueOf: (name: string) => Element | undefined,
): void {
  const first = valueOf(SIGNING_CERTIFICATE);
  const second = valueOf(SIGNING_CERTIFICATE_V2);
  if (!first && !second) throw new BadTimeStamp('does not say with which certificate it is signed');
  // RFC 5816, section 2.2.1: both may be present, and then both must be correct.
  const isNamed =
    (!first || isNamedBy(signer, certificateIdIn(first), 'sha1')) &&
    (!second || isNamedBy(signer, certificateIdIn(second), undefined));
  if (!isNamed) throw new BadTimeStamp('says that it is signed with another certificate');
}

/** The first one identifies the signer; others belong to its path. */
function certificateIdIn(value: Element): readonly Element[] {
  const [ids] = childrenOf(expectTag(value, TAG.sequence));
  const [id] = childrenOf(expectTag(ids, TAG.sequence));
  return childrenOf(expectTag(id, TAG.sequence));
}

/** @param given of version 1; undefined: the id names it, or it is SHA-256 */
function isNamedBy(signer: Certificate, id: readonly Element[], given: string | undefined) {
  const [algorithm] = given === undefined && id[0]?.tag === TAG.sequence ? id : [];
  const [hash, issuerSerial] = algorithm ? id.slice(1) : id;
  const digest = given ?? (algorithm ? DIGESTS[readOid(childrenOf(algorithm)[0])] : 'sha256');
  if (digest === undefined) {
    throw new BadTimeStamp('names its certificate with a digest that is not supported');
  }
  const own = createHash(digest).update(signer.bytes).digest();
  if (!expectTag(hash, TAG.octetString).content.equals(own)) return false;
  if (!issuerSerial) return true;
  const [names, serial] = childrenOf(expectTag(issuerSerial, TAG.sequence));
  const [name] = childrenOf(expectTag(names, TAG.sequence));
  const isIssuer = expectTag(name, DIRECTORY_NAME).content.equals(signer.issuer);
  return isIssuer && readInteger(serial) === BigInt(`0x${signer.serial}`);
}
