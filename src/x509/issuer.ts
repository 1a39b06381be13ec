/** Issues certificates (RFC 5280) with an ECDSA key on P-256. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { type Certificate, readCertificate } from './certificate.js';
import { childrenOf, contextTag, readBits, readDer, TAG } from '../asn1/index.js';
import {
  bits,
  der,
  integer,
  octets,
  oid,
  sequence,
  set,
  time,
  truth,
  utf8,
} from '../asn1/index.js';
import { OID } from './oids.js';

export const SIGNATURE_ALGORITHM = sequence(oid(OID.ecdsaWithSha256));

/** A certification authority. */
export interface Issuer {
  /** Its name, in DER. */
  readonly name: Buffer;
  /** Private, on P-256. */
  readonly key: KeyObject;
  /** SHA-1 of its public key (RFC 5280, section 4.2.1.2, method 1): a name, no protection. */
  readonly keyIdentifier: Buffer;
  readonly certificate: Buffer;
}

/** Only a common name. */
export const nameOf = (commonName: string): Buffer =>
  sequence(set(sequence(oid(OID.commonName), utf8(commonName))));

export const signedStructure = (content: Uint8Array, signature: Uint8Array): Buffer =>
  sequence(content, SIGNATURE_ALGORITHM, bits(signature));

/** 159 random bits, hexadecimal (RFC 5280, section 4.1.2.2: at most 20 octets). */
function newSerial(): string {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

interface Validity {
  /** ms */
  readonly notBefore: number;
  /** ms */
  readonly notAfter: number;
}

const extension = (id: string, value: Uint8Array, isCritical = false): Buffer =>
  sequence(oid(id), ...(isCritical ? [truth(true)] : []), octets(value));

/** Bits of KeyUsage from the left: digitalSignature; keyCertSign and cRLSign. */
const DIGITAL_SIGNATURE = der(TAG.bitString, Buffer.from([7, 0x80]));
const CERT_AND_CRL_SIGN = der(TAG.bitString, Buffer.from([1, 0x06]));

/** @param publicKeyInfo in DER */
function keyIdentifierOf(publicKeyInfo: Uint8Array): Buffer {
  const [, key] = childrenOf(readDer(publicKeyInfo, TAG.sequence));
  return createHash('sha1').update(readBits(key)).digest();
}

/** A root: it signs itself. @param key private, on P-256 */
export function selfSigned(commonName: string, key: KeyObject, validity: Validity): Issuer {
  const name = nameOf(commonName);
  const publicKeyInfo = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const keyIdentifier = keyIdentifierOf(publicKeyInfo);
  const content = certificateContent({ issuer: name, subject: name, publicKeyInfo, validity }, [
    extension(OID.basicConstraints, sequence(truth(true), integer(0n)), true),
    extension(OID.keyUsage, CERT_AND_CRL_SIGN, true),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier)),
  ]);
  const certificate = signedStructure(content, sign('sha256', content, key));
  return { name, key, keyIdentifier, certificate };
}

/** The issuer of a certificate that was created here earlier. @throws DerFault */
export function issuerOf(certificate: Uint8Array, key: KeyObject): Issuer {
  const { subject, publicKeyInfo, bytes } = readCertificate(certificate);
  return {
    name: subject,
    key,
    keyIdentifier: keyIdentifierOf(publicKeyInfo.bytes),
    certificate: bytes,
  };
}

/**
 * A certificate for a TLS client whose only name is this common name.
 *
 * @param publicKeyInfo in DER
 */
export function issueClientCertificate(
  issuer: Issuer,
  commonName: string,
  publicKeyInfo: Uint8Array,
  validity: Validity,
): Certificate {
  const subject = nameOf(commonName);
  const content = certificateContent({ issuer: issuer.name, subject, publicKeyInfo, validity }, [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, DIGITAL_SIGNATURE, true),
    extension(OID.extendedKeyUsage, sequence(oid(OID.clientAuth))),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifierOf(publicKeyInfo))),
    extension(
      OID.authorityKeyIdentifier,
      sequence(der(contextTag(0, false), issuer.keyIdentifier)),
    ),
  ]);
  return readCertificate(signedStructure(content, sign('sha256', content, issuer.key)));
}

interface Holder {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKeyInfo: Uint8Array;
  readonly validity: Validity;
}

const certificateContent = (holder: Holder, extensions: readonly Uint8Array[]): Buffer =>
  sequence(
    der(contextTag(0, true), integer(2n)),
    integer(BigInt(`0x${newSerial()}`)),
    SIGNATURE_ALGORITHM,
    holder.issuer,
    sequence(time(holder.validity.notBefore), time(holder.validity.notAfter)),
    holder.subject,
    holder.publicKeyInfo,
    der(contextTag(3, true), sequence(...extensions)),
  );
