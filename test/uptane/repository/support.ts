/** An image repository in a folder, its key holders, and vehicles that use it. */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Change } from '../../../src/uptane/repository/changes.js';
import { addTarget } from '../../../src/uptane/repository/changes.js';
import { describeImage } from '../../../src/uptane/repository/describe-image.js';
import { FolderFiles } from '../../../src/uptane/repository/folder-files.js';
import { DEFAULT_PERIODS } from '../../../src/uptane/repository/periods.js';
import { ImageRepository } from '../../../src/uptane/repository/repository.js';
import { signReviewed } from '../../../src/uptane/repository/review.js';
import { RepositoryClient } from '../../../src/uptane/repository-client.js';
import { IMAGE_REPOSITORY } from '../../../src/uptane/rules.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { temporaryDirectory } from '../../support/servers.js';
import { MemoryStore } from '../support/memory.js';

export const NOW = new Date('2026-11-27T08:00:00Z');

export const makeSigner = (): Signer => localSigner(generateKeyPairSync('ed25519').privateKey);

export const days = (number: number, from = NOW): Date =>
  new Date(from.getTime() + number * 24 * 60 * 60 * 1000);

/** 2 of 3 keys for root and targets, one key for each online role. */
export class TestCeremony {
  readonly root = [makeSigner(), makeSigner(), makeSigner()];
  readonly targets = [makeSigner(), makeSigner(), makeSigner()];
  snapshot = makeSigner();
  timestamp = makeSigner();
  folder = temporaryDirectory('repository');
  now = NOW;

  get files(): FolderFiles {
    return new FolderFiles(this.folder);
  }

  get repository(): ImageRepository {
    return new ImageRepository(this.files);
  }

  get online(): Signer[] {
    return [this.snapshot, this.timestamp];
  }

  async init(): Promise<this> {
    const keysOf = (signers: Signer[], threshold: number) => ({
      keys: signers.map(({ key }) => key),
      threshold,
    });
    await this.repository.init(
      {
        root: keysOf(this.root, 2),
        targets: keysOf(this.targets, 2),
        snapshot: keysOf([this.snapshot], 1),
        timestamp: keysOf([this.timestamp], 1),
      },
      DEFAULT_PERIODS,
      this.now,
    );
    return this;
  }

  /** Initialises, signs and publishes. */
  async established(): Promise<this> {
    await this.init();
    await this.sign(this.root[0], this.root[1], this.targets[0], this.targets[1]);
    await this.publish();
    return this;
  }

  propose(change: Change = (state) => state, renew: string[] = []) {
    return this.repository.propose({ change, renew, now: this.now });
  }

  async addImage(path: string, content: string, releaseCounter = 1, role = 'targets') {
    const source = () => pieces(content);
    const target = await describeImage(source(), { hardwareIds: ['hw-a'], releaseCounter });
    await this.repository.keepImage(target.hashes.sha256 ?? '', source());
    return this.propose(addTarget(role, path, target));
  }

  async sign(...signers: (Signer | undefined)[]): Promise<void> {
    for (const signer of signers) if (signer) await this.signRoles(signer);
  }

  async signRoles(signer: Signer, roles?: string[]): Promise<void> {
    const reviewed = await this.repository.review(this.now);
    const added = await signReviewed(reviewed, signer, roles);
    await this.repository.addSignatures(reviewed, added);
  }

  publish() {
    return this.repository.publish(this.online, this.now);
  }

  /** Copies the folder, as if to another machine. */
  copy(): TestCeremony {
    const folder = temporaryDirectory('repository');
    cpSync(this.folder, folder, { recursive: true });
    return Object.assign(Object.create(TestCeremony.prototype) as TestCeremony, this, { folder });
  }
}

async function* pieces(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}

/** A vehicle's view of the repository, with trusted metadata kept between cycles. */
export class TestClient {
  readonly store = new MemoryStore();

  constructor(root: Uint8Array) {
    this.store.write('root', root);
  }

  /** Starts with the first root of a folder. */
  static ofFolder(folder: string): TestClient {
    return new TestClient(readFileSync(join(folder, 'metadata', '1.root.json')));
  }

  /** The role that lists an image, or nothing. @throws Refusal */
  async find(folder: string, path = 'a.bin', now = NOW): Promise<string | undefined> {
    const client = new RepositoryClient({
      name: 'image',
      rules: IMAGE_REPOSITORY,
      fetcher: { fetch: async (name) => file(join(folder, 'metadata', name)) },
      store: this.store,
      now,
    });
    await client.updateRoot();
    await client.updateTimestamp();
    await client.updateSnapshot();
    await client.updateTargets();
    return (await client.findImage({ path, hardwareId: 'hw-a' }))?.role;
  }
}

async function* read(path: string): AsyncGenerator<Uint8Array> {
  yield readFileSync(path);
}

const file = (path: string) => (existsSync(path) ? read(path) : undefined);
