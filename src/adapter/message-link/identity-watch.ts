/**
 * Watches for changes of vehicles' identities, made by any adapter or statement, so that connections opened under an
 * identity that is no longer valid can be closed.
 */
import { type IdentityChanges } from '../registry/index.js';

/** Interval between checks, ms. */
const LOOK_MS = 250;
/** Changes are kept for this time; if no check succeeds for half of it, every connection is checked, ms. */
export const CHANGES_KEPT_MS = 60 * 60 * 1000;
/** Longer than any sign-in; changes are remembered for this time, ms. */
const SIGN_IN_MS = 120_000;

export interface IdentityWatchOptions {
  readonly read: (since: string | undefined) => Promise<IdentityChanges>;
  /** `all`: every identity may have changed. */
  readonly onChanged: (systemIds: readonly string[] | 'all') => Promise<void>;
  readonly onFailure: (error: Error) => void;
}

export class IdentityWatch {
  readonly #options: IdentityWatchOptions;
  /** When the latest change of each was seen, monotonic ms. */
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

  /**
   * Whether a change has been seen since the given time, so that an earlier authentication may no longer be valid. @param
   * time monotonic, ms
   */
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
    // Only after acting on the changes: after a failure the same changes are read again.
    this.#snapshot = snapshot;
    this.#lookedAt = begun;
    for (const [systemId, at] of this.#changedAt) {
      if (now - at > SIGN_IN_MS) this.#changedAt.delete(systemId);
    }
  }
}
