/** OTA TRIGGER Acknowledgement, device to cloud: the trigger has arrived. */
import Type from '../typebox.js';
import { type Message } from './envelope.js';

/** Body of an OTA_TRIGGER_ACK. `acknowledge_time` is in ms. */
export const OtaTriggerAckBody = Type.Object({
  acknowledge_time: Type.Optional(
    Type.Number({ description: 'Original component acknowledgement time in ms.' }),
  ),
});
/** A body that fits the schema {@link OtaTriggerAckBody}. */
export type OtaTriggerAckBody = Type.Static<typeof OtaTriggerAckBody>;
/** An OTA_TRIGGER_ACK with its decoded body. */
export type OtaTriggerAck = Message<'OTA_TRIGGER_ACK', OtaTriggerAckBody>;
