/** Import of vehicles: CSV or NDJSON, streamed, in batches; a faulty line does not stop the others. */
import { type Readable } from 'node:stream';
import { checkOf, parseVin } from '../../contract/index.js';
import { type Database, DatabaseError } from '../../service/database/index.js';
import { type LineFormat, linesOf } from '../../service/lines.js';
import { storeVehicles, VehicleFacts } from './vehicles.js';

export interface RejectedLine {
  /** From 1; the header of a CSV is line 1. */
  readonly line: number;
  readonly message: string;
}

const BATCH = 2_000;
const MAX_REPORTED = 1_000;

const check = checkOf(VehicleFacts);

/**
 * A column `version:HU` is what ECU HU runs; tags are separated by `;`.
 *
 * @throws DatabaseError; the batches before are stored, and the same import can run again
 */
export async function importVehicles(
  database: Database,
  input: Readable,
  format: LineFormat,
  clock: () => number,
) {
  const outcome = { imported: 0, rejectedCount: 0, rejected: [] as RejectedLine[] };
  const reject = (line: number, message: string) => {
    outcome.rejectedCount += 1;
    if (outcome.rejected.length < MAX_REPORTED) outcome.rejected.push({ line, message });
  };
  let batch = new Map<string, Entry>();
  const flush = async () => {
    const entries = [...batch.values()];
    batch = new Map();
    const refused = await storeEach(database, entries, clock());
    for (const { line, message } of refused) reject(line, message);
    outcome.imported += entries.length - refused.length;
  };
  for await (const entry of linesOf(input, format)) {
    const vehicle = 'error' in entry ? entry.error : vehicleIn(entry.value);
    if (typeof vehicle === 'string') reject(entry.line, vehicle);
    else batch.set(vehicle.vin, { line: entry.line, vehicle });
    if (batch.size >= BATCH) await flush();
  }
  await flush();
  return outcome;
}

interface Entry {
  readonly line: number;
  readonly vehicle: { vin: string } & VehicleFacts;
}

/**
 * All in one transaction; where the database refuses that, one by one, so that a value that should not have come so far
 * is told of its own line and stops no other.
 *
 * @throws DatabaseError
 */
async function storeEach(
  database: Database,
  entries: readonly Entry[],
  now: number,
): Promise<RejectedLine[]> {
  if (entries.length === 0) return [];
  try {
    const vehicles = entries.map(({ vehicle }) => vehicle);
    await database.transaction((tx) => storeVehicles(tx, vehicles, now));
    return [];
  } catch (error) {
    const [first] = entries;
    if (!(error instanceof DatabaseError && error.isPermanent) || !first) throw error;
    if (entries.length === 1) return [{ line: first.line, message: error.message }];
  }
  const refused: RejectedLine[] = [];
  for (const entry of entries) refused.push(...(await storeEach(database, [entry], now)));
  return refused;
}

/** The vehicle in a line, or what is wrong with it. */
function vehicleIn(value: unknown): ({ vin: string } & VehicleFacts) | string {
  if (typeof value !== 'object' || value === null) return 'must be an object';
  const { vin: vinText, ...fields } = value as Record<string, unknown>;
  const vin = typeof vinText === 'string' ? parseVin(vinText) : undefined;
  if (vin === undefined) return 'vin must be 17 of A-H J-N P R-Z 0-9';
  const facts = factsIn(fields);
  if (check.matches(facts)) return { vin, ...facts };
  return check
    .errors(facts)
    .map(({ path, message }) => `${path.slice(1)} ${message}`.trim())
    .join('; ');
}

/** Columns of a CSV as the fields of NDJSON; an empty cell is a field that is not there. */
function factsIn(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // Names of columns are the caller's: no name means anything to these.
  const facts = Object.create(null) as Record<string, unknown>;
  const versions = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    if (value === '') continue;
    const [, ecu] = /^version:(.+)$/.exec(name) ?? [];
    if (ecu !== undefined) versions[ecu] = value;
    else if (name === 'tags' && typeof value === 'string') facts[name] = tagsIn(value);
    else facts[name] = value;
  }
  return Object.keys(versions).length > 0 ? { ...facts, versions } : facts;
}

const tagsIn = (text: string) =>
  text
    .split(';')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
