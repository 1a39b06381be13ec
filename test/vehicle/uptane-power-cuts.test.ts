/**
 * Power cuts of a vehicle with Uptane, before durable file operations on metadata, time, records, images, slots and
 * journal: a vehicle continues from a copy of the files at that moment, and its process is killed before some of these
 * operations. A quick run takes a sample of the copies.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeMessage, statusName } from '../../src/contract/index.js';
import { AutomaticConsent, openVehicle, provisionVehicle } from '../../src/vehicle/index.js';
import { bundled } from '../support/bundle.js';
import {
  byDepth,
  everyNth,
  hasTurn,
  isFullDepth,
  sampleOf,
  takingTurns,
} from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';
import { makeKey } from '../uptane/support/keys.js';
import { must } from '../uptane/support/must.js';
import { live } from './support/mortal.mjs';
import { softwareOf } from './support/software.js';
import { IDENTITY, MODEL, triggerOf } from './support/platform-double.js';
import { SUCCESS } from './support/statuses.js';
import { describeVehicle, NOW, UptaneWorld } from './support/uptane-world.js';

const SCRIPT_OF_CHILD = fileURLToPath(
  new URL('support/mortal-uptane-vehicle.mjs', import.meta.url),
);
let child: string;
const SCRIPT = 'both 001';
/** Each copy has some megabytes. */
const COPIES_AT_ONCE = 25;
const BILL = {
  HU: { version: '1.1.0', content: softwareOf(300_000), counter: 2 },
  TCU: { version: '1.1.0', content: softwareOf(200_000), counter: 2 },
};

interface Life {
  /** Number of the operation before which the vehicle is killed. */
  readonly killAt?: number;
  /** Numbers of the operations before which its files are copied to the folder `copies`. */
  readonly copyAt?: readonly number[];
  readonly copies?: string;
}

let world: UptaneWorld;
/** The trust at provisioning, before the newer roots that the vehicles find. */
let trust: UptaneWorld['trust'];

class MortalVehicle {
  constructor(
    readonly directory: string,
    readonly trigger = triggerOf(SCRIPT, crypto.randomUUID()).toString('base64'),
  ) {}

  static provisioned(): MortalVehicle {
    const directory = temporaryDirectory('mortal-uptane');
    provisionVehicle(directory, describeVehicle(['HU', 'TCU']), trust);
    return new MortalVehicle(directory);
  }

  get #settings() {
    return {
      ...{ directory: this.directory, url: world.url, trigger: this.trigger },
      ...{ identity: IDENTITY, model: MODEL },
    };
  }

  /** In a separate process. @returns the number of operations, if it finished */
  async live(life: Life = {}): Promise<number | undefined> {
    const started = spawn(
      process.execPath,
      [child, JSON.stringify({ ...this.#settings, ...life })],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    let errors = '';
    started.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    started.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      started.on('close', (...how) => resolve(how));
    });
    expect(errors).toBe('');
    expect(signal === 'SIGKILL' || code === 0).toBe(true);
    return code === 0 ? (JSON.parse(output) as { operations: number }).operations : undefined;
  }

  /** In this process, which saves starting another one: the vehicle's state comes only from its files. */
  async liveHere(): Promise<void> {
    const vehicle = await live({ AutomaticConsent, openVehicle }, this.#settings, {
      patience: { attempts: 3, pauseMs: 20 },
    });
    await vehicle.stop();
  }

  /** Holds at any moment. */
  expectIntact(): void {
    expect(this.floor).toBeGreaterThanOrEqual(NOW.getTime() - 1_000);
  }

  expectUpdated(how: string): void {
    expect(this.statuses(), how).toEqual(SUCCESS);
    expect([this.version('HU'), this.version('TCU')], how).toEqual(['1.1.0', '1.1.0']);
    expect(this.floor, how).toBe(NOW.getTime());
  }

  /** The software that the ECU would start, checked to be intact. */
  version(ecu: string): string | undefined {
    const folder = join(this.directory, 'ecus', ecu);
    const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    const slot = join(folder, must(json(join(folder, 'boot.json')).active));
    const { version, sha256 } = json(join(slot, 'manifest.json'));
    const software = readFileSync(join(slot, 'software'));
    expect(createHash('sha256').update(software).digest('hex')).toBe(sha256);
    return version;
  }

  get floor(): number {
    const text = readFileSync(join(this.directory, 'primary', 'time.json'), 'utf8');
    return (JSON.parse(text) as { floor: number }).floor;
  }

  /** Statuses received by the platform, without repetitions and progress, by time. */
  statuses(): string[] {
    const byId = new Map<string, { time: number; status: string }>();
    for (const line of readFileSync(join(this.directory, 'platform.ndjson'), 'utf8')
      .trim()
      .split('\n')) {
      const decoded = decodeMessage(Buffer.from(line));
      if (!decoded.ok) throw new Error(`not a message: ${line}`);
      const { value } = decoded;
      if (value.message_type !== 'OTA_EVENT') continue;
      const { timestamp: time, status } = value.body;
      byId.set(value.message_id, { time, status: statusName(status) });
    }
    return [...byId.values()]
      .sort((a, b) => a.time - b.time)
      .map(({ status }) => status)
      .filter((status) => status !== 'downloading');
  }
}

/** Runs all tasks, two at a time. */
async function inLanes(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const rest = tasks.values();
  const lane = async () => {
    for (const task of rest) await task();
  };
  await Promise.all([lane(), lane()]);
}

/** Numbers of all durable operations of an update, from 1. */
async function allOperations(): Promise<number[]> {
  const whole = MortalVehicle.provisioned();
  const operations = must(await whole.live());
  whole.expectUpdated('never stopped');
  expect(operations).toBeGreaterThan(50);
  return Array.from({ length: operations }, (_, n) => n + 1);
}

// One of the three files about power cuts in each quick run.
describe.runIf(hasTurn(1))('the power is cut', () => {
  beforeAll(async () => {
    child = await bundled(SCRIPT_OF_CHILD);
    world = await new UptaneWorld().start();
    ({ trust } = world);
    for (const { roles } of [world.director, world.image]) {
      roles.root.version += 1;
      roles.timestamp.keys = [makeKey()];
      roles.targets.keys = [makeKey()];
    }
    world.update(SCRIPT, BILL);
  });
  afterAll(() => world.close());

  /** Each test takes many processes. */
  const isTurn = takingTurns(2);

  // A kill right after one operation equals one right before the next.
  test.runIf(isTurn())(
    'an update killed before some durable operations has the same result',
    async () => {
      const moments = everyNth(await allOperations(), byDepth({ quick: 80, full: 10 }));
      let cuts = 0;
      await inLanes(
        moments.map((killAt) => async () => {
          const vehicle = MortalVehicle.provisioned();
          if ((await vehicle.live({ killAt })) === undefined) {
            cuts += 1;
            vehicle.expectIntact();
            expect(await vehicle.live(), `killed at ${killAt}`).toBeDefined();
          }
          vehicle.expectUpdated(`killed at ${killAt}`);
        }),
      );
      // The number of operations depends on how the bytes arrive, so the last few may not be reached.
      expect(cuts).toBeGreaterThan(moments.length * 0.6);
    },
  );

  test.runIf(isTurn())(
    `an update continued from the files before ${isFullDepth ? 'every durable operation' : 'some durable operations'} has the same result`,
    async () => {
      const moments = sampleOf(await allOperations(), 20);
      let cuts = 0;
      for (const copyAt of inGroups(moments, COPIES_AT_ONCE)) {
        const copies = temporaryDirectory('mortal-copies');
        const original = MortalVehicle.provisioned();
        await original.live({ copyAt, copies });
        const directories = copyAt.map((moment) => join(copies, String(moment))).filter(existsSync);
        for (const directory of directories) {
          const vehicle = new MortalVehicle(directory, original.trigger);
          vehicle.expectIntact();
          await vehicle.liveHere();
          vehicle.expectUpdated(`files before operation ${basename(directory)}`);
        }
        cuts += directories.length;
        rmSync(copies, { recursive: true });
      }
      expect(cuts).toBeGreaterThan(moments.length * 0.7);
    },
  );
});

const inGroups = <T>(items: readonly T[], of: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / of) }, (_, n) => items.slice(n * of, (n + 1) * of));
