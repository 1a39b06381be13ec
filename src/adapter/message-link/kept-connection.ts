/** A connection to the broker that is re-established whenever it breaks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrokerConnection } from './broker-connection.js';
import { type BrokerDialler } from './broker-dialler.js';
import { type ConnectionOptions } from './connection-options.js';

export interface KeptConnectionOptions {
  readonly dialler: BrokerDialler;
  readonly connection: Omit<ConnectionOptions, 'onClosed'>;
  /** Makes the subscriptions; the connection counts as up once this resolves. */
  readonly prepare: (connection: BrokerConnection) => Promise<void>;
  readonly onUp: () => void;
  readonly onDown?: () => void;
  readonly onProblem: (error: Error) => void;
}

/** Pause before reconnecting, ms; shorter if there are other hosts to try. */
export const reconnectPause = ({ hosts }: BrokerDialler): number => (hosts > 1 ? 300 : 1_000);

export class KeptConnection {
  readonly #options: KeptConnectionOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #connection: BrokerConnection | undefined;
  #isUp = false;
  #reachedAt = -Infinity;
  #closed: () => void = () => undefined;

  constructor(options: KeptConnectionOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The connection while it is up. */
  get connection(): BrokerConnection | undefined {
    return this.#isUp ? this.#connection : undefined;
  }

  /** Until when the broker had accepted the connection, prepared or not; monotonic, ms. */
  get reachedAt(): number {
    return this.#connection?.isOpen === true ? performance.now() : this.#reachedAt;
  }

  /** Reads no more messages; those already read can still be acknowledged. */
  pause(): void {
    this.#stopping.abort();
    this.#connection?.pause();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#connection?.disconnect();
    this.#closed();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { dialler, onProblem } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#connectOnce();
      } catch (error) {
        if (!this.#stopping.signal.aborted) onProblem(error as Error);
      }
      this.#isUp = false;
      this.#options.onDown?.();
      this.#connection = undefined;
      await sleep(reconnectPause(dialler), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Connects, and resolves when the connection is closed. */
  async #connectOnce(): Promise<void> {
    const { dialler, connection: options, prepare, onUp } = this.#options;
    let failure: Error | undefined;
    const closed = new Promise<void>((resolve) => (this.#closed = resolve));
    const onClosed = (why: Error) => {
      failure = why;
      this.#closed();
    };
    const abandon = this.#stopping.signal;
    const connection = await dialler.connect({ ...options, onClosed, abandon });
    this.#connection = connection;
    try {
      if (!this.#stopping.signal.aborted) {
        await prepare(connection);
        this.#isUp = connection.isOpen;
        if (this.#isUp) onUp();
        await closed;
      }
    } finally {
      this.#reachedAt = performance.now();
      if (this.#stopping.signal.aborted) await connection.disconnect();
      else connection.destroy(failure ?? new Error('abandoned'));
    }
    if (failure && !this.#stopping.signal.aborted) throw failure;
  }
}
