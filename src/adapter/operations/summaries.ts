/** Summaries that were made lately: to make one, all vehicles of the operation are read. */
import { type Database } from '../../service/database/index.js';
import { type OperationSummary } from './progress.js';
import { type Summary } from '../../contract/adapter-api/index.js';
import { type Served } from '../../service/http/index.js';
import { summarise } from './summary.js';

const SHORTEST_MS = 2_000;
/** What took a second to make is kept for twenty. */
const TIMES_ITS_COST = 20;
const MOST_KEPT = 200;

interface Kept {
  readonly summary: Promise<Served<Summary>>;
  until: number;
}

/** Makes summaries, one at a time for each operation, and keeps them for a while. */
export class Summaries {
  readonly #database: Database;
  readonly #clock: () => number;
  readonly #kept = new Map<number, Kept>();

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  of(operation: OperationSummary): Promise<Served<Summary>> {
    const begun = performance.now();
    const known = this.#kept.get(operation.id);
    if (known && begun < known.until) return known.summary;
    const summary = summarise(this.#database, operation, this.#clock());
    const kept: Kept = { summary, until: Infinity };
    this.#kept.delete(operation.id);
    this.#kept.set(operation.id, kept);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(id);
    }
    summary.then(
      () => {
        const now = performance.now();
        kept.until = now + Math.max(SHORTEST_MS, (now - begun) * TIMES_ITS_COST);
      },
      () => this.#kept.delete(operation.id),
    );
    return summary;
  }
}
