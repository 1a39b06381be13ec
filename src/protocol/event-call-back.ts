/** The event call-back, adapter to CarOTA Server (contract section 6). */
import Type from 'typebox';
import { PROTOCOL_VERSION } from './envelope.js';

export const CallbackEvent = Type.Object(
  {
    'event-id': Type.String({
      minLength: 1,
      description: 'The same whenever and however the event is told.',
    }),
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
export type CallbackEvent = Type.Static<typeof CallbackEvent>;

export const CallbackMessage = Type.Object(
  {
    time: Type.Integer({ description: 'When it was posted, ms.' }),
    version: Type.Literal(PROTOCOL_VERSION),
    body: Type.Object({ events: Type.Array(CallbackEvent) }),
  },
  { title: 'CallbackMessage' },
);
export type CallbackMessage = Type.Static<typeof CallbackMessage>;
