/** Creates signed files: the envelope of metadata, manifests and signed time (POUF, section 2). */
import { canonicalJson, type PlainJson } from '../json/canonical-json.js';
import { type PublicKey } from '../keys/public-key.js';
import { publicKeyOf } from './listed-key.js';
import { type ListedKey, type Signer } from './signer.js';

export type SignedPart = Readonly<Record<string, PlainJson>>;

// Types rather than interfaces, because these are JSON values without further members.
export type WrittenSignature = Readonly<{ keyid: string; sig: string }>;

export type WrittenEnvelope = Readonly<{
  signatures: readonly WrittenSignature[];
  signed: SignedPart;
}>;

/** A signer has returned an invalid signature; nothing has been written. */
export class WrongSignature extends Error {
  override readonly name = 'WrongSignature';
}

/**
 * @param signers each signs once, in the order of the signatures
 * @throws NotCanonical, WrongSignature, and errors of a signer
 */
export async function signMetadata(
  signed: SignedPart,
  signers: readonly Signer[],
): Promise<WrittenEnvelope> {
  const message = canonicalJson(signed);
  const signatures: WrittenSignature[] = [];
  for (const signer of signers) signatures.push(await signatureBy(signer, message));
  return { signatures, signed };
}

/**
 * Signs and verifies the signature, so that a token that uses a different key or scheme than it claims is detected
 * here and not in vehicles.
 *
 * @throws WrongSignature
 */
export async function signatureBy(signer: Signer, message: Uint8Array): Promise<WrittenSignature> {
  const sig = Buffer.from(await signer.sign(message)).toString('hex');
  if (!verifierOf(signer.key).verifies(message, sig)) {
    throw new WrongSignature(`the signature by the key ${signer.keyId} does not verify`);
  }
  return { keyid: signer.keyId, sig };
}

/** Reading a key costs more than half a signature. */
const verifiers = new WeakMap<ListedKey, PublicKey>();

function verifierOf(key: ListedKey): PublicKey {
  const cached = verifiers.get(key);
  if (cached) return cached;
  const verifier = publicKeyOf(key);
  verifiers.set(key, verifier);
  return verifier;
}

/**
 * The file as served, in plain JSON: canonical JSON, which the signatures cover, does not escape control
 * characters, so the line breaks of a PEM key would make it invalid JSON.
 */
export const writeEnvelope = (envelope: WrittenEnvelope): Buffer =>
  Buffer.from(JSON.stringify(envelope));
