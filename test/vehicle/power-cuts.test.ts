/**
 * Power cuts: the vehicle is killed at every entry of its journal, and at random moments. A quick run takes one of the
 * two, with a sample of the entries or fewer moments, in every third run.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeMessage, statusName } from '../../src/contract/index.js';
import { type Artifact, type UpdateScript } from '../../src/update-script/index.js';
import { bundled } from '../support/bundle.js';
import { byDepth, hasTurn, isFullDepth, sampleOf, takingTurns } from '../support/depth.js';
import { throwDice } from '../support/dice.js';
import { temporaryDirectory } from '../support/servers.js';
import { provisionVehicle } from '../../src/vehicle/index.js';
import { type CarotaDouble, describeEcus, startCarotaDouble } from './support/carota-double.js';
import { IDENTITY, MODEL, triggerOf } from './support/platform-double.js';
import { softwareOf } from './support/software.js';

const SCRIPT_OF_CHILD = fileURLToPath(new URL('support/mortal-vehicle.mjs', import.meta.url));
let child: string;
const SCRIPT_REF_ID = 'both 001';
const RANDOM_CUTS = byDepth({ quick: 2, full: 100 });
/** Concurrent updates. */
const LANES = byDepth({ quick: 1, full: 2 });
const SUCCESS = [
  'received',
  'pki_check_success',
  'consent_accepted',
  'downloaded',
  'md5_check_success',
  'reboot',
  'success',
];
const ROLLBACK = [...SUCCESS.slice(0, -1), 'failure', 'rollback_success'];

const software = [softwareOf(2_500_000), softwareOf(1_500_000)] as const;

/** A server with the update. */
async function startServer(): Promise<{ carota: CarotaDouble; big: Artifact }> {
  const carota = await startCarotaDouble();
  const artifacts = [carota.artifact(software[0]), carota.artifact(software[1])] as const;
  const ecus = artifacts.map((artifact, n) => ({
    ecu: n === 0 ? 'HU' : 'TCU',
    version: '1.1.0',
    artifact,
  }));
  const script: UpdateScript = {
    version: 'v1',
    'script-ref-id': SCRIPT_REF_ID,
    model: MODEL,
    ecus,
    consent: { text: 'Now?' },
  };
  carota.publish(script);
  return { carota, big: artifacts[0] };
}

let carota: CarotaDouble;

interface Life {
  readonly killAt?: number;
  readonly killBefore?: boolean;
  /** Milliseconds after its start. */
  readonly killAfterMs?: number;
}

interface Fixed {
  readonly sick?: string;
  readonly bytesPerSecond?: number;
}

/** One vehicle, restarted as often as necessary. */
class MortalVehicle {
  readonly directory = temporaryDirectory('mortal');
  readonly #trigger = triggerOf(SCRIPT_REF_ID, crypto.randomUUID()).toString('base64');
  readonly #carota: CarotaDouble;
  readonly #fixed: Fixed;

  constructor(server: CarotaDouble, fixed: Fixed = {}) {
    this.#carota = server;
    this.#fixed = fixed;
    const description = describeEcus({ HU: '1.0.0', TCU: '1.0.0' });
    provisionVehicle(this.directory, description, server.world.trust);
  }

  /** @returns whether it finished, and the number of entries written; checks the state after a kill */
  async live({ killAfterMs, ...life }: Life = {}): Promise<{ ended: boolean; entries: number }> {
    const settings = {
      directory: this.directory,
      url: this.#carota.url,
      trigger: this.#trigger,
      identity: IDENTITY,
      model: MODEL,
      ...this.#fixed,
      ...life,
    };
    const started = spawn(process.execPath, [child, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    let timer: NodeJS.Timeout | undefined;
    started.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      // Measured from its first output, so that the kill falls into the update even on a busy machine.
      if (killAfterMs !== undefined)
        timer ??= setTimeout(() => started.kill('SIGKILL'), killAfterMs);
    });
    started.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      started.on('close', (...how) => resolve(how));
    });
    clearTimeout(timer);
    expect(errors).toBe('');
    expect(signal === 'SIGKILL' || code === 0).toBe(true);
    for (const ecu of ['HU', 'TCU']) this.expectWholeSlot(ecu);
    return {
      ended: code === 0,
      entries:
        code === 0 ? (JSON.parse(output.split('\n')[1] ?? '') as { entries: number }).entries : 0,
    };
  }

  /** After any cut, the slot that the ECU would start is intact. */
  expectWholeSlot(ecu: string): void {
    const folder = join(this.directory, 'ecus', ecu);
    if (!existsSync(join(folder, 'boot.json'))) return;
    const { active } = JSON.parse(readFileSync(join(folder, 'boot.json'), 'utf8')) as {
      active: string;
    };
    const { sha256 } = JSON.parse(readFileSync(join(folder, active, 'manifest.json'), 'utf8')) as {
      sha256: string;
    };
    const software = readFileSync(join(folder, active, 'software'));
    expect(createHash('sha256').update(software).digest('hex')).toBe(sha256);
  }

  version(ecu: string): string {
    const folder = join(this.directory, 'ecus', ecu);
    const { active } = JSON.parse(readFileSync(join(folder, 'boot.json'), 'utf8')) as {
      active: string;
    };
    return (
      JSON.parse(readFileSync(join(folder, active, 'manifest.json'), 'utf8')) as { version: string }
    ).version;
  }

  /** Bytes of an artifact that survive a power cut. */
  kept({ sha256 }: Artifact): number {
    const file = join(this.directory, 'downloads', sha256);
    if (existsSync(file) || !existsSync(`${file}.mark`)) return 0;
    return (JSON.parse(readFileSync(`${file}.mark`, 'utf8')) as { synced: number }).synced;
  }

  /** Statuses received by the platform, without repetitions and progress, by time. */
  statuses(): string[] {
    const lines = readFileSync(join(this.directory, 'platform.ndjson'), 'utf8').trim().split('\n');
    const byId = new Map<string, { time: number; status: string }>();
    let acks = new Set<string>();
    for (const line of lines) {
      const { ok, ...rest } = decodeMessage(Buffer.from(line));
      if (!ok || !('value' in rest)) throw new Error(`not a message: ${line}`);
      const { value } = rest;
      if (value.message_type === 'OTA_TRIGGER_ACK') acks = acks.add(value.message_id);
      if (value.message_type !== 'OTA_EVENT') continue;
      byId.set(value.message_id, {
        time: value.body.timestamp,
        status: statusName(value.body.status),
      });
    }
    expect(acks.size).toBe(1);
    return [...byId.values()]
      .sort((a, b) => a.time - b.time)
      .map(({ status }) => status)
      .filter((status) => status !== 'downloading');
  }
}

/** Runs all tasks, several at a time. */
async function inLanes(works: (() => Promise<void>)[]): Promise<void> {
  const rest = works.values();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (const work of rest) await work();
    }),
  );
}

const UPDATES = [
  ['succeeds', {}, 0, SUCCESS, '1.1.0'],
  // Its first half equals the other artifact's.
  ['is rolled back', { sick: '1.1.0' }, 0.5, ROLLBACK, '1.0.0'],
] as const;

// One of the three files about power cuts in each quick run.
describe.runIf(hasTurn(0))('the power is cut', () => {
  beforeAll(async () => {
    child = await bundled(SCRIPT_OF_CHILD);
    ({ carota } = await startServer());
  });
  afterAll(() => carota.close());

  const isTurn = takingTurns(2);

  test.runIf(isTurn()).each(sampleOf(UPDATES, 2))(
    `an update that %s has the same result when killed before and after ${isFullDepth ? 'every entry' : 'some entries'} of the journal`,
    async (_what, fixed, from, statuses, version) => {
      const whole = new MortalVehicle(carota, fixed);
      const { entries } = await whole.live();
      expect(whole.statuses()).toEqual(statuses);
      expect(entries).toBeGreaterThan(15);
      const moments = Array.from({ length: entries }, (_, n) => n + 1).slice(entries * from);
      const lives = sampleOf(
        moments.flatMap((killAt) => [true, false].map((killBefore) => ({ killAt, killBefore }))),
        17,
      );
      let cuts = 0;
      await inLanes(
        lives.map((life) => async () => {
          const vehicle = new MortalVehicle(carota, fixed);
          const { ended } = await vehicle.live(life);
          if (!ended) {
            cuts += 1;
            expect((await vehicle.live()).ended).toBe(true);
          }
          expect(vehicle.statuses(), JSON.stringify(life)).toEqual(statuses);
          expect([vehicle.version('HU'), vehicle.version('TCU')]).toEqual([version, version]);
        }),
      );
      // The number of progress events depends on how the bytes arrive, so the last few entries may not be reached.
      expect(cuts).toBeGreaterThan(lives.length * byDepth({ quick: 0.5, full: 0.8 }));
    },
  );

  test.runIf(isTurn())(
    `killed at ${RANDOM_CUTS} random moments, every update has the right result, and resumes its download`,
    async () => {
      const dice = throwDice();
      let cuts = 0;
      let resumed = 0;
      const lane = async () => {
        // A separate server, so that its requests are this vehicle's.
        const { carota: server, big } = await startServer();
        while (cuts < RANDOM_CUTS || resumed === 0) {
          const isSick = dice.random() < 0.3;
          const vehicle = new MortalVehicle(server, {
            bytesPerSecond: 1_500_000,
            ...(isSick ? { sick: '1.1.0' } : {}),
          });
          for (let ended = false; !ended;) {
            const kept = vehicle.kept(big);
            server.requests.length = 0;
            const life =
              cuts < RANDOM_CUTS || resumed === 0 ? { killAfterMs: dice.between(0, 1_600) } : {};
            ({ ended } = await vehicle.live(life));
            if (!ended) cuts += 1;
            const [first] = server.requests;
            if (kept === 0 || kept === big.size || !first) continue;
            expect(first.range).toBe(`bytes=${kept}-`);
            resumed += 1;
          }
          expect(vehicle.statuses()).toEqual(isSick ? ROLLBACK : SUCCESS);
          expect(vehicle.version('HU')).toBe(isSick ? '1.0.0' : '1.1.0');
        }
        await server.close();
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    },
  );
});
