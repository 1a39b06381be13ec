/** Import of vehicles: CSV or NDJSON, streamed, in batches; a faulty line does not stop the others. */
import { type Readable } from 'node:stream';
import { checkOf, parseVin } from '../../protocol/index.js';
import { type Database } from '../../service/database/index.js';
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
  let batch = new Map<string, { vin: string } & VehicleFacts>();
  const flush = async () => {
    const vehicles = [...batch.values()];
    batch = new Map();
    if (vehicles.length === 0) return;
    await database.transaction((tx) => storeVehicles(tx, vehicles, clock()));
    outcome.imported += vehicles.length;
  };
  for await (const entry of linesOf(input, format)) {
    const vehicle = 'error' in entry ? entry.error : vehicleIn(entry.value);
    if (typeof vehicle === 'string') {
      outcome.rejectedCount += 1;
      const rejected = { line: entry.line, message: vehicle };
      if (outcome.rejected.length < MAX_REPORTED) outcome.rejected.push(rejected);
    } else {
      batch.set(vehicle.vin, vehicle);
    }
    if (batch.size >= BATCH) await flush();
  }
  await flush();
  return outcome;
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
  const facts: Record<string, unknown> = {};
  const versions: Record<string, unknown> = {};
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
