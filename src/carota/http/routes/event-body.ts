/** An OTA event in answers of the CarOTA Server. */
import { type VehicleEvent } from '../../../contract/carota-api/index.js';
import { type Served } from '../../../service/http/index.js';
import { type EventRow } from '../../events/index.js';

export const eventBody = (row: EventRow): Served<VehicleEvent> => ({
  'event-id': row.event_id,
  'ref-id': row.ref_id,
  status: row.status,
  'status-name': row.status_name,
  meta: row.meta,
  timestamp: row.at,
  'received-at': row.received_at,
});
