/** Import into the registry: CSV or NDJSON, streamed, in batches (contract section 4). */
import { type Readable } from 'node:stream';
import { type LineFormat, linesOf } from '../../service/lines.js';
import { checkOf, parseVin } from '../../contract/index.js';
import { type Database, DatabaseError } from '../../service/database/index.js';
import { type NewVehicle, Registration, registerVehicles } from './vehicles.js';

export interface RejectedLine {
  /** From 1; the header of a CSV is line 1. */
  readonly line: number;
  readonly errorCode: 'INVALID' | 'SYSTEM_ID_TAKEN';
  readonly errorMessage: string;
}

export interface ImportOutcome {
  readonly created: number;
  readonly updated: number;
  readonly rejectedCount: number;
  /** The first 1,000. */
  readonly rejected: RejectedLine[];
}

const MAX_REPORTED = 1_000;
const BATCH = 2_000;
/**
 * Registers each good line; a faulty one is reported with its number and does not stop the others.
 * Each batch is committed by itself: after a broken connection the same import can run again.
 *
 * @throws DatabaseError
 */
export async function importVehicles(
  database: Database,
  shard: number,
  input: Readable,
  format: LineFormat,
  clock: () => number,
): Promise<ImportOutcome> {
  const tally = new Tally();
  let batch = new Batch();
  const flush = async () => {
    if (batch.size > 0) await batch.store(database, shard, clock(), tally);
    batch = new Batch();
  };
  for await (const entry of linesOf(input, format)) {
    if ('error' in entry) tally.reject(entry.line, 'INVALID', entry.error);
    else batch.add(entry.line, entry.value, tally);
    if (batch.size >= BATCH) await flush();
  }
  await flush();
  return tally;
}

class Tally implements ImportOutcome {
  created = 0;
  updated = 0;
  rejectedCount = 0;
  readonly rejected: RejectedLine[] = [];

  reject(line: number, errorCode: RejectedLine['errorCode'], errorMessage: string): void {
    this.rejectedCount += 1;
    if (this.rejected.length < MAX_REPORTED) this.rejected.push({ line, errorCode, errorMessage });
  }
}

const registrationCheck = checkOf(Registration);

/** Vehicles that go into one statement: each VIN and each system_id once, the last line counts. */
class Batch {
  readonly #byVin = new Map<string, { line: number; vehicle: NewVehicle }>();
  readonly #vinOf = new Map<string, string>();

  get size(): number {
    return this.#byVin.size;
  }

  add(line: number, value: unknown, tally: Tally): void {
    const parsed = parseRegistration(value);
    if (typeof parsed === 'string') {
      tally.reject(line, 'INVALID', parsed);
      return;
    }
    const owner = this.#vinOf.get(parsed.system_id);
    if (owner !== undefined && owner !== parsed.vin) {
      tally.reject(line, 'SYSTEM_ID_TAKEN', `system_id ${parsed.system_id} belongs to ${owner}`);
      return;
    }
    const before = this.#byVin.get(parsed.vin);
    if (before) {
      this.#vinOf.delete(before.vehicle.system_id);
      tally.updated += 1;
    }
    this.#vinOf.set(parsed.system_id, parsed.vin);
    this.#byVin.set(parsed.vin, { line, vehicle: parsed });
  }

  async store(database: Database, shard: number, now: number, tally: Tally): Promise<void> {
    const entries = [...this.#byVin.values()];
    try {
      await storeEntries(database, shard, entries, now, tally);
    } catch (error) {
      if (!(error instanceof DatabaseError && error.isPermanent)) throw error;
      // Someone else took a system_id at the same moment, or a value is at fault: one by one, to see which.
      for (const entry of entries) await storeOne(database, shard, entry, now, tally);
    }
  }
}

interface Entry {
  readonly line: number;
  readonly vehicle: NewVehicle;
}

async function storeEntries(
  database: Database,
  shard: number,
  entries: Entry[],
  now: number,
  tally: Tally,
): Promise<void> {
  const vehicles = entries.map(({ vehicle }) => vehicle);
  const outcomes = await database.transaction((tx) => registerVehicles(tx, shard, vehicles, now));
  const lineOf = new Map(entries.map(({ line, vehicle }) => [vehicle.vin, line]));
  for (const { vin, outcome } of outcomes) {
    if (outcome === 'conflict') {
      const message = 'its system_id belongs to another vehicle';
      tally.reject(lineOf.get(vin) ?? 0, 'SYSTEM_ID_TAKEN', message);
    } else {
      tally[outcome] += 1;
    }
  }
}

async function storeOne(
  database: Database,
  shard: number,
  entry: Entry,
  now: number,
  tally: Tally,
): Promise<void> {
  try {
    await storeEntries(database, shard, [entry], now, tally);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.isPermanent)) throw error;
    // unique_violation (PostgreSQL appendix A); anything else validation should have found.
    const code = error.code === '23505' ? 'SYSTEM_ID_TAKEN' : 'INVALID';
    tally.reject(entry.line, code, error.message);
  }
}

/** The registration in a line, or what is wrong with it. */
function parseRegistration(value: unknown): NewVehicle | string {
  if (typeof value !== 'object' || value === null) return 'must be an object';
  const { vin: vinText, ...fields } = value as Record<string, unknown>;
  const vin = typeof vinText === 'string' ? parseVin(vinText) : undefined;
  if (vin === undefined) return 'vin must be 17 of A-H J-N P R-Z 0-9';
  // An empty cell of a CSV is a field that is not there.
  const present = Object.fromEntries(
    Object.entries(fields).filter(([name, text]) => text !== '' && name !== ''),
  );
  if (registrationCheck.matches(present)) return { vin, ...present };
  return registrationCheck
    .errors(present)
    .map(({ path, message }) => `${path.slice(1)} ${message}`.trim())
    .join('; ');
}
