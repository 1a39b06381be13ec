/** The answer of a time-stamping authority (RFC 3161, section 2.4.2), read and checked. Pure. */
import { createHash, verify, X509Certificate } from 'node:crypto';
import {
  childrenOf,
  contextTag,
  DerFault,
  type Element,
  expectTag,
  oid,
  readDer,
  readInteger,
  readOid,
  readPreciseTime,
  TAG,
} from '../../asn1/index.js';
import { type Certificate, OID, readCertificate } from '../../x509/index.js';
import { BadTimeStamp } from './bad-time-stamp.js';
import { DIGESTS } from './digests.js';
import { checkPath, checkSigner } from './signer-path.js';
import { checkSigningCertificate } from './signing-certificate.js';

export interface CheckedTimeStamp {
  /** ms */
  readonly time: number;
  /** Of the signing certificate. */
  readonly authority: string;
}

export interface Expected {
  /** SHA-256, hexadecimal. */
  readonly imprint: string;
  /** undefined: any, as when an archive is verified. */
  readonly nonce?: bigint | undefined;
  /** Certificates of trusted authorities; undefined: any signer is accepted. */
  readonly trusted?: readonly X509Certificate[] | undefined;
}

/** `[0]`, constructed: the signed attributes of a signer, the certificates of signed data. */
const FIRST = contextTag(0, true);
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';

/** @param answer TimeStampResp, DER @throws BadTimeStamp */
export function checkTimeStamp(answer: Uint8Array, expected: Expected): CheckedTimeStamp {
  try {
    const signedData = signedDataIn(readDer(answer, TAG.sequence));
    const info = infoIn(signedData);
    checkInfo(info, expected);
    const signer = checkSignature(signedData, info.bytes);
    checkSigner(signer, info.time);
    if (expected.trusted) {
      checkPath(signer, certificatesIn(signedData), info.time, readable(expected.trusted));
    }
    const { subject } = new X509Certificate(signer.bytes);
    return { time: info.time, authority: subject.replaceAll('\n', ', ') };
  } catch (error) {
    if (error instanceof DerFault) throw new BadTimeStamp(`is not a time stamp: ${error.message}`);
    // A key or a curve that OpenSSL does not support.
    if (isOfOpenSsl(error)) throw new BadTimeStamp(`cannot be verified: ${error.message}`);
    throw error;
  }
}

const isOfOpenSsl = (error: unknown): error is Error =>
  error instanceof Error && /^ERR_(OSSL|CRYPTO)/.test((error as NodeJS.ErrnoException).code ?? '');

function signedDataIn(response: Element): readonly Element[] {
  const [status, token] = childrenOf(response);
  const [code] = childrenOf(need(status, 'a status'));
  const granted = readInteger(code);
  if (granted !== 0n && granted !== 1n) {
    throw new BadTimeStamp(`the authority refuses: status ${granted}${wordsOf(status)}`);
  }
  const [type, content] = childrenOf(need(token, 'a token'));
  if (readOid(type) !== SIGNED_DATA) throw new BadTimeStamp('the token is not signed data');
  const [signedData] = childrenOf(need(content, 'signed data'));
  return childrenOf(expectTag(signedData, TAG.sequence));
}

/** The reason given by the authority, if any. */
function wordsOf(status: Element | undefined): string {
  const [, text] = status ? childrenOf(status) : [];
  const words =
    text?.tag === TAG.sequence ? childrenOf(text).map(({ content }) => content.toString()) : [];
  return words.length > 0 ? `, ${words.join(', ').slice(0, 200)}` : '';
}

interface Info {
  /** TSTInfo, DER: the signed content. */
  readonly bytes: Buffer;
  readonly algorithm: string;
  readonly imprint: string;
  /** ms */
  readonly time: number;
  readonly nonce: bigint | undefined;
}

function infoIn([, , encapsulated]: readonly Element[]): Info {
  const [type, content] = childrenOf(need(encapsulated, 'content'));
  if (readOid(type) !== TST_INFO) throw new BadTimeStamp('the token is not a time stamp');
  const [octets] = childrenOf(need(content, 'content'));
  const bytes = expectTag(octets, TAG.octetString).content;
  const [, , imprint, , time, ...more] = childrenOf(readDer(bytes, TAG.sequence));
  const [algorithm, digest] = childrenOf(need(imprint, 'an imprint'));
  const [name] = childrenOf(need(algorithm, 'an algorithm'));
  const nonce = more.find(({ tag }) => tag === TAG.integer);
  return {
    bytes,
    algorithm: readOid(name),
    imprint: expectTag(digest, TAG.octetString).content.toString('hex'),
    time: readPreciseTime(time),
    nonce: nonce && readInteger(nonce),
  };
}

function checkInfo(info: Info, { imprint, nonce }: Expected): void {
  if (info.algorithm !== OID.sha256 || info.imprint !== imprint) {
    throw new BadTimeStamp(`is of ${info.imprint.slice(0, 128)}, not of ${imprint}`);
  }
  if (nonce !== undefined && info.nonce !== nonce) {
    throw new BadTimeStamp('answers another request: the nonce is not ours');
  }
}

/** CMS (RFC 5652, section 5.6). @returns the signer's certificate */
function checkSignature(signedData: readonly Element[], content: Buffer): Certificate {
  const infos = childrenOf(expectTag(signedData.at(-1), TAG.set));
  const [info] = infos;
  if (!info || infos.length > 1) throw new BadTimeStamp('does not have exactly one signer');
  const [, sid, digestAlgorithm, attributes, , signature] = childrenOf(info);
  const [digestName] = childrenOf(need(digestAlgorithm, 'an algorithm'));
  const digest = DIGESTS[readOid(digestName)];
  if (digest === undefined) throw new BadTimeStamp('is signed with a digest that is not supported');
  const signed = expectTag(attributes, FIRST);
  const attributeOf = attributeReader(childrenOf(signed));
  const valueOf = (name: string) => need(attributeOf(name), `the signed attribute ${name}`);
  if (readOid(valueOf(CONTENT_TYPE)) !== TST_INFO) {
    throw new BadTimeStamp('signs another type of content');
  }
  const said = expectTag(valueOf(MESSAGE_DIGEST), TAG.octetString).content;
  if (!createHash(digest).update(content).digest().equals(said)) {
    throw new BadTimeStamp('signs other content');
  }
  const signer = signerIn(signedData, need(sid, 'a signer'));
  // They are signed as a SET, regardless of their tag in the message.
  const message = Buffer.from(signed.bytes);
  message[0] = TAG.set;
  const bytes = expectTag(signature, TAG.octetString).content;
  if (!verify(digest, message, signer.publicKey(), bytes)) {
    throw new BadTimeStamp('has a signature that does not verify');
  }
  checkSigningCertificate(signer, attributeOf);
  return signer;
}

const attributeReader = (attributes: readonly Element[]) => (name: string) => {
  const wanted = oid(name);
  for (const attribute of attributes) {
    const [type, values] = childrenOf(attribute);
    if (!type?.bytes.equals(wanted)) continue;
    const [value] = childrenOf(need(values, 'a value'));
    return need(value, 'a value');
  }
  return undefined;
};

/**
 * `certificates [0]` of the signed data. Certificates that RFC 5280 does not allow are left out: authorities include
 * old roots, which cannot be part of a path.
 */
function certificatesIn(signedData: readonly Element[]): Certificate[] {
  const set = signedData.find(({ tag }) => tag === FIRST);
  try {
    return readable((set ? childrenOf(set) : []).map(({ bytes }) => new X509Certificate(bytes)));
  } catch {
    throw new BadTimeStamp('contains an invalid certificate');
  }
}

const readable = (certificates: readonly X509Certificate[]): Certificate[] =>
  certificates.flatMap(({ raw }) => {
    try {
      return [readCertificate(raw)];
    } catch (error) {
      if (error instanceof DerFault) return [];
      throw error;
    }
  });

/** By issuer and serial number. */
function signerIn(signedData: readonly Element[], sid: Element): Certificate {
  if (sid.tag !== TAG.sequence) throw new BadTimeStamp('names its signer by a key identifier');
  const [name, serial] = childrenOf(sid);
  const issuer = expectTag(name, TAG.sequence).bytes;
  const number = readInteger(serial);
  const found = certificatesIn(signedData).find(
    (one) => one.issuer.equals(issuer) && BigInt(`0x${one.serial}`) === number,
  );
  if (!found) throw new BadTimeStamp('does not contain the certificate of its signer');
  return found;
}

function need(element: Element | undefined, what: string): Element {
  if (!element) throw new DerFault(`${what} is missing`);
  return element;
}
