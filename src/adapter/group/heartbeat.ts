/** Every two seconds, an adapter records its status in the database and takes samples of the operations. */
import { type Database } from '../../service/database/index.js';
import { takeSamples } from '../operations/index.js';
import { type AdapterRow, removeAdapter, saveAdapter } from './adapters.js';
import { type Traffic } from './traffic.js';

export interface HeartbeatOptions {
  readonly database: Database;
  readonly instance: string;
  readonly version: string;
  /** ms */
  readonly clock: () => number;
  readonly traffic: Traffic;
  readonly status: () => Pick<AdapterRow, 'broker' | 'connected' | 'subscribed' | 'waiting'>;
  readonly onFailure: (error: Error) => void;
}

export const HEARTBEAT_MS = 2_000;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #startedAt: Date;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock());
  }

  start(): void {
    const beat = () => {
      this.#running = this.#beat().catch((error: unknown) =>
        this.#options.onFailure(error as Error),
      );
      void this.#running.then(() => {
        if (this.#timer) this.#timer = setTimeout(beat, HEARTBEAT_MS);
      });
    };
    this.#timer = setTimeout(beat, 0);
  }

  /** Removes the adapter from the list at once. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    await removeAdapter(this.#options.database, this.#options.instance);
  }

  async #beat(): Promise<void> {
    const { database, instance, version, clock, traffic, status } = this.#options;
    const now = clock();
    await saveAdapter(database, {
      instance,
      version,
      ...traffic.takeRates(),
      started_at: this.#startedAt,
      seen_at: new Date(now),
      ...status(),
    });
    await takeSamples(database, now);
  }
}
