/** The event call-back, adapter to CarOTA Server (contract section 6). */
import Type from '../typebox.js';
import { PROTOCOL_VERSION } from '../mqtt/envelope.js';
import { MetaField } from '../mqtt/meta.js';
import { EventStatus } from '../mqtt/ota-event.js';
import { Identifier, OptionalIdentifier, StorableText } from '../values/text.js';
import { TimeOfEvent } from '../values/time.js';
import { Vin } from '../values/vin.js';

/** Unknown extra fields of any content are ignored. */
export const CallbackEvent = Type.Object(
  {
    'event-id': Identifier('Identifies the event in every repetition and on every channel.'),
    'ref-id': Identifier('The schedule’s operation.'),
    vin: Vin,
    device_id: OptionalIdentifier('The device to which the event refers.'),
    device_type: OptionalIdentifier('Its type, e.g. TCU.'),
    status: EventStatus,
    'status-name': StorableText('Its name in the OTA Event Enum, or unknown(<number>).'),
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
    examples: [
      {
        time: 1764626079000,
        version: PROTOCOL_VERSION,
        body: {
          events: [
            {
              'event-id': 'evt-6f1c8a52d1f24f7fa3c4e0a8f0f6c2b1',
              'ref-id': 'schedule 0909',
              vin: '5YJSA1E40FF345678',
              device_id: 'device1234',
              device_type: 'TCU',
              status: 8,
              'status-name': 'download_fail',
              meta: [
                { key: 'download', value: '40%' },
                { key: 'reason', value: 'Network Failure' },
              ],
              timestamp: 1764626077000,
              'received-at': 1764626078105,
            },
          ],
        },
      },
    ],
  },
);
/** A batch that fits the schema {@link CallbackMessage}. */
export type CallbackMessage = Type.Static<typeof CallbackMessage>;
