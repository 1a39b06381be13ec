/**
 * An image repository and its key ceremonies, on its files. Decisions are made in the pure modules of this folder; this
 * one reads and writes.
 */
import { ImageCheck } from '../image-check.js';
import { type Target } from '../metadata/target.js';
import { type WrittenEnvelope, writeEnvelope } from '../signing/sign.js';
import { keyIdOfListed, type ListedKey, type Signer } from '../signing/signer.js';
import { RepositoryFault } from './fault.js';
import { type RepositoryFiles } from './files.js';
import {
  checkRoleName,
  imageFiles,
  PROPOSED_IMAGES,
  PROPOSED_METADATA,
  proposedFile,
  proposedImage,
  SETTINGS_FILE,
} from './names.js';
import { type Periods, readSettings, type RepositoryKind, writeSettings } from './periods.js';
import { firstProposal, propose, type ProposalRequest } from './propose.js';
import {
  isEmpty,
  isSameSigned,
  type Proposal,
  proposedFiles,
  type ProposedFile,
  proposedRoot,
  proposedTargets,
  readProposal,
} from './proposal.js';
import { preparePublication } from './publication.js';
import { type Published, readPublished } from './published.js';
import { type AddedSignature, review, type Review } from './review.js';
import { checkRoleKeys } from './changes.js';
import {
  deliveredImages,
  type DeliveredImage,
  deliveryFaults,
  type Delivery,
  proposalOf,
  unpublished,
} from './delivery.js';
import { isTopRole, TOP_ROLES, type TopRole } from './role-keys.js';
import { repositoryStatus, type RepositoryStatus } from './status.js';
import { stateAfter, type RepositoryState } from './state.js';

export interface FirstKeys {
  readonly keys: readonly ListedKey[];
  readonly threshold: number;
}

export interface PublicationResult {
  /** Written versions by role. */
  readonly written: readonly string[];
  /** See `Publication`. */
  readonly isSeamless: boolean;
}

export interface RepositoryOptions {
  /** Images are served from another place: they are neither copied nor checked for existence. */
  readonly hasImagesElsewhere?: boolean;
}

export class ImageRepository {
  readonly #files: RepositoryFiles;
  readonly #hasImagesElsewhere: boolean;

  constructor(files: RepositoryFiles, { hasImagesElsewhere = false }: RepositoryOptions = {}) {
    this.#files = files;
    this.#hasImagesElsewhere = hasImagesElsewhere;
  }

  /** Proposes the first root, and targets without images; of a Director the root alone. @throws RepositoryFault */
  async init(
    roles: Readonly<Record<TopRole, FirstKeys>>,
    periods: Periods,
    now: Date,
    kind: RepositoryKind = 'image',
  ): Promise<void> {
    if ((await this.#files.read(SETTINGS_FILE)) !== undefined) {
      throw new RepositoryFault('there is a repository here already');
    }
    const keys = new Map(
      TOP_ROLES.flatMap((role) => roles[role].keys).map((key) => [keyIdOfListed(key), key]),
    );
    const roleKeys = (role: TopRole) => {
      const listed = {
        keyIds: [...new Set(roles[role].keys.map(keyIdOfListed))],
        threshold: roles[role].threshold,
      };
      checkRoleKeys(role, listed, keys);
      return listed;
    };
    const root = {
      keys,
      roles: {
        root: roleKeys('root'),
        timestamp: roleKeys('timestamp'),
        snapshot: roleKeys('snapshot'),
        targets: roleKeys('targets'),
      },
    };
    await this.#writeProposal(firstProposal(kind, root, { periods, now }), undefined);
    await this.#files.write(SETTINGS_FILE, Buffer.from(writeSettings({ kind, periods })));
  }

  async periods(): Promise<Periods> {
    const bytes = await this.#files.read(SETTINGS_FILE);
    if (bytes !== undefined) return readSettings(bytes).periods;
    throw new RepositoryFault('there is no repository here: otaops repository init makes one');
  }

  /** The published files, and the proposal on top of them. */
  async read(): Promise<{ published: Published; proposal: Proposal }> {
    const published = await readPublished(this.#files);
    return { published, proposal: await readProposal(this.#files, published) };
  }

  /** The state after the proposal is published. */
  async state(): Promise<RepositoryState> {
    const { published, proposal } = await this.read();
    const state = stateAfter(published, proposal);
    if (state === undefined) throw new RepositoryFault('there is no root');
    return state;
  }

  /** @returns the roles whose signatures were dropped, because the content of their files has changed */
  async propose(request: Omit<ProposalRequest, 'periods'>): Promise<readonly string[]> {
    const periods = await this.periods();
    const { published, proposal } = await this.read();
    const result = propose(published, proposal, { ...request, periods });
    await this.#writeProposal(result.proposal, proposal);
    return result.unsignedAgain;
  }

  /** Keeps an image until it is published. */
  async keepImage(sha256: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#files.writeFrom(proposedImage(sha256), source);
  }

  /**
   * Proposes a delegated role's file that was created and signed elsewhere by its owner.
   *
   * @throws RepositoryFault, Refusal if it is not targets metadata
   */
  async importRole(role: string, bytes: Uint8Array): Promise<void> {
    checkRoleName(role);
    const { published, proposal } = await this.read();
    const after = stateAfter(published, proposal);
    if (role === 'targets' || !after?.targets.has(role)) {
      throw new RepositoryFault(`there is no delegation to ${role}`);
    }
    const file = proposedTargets(role, bytes);
    await this.#files.write(proposedFile(role), writeEnvelope(file.written));
  }

  /** Discards the proposal. */
  async discard(): Promise<void> {
    for (const folder of [PROPOSED_METADATA, PROPOSED_IMAGES]) {
      for (const name of await this.#files.list(folder)) {
        await this.#files.remove(`${folder}/${name}`);
      }
    }
  }

  async review(now: Date): Promise<Review> {
    const periods = await this.periods();
    const { published, proposal } = await this.read();
    return review(published, proposal, periods, now);
  }

  /** Adds signatures to the reviewed files. @throws RepositoryFault if they have changed since the review */
  async addSignatures(reviewed: Review, added: readonly AddedSignature[]): Promise<void> {
    const { proposal } = await this.read();
    for (const { role, signature } of added) {
      const seen = fileOf(reviewed.proposal, role);
      const file = fileOf(proposal, role);
      if (seen === undefined || file === undefined || !isSameSigned(seen.envelope, file.envelope)) {
        throw new RepositoryFault(`${role} was changed while it was reviewed: look at it again`);
      }
      const signatures = [
        ...file.written.signatures.filter(({ keyid }) => keyid !== signature.keyid),
        signature,
      ];
      await this.#files.write(proposedFile(role), writeEnvelope({ ...file.written, signatures }));
    }
  }

  /**
   * Adds the signatures for the same proposal from another copy of this folder.
   *
   * @returns `ROLE: KEYID` of each added signature
   * @throws RepositoryFault if the copy has a different proposal
   */
  async collect(other: RepositoryFiles): Promise<readonly string[]> {
    const { proposal } = await this.read();
    const collected: string[] = [];
    for (const file of proposedFiles(proposal)) {
      const bytes = await other.read(proposedFile(file.role));
      if (bytes === undefined) continue;
      const theirs = readProposed(file, bytes);
      if (!isSameSigned(file.envelope, theirs.envelope)) {
        throw new RepositoryFault(
          `the other folder proposes something else for ${file.role}: its signatures are not for this proposal`,
        );
      }
      const added = theirs.written.signatures.filter(
        ({ keyid, sig }) =>
          !file.written.signatures.some((ours) => ours.keyid === keyid && ours.sig === sig),
      );
      if (added.length === 0) continue;
      const signatures = [...file.written.signatures, ...added];
      await this.#files.write(
        proposedFile(file.role),
        writeEnvelope({ ...file.written, signatures }),
      );
      collected.push(...added.map(({ keyid }) => `${file.role}: ${keyid}`));
    }
    return collected;
  }

  /**
   * Publishes the proposal. After an interruption, repeat the call to finish it.
   *
   * @throws RepositoryFault, Refusal; nothing has then been written
   */
  async publish(signers: readonly Signer[], now: Date): Promise<PublicationResult> {
    const { published, proposal } = await this.read();
    if (isEmpty(proposal) && !(await this.#isUnfinished(published, now))) {
      throw new RepositoryFault('nothing is proposed');
    }
    return this.#publish(published, proposal, signers, now);
  }

  /** Signs a new timestamp, and a snapshot if necessary; does not affect the proposal. */
  async refresh(signers: readonly Signer[], now: Date): Promise<PublicationResult> {
    const { published } = await this.read();
    if (published.root === undefined || published.timestamp === undefined) {
      throw new RepositoryFault('nothing is published yet');
    }
    return this.#publish(published, { root: undefined, targets: new Map() }, signers, now);
  }

  /** Proposed files of delegated roles, which their owners can deliver elsewhere. */
  async deliverable(): Promise<ReadonlyMap<string, WrittenEnvelope>> {
    const { proposal } = await this.read();
    const delegated = [...proposal.targets.values()].filter(({ role }) => !isTopRole(role));
    return new Map(delegated.map(({ role, written }) => [role, written]));
  }

  /**
   * The images that a delivery needs.
   *
   * @returns undefined if everything in it is published already
   * @throws RepositoryFault, one line for each fault
   */
  async checkDelivery(
    delivered: Delivery,
    now: Date,
  ): Promise<readonly DeliveredImage[] | undefined> {
    const published = await readPublished(this.#files);
    const delivery = unpublished(delivered, published);
    if (delivery.size === 0) return undefined;
    const periods = await this.periods();
    const faults = await deliveryFaults({ published, delivery, periods, now });
    if (faults.length > 0) throw new RepositoryFault(faults.join('\n'));
    return deliveredImages(published, delivery);
  }

  /**
   * Publishes a delivery whose images are available; the proposal is kept.
   *
   * @throws RepositoryFault, Refusal; then nothing has been written
   */
  async deliver(delivered: Delivery, signers: readonly Signer[], now: Date): Promise<void> {
    if ((await this.checkDelivery(delivered, now)) === undefined) return;
    const published = await readPublished(this.#files);
    const proposal = proposalOf(unpublished(delivered, published));
    const periods = await this.periods();
    const files = this.#files;
    const request = { files, published, proposal, signers, periods, now };
    const publication = await preparePublication(request);
    for (const { path, bytes } of publication.files) await files.write(path, bytes);
  }

  async status(now: Date): Promise<RepositoryStatus> {
    const periods = await this.periods();
    const { published, proposal } = await this.read();
    return repositoryStatus(published, proposal, periods, now);
  }

  async #publish(
    published: Published,
    proposal: Proposal,
    signers: readonly Signer[],
    now: Date,
  ): Promise<PublicationResult> {
    const files = this.#files;
    const periods = await this.periods();
    const publication = await preparePublication({
      files,
      published,
      proposal,
      signers,
      periods,
      now,
    });
    if (!this.#hasImagesElsewhere) await this.#publishImages(proposal);
    for (const { path, bytes } of publication.files) await files.write(path, bytes);
    for (const { role } of proposedFiles(proposal)) await files.remove(proposedFile(role));
    if (!isEmpty(proposal)) await this.#forgetPublished();
    return {
      written: publication.files.map(({ path }) => path),
      isSeamless: publication.isSeamless,
    };
  }

  /** Whether a publication was interrupted between a new root and its timestamp, so that vehicles reject the repository. */
  async #isUnfinished(published: Published, now: Date): Promise<boolean> {
    const { published: roles } = repositoryStatus(
      published,
      { root: undefined, targets: new Map() },
      await this.periods(),
      now,
    );
    return roles.some(({ signedBy, threshold }) => signedBy.length < threshold);
  }

  /** Images are written before the metadata that lists them. @throws RepositoryFault if one is missing */
  async #publishImages({ targets }: Proposal): Promise<void> {
    const missing: string[] = [];
    const copies: { from: string; to: string; target: Target }[] = [];
    for (const { role, content } of targets.values()) {
      for (const [path, { length, hashes }] of content.targets) {
        const target = { path, length, hashes: new Map(Object.entries(hashes)), custom: undefined };
        for (const to of imageFiles(path, hashes)) {
          if ((await this.#files.size(to)) === length) continue;
          const from = proposedImage(hashes.sha256 ?? '');
          if ((await this.#files.size(from)) === length) copies.push({ from, to, target });
          else missing.push(`${role} lists ${path}, but its image is not in the folder`);
        }
      }
    }
    if (missing.length > 0) throw new RepositoryFault([...new Set(missing)].join('\n'));
    for (const { from, to, target } of copies) {
      await this.#files.writeFrom(to, checked(this.#files.stream(from), target));
    }
  }

  /** Removes published files and unlisted images from the proposal. */
  async #forgetPublished(): Promise<void> {
    const { proposal } = await this.read();
    const listed = new Set(
      [...proposal.targets.values()].flatMap(({ content }) =>
        [...content.targets.values()].map(({ hashes }) => hashes.sha256),
      ),
    );
    for (const name of await this.#files.list(PROPOSED_METADATA)) {
      const role = name.replace(/\.json$/, '');
      if (fileOf(proposal, role) === undefined) await this.#files.remove(proposedFile(role));
    }
    for (const sha256 of await this.#files.list(PROPOSED_IMAGES)) {
      if (!listed.has(sha256)) await this.#files.remove(proposedImage(sha256));
    }
  }

  async #writeProposal(proposal: Proposal, before: Proposal | undefined): Promise<void> {
    for (const file of proposedFiles(proposal)) {
      if (before && fileOf(before, file.role) === file) continue;
      await this.#files.write(proposedFile(file.role), writeEnvelope(file.written));
    }
    for (const { role } of before ? proposedFiles(before) : []) {
      if (fileOf(proposal, role) === undefined) await this.#files.remove(proposedFile(role));
    }
  }
}

/** Passes the bytes on; fails at the end if they are not the image. @throws Refusal */
async function* checked(
  source: AsyncIterable<Uint8Array>,
  target: Target,
): AsyncGenerator<Uint8Array> {
  const check = new ImageCheck(target, { repository: 'proposal', role: target.path });
  for await (const bytes of source) {
    check.update(bytes);
    yield bytes;
  }
  check.finish();
}

const fileOf = (proposal: Proposal, role: string): ProposedFile | undefined =>
  role === 'root' ? proposal.root : proposal.targets.get(role);

const readProposed = (like: ProposedFile, bytes: Uint8Array): ProposedFile =>
  like.role === 'root' ? proposedRoot(bytes) : proposedTargets(like.role, bytes);
