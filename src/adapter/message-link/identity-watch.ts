/**
 * Notices changes of vehicles' identities, whichever adapter or statement has made them, so that connections end that were
 * opened under an identity that no longer holds.
 */
import { type IdentityChanges } from '../registry/index.js';

/** Between two looks, ms. */
const LOOK_MS = 250;
/** Changes are kept for so long; without a look for half of it, every connection is checked, ms. */
export const CHANGES_KEPT_MS = 60 * 60 * 1000;
/** A sign-in takes less; for so long it is known what has changed, ms. */
const SIGN_IN_MS = 120_000;

export interface IdentityWatchOptions {
  readonly read: (since: string | undefined) => Promise<IdentityChanges>;
  /** `all`: any of them may have changed. */
  readonly onChanged: (systemIds: readonly string[] | 'all') => Promise<void>;
  readonly onFailure: (error: Error) => void;
}

export class IdentityWatch {
  readonly #options: IdentityWatchOptions;
  /** When each was last seen to have changed, monotonic ms. */
  readonly #changedAt = new Map<string, number>();
  #snapshot: string | undefined;
  #lookedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #look: Promise<void> | undefined;

  constructor(options: IdentityWatchOptions) {
    this.#options = options;
  }

  /** @throws DatabaseError */
  async start(): Promise<void> {
    this.#snapshot = (await this.#options.read(undefined)).snapshot;
    this.#lookedAt = performance.now();
    this.#next();
  }

  /** Whether a change was seen since then: who was authenticated before may be someone else. @param time monotonic, ms */
  hasChangedSince(systemId: string, time: number): boolean {
    return (this.#changedAt.get(systemId) ?? -Infinity) >= time;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#look;
  }

  #next(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#look = this.#once()
        .catch(this.#options.onFailure)
        .finally(() => this.#next());
    }, LOOK_MS).unref();
  }

  async #once(): Promise<void> {
    const begun = performance.now();
    const { systemIds, snapshot } = await this.#options.read(this.#snapshot);
    const isComplete = begun - this.#lookedAt < CHANGES_KEPT_MS / 2;
    const now = performance.now();
    for (const systemId of systemIds) this.#changedAt.set(systemId, now);
    if (!isComplete) await this.#options.onChanged('all');
    else if (systemIds.length > 0) await this.#options.onChanged(systemIds);
    // Only when they were acted on: after a failure the same changes are read again.
    this.#snapshot = snapshot;
    this.#lookedAt = begun;
    for (const [systemId, at] of this.#changedAt) {
      if (now - at > SIGN_IN_MS) this.#changedAt.delete(systemId);
    }
  }
}
