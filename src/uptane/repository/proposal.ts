/** A proposal: the next versions of some roles, with the signatures so far. */
import { type Envelope } from '../metadata/envelope.js';
import { readRoot } from '../metadata/root.js';
import { readTargets } from '../metadata/targets.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { type SignedPart, type WrittenEnvelope, writeEnvelope } from '../signing/sign.js';
import { type RepositoryFiles } from './files.js';
import { PROPOSED_METADATA, proposedFile } from './names.js';
import { type Published } from './published.js';
import { readRootContent, type RootContent } from './root-content.js';
import { readTargetsContent, type TargetsContent } from './targets-content.js';

interface ProposedBase {
  /** With the signatures so far. */
  readonly written: WrittenEnvelope;
  readonly envelope: Envelope;
}

export interface ProposedRoot extends ProposedBase {
  readonly role: 'root';
  readonly content: RootContent;
}

export interface ProposedTargets extends ProposedBase {
  /** `targets` or a delegated role. */
  readonly role: string;
  readonly content: TargetsContent;
}

export type ProposedFile = ProposedRoot | ProposedTargets;

export interface Proposal {
  readonly root: ProposedRoot | undefined;
  readonly targets: ReadonlyMap<string, ProposedTargets>;
}

export const proposedFiles = ({ root, targets }: Proposal): readonly ProposedFile[] => [
  ...(root ? [root] : []),
  ...targets.values(),
];

export const isEmpty = (proposal: Proposal): boolean => proposedFiles(proposal).length === 0;

const subjectOf = (role: string) => ({ repository: 'proposal', role });

/** @throws Refusal */
export function proposedRoot(bytes: Uint8Array): ProposedRoot {
  const { envelope } = readRoot(bytes, subjectOf('root'), IMAGE_REPOSITORY);
  return { role: 'root', written: written(envelope), envelope, content: readRootContent(envelope) };
}

/** @throws Refusal */
export function proposedTargets(role: string, bytes: Uint8Array): ProposedTargets {
  const { envelope } = readTargets(bytes, subjectOf(role), IMAGE_REPOSITORY);
  return { role, written: written(envelope), envelope, content: readTargetsContent(envelope) };
}

function written({ signatures, signed }: Envelope): WrittenEnvelope {
  return {
    signatures: signatures.map(({ keyId, hex }) => ({ keyid: keyId, sig: hex })),
    signed: signed.plainObject(),
  };
}

/** A file without signatures. */
export const unsigned = (signed: SignedPart): Uint8Array =>
  writeEnvelope({ signatures: [], signed });

/** Whether both have the same signed part, so that signatures of one are valid for the other. */
export const isSameSigned = (a: Envelope, b: Envelope): boolean =>
  Buffer.compare(a.signedBytes, b.signedBytes) === 0;

/**
 * Proposed files that are not yet published. Files already written by an interrupted publication count as published,
 * although they are still in the folder.
 *
 * @throws Refusal
 */
export async function readProposal(
  files: RepositoryFiles,
  published: Published,
): Promise<Proposal> {
  const targets = new Map<string, ProposedTargets>();
  const isPublished = (role: string, { envelope }: ProposedFile) => {
    const current = role === 'root' ? published.root : published.targets.get(role);
    return current !== undefined && isSameSigned(envelope, current.envelope);
  };
  let root: ProposedRoot | undefined;
  for (const name of await files.list(PROPOSED_METADATA)) {
    const role = name.replace(/\.json$/, '');
    const bytes = await files.read(proposedFile(role));
    if (bytes === undefined) continue;
    if (role === 'root') {
      const file = proposedRoot(bytes);
      if (!isPublished(role, file)) root = file;
    } else {
      const file = proposedTargets(role, bytes);
      if (!isPublished(role, file)) targets.set(role, file);
    }
  }
  return { root, targets };
}
