/** OTA TRIGGER Acknowledgement, device to cloud: the trigger has arrived. */
import Type from 'typebox';
import { type Message } from './envelope.js';

export const OtaTriggerAckBody = Type.Object({
  acknowledge_time: Type.Optional(
    Type.Number({ description: 'Original component acknowledgement time in ms.' }),
  ),
});
export type OtaTriggerAckBody = Type.Static<typeof OtaTriggerAckBody>;
export type OtaTriggerAck = Message<'OTA_TRIGGER_ACK', OtaTriggerAckBody>;
