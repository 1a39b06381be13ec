/** A line of an import as a vehicle: its VIN, and fields that match a schema of the contract. Pure. */
import { type Check, parseVin } from '../../contract/index.js';

export type VehicleLine<Fields> = { readonly vin: string } & Fields;

/**
 * @param fieldsIn maps the columns of a CSV, or the members of an NDJSON object, to fields of the schema
 * @returns the vehicle, or the error in the line
 */
export function vehicleIn<Fields extends object>(
  value: unknown,
  check: Check<Fields>,
  fieldsIn: (columns: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): VehicleLine<Fields> | string {
  if (typeof value !== 'object' || value === null) return 'must be an object';
  const { vin: vinText, ...columns } = value as Record<string, unknown>;
  const vin = typeof vinText === 'string' ? parseVin(vinText) : undefined;
  if (vin === undefined) return 'vin must be 17 of A-H J-N P R-Z 0-9';
  const fields = fieldsIn(columns);
  if (check.matches(fields)) return { vin, ...fields };
  return check
    .errors(fields)
    .map(({ path, message }) => `${path.slice(1)} ${message}`.trim())
    .join('; ');
}
