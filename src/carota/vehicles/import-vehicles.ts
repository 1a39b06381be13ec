/** Import of vehicles: CSV or NDJSON, streamed, in batches; an invalid line does not stop the others. */
import { type Readable } from 'node:stream';
import { type ImportResult, VehicleFacts } from '../../contract/carota-api/index.js';
import { checkOf } from '../../contract/index.js';
import { type Database } from '../../service/database/index.js';
import { Rejections, storeEach, vehicleIn, type VehicleLine } from '../../service/import/index.js';
import { type LineFormat, linesOf } from '../../service/lines.js';
import { SystemIdForbidden, systemIdMoves } from './system-ids.js';
import { storeVehicles, type StoringVehicles } from './vehicles.js';

const BATCH = 2_000;
/** unique_violation (PostgreSQL appendix A). */
const UNIQUE_VIOLATION = '23505';

const check = checkOf(VehicleFacts);

/** Dependencies of an import. */
export interface ImportContext extends StoringVehicles {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
}

/**
 * A column `version:HU` holds the version of ECU HU; tags are separated by `;`.
 *
 * @throws DatabaseError; earlier batches are stored, and the same import can be repeated
 */
export async function importVehicles(
  { database, clock, ...storing }: ImportContext,
  input: Readable,
  format: LineFormat,
): Promise<ImportResult> {
  const outcome = new Outcome();
  const forbiddenIn = async (entries: readonly Entry[]) => {
    if (storing.mayAssignSystemIds) return () => false;
    const moves = await systemIdMoves(
      database,
      entries.map(({ vehicle }) => vehicle),
    );
    const vins = new Set(moves.map(({ vin }) => vin));
    return ({ vehicle }: Entry) => vins.has(vehicle.vin);
  };
  let batch = new Map<string, Entry>();
  const flush = async () => {
    const all = [...batch.values()];
    batch = new Map();
    const forbidden = await forbiddenIn(all);
    for (const { line, vehicle } of all.filter(forbidden)) {
      outcome.reject(line, 'FORBIDDEN', new SystemIdForbidden([vehicle.vin]).message);
    }
    const entries = all.filter((entry) => !forbidden(entry));
    const refused = await storeEach(entries, (some) =>
      database.transaction((tx) =>
        storeVehicles(
          tx,
          some.map(({ vehicle }) => vehicle),
          storing,
          clock(),
        ),
      ),
    );
    for (const { entry, error } of refused) {
      const code = error.code === UNIQUE_VIOLATION ? 'SYSTEM_ID_TAKEN' : 'INVALID';
      outcome.reject(entry.line, code, error.message);
    }
    outcome.imported += entries.length - refused.length;
  };
  for await (const entry of linesOf(input, format)) {
    const vehicle = 'error' in entry ? entry.error : vehicleIn(entry.value, check, factsIn);
    if (typeof vehicle === 'string') outcome.reject(entry.line, 'INVALID', vehicle);
    else batch.set(vehicle.vin, { line: entry.line, vehicle });
    if (batch.size >= BATCH) await flush();
  }
  await flush();
  return outcome;
}

class Outcome extends Rejections implements ImportResult {
  imported = 0;
}

interface Entry {
  readonly line: number;
  readonly vehicle: VehicleLine<VehicleFacts>;
}

/** Converts the columns of a CSV to the fields of NDJSON; an empty cell is an absent field. */
function factsIn(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // Column names come from the caller: in an object without a prototype no name is special.
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
