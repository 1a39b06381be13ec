/** Reads the fields of a certificate that we use (RFC 5280). Its trust, chain and validity are verified elsewhere. */
import { type KeyObject } from 'node:crypto';
import {
  childrenOf,
  contextTag,
  DerFault,
  type Element,
  expectTag,
  readBoolean,
  readDer,
  readInteger,
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
  /** `other`: of a kind that cannot name a vehicle, e.g. an IP address. */
  readonly kind: 'dns' | 'uri' | 'other';
  readonly value: string;
}

/** By their bits, from the left (RFC 5280, section 4.2.1.3). */
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

type KeyUsage = (typeof KEY_USAGES)[number];

export interface Certificate {
  readonly bytes: Buffer;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Name of the issuer, in DER. */
  readonly issuer: Buffer;
  /** Name of the holder, in DER. */
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
  /** Maximum number of authorities, not self-issued, between it and the end of a path; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Permitted uses of its key; undefined: any. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** Object identifiers; undefined: for any purpose. */
  readonly purposes: readonly string[] | undefined;
  /** Its SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Element;
  readonly publicKey: () => KeyObject;
  readonly signed: Signed;
}

/** @throws DerFault */
export function readCertificate(bytes: Uint8Array): Certificate {
  const certificate = readDer(bytes, TAG.sequence);
  const signed = readSigned(certificate);
  const fields = childrenOf(expectTag(signed.signed, TAG.sequence));
  // Version 3 is [0] EXPLICIT 2; older ones have no extensions and are no longer issued.
  const [version, serial, , issuer, validity, subject, publicKeyInfo, ...optional] = fields;
  expectTag(version, contextTag(0, true));
  const [notBefore, notAfter] = childrenOf(expectTag(validity, TAG.sequence));
  const key = expectTag(publicKeyInfo, TAG.sequence);
  const extensions = readExtensions(optional.find(({ tag }) => tag === contextTag(3, true)));
  return {
    bytes: certificate.bytes,
    serial: readSerial(serial),
    issuer: expectTag(issuer, TAG.sequence).bytes,
    subject: expectTag(subject, TAG.sequence).bytes,
    commonNames: commonNamesIn(expectTag(subject, TAG.sequence)),
    alternativeNames: alternativeNamesIn(extensions.get(OID.subjectAltName)),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    ...basicConstraintsIn(extensions.get(OID.basicConstraints)),
    keyUsage: keyUsageIn(extensions.get(OID.keyUsage)),
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

/** Every common name, even in a relative name with several attributes. @throws DerFault */
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

function basicConstraintsIn(
  extension: Buffer | undefined,
): Pick<Certificate, 'isAuthority' | 'pathLength'> {
  const parts = extension ? childrenOf(readDer(extension, TAG.sequence)) : [];
  const [first] = parts;
  const length = parts.find(({ tag }) => tag === TAG.integer);
  const pathLength = length && Number(readInteger(length));
  if (pathLength !== undefined && pathLength < 0) throw new DerFault('a path length is negative');
  return { isAuthority: first?.tag === TAG.boolean && readBoolean(first), pathLength };
}

/** A BIT STRING: how many bits of its last byte are unused, then the bits from the left. */
function keyUsageIn(extension: Buffer | undefined): ReadonlySet<KeyUsage> | undefined {
  if (!extension) return undefined;
  const [, ...bytes] = readDer(extension, TAG.bitString).content;
  const isSet = (bit: number) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  return new Set(KEY_USAGES.filter((_, bit) => isSet(bit)));
}

/** Without the extension, every use of the key is permitted. */
export const mayBeUsedFor = ({ keyUsage }: Certificate, usage: KeyUsage): boolean =>
  keyUsage?.has(usage) ?? true;

function purposesIn(extension: Buffer | undefined): string[] | undefined {
  if (!extension) return undefined;
  return childrenOf(readDer(extension, TAG.sequence)).map(readOid);
}
