/** Messages to bytes for the wire (contract section 2). */
import { type AnyMessage } from './decode.js';
import { BASE64_JSON, C2C_EDGE, OTA_ADAPTER, PROTOCOL_VERSION } from './envelope.js';
import { cloudMessageId } from './message-id.js';
import { type OtaEvent, type OtaEventBody } from './ota-event.js';
import { type OtaTriggerAck, type OtaTriggerAckBody } from './ota-trigger-ack.js';
import { type OtaTrigger, type OtaTriggerBody } from './ota-trigger.js';
import { NEVER_EXPIRES, toSeconds } from '../values/time.js';

/** The bytes of a message: UTF-8 JSON with the body as base64. */
export function encodeMessage(message: AnyMessage): Buffer {
  const body = Buffer.from(JSON.stringify(message.body)).toString('base64');
  return Buffer.from(JSON.stringify({ ...message, body }));
}

/** What an OTA_TRIGGER needs to know beside its body. */
export interface TriggerFacts {
  /** UUID v7; the same for each repeated send of one trigger. */
  readonly triggerId: string;
  readonly systemId: string;
  readonly deviceId: string;
  readonly ecuType: string;
  /** When the trigger was made, ms. */
  readonly time: number;
  /** Seconds from `time`; -1 = never expires. */
  readonly ttl: number;
  readonly ackRequired: boolean;
  /** W3C Trace Context, where the trigger is traced. */
  readonly traceParent?: string;
  readonly body: OtaTriggerBody;
}

/** The OTA_TRIGGER of one vehicle, with all fields of the seed's example. */
export function otaTrigger(facts: TriggerFacts): OtaTrigger {
  return {
    message_id: cloudMessageId(facts.triggerId),
    correlation_id: '',
    version: PROTOCOL_VERSION,
    system_id: facts.systemId,
    sub_system_id: '',
    vin: facts.body.vin,
    device_id: facts.deviceId,
    ecu_type: facts.ecuType,
    source_id: OTA_ADAPTER,
    target_id: C2C_EDGE,
    message_type: 'OTA_TRIGGER',
    time: toSeconds(facts.time),
    ttl: facts.ttl,
    status: 'SUBMIT',
    property_bag: {
      body_encoding_type: BASE64_JSON,
      ack_required: facts.ackRequired ? '1' : '0',
      ...(facts.traceParent === undefined ? {} : { traceparent: facts.traceParent }),
    },
    body: facts.body,
  };
}

/** Common fields of a vehicle's messages. */
export interface VehicleFacts {
  readonly messageId: string;
  /** message_id of the trigger. */
  readonly correlationId: string;
  readonly systemId: string;
  readonly subSystemId?: string;
  readonly vin: string;
  readonly deviceId: string;
  readonly ecuType: string;
  /** When the message was made, ms. */
  readonly time: number;
  /** The trigger's trace context, handed back. */
  readonly traceParent?: unknown;
}

function fromVehicle(facts: VehicleFacts) {
  return {
    message_id: facts.messageId,
    correlation_id: facts.correlationId,
    version: PROTOCOL_VERSION,
    system_id: facts.systemId,
    sub_system_id: facts.subSystemId ?? '',
    vin: facts.vin,
    device_id: facts.deviceId,
    ecu_type: facts.ecuType,
    source_id: C2C_EDGE,
    target_id: OTA_ADAPTER,
    time: toSeconds(facts.time),
    ttl: NEVER_EXPIRES,
    status: 'SUBMIT',
    property_bag: {
      body_encoding_type: BASE64_JSON,
      ...(facts.traceParent === undefined ? {} : { traceparent: facts.traceParent }),
    },
  } as const;
}

/** An OTA_TRIGGER_ACK in its envelope; its `correlation_id` is that of the trigger. */
export function otaTriggerAck(facts: VehicleFacts, body: OtaTriggerAckBody): OtaTriggerAck {
  return { ...fromVehicle(facts), message_type: 'OTA_TRIGGER_ACK', body };
}

/** An OTA_EVENT in its envelope. */
export function otaEvent(facts: VehicleFacts, body: OtaEventBody): OtaEvent {
  return { ...fromVehicle(facts), message_type: 'OTA_EVENT', body };
}
