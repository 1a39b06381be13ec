/** Certificate revocation lists (RFC 5280, section 5), read and written. */
import { sign } from 'node:crypto';
import { type Certificate } from './certificate.js';
import {
  childrenOf,
  contextTag,
  DerFault,
  expectTag,
  readDer,
  readOid,
  readSerial,
  readTime,
  TAG,
} from '../asn1/index.js';
import { der, integer, octets, oid, sequence, time } from '../asn1/index.js';
import { type Issuer, SIGNATURE_ALGORITHM, signedStructure } from './issuer.js';
import { OID } from './oids.js';
import { isSignedBy, readSigned, type Signed } from './signatures.js';

export interface RevocationList {
  /** Name of the issuer, in DER. */
  readonly issuer: Buffer;
  /** ms */
  readonly thisUpdate: number;
  /** ms; undefined: no end was stated. */
  readonly nextUpdate: number | undefined;
  /** As {@link Certificate.serial}. */
  readonly serials: ReadonlySet<string>;
  readonly signed: Signed;
}

/** @throws DerFault */
export function readRevocationList(bytes: Uint8Array): RevocationList {
  const signed = readSigned(readDer(bytes, TAG.sequence));
  const fields = childrenOf(expectTag(signed.signed, TAG.sequence));
  // Version 2 is an INTEGER; a list of version 1 starts with the algorithm.
  if (fields[0]?.tag === TAG.integer) fields.shift();
  const [, issuer, thisUpdate, ...rest] = fields;
  const isTime = (tag: number | undefined) => tag === TAG.utcTime || tag === TAG.generalizedTime;
  const nextUpdate = isTime(rest[0]?.tag) ? readTime(rest.shift()) : undefined;
  const entries = rest[0]?.tag === TAG.sequence ? childrenOf(rest[0]) : [];
  refuseDelta(rest.find(({ tag }) => tag === contextTag(0, true)));
  return {
    issuer: expectTag(issuer, TAG.sequence).bytes,
    thisUpdate: readTime(thisUpdate),
    nextUpdate,
    serials: new Set(entries.map((entry) => readSerial(childrenOf(entry)[0]))),
    signed,
  };
}

/** A critical extension changes the meaning of a list, e.g. which certificates it covers. @throws DerFault */
function refuseDelta(explicit: ReturnType<typeof childrenOf>[number] | undefined): void {
  if (!explicit) return;
  for (const extension of childrenOf(expectTag(childrenOf(explicit)[0], TAG.sequence))) {
    const [id, critical] = childrenOf(extension);
    if (critical?.tag === TAG.boolean && critical.content[0] !== 0) {
      throw new DerFault(`the critical extension ${readOid(id)} is not supported`);
    }
  }
}

/** Whether this authority has issued it. */
export const isListOf = (list: RevocationList, authority: Certificate): boolean =>
  list.issuer.equals(authority.subject) && isSignedBy(list.signed, authority.publicKey());

export interface Revocation {
  readonly serial: string;
  /** ms */
  readonly at: number;
}

/** @param number increases with each list @param list times in ms @returns in DER */
export function writeRevocationList(
  issuer: Issuer,
  revocations: readonly Revocation[],
  { number, thisUpdate, nextUpdate }: { number: number; thisUpdate: number; nextUpdate: number },
): Buffer {
  const entries = revocations.map(({ serial, at }) =>
    sequence(integer(BigInt(`0x${serial}`)), time(at)),
  );
  const extensions = sequence(
    sequence(
      oid(OID.authorityKeyIdentifier),
      octets(sequence(der(contextTag(0, false), issuer.keyIdentifier))),
    ),
    sequence(oid(OID.crlNumber), octets(integer(BigInt(number)))),
  );
  const content = sequence(
    integer(1n),
    SIGNATURE_ALGORITHM,
    issuer.name,
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    der(contextTag(0, true), extensions),
  );
  return signedStructure(content, sign('sha256', content, issuer.key));
}
