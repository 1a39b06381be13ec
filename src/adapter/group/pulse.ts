/** What an adapter does every two seconds: it says how it is, and takes samples of the operations. */
import { type Database } from '../../service/database/index.js';
import { takeSamples } from '../operations/index.js';
import { type AdapterRow, removeAdapter, saveAdapter } from './adapters.js';

export interface PulseOptions {
  readonly database: Database;
  readonly instance: string;
  readonly version: string;
  /** ms */
  readonly clock: () => number;
  readonly now: () => Pick<AdapterRow, 'broker' | 'connected' | 'waiting'>;
  readonly onFailure: (error: Error) => void;
}

export const PULSE_MS = 2_000;

export class Pulse {
  readonly #options: PulseOptions;
  readonly #startedAt: Date;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #received = 0;
  #triggered = 0;
  /** Since when it counts, by the monotonic clock, ms. */
  #since = performance.now();

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock());
  }

  start(): void {
    const beat = () => {
      this.#running = this.#beat().catch((error: unknown) =>
        this.#options.onFailure(error as Error),
      );
      void this.#running.then(() => {
        if (this.#timer) this.#timer = setTimeout(beat, PULSE_MS);
      });
    };
    this.#timer = setTimeout(beat, 0);
  }

  received(messages: number): void {
    this.#received += messages;
  }

  triggered(vehicles: number): void {
    this.#triggered += vehicles;
  }

  async #beat(): Promise<void> {
    const { database, instance, version, clock, now: present } = this.#options;
    const now = clock();
    const passed = performance.now();
    const seconds = Math.max(0.001, (passed - this.#since) / 1000);
    const [received, triggered] = [this.#received / seconds, this.#triggered / seconds];
    this.#received = 0;
    this.#triggered = 0;
    this.#since = passed;
    await saveAdapter(database, {
      instance,
      version,
      received,
      triggered,
      started_at: this.#startedAt,
      seen_at: new Date(now),
      ...present(),
    });
    await takeSamples(database, now);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    await removeAdapter(this.#options.database, this.#options.instance);
  }
}
