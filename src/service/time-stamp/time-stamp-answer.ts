/** The answer of a time-stamping authority (RFC 3161, section 2.4.2), read and checked. Pure. */
import { createHash, verify, X509Certificate } from 'node:crypto';
import { BadDer, type DerElement, readDer, TAG } from './der.js';
import { SHA256_OID } from './time-stamp-request.js';

/** The answer is no time stamp, not of what was asked, or not to be believed; the message says why. */
export class BadTimeStamp extends Error {
  override readonly name = 'BadTimeStamp';
}

export interface CheckedTimeStamp {
  /** ms */
  readonly time: number;
  /** Of the certificate that has signed it. */
  readonly authority: string;
}

export interface Expected {
  /** SHA-256, hexadecimal. */
  readonly imprint: string;
  /** undefined: any, as when an archive is verified. */
  readonly nonce?: bigint | undefined;
  /** Certificates of authorities that are trusted; undefined: whoever has signed it. */
  readonly trusted?: readonly X509Certificate[] | undefined;
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const DIGESTS: Readonly<Record<string, string | undefined>> = {
  [SHA256_OID]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** @param answer TimeStampResp, DER @throws BadTimeStamp */
export function checkTimeStamp(answer: Uint8Array, expected: Expected): CheckedTimeStamp {
  try {
    const signedData = signedDataIn(readDer(answer));
    const info = infoIn(signedData);
    checkInfo(info, expected);
    const signer = checkSignature(signedData, info.bytes);
    checkSigner(signer, certificatesIn(signedData), info.time, expected.trusted);
    return { time: info.time, authority: signer.subject.replaceAll('\n', ', ') };
  } catch (error) {
    if (error instanceof BadDer) throw new BadTimeStamp(`is no time stamp: ${error.message}`);
    // A key or a curve that OpenSSL does not take.
    if (isOfOpenSsl(error)) throw new BadTimeStamp(`cannot be verified: ${error.message}`);
    throw error;
  }
}

const isOfOpenSsl = (error: unknown): error is Error =>
  error instanceof Error && /^ERR_(OSSL|CRYPTO)/.test((error as NodeJS.ErrnoException).code ?? '');

function signedDataIn(response: DerElement): readonly DerElement[] {
  const [status, token] = response.as(TAG.sequence, 'the answer').children;
  const [code] = need(status, 'a status').children;
  const granted = need(code, 'a status').integer;
  if (granted !== 0n && granted !== 1n) {
    throw new BadTimeStamp(`the authority refuses: status ${granted}${wordsOf(status)}`);
  }
  const [type, content] = need(token, 'a token').children;
  if (need(type, 'a token').oid !== SIGNED_DATA)
    throw new BadTimeStamp('the token is not signed data');
  const [signedData] = need(content, 'signed data').children;
  return need(signedData, 'signed data').as(TAG.sequence, 'signed data').children;
}

/** What the authority says why, if it does. */
function wordsOf(status: DerElement | undefined): string {
  const [text] = status?.children.slice(1) ?? [];
  const words =
    text?.tag === TAG.sequence ? text.children.map(({ content }) => content.toString()) : [];
  return words.length > 0 ? `, ${words.join(', ').slice(0, 200)}` : '';
}

interface Info {
  /** TSTInfo, DER: what is signed. */
  readonly bytes: Buffer;
  readonly algorithm: string;
  readonly imprint: string;
  /** ms */
  readonly time: number;
  readonly nonce: bigint | undefined;
}

function infoIn([, , encapsulated]: readonly DerElement[]): Info {
  const [type, content] = need(encapsulated, 'content').children;
  if (need(type, 'content').oid !== TST_INFO) throw new BadTimeStamp('the token is no time stamp');
  const [octets] = need(content, 'content').children;
  const bytes = need(octets, 'content').as(TAG.octetString, 'content').content;
  const [, , imprint, , time, ...more] = readDer(bytes).as(TAG.sequence, 'TSTInfo').children;
  const [algorithm, digest] = need(imprint, 'an imprint').children;
  const [name] = need(algorithm, 'an algorithm').children;
  return {
    bytes,
    algorithm: need(name, 'an algorithm').oid,
    imprint: need(digest, 'a digest').as(TAG.octetString, 'a digest').content.toString('hex'),
    time: need(time, 'a time').generalizedTime,
    nonce: more.find(({ tag }) => tag === TAG.integer)?.integer,
  };
}

function checkInfo(info: Info, { imprint, nonce }: Expected): void {
  if (info.algorithm !== SHA256_OID || info.imprint !== imprint) {
    throw new BadTimeStamp(`is of ${info.imprint.slice(0, 128)}, not of ${imprint}`);
  }
  if (nonce !== undefined && info.nonce !== nonce) {
    throw new BadTimeStamp('answers another request: the nonce is not ours');
  }
}

/** CMS (RFC 5652, section 5.6). @returns the certificate of who has signed */
function checkSignature(signedData: readonly DerElement[], content: Buffer): X509Certificate {
  const infos = need(signedData.at(-1), 'signers').as(TAG.set, 'signers').children;
  const [info] = infos;
  if (!info || infos.length > 1) throw new BadTimeStamp('has not exactly one signer');
  const [, sid, digestAlgorithm, attributes, , signature] = info.children;
  const [digestName] = need(digestAlgorithm, 'an algorithm').children;
  const digest = DIGESTS[need(digestName, 'an algorithm').oid];
  if (digest === undefined) throw new BadTimeStamp('is signed with a digest that is not supported');
  const signed = need(attributes, 'signed attributes').as(TAG.context(0), 'signed attributes');
  const valueOf = attributeReader(signed.children);
  if (valueOf(CONTENT_TYPE).oid !== TST_INFO)
    throw new BadTimeStamp('signs another type of content');
  const said = valueOf(MESSAGE_DIGEST).as(TAG.octetString, 'a digest').content;
  if (!createHash(digest).update(content).digest().equals(said)) {
    throw new BadTimeStamp('signs other content');
  }
  const signer = signerIn(signedData, need(sid, 'a signer'));
  // They are signed as a SET, whatever their tag in the message is.
  const message = Buffer.from(signed.bytes);
  message[0] = TAG.set;
  const bytes = need(signature, 'a signature').as(TAG.octetString, 'a signature').content;
  if (!verify(digest, message, signer.publicKey, bytes)) {
    throw new BadTimeStamp('has a signature that does not verify');
  }
  return signer;
}

const attributeReader = (attributes: readonly DerElement[]) => (oid: string) => {
  for (const attribute of attributes) {
    const [type, values] = attribute.children;
    if (type?.oid !== oid) continue;
    const [value] = need(values, 'a value').children;
    return need(value, 'a value');
  }
  throw new BadTimeStamp(`has no signed attribute ${oid}`);
};

/** `certificates [0]` of the signed data. */
function certificatesIn(signedData: readonly DerElement[]): X509Certificate[] {
  const set = signedData.find(({ tag }) => tag === TAG.context(0));
  try {
    return (set?.children ?? []).map(({ bytes }) => new X509Certificate(bytes));
  } catch {
    throw new BadTimeStamp('has a certificate that is none');
  }
}

/** By issuer and serial number, or there is only one that can be meant. */
function signerIn(signedData: readonly DerElement[], sid: DerElement): X509Certificate {
  const certificates = certificatesIn(signedData);
  if (sid.tag !== TAG.sequence) throw new BadTimeStamp('names its signer by a key identifier');
  const [, serial] = sid.children;
  const number = need(serial, 'a serial number').integer;
  const found = certificates.find(({ serialNumber }) => integerOf(serialNumber) === number);
  if (!found) throw new BadTimeStamp('has no certificate of its signer');
  return found;
}

/** @param hex with a sign if it is negative, as a certificate's number may be that somebody has made wrongly */
const integerOf = (hex: string): bigint =>
  hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`);

/** Most certificates between the signer and who is trusted. */
const LONGEST_PATH = 10;

function checkSigner(
  signer: X509Certificate,
  others: readonly X509Certificate[],
  time: number,
  trusted: readonly X509Certificate[] | undefined,
): void {
  // RFC 3161, section 2.3. Node calls the extended key usage so.
  if (!(signer.keyUsage as readonly string[] | undefined)?.includes(TIME_STAMPING)) {
    throw new BadTimeStamp('is signed by a certificate that is not for time stamps');
  }
  if (!trusted) return;
  let current = signer;
  for (let length = 0; length < LONGEST_PATH; length++) {
    if (time < Date.parse(current.validFrom) || time > Date.parse(current.validTo)) {
      throw new BadTimeStamp('was made when a certificate of its signer was not valid');
    }
    if (trusted.some((root) => root.fingerprint256 === current.fingerprint256)) return;
    const issuer = [...trusted, ...others].find(
      (one) =>
        one.fingerprint256 !== current.fingerprint256 &&
        one.ca &&
        current.checkIssued(one) &&
        current.verify(one.publicKey),
    );
    if (!issuer) break;
    current = issuer;
  }
  throw new BadTimeStamp('is signed by an authority that is not trusted');
}

function need(element: DerElement | undefined, what: string): DerElement {
  if (!element) throw new BadDer(`${what} is missing`);
  return element;
}
