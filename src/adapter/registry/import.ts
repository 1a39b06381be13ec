/** Import into the registry: CSV or NDJSON, streamed, in batches (contract section 4). */
import { type Readable } from 'node:stream';
import { type ImportResult, Registration } from '../../contract/adapter-api/index.js';
import { checkOf } from '../../contract/index.js';
import { type Database } from '../../service/database/index.js';
import { Rejections, storeEach, vehicleIn } from '../../service/import/index.js';
import { type LineFormat, linesOf } from '../../service/lines.js';
import { chosenCredentialFault, type NewVehicle, registerVehicles } from './vehicles.js';

const BATCH = 2_000;
/** unique_violation (PostgreSQL appendix A). */
const UNIQUE_VIOLATION = '23505';

/**
 * Registers every valid line. An invalid line is reported with its number and does not stop the others. Each batch is
 * committed by itself: after a broken connection, the same import can be repeated.
 *
 * @throws DatabaseError
 */
export async function importVehicles(
  database: Database,
  shard: number,
  input: Readable,
  format: LineFormat,
  clock: () => number,
): Promise<ImportResult> {
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

class Tally extends Rejections implements ImportResult {
  created = 0;
  updated = 0;
}

const check = checkOf(Registration);

/** An empty cell of a CSV is an absent field. */
const fieldsIn = (columns: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(columns).filter(([name, value]) => value !== '' && name !== ''),
  );

/** The vehicles of one statement: each VIN and each system_id once; of two lines with one VIN, the later counts. */
class Batch {
  readonly #byVin = new Map<string, { line: number; vehicle: NewVehicle }>();
  readonly #vinOf = new Map<string, string>();

  get size(): number {
    return this.#byVin.size;
  }

  add(line: number, value: unknown, tally: Tally): void {
    const parsed = vehicleIn(value, check, fieldsIn);
    if (typeof parsed === 'string') {
      tally.reject(line, 'INVALID', parsed);
      return;
    }
    const fault = chosenCredentialFault(parsed);
    if (fault !== undefined) {
      tally.reject(line, 'INVALID', `/credential ${fault}`);
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
    // The database refuses a system_id that another request has taken in the meantime.
    const refused = await storeEach([...this.#byVin.values()], (entries) =>
      storeEntries(database, shard, entries, now, tally),
    );
    for (const { entry, error } of refused) {
      const code = error.code === UNIQUE_VIOLATION ? 'SYSTEM_ID_TAKEN' : 'INVALID';
      tally.reject(entry.line, code, error.message);
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
  entries: readonly Entry[],
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
