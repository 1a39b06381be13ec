/** Import of the ECUs of vehicles: CSV or NDJSON, streamed, in batches; a faulty line does not stop the others. */
import { type Readable } from 'node:stream';
import { EcuRegistrations, type ImportResult } from '../../contract/carota-api/index.js';
import { checkOf, MAX_REJECTED_LINES, parseVin, type RejectedLine } from '../../contract/index.js';
import { type Database, DatabaseError } from '../../service/database/index.js';
import { type LineFormat, linesOf } from '../../service/lines.js';
import { type Actor } from '../../service/audit/index.js';
import { EcuConflict, NoSuchEcu, storeEcus, type VehicleWithEcus } from './ecus.js';
import { ecuErrors } from './validate-ecus.js';

const BATCH = 500;

const check = checkOf(EcuRegistrations);

/** @throws DatabaseError; earlier batches are stored, and the same import can be repeated */
export async function importEcus(
  database: Database,
  input: Readable,
  format: LineFormat,
  by: Actor,
  clock: () => number,
): Promise<ImportResult> {
  const outcome = { imported: 0, rejectedCount: 0, rejected: [] as RejectedLine[] };
  const reject = ({ line, message }: RefusedLine) => {
    outcome.rejectedCount += 1;
    if (outcome.rejected.length >= MAX_REJECTED_LINES) return;
    outcome.rejected.push({ line, errorCode: 'INVALID', errorMessage: message });
  };
  let batch = new Map<string, Entry>();
  const flush = async () => {
    const entries = [...batch.values()];
    batch = new Map();
    const refused = await storeEach(database, entries, clock());
    refused.forEach(reject);
    outcome.imported += entries.length - refused.length;
  };
  for await (const entry of linesOf(input, format)) {
    const vehicle = 'error' in entry ? entry.error : vehicleIn(entry.value, by);
    if (typeof vehicle === 'string') reject({ line: entry.line, message: vehicle });
    else batch.set(vehicle.vin, { line: entry.line, vehicle });
    if (batch.size >= BATCH) await flush();
  }
  await flush();
  return outcome;
}

interface RefusedLine {
  readonly line: number;
  readonly message: string;
}

interface Entry {
  readonly line: number;
  readonly vehicle: VehicleWithEcus;
}

/** All in one transaction; if that is refused, in halves, so that a refused line does not stop the others. */
async function storeEach(
  database: Database,
  entries: readonly Entry[],
  now: number,
): Promise<RefusedLine[]> {
  const [first] = entries;
  if (!first) return [];
  try {
    const vehicles = entries.map(({ vehicle }) => vehicle);
    await database.transaction((tx) => storeEcus(tx, vehicles, now));
    return [];
  } catch (error) {
    const isOfOne =
      error instanceof EcuConflict ||
      error instanceof NoSuchEcu ||
      (error instanceof DatabaseError && error.isPermanent);
    if (!isOfOne) throw error;
    if (entries.length === 1) return [{ line: first.line, message: (error as Error).message }];
  }
  const half = Math.ceil(entries.length / 2);
  return [
    ...(await storeEach(database, entries.slice(0, half), now)),
    ...(await storeEach(database, entries.slice(half), now)),
  ];
}

/** The vehicle in a line, or the error in it. */
function vehicleIn(value: unknown, by: Actor): VehicleWithEcus | string {
  if (typeof value !== 'object' || value === null) return 'must be an object';
  const { vin: vinText, ecus, ...rest } = value as Record<string, unknown>;
  const vin = typeof vinText === 'string' ? parseVin(vinText) : undefined;
  if (vin === undefined) return 'vin must be 17 of A-H J-N P R-Z 0-9';
  const given = { ...rest, ecus: typeof ecus === 'string' ? fromJson(ecus) : ecus };
  const faults = check.matches(given) ? ecuErrors(given.ecus) : check.errors(given);
  if (check.matches(given) && faults.length === 0) return { vin, ecus: given.ecus, by };
  return faults.map(({ path, message }) => `${path.slice(1)} ${message}`.trim()).join('; ');
}

/** A cell of a CSV. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
