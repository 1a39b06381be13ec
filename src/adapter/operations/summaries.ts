/** A cache of summaries: computing one reads all vehicles of the operation. */
import { type Scopes } from '../../contract/index.js';
import { type Database } from '../../service/database/index.js';
import { type OperationSummary } from './progress.js';
import { type Summary } from '../../contract/adapter-api/index.js';
import { type Served } from '../../service/http/index.js';
import { summarise } from './summary.js';

const MIN_TTL_MS = 2_000;
/** A summary is cached for 20 times the duration of its computation. */
const TTL_FACTOR = 20;
const MAX_ENTRIES = 200;

interface Entry {
  readonly summary: Promise<Served<Summary>>;
  until: number;
}

/** Computes summaries, one at a time for each operation, and keeps them for a while. */
export class Summaries {
  readonly #database: Database;
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** @param scopes of the caller; reasons that only other vehicles give are left out */
  of(operation: OperationSummary, scopes: Scopes): Promise<Served<Summary>> {
    const key = JSON.stringify([operation.id, scopes]);
    const started = performance.now();
    const cached = this.#entries.get(key);
    if (cached && started < cached.until) return cached.summary;
    const summary = summarise(this.#database, operation, this.#clock(), scopes);
    const entry: Entry = { summary, until: Infinity };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES) break;
      this.#entries.delete(oldest);
    }
    summary.then(
      () => {
        const now = performance.now();
        entry.until = now + Math.max(MIN_TTL_MS, (now - started) * TTL_FACTOR);
      },
      () => this.#entries.delete(key),
    );
    return summary;
  }
}
