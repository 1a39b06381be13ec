/** A publication interrupted between any two of its file operations. */
import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { changeKeys } from '../../../src/uptane/repository/changes.js';
import { FolderFiles } from '../../../src/uptane/repository/folder-files.js';
import { ImageRepository } from '../../../src/uptane/repository/repository.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { temporaryDirectory } from '../../support/servers.js';
import { PowerCut } from '../support/memory.js';
import { makeSigner, NOW, TestCeremony, TestClient } from './support.js';

/** Files that fail like a power cut after a number of operations. */
class MortalFiles extends FolderFiles {
  operationsLeft: number;

  constructor(folder: string, operations: number) {
    super(folder);
    this.operationsLeft = operations;
  }

  override async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#spend();
    await super.write(path, bytes);
  }

  override async writeFrom(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    this.#spend();
    await super.writeFrom(path, source);
  }

  override async remove(path: string): Promise<void> {
    this.#spend();
    await super.remove(path);
  }

  #spend(): void {
    if (this.operationsLeft === 0) throw new PowerCut('the power is cut');
    this.operationsLeft -= 1;
  }
}

const copyOf = (folder: string) => {
  const copy = temporaryDirectory('interrupted');
  cpSync(folder, copy, { recursive: true });
  return copy;
};

interface Scenario {
  readonly before: string;
  /** A fully signed proposal. */
  readonly proposed: string;
  readonly signers: readonly Signer[];
}

async function published(folder: string, signers: readonly Signer[], operations: number) {
  const files = new MortalFiles(folder, operations);
  try {
    await new ImageRepository(files).publish(signers, NOW);
    return true;
  } catch (error) {
    if (error instanceof PowerCut) return false;
    throw error;
  }
}

/** Cuts before each operation in turn. */
async function forEachCut(scenario: Scenario, check: (folder: string) => Promise<void>) {
  for (let operations = 0; ; operations += 1) {
    const folder = copyOf(scenario.proposed);
    const isDone = await published(folder, scenario.signers, operations);
    await check(folder);
    if (isDone) return operations;
    await new ImageRepository(new FolderFiles(folder))
      .publish(scenario.signers, NOW)
      .catch((error: unknown) => {
        // Everything was published; only remains of the proposal were left.
        expect((error as Error).message).toBe('nothing is proposed');
      });
    const after = TestClient.ofFolder(folder);
    expect(await after.find(folder)).toBe('targets');
  }
}

async function scenario(work: (ceremony: TestCeremony) => Promise<Signer[]>): Promise<Scenario> {
  const ceremony = await new TestCeremony().established();
  const before = copyOf(ceremony.folder);
  await ceremony.addImage('a.bin', 'firmware');
  const signers = await work(ceremony);
  return { before, proposed: ceremony.folder, signers };
}

describe('a publication interrupted anywhere', () => {
  test('of an image leaves a repository that every vehicle accepts', async () => {
    const made = await scenario(async (ceremony) => {
      await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
      return ceremony.online;
    });
    const cuts = await forEachCut(made, accepts(made));
    // Two names of the image, targets, snapshot, timestamp, and the clean-up.
    expect(cuts).toBeGreaterThanOrEqual(7);
  });

  test('of new keys for every role does so too, as the old keys sign one last time', async () => {
    const made = await scenario(async (ceremony) => {
      const fresh = [makeSigner(), makeSigner(), makeSigner(), makeSigner()];
      for (const [index, role] of ['root', 'targets', 'snapshot', 'timestamp'].entries()) {
        const old = { root: ceremony.root, targets: ceremony.targets }[role];
        const keyId = (old?.[0] ?? ceremony[role as 'snapshot']).keyId;
        const add = fresh[index] ? [fresh[index].key] : [];
        await ceremony.propose(changeKeys(role, { add, remove: [keyId] }));
      }
      await ceremony.sign(...ceremony.root.slice(0, 2), fresh[0], ceremony.root[2]);
      await ceremony.sign(...ceremony.targets, fresh[1]);
      return [...ceremony.online, ...fresh.slice(2)];
    });
    await forEachCut(made, accepts(made));
  });

  test('of replacements for lost keys is finished by publishing again', async () => {
    const made = await scenario(async (ceremony) => {
      const fresh = makeSigner();
      const { keyId } = ceremony.timestamp;
      await ceremony.propose(changeKeys('timestamp', { add: [fresh.key], remove: [keyId] }));
      await ceremony.sign(ceremony.root[0], ceremony.root[1]);
      await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
      return [ceremony.snapshot, fresh];
    });
    let refused = 0;
    await forEachCut(made, async (folder) => {
      const client = TestClient.ofFolder(folder);
      await client.find(folder).catch(() => (refused += 1));
    });
    // Between the root that revokes the lost key and the timestamp by its successor.
    expect(refused).toBe(1);
  });
});

/** Checks a new vehicle, and one with the previously published metadata. */
const accepts =
  ({ before }: Scenario) =>
  async (folder: string): Promise<void> => {
    const current = TestClient.ofFolder(before);
    await current.find(before);
    for (const client of [current, TestClient.ofFolder(folder)]) {
      expect([undefined, 'targets']).toContain(await client.find(folder));
    }
  };
