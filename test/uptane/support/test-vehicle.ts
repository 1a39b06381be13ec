/** A vehicle with two ECUs, and both of its repositories, in a valid state. */
import { verifyFully } from '../../../src/uptane/full-verification.js';
import {
  type Assignment,
  checkDirectorTargets,
} from '../../../src/uptane/director/check-director-targets.js';
import { type Targets } from '../../../src/uptane/metadata/targets.js';
import { asInstalled, type InstalledImage } from '../../../src/uptane/director/installed-image.js';
import { type Vehicle } from '../../../src/uptane/director/vehicle.js';
import { Refusal } from '../../../src/uptane/refusal.js';
import { RepositoryClient } from '../../../src/uptane/repository-client.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../../../src/uptane/rules.js';
import { MemoryFetcher, MemoryStore } from './memory.js';
import { type Custom, NOW, TestRepository } from './test-repository.js';

export const VIN = '5YJSA1E40FF345678';
export const VEHICLE: Vehicle = {
  vin: VIN,
  ecus: new Map([
    ['ecu-1', 'hw-a'],
    ['ecu-2', 'hw-b'],
  ]),
};

export const match = (releaseCounter = 1, hardwareIds = ['hw-a']): Custom => ({
  hardwareIds,
  releaseCounter,
});

export const forEcu = (ecuId = 'ecu-1', hardwareId = 'hw-a'): Custom => ({
  [ecuId]: { hardwareId },
});

export const FIRMWARE = 'brakes/firmware 1.bin';

export class TestWorld {
  readonly director = new TestRepository('', '');
  readonly image = new TestRepository('metadata/', 'targets/');
  directorStore = new MemoryStore();
  imageStore = new MemoryStore();
  readonly installed = new Map<string, InstalledImage>();
  readonly directorFetcher = new MemoryFetcher(this.director.files, '');
  readonly imageFetcher = new MemoryFetcher(this.image.files, 'metadata/');
  now = NOW;
  /** A Primary, unless a test changes it. */
  assignmentsOf = (targets: Targets): readonly Assignment[] =>
    checkDirectorTargets(targets, VEHICLE);

  constructor() {
    this.director.targets.custom = { vin: VIN };
  }

  /** Lists an image in both repositories, as the only order for these ECUs. */
  order(path = FIRMWARE, content = 'firmware', counter = 1, ecus = forEcu()): this {
    const bytes = Buffer.from(content);
    this.image.addImage(path, bytes, { match: match(counter) });
    const { targets } = this.director.targets;
    for (const [other, { custom }] of Object.entries(targets)) {
      const isReplaced = Object.keys((custom as Custom).ecuIdentifiers ?? {}).some((id) =>
        Object.hasOwn(ecus, id),
      );
      if (isReplaced) Reflect.deleteProperty(targets, other);
    }
    this.director.addImage(path, bytes, { match: match(counter), ecuIdentifiers: ecus });
    return this;
  }

  /** Signs everything, and provisions the vehicle with the roots. */
  provision(): this {
    this.director.publish();
    this.image.publish();
    this.directorStore.write('root', this.director.rootBytes);
    this.imageStore.write('root', this.image.rootBytes);
    return this;
  }

  async cycle(): Promise<readonly Assignment[]> {
    const { now } = this;
    const assignments = await verifyFully({
      director: new RepositoryClient({
        name: 'director',
        rules: DIRECTOR,
        fetcher: this.directorFetcher,
        store: this.directorStore,
        now,
      }),
      image: new RepositoryClient({
        name: 'image',
        rules: IMAGE_REPOSITORY,
        fetcher: this.imageFetcher,
        store: this.imageStore,
        now,
      }),
      assignmentsOf: this.assignmentsOf,
      installed: this.installed,
    });
    for (const assignment of assignments) {
      this.installed.set(assignment.ecuId, asInstalled(assignment));
    }
    return assignments;
  }

  /** Paths that a cycle installs. @throws if the cycle is rejected */
  async paths(): Promise<string[]> {
    return (await this.cycle()).map(({ target }) => target.path);
  }

  /** The rejection of a cycle that must fail. */
  async refusal(): Promise<Refusal> {
    try {
      await this.cycle();
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
    throw new Error('the cycle was not refused');
  }
}
