/** Issues X.509 certificates: for a first start without the operator's own keys, and for tests. */
import { type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  readonly publicKey: KeyObject;
  /** Issuer; absent: self-signed. */
  readonly issuer?: { readonly certificate: X509Certificate; readonly key: KeyObject };
  /** The subject's private key, for a self-signed certificate. */
  readonly privateKey?: KeyObject;
  /** ms */
  readonly from: number;
  /** ms */
  readonly to: number;
  readonly use: 'authority' | 'code signing' | 'server';
}

/** OIDs (RFC 5280). */
const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const PURPOSES = { 'code signing': '1.3.6.1.5.5.7.3.3', server: '1.3.6.1.5.5.7.3.1' };
/** Bits of KeyUsage: digitalSignature; keyCertSign and cRLSign. */
const DIGITAL_SIGNATURE = 0x80;
const SIGNS_CERTIFICATES = 0x06;

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };

/** Keys are EC on P-256. */
export async function issueCertificate(request: CertificateRequest): Promise<X509Certificate> {
  const { issuer, publicKey, use } = request;
  const certificate = new pkijs.Certificate();
  certificate.version = 2;
  const serial = webcrypto.getRandomValues(new Uint8Array(16));
  // A positive number (RFC 5280, 4.1.2.2).
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  certificate.serialNumber = new asn1js.Integer({ valueHex: serial.buffer });
  certificate.subject = commonName(request.name);
  certificate.issuer = issuer
    ? pkijs.Certificate.fromBER(issuer.certificate.raw).subject
    : commonName(request.name);
  certificate.notBefore.value = new Date(request.from);
  certificate.notAfter.value = new Date(request.to);
  certificate.extensions = extensionsFor(use);
  await certificate.subjectPublicKeyInfo.importKey(await imported(publicKey));
  const key = issuer?.key ?? request.privateKey;
  if (!key)
    throw new Error('a certificate needs an issuer, or its own private key to be self-signed');
  await certificate.sign(await imported(key), 'SHA-256');
  return new X509Certificate(Buffer.from(certificate.toSchema(true).toBER()));
}

function commonName(name: string): pkijs.RelativeDistinguishedNames {
  const value = new asn1js.Utf8String({ value: name });
  return new pkijs.RelativeDistinguishedNames({
    typesAndValues: [new pkijs.AttributeTypeAndValue({ type: COMMON_NAME, value })],
  });
}

function extensionsFor(use: CertificateRequest['use']): pkijs.Extension[] {
  const isAuthority = use === 'authority';
  const bits = isAuthority ? SIGNS_CERTIFICATES : DIGITAL_SIGNATURE;
  const usage = new asn1js.BitString({ valueHex: Uint8Array.of(bits).buffer });
  const extension = (extnID: string, value: { toBER(): ArrayBuffer }) =>
    new pkijs.Extension({ extnID, critical: true, extnValue: value.toBER() });
  return [
    extension(BASIC_CONSTRAINTS, new pkijs.BasicConstraints({ cA: isAuthority }).toSchema()),
    extension(KEY_USAGE, usage),
    ...(isAuthority
      ? []
      : [
          extension(
            EXTENDED_KEY_USAGE,
            new pkijs.ExtKeyUsage({ keyPurposes: [PURPOSES[use]] }).toSchema(),
          ),
        ]),
  ];
}

async function imported(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return key.type === 'private'
    ? webcrypto.subtle.importKey(
        'pkcs8',
        key.export({ type: 'pkcs8', format: 'der' }),
        P256,
        true,
        ['sign'],
      )
    : webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), P256, true, [
        'verify',
      ]);
}
