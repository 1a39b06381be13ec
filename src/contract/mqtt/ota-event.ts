/** OTA Event, device to cloud: status, consent and progress of an update. */
import Type from '../typebox.js';
import { type Message } from './envelope.js';
import { EVENT_STATUS, MAX_EVENT_STATUS } from '../states/event-status.js';
import { Meta, type MetaField } from './meta.js';
import { Identifier, OptionalIdentifier } from '../values/text.js';
import { UnixTime } from '../values/time.js';
import { Vin } from '../values/vin.js';

const enumeration = Object.entries(EVENT_STATUS)
  .map(([name, value]) => `${value} ${name}`)
  .join(', ');

/** `status` of an OTA_EVENT: a value of the OTA Event Enum, or an unknown integer up to 65,535. */
export const EventStatus = Type.Integer({
  minimum: 0,
  maximum: MAX_EVENT_STATUS,
  description: `OTA Event Enum: ${enumeration}. Another number is kept as unknown(<number>).`,
});

/** Body of an OTA_EVENT. */
export const OtaEventBody = Type.Object({
  vin: Type.Optional(Vin),
  device_id: Type.Optional(OptionalIdentifier('The device that the event is about.')),
  device_type: Type.Optional(OptionalIdentifier('Its type, e.g. TCU.')),
  status: EventStatus,
  meta: Meta,
  timestamp: UnixTime('When the OTA manager received it from the underlying component.'),
  'ref-id': Identifier('The schedule, that is the operation.'),
});

/** As decoded: `meta` in its one form. */
export type OtaEventBody = Omit<Type.Static<typeof OtaEventBody>, 'meta'> & {
  meta: MetaField[];
};
/** An OTA_EVENT with its decoded body. */
export type OtaEvent = Message<'OTA_EVENT', OtaEventBody>;
