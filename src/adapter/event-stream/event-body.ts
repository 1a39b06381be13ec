/** An event as the contract writes it to the CarOTA Server (section 6): pure. */
import Type from 'typebox';
import { messageDigest, statusName } from '../../protocol/index.js';
import { type StreamEvent } from './read-events.js';

export const EventBody = Type.Object(
  {
    'event-id': Type.String({ description: 'The same whenever and however the event is told.' }),
    'ref-id': Type.String(),
    vin: Type.String(),
    device_id: Type.String(),
    device_type: Type.String(),
    status: Type.Number(),
    'status-name': Type.String(),
    meta: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    timestamp: Type.Integer({ description: 'When it happened, ms (contract section 5.3).' }),
    'received-at': Type.Integer({ description: 'When the adapter received it, ms.' }),
  },
  { title: 'CallbackEvent' },
);
export type EventBody = Type.Static<typeof EventBody>;

export function eventBody(event: StreamEvent): EventBody {
  return {
    'event-id': `evt-${messageDigest(event.system_id, event.message_id)}`,
    'ref-id': event.ref_id,
    vin: event.vin,
    device_id: event.device_id,
    device_type: event.device_type,
    status: event.status,
    'status-name': statusName(event.status),
    meta: event.meta,
    timestamp: event.event_at.getTime(),
    'received-at': event.received_at.getTime(),
  };
}
