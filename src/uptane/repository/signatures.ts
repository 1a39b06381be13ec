/** Existing and missing signatures of a file. Pure. */
import { type Authority } from '../keys/authority.js';
import { type Envelope } from '../metadata/envelope.js';
import { type Published } from './published.js';
import { authorityOf } from './role-keys.js';
import { requirementsOf, type Requirement, type RepositoryState } from './state.js';

/** Key ids of the authority with a valid signature, each key once. */
export function signersOf({ signatures, signedBytes }: Envelope, { keys }: Authority): string[] {
  const signers = new Map<string, string>();
  for (const { keyId, hex } of signatures) {
    const key = keys.get(keyId);
    if (key && !signers.has(key.identity) && key.verifies(signedBytes, hex)) {
      signers.set(key.identity, keyId);
    }
  }
  return [...signers.values()];
}

export interface SignatureState extends Requirement {
  readonly signedBy: readonly string[];
  /** Number of further keys that must sign. */
  readonly missing: number;
}

export function signatureState(envelope: Envelope, requirement: Requirement): SignatureState {
  const signedBy = signersOf(envelope, requirement.authority);
  const missing = Math.max(0, requirement.authority.threshold - signedBy.length);
  return { ...requirement, signedBy, missing };
}

/**
 * Signatures required before a proposed file is published. A root needs signatures by the previous root's keys and its
 * own (Uptane, "How to check Root metadata", step 2.3).
 */
export function requirementsOfProposed(
  role: string,
  published: Published,
  after: RepositoryState,
): readonly Requirement[] {
  if (role !== 'root') return requirementsOf(role, after);
  const own = { by: 'this root', authority: authorityOf(after.root.roles.root, after.root.keys) };
  const before = published.root?.content;
  if (before === undefined) return [own];
  return [{ by: 'the root before', authority: authorityOf(before.roles.root, before.keys) }, own];
}

/** Key ids of invalid signatures: the file was changed after signing, or they are forged. */
export function brokenSignatures(
  { signatures, signedBytes }: Envelope,
  requirements: readonly Requirement[],
): readonly string[] {
  return signatures
    .filter(({ keyId, hex }) =>
      requirements.some(({ authority }) => {
        const key = authority.keys.get(keyId);
        return key && !key.verifies(signedBytes, hex);
      }),
    )
    .map(({ keyId }) => keyId);
}

/** Key ids of signatures by keys outside the role. */
export const foreignSignatures = (
  { signatures }: Envelope,
  requirements: readonly Requirement[],
): readonly string[] =>
  signatures
    .map(({ keyId }) => keyId)
    .filter((keyId) => !requirements.some(({ authority }) => authority.keys.has(keyId)));
