/** A message of each kind in full, as it goes over the wire: the seed's examples with plausible values. */
import { EVENT_STATUS } from '../states/event-status.js';
import { type AnyMessage } from './decode.js';
import { encodeMessage, otaEvent, otaTrigger, otaTriggerAck } from './encode.js';
import { type MessageType } from './envelope.js';

const TRIGGERED_AT = Date.UTC(2026, 11, 1, 22);
const TRIGGER_ID = '019adb9c-5d5c-7c3e-9c1b-6a3f0c2d4e5f';
const VIN = '5YJSA1E40FF345678';
const REF_ID = 'schedule 0909';

const VEHICLE = {
  systemId: 'c2c-sys-0001',
  vin: VIN,
  deviceId: 'device1234',
  ecuType: 'TCU',
  correlationId: `msg-cld-${TRIGGER_ID}`,
};
const ACKNOWLEDGED_AT = TRIGGERED_AT + 1_207;
const FAILED_AT = TRIGGERED_AT + 877_000;

export const EXAMPLES: Readonly<Record<MessageType, AnyMessage>> = {
  OTA_TRIGGER: otaTrigger({
    ...VEHICLE,
    triggerId: TRIGGER_ID,
    time: TRIGGERED_AT,
    ttl: -1,
    ackRequired: true,
    body: {
      model: 'vehicle model a',
      'ref-id': REF_ID,
      'script-ref-id': 'hu only 001',
      vin: VIN,
    },
  }),
  OTA_TRIGGER_ACK: otaTriggerAck(
    { ...VEHICLE, messageId: 'msg-dev-0001', time: ACKNOWLEDGED_AT },
    { acknowledge_time: ACKNOWLEDGED_AT },
  ),
  OTA_EVENT: otaEvent(
    { ...VEHICLE, messageId: 'msg-dev-0002', subSystemId: 'c2c-sub-0001', time: FAILED_AT },
    {
      vin: VIN,
      device_id: 'device1234',
      device_type: 'TCU',
      status: EVENT_STATUS.download_fail,
      meta: [
        { key: 'download', value: '40%' },
        { key: 'reason', value: 'Network Failure' },
      ],
      timestamp: FAILED_AT / 1_000,
      'ref-id': REF_ID,
    },
  ),
};

/** The envelope as sent: its body is base64. */
export const wireExample = (type: MessageType): Readonly<Record<string, unknown>> =>
  JSON.parse(encodeMessage(EXAMPLES[type]).toString()) as Readonly<Record<string, unknown>>;
