/** The event call-back, adapter to CarOTA Server (contract section 6). */
import Type from '../typebox.js';
import { PROTOCOL_VERSION } from '../mqtt/envelope.js';
import { MetaField } from '../mqtt/meta.js';
import { EventStatus } from '../mqtt/ota-event.js';
import { ReportedStatusName } from '../states/index.js';
import { Identifier, OptionalIdentifier } from '../values/text.js';
import { TimeOfEvent } from '../values/time.js';
import { Vin } from '../values/vin.js';

/** An event as the adapter sends it. Unknown extra fields of any content are ignored. */
export const CallbackEvent = Type.Object(
  {
    'event-id': Identifier('Identifies the event in every repetition and on every channel.'),
    'ref-id': Identifier('The schedule’s operation.'),
    vin: Vin,
    device_id: OptionalIdentifier('The device to which the event refers.'),
    device_type: OptionalIdentifier('Its type, e.g. TCU.'),
    status: EventStatus,
    'status-name': ReportedStatusName,
    meta: Type.Array(MetaField),
    timestamp: TimeOfEvent('When it happened, ms (contract section 5.3).'),
    'received-at': TimeOfEvent('When the adapter received it, ms.'),
  },
  { title: 'CallbackEvent' },
);
export type CallbackEvent = Type.Static<typeof CallbackEvent>;

/** The envelope of a call-back, independent of its events. */
export const CallbackEnvelope = Type.Object({
  time: Type.Integer({ description: 'When it was posted, ms.' }),
  version: Type.Literal(PROTOCOL_VERSION),
  body: Type.Object({ events: Type.Array(Type.Unknown()) }),
});

/** Body of an event call-back (contract section 6): a batch of events, oldest first. */
export const CallbackMessage = Type.Object(
  {
    ...CallbackEnvelope.properties,
    body: Type.Object({ events: Type.Array(CallbackEvent) }),
  },
  {
    title: 'CallbackMessage',
  },
);
/** A batch that fits the schema {@link CallbackMessage}. */
export type CallbackMessage = Type.Static<typeof CallbackMessage>;
