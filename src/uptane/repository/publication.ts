/**
 * The files of a publication, in the order in which they are written.
 *
 * Clients read during the publication, and the power may be cut between any two files. So unreferenced files come first,
 * then the timestamp, which makes all of them current at once. A new root comes last if clients without it accept
 * everything else: then clients accept the repository at any moment. Otherwise, because the keys it removes are lost or
 * must no longer be used, it comes right before the timestamp; vehicles that fetch files between these two must start
 * another cycle.
 */
import { readEnvelope } from '../metadata/envelope.js';
import { Refusal } from '../refusal.js';
import { writeEnvelope } from '../signing/sign.js';
import { type Signer } from '../signing/signer.js';
import { hardwareIdsOf } from './changes.js';
import { proposalFaults } from './check-proposal.js';
import { RepositoryFault } from './fault.js';
import { type RepositoryFiles } from './files.js';
import { metadataFile } from './names.js';
import { type Periods } from './periods.js';
import { type Proposal, proposedFiles, type ProposedFile } from './proposal.js';
import { type Published } from './published.js';
import { type FileToWrite, signListings } from './sign-listings.js';
import { requirementsOfProposed, signatureState, signersOf } from './signatures.js';
import { requirementsOf, type RepositoryState, stateAfter } from './state.js';
import { type TargetsContent } from './targets-content.js';
import {
  type ListedImage,
  type PublicationView,
  verifyAsCurrentVehicle,
  verifyAsNewVehicle,
  verifyRootChain,
} from './verify-publication.js';

export interface PublicationRequest {
  readonly files: RepositoryFiles;
  readonly published: Published;
  readonly proposal: Proposal;
  /** Signers of snapshot and timestamp; those of other roles are not used. */
  readonly signers: readonly Signer[];
  readonly periods: Periods;
  readonly now: Date;
}

export interface Publication {
  /** In the order of writing. */
  readonly files: readonly FileToWrite[];
  /** Whether clients accept the repository between any two of the files. */
  readonly isSeamless: boolean;
}

/** @throws RepositoryFault if something is missing or wrong; Refusal if vehicles would reject the result */
export async function preparePublication(request: PublicationRequest): Promise<Publication> {
  const { files, published, proposal, now } = request;
  const after = stateAfter(published, proposal);
  if (after === undefined) throw new RepositoryFault('there is no root to publish');
  refuseFaults(proposalFaults(request));
  refuseFaults(missingSignatures(published, proposal, after));
  const root = proposal.root && (await fileOf(proposal.root, request, after));
  if (published.kind === 'director') return rootPublication(root, request);
  const targets: FileToWrite[] = [];
  for (const file of proposal.targets.values()) targets.push(await fileOf(file, request, after));
  const rootBytes = root?.bytes ?? published.root?.bytes ?? new Uint8Array();
  const { snapshot, timestamp } = await signListings({ ...request, after, rootBytes });
  const first = [...targets, ...(snapshot ? [snapshot] : [])];
  const images = imagesOf(proposal);
  const view = (written: readonly FileToWrite[]) => ({ files, overlay: overlayOf(written), now });
  const all = [...first, timestamp, ...(root ? [root] : [])];
  await verifyAsNewVehicle(view(all), images);
  await verifyAsCurrentVehicle(view(all), published, images);
  if (root === undefined) return { files: all, isSeamless: true };
  const isSeamless = await isAcceptedNow(view([...first, timestamp]), published, images);
  return { files: isSeamless ? all : [...first, root, timestamp], isSeamless };
}

/** Of a Director, with the whole chain checked as vehicles do. */
async function rootPublication(
  root: FileToWrite | undefined,
  { files, proposal, now }: PublicationRequest,
): Promise<Publication> {
  if (root === undefined) throw new RepositoryFault('no root is proposed');
  if (proposal.targets.size > 0) {
    throw new RepositoryFault('the targets of a Director are signed for each vehicle, not here');
  }
  await verifyRootChain({ files, overlay: overlayOf([root]), now });
  return { files: [root], isSeamless: true };
}

function refuseFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw new RepositoryFault(faults.join('\n'));
}

export function missingSignatures(
  published: Published,
  proposal: Proposal,
  after: RepositoryState,
): readonly string[] {
  return proposedFiles(proposal).flatMap(({ role, envelope, content }) =>
    requirementsOfProposed(role, published, after)
      .map((requirement) => signatureState(envelope, requirement))
      .filter(({ missing }) => missing > 0)
      .map(
        ({ by, authority, signedBy }) =>
          `${role} version ${content.version} has ${signedBy.length} of ${authority.threshold} signatures that ${by} asks for`,
      ),
  );
}

/** A proposed file with its valid signatures only. */
async function fileOf(
  { role, written, envelope, content }: ProposedFile,
  { files, published }: PublicationRequest,
  after: RepositoryState,
): Promise<FileToWrite> {
  const path = metadataFile(role, content.version);
  const existing = await files.read(path);
  if (existing && Buffer.compare(signedBytes(existing), envelope.signedBytes) !== 0) {
    throw new RepositoryFault(
      `${path} already exists with other content: propose ${role} again, under the next version`,
    );
  }
  const authorities = [
    ...requirementsOfProposed(role, published, after),
    ...(role === 'root' ? [] : requirementsBefore(role, published)),
  ].map(({ authority }) => authority);
  const valid = new Set(authorities.flatMap((authority) => signersOf(envelope, authority)));
  const signatures = written.signatures.filter(
    ({ keyid }, at) =>
      valid.has(keyid) && written.signatures.findIndex((other) => other.keyid === keyid) === at,
  );
  return { path, bytes: writeEnvelope({ ...written, signatures }) };
}

/** Vehicles with the previous root need signatures by its keys. */
function requirementsBefore(role: string, published: Published) {
  const before = stateAfter(published, { root: undefined, targets: new Map() });
  return before ? requirementsOf(role, before) : [];
}

const signedBytes = (bytes: Uint8Array): Uint8Array =>
  readEnvelope(bytes, { repository: 'image', role: 'published' }).signedBytes;

const overlayOf = (files: readonly FileToWrite[]) =>
  new Map(files.map(({ path, bytes }) => [path, bytes]));

/** Every image of the changed roles, for every hardware: each must be reachable through delegations. */
const imagesOf = ({ targets }: Proposal): ListedImage[] =>
  [...targets.values()].flatMap(({ content }) => listedImages(content));

/** For every hardware. */
export function listedImages({ targets }: TargetsContent): ListedImage[] {
  return [...targets].flatMap(([path, target]) =>
    hardwareIdsOf(target).map((hardwareId) => ({ path, hardwareId })),
  );
}

async function isAcceptedNow(
  view: PublicationView,
  published: Published,
  images: readonly ListedImage[],
): Promise<boolean> {
  try {
    await verifyAsCurrentVehicle(view, published, images);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
