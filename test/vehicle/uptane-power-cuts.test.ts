/**
 * Power cuts of a vehicle with Uptane: its process is killed before durable file operations on metadata, time, records,
 * images, slots and journal. A quick run takes a sample of them.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeMessage, statusName } from '../../src/contract/index.js';
import { provisionVehicle } from '../../src/vehicle/index.js';
import { bundled } from '../support/bundle.js';
import { isFullDepth, sampleOf } from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';
import { makeKey } from '../uptane/support/keys.js';
import { must } from '../uptane/support/must.js';
import { softwareOf } from './support/software.js';
import { IDENTITY, MODEL, triggerOf } from './support/platform-double.js';
import { SUCCESS } from './support/statuses.js';
import { describeVehicle, NOW, UptaneWorld } from './support/uptane-world.js';

const CHILD = await bundled(
  fileURLToPath(new URL('support/mortal-uptane-vehicle.mjs', import.meta.url)),
);
const SCRIPT = 'both 001';
const BILL = {
  HU: { version: '1.1.0', content: softwareOf(300_000), counter: 2 },
  TCU: { version: '1.1.0', content: softwareOf(200_000), counter: 2 },
};

let world: UptaneWorld;
/** The state at provisioning, before the newer roots that the vehicles find. */
let trust: UptaneWorld['trust'];
beforeAll(async () => {
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

class MortalVehicle {
  readonly directory = temporaryDirectory('mortal-uptane');
  readonly #trigger = triggerOf(SCRIPT, crypto.randomUUID()).toString('base64');

  constructor() {
    provisionVehicle(this.directory, describeVehicle(['HU', 'TCU']), trust);
  }

  /** @returns the number of operations, if it finished */
  async live(life: { readonly killAt?: number } = {}): Promise<number | undefined> {
    const settings = {
      ...{ directory: this.directory, url: world.url, trigger: this.#trigger },
      ...{ identity: IDENTITY, model: MODEL },
      ...life,
    };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.on('close', (...how) => resolve(how));
    });
    expect(errors).toBe('');
    expect(signal === 'SIGKILL' || code === 0).toBe(true);
    return code === 0 ? (JSON.parse(output) as { operations: number }).operations : undefined;
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

  /** Messages received by the platform, each once, in order of time; without progress. */
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

test(`killed before ${isFullDepth ? 'every durable operation' : 'some durable operations'}, an update has the same result`, async () => {
  const whole = new MortalVehicle();
  const operations = must(await whole.live());
  expect(whole.statuses()).toEqual(SUCCESS);
  expect(operations).toBeGreaterThan(50);
  // Right after one operation is right before the next.
  const moments = sampleOf(
    Array.from({ length: operations }, (_, n) => n + 1),
    70,
  );
  let cuts = 0;
  const rest = moments.values();
  const lane = async () => {
    for (const killAt of rest) {
      const vehicle = new MortalVehicle();
      if ((await vehicle.live({ killAt })) === undefined) {
        cuts += 1;
        expect(vehicle.floor).toBeGreaterThanOrEqual(NOW.getTime() - 1_000);
        expect(await vehicle.live(), `killed at ${killAt}`).toBeDefined();
      }
      expect(vehicle.statuses(), `killed at ${killAt}`).toEqual(SUCCESS);
      expect([vehicle.version('HU'), vehicle.version('TCU')]).toEqual(['1.1.0', '1.1.0']);
      expect(vehicle.floor).toBe(NOW.getTime());
    }
  };
  await Promise.all([lane(), lane()]);
  // The number of operations depends on how the bytes arrive, so the last few may not be reached.
  expect(cuts).toBeGreaterThan(moments.length * 0.7);
});
