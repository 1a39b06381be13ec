/**
 * The event stream as a process sees it: gives what was committed its place, learns what other
 * adapters have placed, and wakes those who wait for more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database } from '../../service/database/index.js';
import { placeEvents, streamState } from './sequence.js';

export interface EventStreamOptions {
  readonly database: Database;
  readonly onFailure: (error: Error) => void;
}

/** How often to look for what other adapters have placed, while someone waits for it. */
const POLL_MS = 200;
/** How often to look for batches that a lost adapter has left without a place. */
const IDLE_POLL_MS = 1_000;
/** Between two rounds: under load, one round then places what several batches have brought. */
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
    this.#position = await placeEvents(this.#options.database);
    this.#running = this.#run();
  }

  /** Number of the newest event that has its place, as far as this process knows. */
  get position(): number {
    return this.#position;
  }

  /** Events were committed by this process. */
  committed(): void {
    this.#committed = true;
    this.#wake?.();
  }

  /** Resolves when there are events after the given place, or when the signal aborts. */
  beyond(place: number, signal: AbortSignal): Promise<void> {
    if (this.#position > place || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = () => {
        if (this.#position <= place && !signal.aborted) return;
        this.#waiting.delete(settle);
        signal.removeEventListener('abort', settle);
        resolve();
      };
      this.#waiting.add(settle);
      signal.addEventListener('abort', settle);
      // It may have been asleep for longer than someone who waits wants to.
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
      const places = this.#committed;
      this.#committed = false;
      try {
        this.#advance(places ? await placeEvents(database) : await this.#look());
      } catch (error) {
        this.#committed ||= places;
        onFailure(error as Error);
        await sleep(FAILURE_PAUSE_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      await sleep(GAP_MS, undefined, { signal }).catch(() => undefined);
      if (!this.#isCommitted()) await this.#pause();
    }
  }

  /** Set by another call while this one waits. */
  #isCommitted(): boolean {
    return this.#committed;
  }

  async #look(): Promise<number> {
    const { position, waiting } = await streamState(this.#options.database);
    return waiting ? placeEvents(this.#options.database) : position;
  }

  #advance(position: number): void {
    this.#position = Math.max(this.#position, position);
    for (const settle of this.#waiting) settle();
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
