/**
 * The event stream in one process: assigns positions to committed events, follows the positions assigned by other
 * adapters, and wakes the consumers that wait for more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database } from '../../service/database/index.js';
import { assignPositions, streamState } from './sequence.js';

export interface EventStreamOptions {
  readonly database: Database;
  readonly onFailure: (error: Error) => void;
}

/** How often to check for events of other adapters while a consumer waits. */
const POLL_MS = 200;
/** How often to check for batches that a dead adapter has left without a position. */
const IDLE_POLL_MS = 1_000;
/** Pause between rounds: under load, one round then covers several batches. */
const GAP_MS = 20;
const FAILURE_PAUSE_MS = 1_000;

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #stopping = new AbortController();
  readonly #waiting = new Set<() => void>();
  #position = 0;
  #committed = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** @throws DatabaseError */
  async start(): Promise<void> {
    this.#position = await assignPositions(this.#options.database);
    this.#running = this.#run();
  }

  /** Number of the newest event with a position, as far as this process knows. */
  get position(): number {
    return this.#position;
  }

  /** This process has committed events. */
  committed(): void {
    this.#committed = true;
    this.#wake?.();
  }

  /** Resolves when there are events after the given position, or when the signal aborts. */
  beyond(position: number, signal: AbortSignal): Promise<void> {
    if (this.#position > position || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (this.#position <= position && !signal.aborted) return;
        this.#waiting.delete(check);
        signal.removeEventListener('abort', check);
        resolve();
      };
      this.#waiting.add(check);
      signal.addEventListener('abort', check);
      // The idle pause may be longer than the consumer should wait.
      this.#wake?.();
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { database, onFailure } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const hasCommitted = this.#committed;
      this.#committed = false;
      try {
        this.#advance(hasCommitted ? await assignPositions(database) : await this.#look());
      } catch (error) {
        this.#committed ||= hasCommitted;
        onFailure(error as Error);
        await sleep(FAILURE_PAUSE_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      await sleep(GAP_MS, undefined, { signal }).catch(() => undefined);
      if (!this.#isCommitted()) await this.#pause();
    }
  }

  /** A method, because TypeScript would assume the field unchanged across an await. */
  #isCommitted(): boolean {
    return this.#committed;
  }

  async #look(): Promise<number> {
    const { position, waiting } = await streamState(this.#options.database);
    return waiting ? assignPositions(this.#options.database) : position;
  }

  #advance(position: number): void {
    this.#position = Math.max(this.#position, position);
    for (const check of this.#waiting) check();
  }

  async #pause(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#waiting.size > 0 ? POLL_MS : IDLE_POLL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
