/**
 * Statements that ECUs sign: reports and manifests. Each signature comes with its method and the hash of the signed content
 * (Uptane, "Vehicle version manifest", "ECU version report"); the Director also accepts signatures without these claims.
 */
import { hash } from 'node:crypto';
import { canonicalJson } from '../json/canonical-json.js';
import { type PublicKey } from '../keys/public-key.js';
import { type Signature } from '../metadata/envelope.js';
import { type SignedPart, signMetadata, type WrittenSignature } from '../signing/sign.js';
import { type Signer } from '../signing/signer.js';

type StatementSignature = WrittenSignature &
  Readonly<{
    /** The scheme of the key. */
    method: string;
    /** SHA-256 of the canonical JSON of the signed content, lower-case hex. */
    hash: Readonly<{ sha256: string }>;
  }>;

export type SignedStatement = Readonly<{
  signatures: readonly StatementSignature[];
  signed: SignedPart;
}>;

const digestOf = (signed: Uint8Array) => hash('sha256', signed);

/** @throws NotCanonical, WrongSignature, and errors of the signer */
export async function signStatement(signed: SignedPart, signer: Signer): Promise<SignedStatement> {
  const { signatures } = await signMetadata(signed, [signer]);
  const beside = { method: signer.key.scheme, hash: { sha256: digestOf(canonicalJson(signed)) } };
  return { signatures: signatures.map((signature) => ({ ...signature, ...beside })), signed };
}

/** The claims of a signature, not yet verified. */
export interface Claim {
  readonly method: string | undefined;
  readonly sha256: string | undefined;
}

/** Of a signature. Hashes by other algorithms are ignored. @throws Refusal `malformed` */
export const claimOf = ({ entry }: Signature): Claim => ({
  method: entry.optional('method')?.string(),
  sha256: entry.optional('hash')?.optional('sha256')?.string(),
});

/** The error in a claim; undefined: none. @param signed canonical JSON */
export function claimFault(
  { method, sha256 }: Claim,
  key: PublicKey,
  signed: Uint8Array,
): string | undefined {
  if (method !== undefined && method !== key.scheme) {
    return `names a method other than ${key.scheme}, the method of the registered key`;
  }
  if (sha256 !== undefined && sha256 !== digestOf(signed)) {
    return 'names a hash that is not the SHA-256 of the signed content';
  }
  return undefined;
}
