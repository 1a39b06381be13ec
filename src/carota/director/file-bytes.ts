/**
 * An in-memory cache of vehicles' files that were recently signed or served: each request of a cycle asks for a file named
 * by the previous one. A version always has the same bytes, so the cache is never stale.
 */
import { Batches } from '../../service/batches.js';
import { type Database, textArray } from '../../service/database/index.js';
import { STATEMENTS } from './statements.js';

export type Role = 'targets' | 'snapshot' | 'timestamp';

/** About 700 bytes each. */
const MOST = 50_000;

interface Row {
  readonly vin: string;
  readonly targets_version: number;
  readonly targets: Buffer;
  readonly snapshot_version: number;
  readonly snapshot: Buffer;
  readonly timestamp_version: number;
  readonly timestamp_file: Buffer;
}

export class FileBytes {
  /** Oldest first. */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #reads: Batches<string, undefined>;

  constructor(database: Database) {
    this.#reads = new Batches(async (vins) => {
      await this.#read(database, vins);
      return vins.map(() => undefined);
    }, STATEMENTS);
  }

  /** @returns undefined if that version is neither cached nor the stored one */
  async get(vin: string, role: Role, version: number): Promise<Uint8Array | undefined> {
    const key = keyOf(vin, role, version);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    await this.#reads.do(vin);
    return this.#kept.get(key);
  }

  put(vin: string, role: Role, version: number, bytes: Uint8Array): void {
    const key = keyOf(vin, role, version);
    this.#kept.delete(key);
    this.#kept.set(key, bytes);
    const [oldest] = this.#kept.size > MOST ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  async #read(database: Database, vins: readonly string[]): Promise<void> {
    const rows = await database.query<Row>(
      `select vin, targets_version, targets, snapshot_version, snapshot, timestamp_version, timestamp_file
       from director_files where vin = any($1::text[])`,
      [textArray([...new Set(vins)])],
      'director-file-bytes',
    );
    for (const row of rows) {
      this.put(row.vin, 'targets', row.targets_version, row.targets);
      this.put(row.vin, 'snapshot', row.snapshot_version, row.snapshot);
      this.put(row.vin, 'timestamp', row.timestamp_version, row.timestamp_file);
    }
  }
}

const keyOf = (vin: string, role: Role, version: number) => `${vin} ${role} ${version}`;
