/** OTA events as the CarOTA Server shows them; names as in the call-back that brought them (contract section 6). */
import Type from '../typebox.js';
import { Time } from '../http/index.js';
import { MetaField } from '../mqtt/meta.js';
import { EventStatus } from '../mqtt/ota-event.js';
import { ReportedStatusName } from '../states/index.js';

/** An event of a vehicle, as the OTA Adapter called it back. */
export const VehicleEvent = Type.Object(
  {
    'event-id': Type.String(),
    'ref-id': Type.String(),
    status: EventStatus,
    'status-name': ReportedStatusName,
    meta: Type.Array(MetaField),
    timestamp: Type.String({
      format: 'date-time',
      description: 'When it happened, by the vehicle’s clock (contract section 5.3).',
    }),
    'received-at': Time,
  },
  { title: 'VehicleEvent' },
);
/** A value that fits the schema {@link VehicleEvent}. */
export type VehicleEvent = Type.Static<typeof VehicleEvent>;

/** Most events of a vehicle that an answer has. */
export const MAX_EVENTS = 1_000;

/** Field of the answers about one vehicle. */
export const EVENTS = {
  events: Type.Array(VehicleEvent, { description: 'The newest 1,000, newest first.' }),
};
