/** An event in the form in which the CarOTA Server receives it (contract section 6): pure. */
import { type CallbackEvent, eventDigest, statusName } from '../../contract/index.js';
import { type StreamEvent } from './read-events.js';

export function eventBody(event: StreamEvent): CallbackEvent {
  return {
    'event-id': `evt-${eventDigest(event.ref_id, event.system_id, event.message_id)}`,
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
