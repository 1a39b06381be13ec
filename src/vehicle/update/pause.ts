/** The user's pause of an update. */
import { EventEmitter, once } from 'node:events';

export class Pause {
  readonly #ends = new EventEmitter();
  #begins = new AbortController();

  begin(): void {
    this.#begins.abort();
  }

  end(): void {
    this.#begins = new AbortController();
    this.#ends.emit('end');
  }

  /** Aborts when the pause starts. */
  get beginning(): AbortSignal {
    return this.#begins.signal;
  }

  /** Resolves when there is no pause, or when it ends. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.#begins.signal.aborted) await once(this.#ends, 'end', { signal });
  }
}
