/** Signed update scripts: JWS (RFC 7515) with the signer's certificate chain in `x5c`, by jose. */
import { type KeyObject, type X509Certificate } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader, errors } from 'jose';
import { certificateOf, CertificateRefused } from './certificates.js';
import { checkLength, checkPath, checkValidity, trustedSigner } from './certification-path.js';
import { algorithmOf } from './keys.js';
import { type UpdateScript } from '../contract/update-script/index.js';
import { validateScript } from './validate-script.js';

const TYPE = 'otaops-update-script+jws';
/** No other member is accepted: `jwk`, `jku` and `x5u` name other keys, `crit` demands extensions we do not have. */
const HEADER = new Set(['alg', 'typ', 'x5c']);

/** A signer: its key and the certificates that vouch for it. */
export interface Signer {
  readonly key: KeyObject;
  /** The key's certificate first, then the intermediates up to a trust anchor, each issued by the next. */
  readonly chain: readonly X509Certificate[];
}

/** A script that a vehicle does not accept; the message gives the reason. */
export class ScriptRefused extends Error {
  override readonly name = 'ScriptRefused';
}

/**
 * Signs a script. Every vehicle that trusts the issuer of the chain's last certificate accepts the result.
 *
 * @param now ms; signed together with the script
 * @throws CertificateRefused, KeyRefused if no vehicle would accept it
 */
export async function signScript(
  script: UpdateScript,
  { key, chain }: Signer,
  now: number,
): Promise<string> {
  const certificate = checkPath(chain);
  checkValidity(chain, now);
  if (!certificate.checkPrivateKey(key)) {
    throw new CertificateRefused(
      'the chain does not begin with the certificate of the signing key',
    );
  }
  const payload = JSON.stringify({ ...script, signedAt: now });
  return new CompactSign(Buffer.from(payload))
    .setProtectedHeader({
      alg: algorithmOf(key),
      typ: TYPE,
      x5c: chain.map(({ raw }) => raw.toString('base64')),
    })
    .sign(key);
}

/**
 * Returns the script if its signature is valid and its chain leads to one of the trust anchors.
 *
 * @param at ms
 * @throws ScriptRefused
 */
export async function verifyScript(
  jws: string,
  trustAnchors: readonly X509Certificate[],
  at: number,
): Promise<UpdateScript> {
  try {
    const { alg, x5c } = headerOf(jws);
    const { publicKey } = trustedSigner(chainOf(x5c), trustAnchors, at);
    const algorithm = algorithmOf(publicKey);
    if (alg !== algorithm) {
      throw new ScriptRefused(
        `the signature is ${shown(alg)}, the signer's key is for ${algorithm}`,
      );
    }
    const { payload } = await compactVerify(jws, publicKey, { algorithms: [algorithm] });
    return scriptIn(payload);
  } catch (error) {
    if (error instanceof ScriptRefused) throw error;
    if (error instanceof CertificateRefused) throw new ScriptRefused(error.message);
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw new ScriptRefused('the signature does not match: the script was changed');
    }
    throw new ScriptRefused(`the signature cannot be read: ${(error as Error).message}`);
  }
}

function headerOf(jws: string): { readonly alg?: unknown; readonly x5c?: unknown } {
  const header = decodeProtectedHeader(jws);
  if (header.typ !== TYPE) throw new ScriptRefused('the signature is not that of an update script');
  const other = Object.keys(header).find((member) => !HEADER.has(member));
  if (other !== undefined) {
    throw new ScriptRefused(`the signature's header has ${shown(other)}, which is not accepted`);
  }
  return header;
}

function chainOf(x5c: unknown): X509Certificate[] {
  if (x5c === undefined) throw new ScriptRefused('the signature contains no certificate');
  if (!Array.isArray(x5c)) {
    throw new ScriptRefused('x5c must be an array of certificates in base64');
  }
  checkLength(x5c);
  return x5c.map(certificateOf);
}

const MAX_SHOWN = 40;

/** Foreign text for use in a message: short, without control characters. */
const shown = (member: unknown): string =>
  member === undefined ? 'nothing' : JSON.stringify(member).slice(0, MAX_SHOWN);

function scriptIn(payload: Uint8Array): UpdateScript {
  const script = validateScript(JSON.parse(Buffer.from(payload).toString()));
  if (!('ecus' in script)) {
    const [fault] = script;
    throw new ScriptRefused(
      `the script is not valid: ${fault?.path ?? ''} ${fault?.message ?? ''}`,
    );
  }
  return script;
}
