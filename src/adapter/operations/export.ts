/** All vehicles of an operation as CSV or NDJSON, page by page: a million rows take no more memory. */
import { stringify } from 'csv-stringify/sync';
import { cloudMessageId } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type DeliveryFilter, type DeliveryRow, listDeliveries } from './deliveries.js';

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const PAGE = 2_000;

const COLUMNS = [
  'vin',
  'state',
  'paused',
  'delivery',
  'reason',
  'attempt',
  'sends',
  'trigger_message_id',
  'triggered_at',
  'last_sent_at',
  'acknowledged_at',
  'event_at',
  'updated_at',
] as const;

type Row = Record<(typeof COLUMNS)[number], string | number | boolean | null>;

const iso = (time: Date | null) => time?.toISOString() ?? null;

const exportRow = (row: DeliveryRow): Row => ({
  vin: row.vin,
  state: row.state,
  paused: row.paused,
  delivery: row.delivery,
  reason: row.reason,
  attempt: row.attempt,
  sends: row.sends,
  trigger_message_id: cloudMessageId(row.trigger_id),
  triggered_at: iso(row.triggered_at),
  last_sent_at: iso(row.last_sent_at),
  acknowledged_at: iso(row.acknowledged_at),
  event_at: iso(row.event_at),
  updated_at: iso(row.updated_at),
});

/** In VIN order; each page as it stands when it is read. */
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
    if (rows.length > 0) yield write(rows.map(exportRow));
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last.vin;
  }
}

const ndjson = (rows: readonly Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** RFC 4180. Vehicles write the reason: a spreadsheet must not take it for a formula. */
const csv = (rows: readonly Row[]) =>
  stringify([...rows], {
    columns: [...COLUMNS],
    cast: { boolean: String },
    escape_formulas: true,
  });
