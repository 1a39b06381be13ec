/** Damaged metadata neither crashes the verification nor is accepted. */
import { must } from './support/must.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkNextRoot } from '../../src/uptane/checks/check-root.js';
import { checkSnapshot } from '../../src/uptane/checks/check-snapshot.js';
import { checkTargets } from '../../src/uptane/checks/check-targets.js';
import { checkTimestamp } from '../../src/uptane/checks/check-timestamp.js';
import { readRoot } from '../../src/uptane/metadata/root.js';
import { type MetadataFile } from '../../src/uptane/metadata/metadata-file.js';
import { Refusal } from '../../src/uptane/refusal.js';
import { IMAGE_REPOSITORY as rules } from '../../src/uptane/rules.js';
import { byDepth, seed } from '../support/depth.js';
import { withoutStackTraces } from '../support/without-stack-traces.js';
import { makeKey } from './support/keys.js';
import { Mutations } from './support/mutations.js';
import { FIRMWARE, match, TestWorld } from './support/test-vehicle.js';
import { NOW as now, sha } from './support/test-repository.js';

const FILES = byDepth({ quick: 2_500, full: 1_000_000 });
const CYCLES = byDepth({ quick: 200, full: 20_000 });
const HOUR = 60 * 60_000;

withoutStackTraces();

/** A world with all features: key types, delegations, multi-role delegations, hardware. */
function richWorld(): TestWorld {
  const world = new TestWorld().order();
  const { image } = world;
  image.addRole('supplier');
  image.addRole('qa', [makeKey('ecdsa')]);
  for (const name of ['supplier', 'qa']) {
    const role = image.delegated.get(name);
    image.addImage('brakes/2', Buffer.from('2'), { match: match() }, role);
  }
  image.delegateToMany(image.targets, ['supplier', 'qa'], { paths: ['brakes/*'] });
  image.delegate(image.targets, 'supplier', { paths: ['*'], hardwareIds: ['hw-a'] });
  return world.provision();
}

describe('files damaged after signing', () => {
  let kinds: [file: Buffer, check: (bytes: Buffer) => MetadataFile][];
  beforeAll(() => {
    const world = richWorld();
    const { image } = world;
    const subject = { repository: 'image', role: 'x' };
    const root = readRoot(image.rootBytes, subject, rules);
    image.release('root');
    const file = (path: string) => must(image.files.get(`metadata/${path}`));
    const base = { root, previous: undefined, now, subject, rules };
    const timestamp = checkTimestamp(file('timestamp.json'), base);
    // Without hashes, which would catch all damage before the parser.
    const unpinned = {
      ...timestamp,
      snapshot: { version: 1, length: undefined, hashes: undefined },
    };
    const authority = root.authorities.targets;
    const listed = { version: 1, length: undefined, hashes: undefined };
    kinds = [
      [file('2.root.json'), (bytes) => checkNextRoot(bytes, root, subject, rules)],
      [file('timestamp.json'), (bytes) => checkTimestamp(bytes, base)],
      [file('1.snapshot.json'), (bytes) => checkSnapshot(bytes, { ...base, timestamp: unpinned })],
      [
        file('1.targets.json'),
        (bytes) => checkTargets(bytes, { authority, listed, now, subject, rules }),
      ],
    ];
  });

  test(
    `${FILES} files are rejected unless their content is unchanged`,
    () => {
      const mutations = new Mutations(seed);
      const signedOf = kinds.map(([file, check]) => Buffer.from(check(file).envelope.signedBytes));
      let refused = 0;
      for (let count = 0; count < FILES; count += 1) {
        const kind = mutations.below(kinds.length);
        const [file, check] = must(kinds[kind]);
        const bytes = mutations.ofBytes(file);
        try {
          const accepted = check(bytes);
          if (!must(signedOf[kind]).equals(accepted.envelope.signedBytes)) {
            throw new Error(`accepted, file ${count}: ${bytes.toString('base64')}`);
          }
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          refused += 1;
        }
      }
      // Whitespace and unsigned members do not change the content.
      expect(refused).toBeGreaterThan(FILES * 0.8);
    },
    HOUR,
  );
});

describe('files signed after the damage, by an attacker with one repository’s keys', () => {
  test(
    `${CYCLES} cycles terminate and install either the order or nothing`,
    async () => {
      const mutations = new Mutations(seed);
      const world = richWorld();
      const roles = ['root', 'timestamp', 'snapshot', 'targets', 'supplier', 'qa'];
      const outcomes = { installed: 0, refused: 0 };
      const sound = new Map([world.director, world.image].map((one) => [one, new Map(one.files)]));
      for (let count = 0; count < CYCLES; count += 1) {
        const repository = mutations.pick([world.director, world.image]);
        const role = mutations.pick(repository === world.image ? roles : roles.slice(0, 4));
        repository.tamper = (name, signed) => {
          if (name === role) mutations.ofJson(signed);
        };
        const { root } = repository.roles;
        root.version = role === 'root' ? 2 : 1;
        repository.publish();
        try {
          const assignments = await world.cycle();
          for (const { ecuId, target } of assignments) {
            expect([ecuId, target.path, target.length]).toEqual(['ecu-1', FIRMWARE, 8]);
            expect(target.hashes.get('sha256')).toBe(sha('sha256', Buffer.from('firmware')));
          }
          outcomes.installed += 1;
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          outcomes.refused += 1;
        }
        // Restored from a copy, because signing costs more than the cycle.
        repository.tamper = () => undefined;
        root.version = 1;
        repository.files.clear();
        for (const [path, bytes] of must(sound.get(repository))) repository.files.set(path, bytes);
        world.installed.clear();
        for (const [store, { rootBytes }] of [
          [world.directorStore, world.director],
          [world.imageStore, world.image],
        ] as const) {
          store.files.clear();
          store.write('root', rootBytes);
        }
      }
      expect(outcomes.refused).toBeGreaterThan(CYCLES / 4);
      expect(outcomes.installed).toBeGreaterThan(CYCLES / 20);
    },
    HOUR,
  );
});
