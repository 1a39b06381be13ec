/** A message of each kind in full, as it goes over the wire. */
import {
  ACK_MESSAGE_ID,
  ACKNOWLEDGED_AT,
  DEVICE_ID,
  DEVICE_TYPE,
  EVENT_MESSAGE_ID,
  FAILED_AT,
  META,
  MODEL,
  REF_ID,
  SCRIPT_REF_ID,
  SUB_SYSTEM_ID,
  SYSTEM_ID,
  TRIGGER_ID,
  TRIGGER_MESSAGE_ID,
  TRIGGERED_AT,
  VIN,
} from '../campaign.js';
import { EVENT_STATUS } from '../states/event-status.js';
import { type AnyMessage } from './decode.js';
import { encodeMessage, otaEvent, otaTrigger, otaTriggerAck } from './encode.js';
import { type MessageType } from './envelope.js';

const VEHICLE = {
  systemId: SYSTEM_ID,
  vin: VIN,
  deviceId: DEVICE_ID,
  ecuType: DEVICE_TYPE,
  correlationId: TRIGGER_MESSAGE_ID,
};

export const EXAMPLES: Readonly<Record<MessageType, AnyMessage>> = {
  OTA_TRIGGER: otaTrigger({
    ...VEHICLE,
    triggerId: TRIGGER_ID,
    time: TRIGGERED_AT,
    ttl: -1,
    ackRequired: true,
    body: {
      model: MODEL,
      'ref-id': REF_ID,
      'script-ref-id': SCRIPT_REF_ID,
      vin: VIN,
    },
  }),
  OTA_TRIGGER_ACK: otaTriggerAck(
    { ...VEHICLE, messageId: ACK_MESSAGE_ID, time: ACKNOWLEDGED_AT },
    { acknowledge_time: ACKNOWLEDGED_AT },
  ),
  OTA_EVENT: otaEvent(
    { ...VEHICLE, messageId: EVENT_MESSAGE_ID, subSystemId: SUB_SYSTEM_ID, time: FAILED_AT },
    {
      vin: VIN,
      device_id: DEVICE_ID,
      device_type: DEVICE_TYPE,
      status: EVENT_STATUS.download_fail,
      meta: META,
      timestamp: FAILED_AT / 1_000,
      'ref-id': REF_ID,
    },
  ),
};

/** The envelope as sent: its body is base64. */
export const wireExample = (type: MessageType): Readonly<Record<string, unknown>> =>
  JSON.parse(encodeMessage(EXAMPLES[type]).toString()) as Readonly<Record<string, unknown>>;
