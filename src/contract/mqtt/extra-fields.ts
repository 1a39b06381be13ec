/** Fields that a received message has beyond the contract's: they are kept, not refused (section 2). */
import { type AnyMessage } from './decode.js';
import { Envelope } from './envelope.js';
import { OtaEventBody } from './ota-event.js';
import { OtaTriggerAckBody } from './ota-trigger-ack.js';
import { OtaTriggerBody } from './ota-trigger.js';

const fieldsOf = (schema: { readonly properties: object }): ReadonlySet<string> =>
  new Set(Object.keys(schema.properties));

const ENVELOPE = fieldsOf(Envelope);
const PROPERTY_BAG = fieldsOf(Envelope.properties.property_bag);
const BODY = {
  OTA_TRIGGER: fieldsOf(OtaTriggerBody),
  OTA_TRIGGER_ACK: fieldsOf(OtaTriggerAckBody),
  OTA_EVENT: fieldsOf(OtaEventBody),
} as const;

/** Whether envelope, property bag or body hold a field that the contract does not know. */
export function hasExtraFields(message: AnyMessage): boolean {
  return (
    hasOthers(message, ENVELOPE) ||
    hasOthers(message.property_bag, PROPERTY_BAG) ||
    hasOthers(message.body, BODY[message.message_type])
  );
}

function hasOthers(fields: object, defined: ReadonlySet<string>): boolean {
  for (const name in fields) if (!defined.has(name)) return true;
  return false;
}
