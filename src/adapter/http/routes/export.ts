/** Exports an operation's vehicles as CSV or NDJSON, page by page, so that memory does not grow with their number. */
import { stringify } from 'csv-stringify/sync';
import { type ExportFormat, VehicleState } from '../../../contract/adapter-api/index.js';
import { type Queryable } from '../../../service/database/index.js';
import { type DeliveryFilter, type DeliveryRow, listDeliveries } from '../../operations/index.js';
import { vehicleBody } from './operation-bodies.js';

const PAGE = 2_000;

const COLUMNS = Object.keys(VehicleState.properties);

/** In VIN order; each page is read when it is needed. */
export async function* exportDeliveries(
  database: Queryable,
  operationId: number,
  filter: DeliveryFilter,
  format: ExportFormat,
): AsyncGenerator<string> {
  const write = format === 'csv' ? csv : ndjson;
  if (format === 'csv') yield stringify([COLUMNS]);
  for (let after = ''; ;) {
    const rows = await listDeliveries(database, operationId, filter, { after, limit: PAGE });
    if (rows.length > 0) yield write(rows);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last.vin;
  }
}

const ndjson = (rows: readonly DeliveryRow[]) =>
  rows.map((row) => `${JSON.stringify(vehicleBody(row))}\n`).join('');

/** RFC 4180. The reason comes from vehicles: a spreadsheet must not execute it as a formula. */
const csv = (rows: readonly DeliveryRow[]) =>
  stringify(rows.map(vehicleBody), {
    columns: COLUMNS,
    cast: { boolean: String, date: (time) => time.toISOString() },
    escape_formulas: true,
  });
