/** Signed update scripts: JWS (RFC 7515) with the signer's certificate chain in `x5c`, by jose. */
import { type KeyObject, type X509Certificate } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader, errors } from 'jose';
import { CertificateRefused, checkChain, parsed } from './certificates.js';
import { type UpdateScript } from './update-script.js';
import { validateScript } from './validate-script.js';

const TYPE = 'otaops-update-script+jws';
/** More certificates than this are no chain. */
const MAX_CHAIN = 10;

/** Who signs, and proves it. */
export interface Signer {
  readonly key: KeyObject;
  /** The key's certificate first, then those between it and a trust anchor. */
  readonly chain: readonly X509Certificate[];
}

/** A script that a vehicle does not accept; the message says why. */
export class ScriptRefused extends Error {
  override readonly name = 'ScriptRefused';
}

/** A key that cannot sign. */
class BadSigningKey extends Error {
  override readonly name = 'BadSigningKey';
}

/** Algorithms (RFC 7518, RFC 8037) of curves and other kinds of keys. */
const ALGORITHM_OF = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
  ['rsa', 'PS256'],
  ['ed25519', 'EdDSA'],
]);

/** @throws BadSigningKey */
export function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const kind = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? '';
  const algorithm = ALGORITHM_OF.get(kind);
  if (algorithm === undefined) {
    throw new BadSigningKey('a signing key is EC on P-256, P-384 or P-521, RSA, or Ed25519');
  }
  return algorithm;
}

/** @param now ms; it is signed with the script */
export async function signScript(
  script: UpdateScript,
  { key, chain }: Signer,
  now: number,
): Promise<string> {
  const payload = JSON.stringify({ ...script, 'signed-at': now });
  return new CompactSign(Buffer.from(payload))
    .setProtectedHeader({
      alg: algorithmOf(key),
      typ: TYPE,
      x5c: chain.map(({ raw }) => raw.toString('base64')),
    })
    .sign(key);
}

/**
 * The script, if its signature is good and its chain leads to a trust anchor.
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
    const { typ, x5c = [] } = decodeProtectedHeader(jws);
    if (typ !== TYPE) throw new ScriptRefused(`the signature is not that of an update script`);
    const chain = x5c.slice(0, MAX_CHAIN).map(parsed);
    await checkChain(chain, trustAnchors, at);
    const key = chain[0]?.publicKey;
    if (!key) throw new ScriptRefused('the signature brings no certificate');
    const { payload } = await compactVerify(jws, key, { algorithms: [...ALGORITHM_OF.values()] });
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
