/** An event as the CarOTA Server shows it. */
import Type from 'typebox';
import { Time } from '../../../service/http/index.js';
import { type EventRow } from '../../events/index.js';

export const VehicleEvent = Type.Object(
  {
    'event-id': Type.String(),
    'ref-id': Type.String(),
    status: Type.Integer(),
    'status-name': Type.String(),
    meta: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    at: Time,
    receivedAt: Time,
  },
  { title: 'VehicleEvent' },
);

export const eventBody = (row: EventRow) => ({
  'event-id': row.event_id,
  'ref-id': row.ref_id,
  status: row.status,
  'status-name': row.status_name,
  meta: row.meta,
  at: row.at,
  receivedAt: row.received_at,
});
