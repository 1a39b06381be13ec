/**
 * The installer of a vehicle whose ECUs verify images themselves: sends each its image, and forwards calls. An ECU that
 * does not answer may be restarting because of its own update, so it is given time.
 */
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EcuUpdate } from '../../update-script/index.js';
import { EcuUnreachable } from '../secondary/link/secondary-link.js';
import { type Secondary } from '../secondary/secondary.js';
import { type Installer } from '../update/equipment.js';

export interface EcuInstallerOptions {
  /** ECUs by the name used in scripts. */
  readonly secondaries: ReadonlyMap<string, Secondary>;
  /** Maximum time that an ECU may be unreachable, ms. */
  readonly patienceMs?: number | undefined;
  /** Between two attempts, ms. */
  readonly pauseMs?: number | undefined;
}

const PATIENCE_MS = 120_000;
const PAUSE_MS = 1_000;

export class EcuInstaller implements Installer {
  readonly #options: EcuInstallerOptions;

  constructor(options: EcuInstallerOptions) {
    this.#options = options;
  }

  async version(ecu: string): Promise<string | undefined> {
    if (!this.#options.secondaries.has(ecu)) return undefined;
    return this.#reach(ecu, (secondary) => secondary.version());
  }

  /** Uptane, "Send images to Secondaries", then their installation. */
  async install(update: EcuUpdate, file: string, signal: AbortSignal): Promise<void> {
    const work = async (secondary: Secondary) => {
      if (!(await secondary.hasImage())) {
        await secondary.takeImage(update.artifact.size, contentOf(file, signal));
      }
      await secondary.install(update, signal);
    };
    await this.#reach(update.ecu, work, signal);
  }

  async activate(update: EcuUpdate): Promise<void> {
    await this.#reach(update.ecu, (secondary) => secondary.activate(update));
  }

  async check(ecu: string, signal: AbortSignal): Promise<void> {
    await this.#reach(ecu, (secondary) => secondary.check(signal), signal);
  }

  async confirm(update: EcuUpdate): Promise<void> {
    await this.#reach(update.ecu, (secondary) => secondary.confirm(update));
  }

  async revert(update: EcuUpdate): Promise<void> {
    await this.#reach(update.ecu, (secondary) => secondary.revert(update));
  }

  /** Everything can be repeated: each call of an `Installer` is idempotent. */
  async #reach<T>(
    ecu: string,
    work: (secondary: Secondary) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { secondaries, patienceMs = PATIENCE_MS, pauseMs = PAUSE_MS } = this.#options;
    const secondary = secondaries.get(ecu);
    if (!secondary) throw new Error(`there is no ECU ${ecu} in this vehicle`);
    const until = performance.now() + patienceMs;
    for (;;) {
      try {
        return await work(secondary);
      } catch (error) {
        if (!(error instanceof EcuUnreachable) || performance.now() >= until) throw error;
        await sleep(pauseMs, undefined, signal ? { signal } : {});
      }
    }
  }
}

/** Opened only when the ECU reads: aborting an unread stream would end the process with an unhandled error. */
async function* contentOf(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file, { signal }) as AsyncIterable<Uint8Array>;
}
