/** Reads what we go by in a certificate (RFC 5280). Whether it is to be trusted, its chain and its time decide elsewhere. */
import { type KeyObject } from 'node:crypto';
import {
  childrenOf,
  contextTag,
  DerFault,
  type Element,
  expectTag,
  readBoolean,
  readDer,
  readOid,
  readSerial,
  readText,
  readTime,
  TAG,
} from '../asn1/index.js';
import { OID } from './oids.js';
import { readPublicKey, readSigned, type Signed } from './signatures.js';

/** A name that a certificate gives its holder. */
export interface AlternativeName {
  /** `other`: of a kind that names no vehicle, e.g. an IP address. */
  readonly kind: 'dns' | 'uri' | 'other';
  readonly value: string;
}

export interface Certificate {
  readonly bytes: Buffer;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Name of the issuer, in DER. */
  readonly issuer: Buffer;
  /** The same of the holder. */
  readonly subject: Buffer;
  /** All common names of the subject, in their order. */
  readonly commonNames: readonly string[];
  readonly alternativeNames: readonly AlternativeName[];
  /** ms */
  readonly notBefore: number;
  /** ms */
  readonly notAfter: number;
  /** Whether it may issue certificates. */
  readonly isAuthority: boolean;
  /** Whether its key may sign something else than certificates and lists: handshakes, for instance. */
  readonly maySign: boolean;
  /** Object identifiers; undefined: for any purpose. */
  readonly purposes: readonly string[] | undefined;
  /** Its SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Element;
  readonly publicKey: () => KeyObject;
  readonly signed: Signed;
}

/** @throws DerFault */
export function readCertificate(bytes: Uint8Array): Certificate {
  const whole = readDer(bytes, TAG.sequence);
  const signed = readSigned(whole);
  const fields = childrenOf(expectTag(signed.signed, TAG.sequence));
  // Version 3 is [0] EXPLICIT 2; older ones have no extensions, and nobody issues them.
  const [version, serial, , issuer, validity, subject, publicKeyInfo, ...optional] = fields;
  expectTag(version, contextTag(0, true));
  const [notBefore, notAfter] = childrenOf(expectTag(validity, TAG.sequence));
  const key = expectTag(publicKeyInfo, TAG.sequence);
  const extensions = readExtensions(optional.find(({ tag }) => tag === contextTag(3, true)));
  return {
    bytes: whole.bytes,
    serial: readSerial(serial),
    issuer: expectTag(issuer, TAG.sequence).bytes,
    subject: expectTag(subject, TAG.sequence).bytes,
    commonNames: commonNamesIn(expectTag(subject, TAG.sequence)),
    alternativeNames: alternativeNamesIn(extensions.get(OID.subjectAltName)),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    isAuthority: isAuthority(extensions.get(OID.basicConstraints)),
    maySign: maySign(extensions.get(OID.keyUsage)),
    purposes: purposesIn(extensions.get(OID.extendedKeyUsage)),
    publicKeyInfo: key,
    publicKey: () => readPublicKey(key),
    signed,
  };
}

/** By object identifier, each at most once (RFC 5280, section 4.2). @throws DerFault */
function readExtensions(explicit: Element | undefined): Map<string, Buffer> {
  const extensions = new Map<string, Buffer>();
  if (!explicit) return extensions;
  for (const extension of childrenOf(expectTag(childrenOf(explicit)[0], TAG.sequence))) {
    const parts = childrenOf(expectTag(extension, TAG.sequence));
    const id = readOid(parts[0]);
    if (extensions.has(id)) throw new DerFault(`the extension ${id} occurs twice`);
    extensions.set(id, expectTag(parts.at(-1), TAG.octetString).content);
  }
  return extensions;
}

/** Every common name, also of a relative name with several attributes. @throws DerFault */
export function commonNamesIn(name: Element): string[] {
  return childrenOf(name)
    .flatMap((relative) => childrenOf(expectTag(relative, TAG.set)))
    .flatMap((attribute) => {
      const [type, value] = childrenOf(expectTag(attribute, TAG.sequence));
      if (readOid(type) !== OID.commonName) return [];
      if (!value) throw new DerFault('a common name is missing');
      return [readText(value)];
    });
}

const DNS_NAME = contextTag(2, false);
const URI = contextTag(6, false);

function alternativeNamesIn(extension: Buffer | undefined): AlternativeName[] {
  if (!extension) return [];
  return childrenOf(readDer(extension, TAG.sequence)).map(({ tag, content, bytes }) => {
    const value = () => readText({ tag: TAG.ia5String, content, bytes });
    if (tag === DNS_NAME) return { kind: 'dns', value: value() };
    if (tag === URI) return { kind: 'uri', value: value() };
    return { kind: 'other', value: '' };
  });
}

function isAuthority(extension: Buffer | undefined): boolean {
  if (!extension) return false;
  const [first] = childrenOf(readDer(extension, TAG.sequence));
  return first?.tag === TAG.boolean && readBoolean(first);
}

/** First bit of the first byte of KeyUsage (RFC 5280, section 4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80;

/** Without the extension, a key is for every use. */
function maySign(extension: Buffer | undefined): boolean {
  if (!extension) return true;
  const [, first = 0] = readDer(extension, TAG.bitString).content;
  return (first & DIGITAL_SIGNATURE) !== 0;
}

function purposesIn(extension: Buffer | undefined): string[] | undefined {
  if (!extension) return undefined;
  return childrenOf(readDer(extension, TAG.sequence)).map(readOid);
}
