/** One received message as a row for the ingest statement: pure. */
import { hash } from 'node:crypto';
import {
  ackDigest,
  type D2cMessage,
  decodeMessage,
  eventDigest,
  expiresAt,
  type Fault,
  hasExtraFields,
  isPlausible,
  lifecycleRank,
  reachedMask,
  type OtaEventBody,
  reasonOf,
  eventTimeOf,
  statusName,
  toMilliseconds,
  type TopicTemplate,
  uuidOfCloudMessageId,
} from '../../contract/index.js';

export interface Received {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** ms */
  readonly receivedAt: number;
  /** system_id of the vehicle that the broker has authenticated; null where it does not tell. */
  readonly publisher: string | null;
}

/** One that its sender wants to see acknowledged. */
export interface Arrival extends Received {
  /** Of the payload. */
  readonly payloadBytes: number;
  /** To be called once it is durably applied, recognised as a duplicate or kept as a dead letter. */
  acknowledge(): void;
}

export type DeadLetterStatus = 'INVALID' | 'EXPIRED';

/** Why a message cannot be applied. */
export interface Refusal {
  readonly status: DeadLetterStatus;
  readonly reason: string;
  readonly path: string;
  readonly detail: string;
}

interface Common {
  readonly received: Received;
  /** UUID under which a repetition of the message is recognised. */
  readonly digest: string;
  readonly systemId: string | null;
  readonly vin: string | null;
  readonly messageId: string | null;
}

/** A message that can be applied, if the vehicle, the operation and the trigger are known. */
export interface Applicable extends Common {
  readonly kind: 'ack' | 'event';
  readonly systemId: string;
  readonly vin: string;
  readonly messageId: string;
  readonly correlationId: string;
  /** UUID of the trigger that `correlation_id` names, null where it names none of ours. */
  readonly triggerId: string | null;
  /** Of an event: its operation. */
  readonly refId: string | null;
  readonly status: number | null;
  readonly statusName: string | null;
  /** Of an event: the bit of its status in `deliveries.reached`, 0 for one outside the enum. */
  readonly reaches: number;
  /** ms, determined at this first arrival (contract section 5.3). */
  readonly eventTime: number;
  /** Of an event: where it stands among the others of its attempt, see {@link eventKey}. */
  readonly eventKey: string | null;
  readonly subSystemId: string;
  readonly deviceId: string;
  readonly deviceType: string;
  /** JSON text. */
  readonly meta: string;
  /** The envelope as it came, if it has fields that are not the contract's. */
  readonly envelope: string | null;
  /** Trace context of the trigger, where the vehicle has handed one back. */
  readonly traceParent: string | null;
}

export interface Refused extends Common {
  readonly kind: 'refused';
  readonly refusal: Refusal;
}

export type BatchRow = Applicable | Refused;

const utf8 = new TextDecoder();

/** Decodes a message and determines its event time, or why it is refused. Never throws. */
export function batchRow(received: Received, d2cTopic: TopicTemplate): BatchRow {
  const { topic, payload } = received;
  const topicOwner = d2cTopic.systemIdOf(topic);
  if (received.publisher !== null && received.publisher !== topicOwner) {
    const detail = `${received.publisher} may not publish to ${topic}`;
    return refused(received, invalid({ code: 'WRONG_TOPIC', path: '', detail }));
  }
  const decoded = decodeMessage(payload);
  if (!decoded.ok) {
    // Whoever may publish to the topic is the vehicle that it names, whatever the message lacks.
    return refused(received, invalid(decoded.fault), topicOwner ? { systemId: topicOwner } : {});
  }
  const message = decoded.value;
  if (message.message_type === 'OTA_TRIGGER') {
    const detail = 'a vehicle sends OTA_TRIGGER_ACK and OTA_EVENT';
    return refused(received, invalid({ code: 'WRONG_DIRECTION', path: '/message_type', detail }));
  }
  const identity = () => ({
    systemId: message.system_id,
    vin: message.vin,
    messageId: message.message_id,
  });
  if (topicOwner !== message.system_id) {
    const detail = `the topic ${topic} belongs to another system_id`;
    return refused(
      received,
      invalid({ code: 'WRONG_TOPIC', path: '/system_id', detail }),
      identity(),
    );
  }
  const envelopeTime = toMilliseconds(message.time);
  const expiry = expiresAt(message.time, message.ttl);
  if (
    expiry !== undefined &&
    expiry < received.receivedAt &&
    isPlausible(envelopeTime, received.receivedAt)
  ) {
    const detail = `its ttl of ${message.ttl} s was over before it arrived`;
    return refused(
      received,
      { status: 'EXPIRED', reason: 'EXPIRED', path: '/ttl', detail },
      identity(),
    );
  }
  return applicable(received, message);
}

/** Written out field by field: objects made by spreading are much slower, and this is the hot path. */
function applicable(received: Received, message: D2cMessage): Applicable {
  const { receivedAt } = received;
  const { system_id: systemId, message_id: messageId, time } = message;
  const { traceparent } = message.property_bag;
  const event = message.message_type === 'OTA_EVENT' ? message.body : null;
  const timestamp =
    message.message_type === 'OTA_EVENT'
      ? message.body.timestamp
      : (message.body.acknowledge_time ?? time);
  const eventTime = eventTimeOf(timestamp, time, receivedAt);
  return {
    kind: event ? 'event' : 'ack',
    received,
    digest: event
      ? eventDigest(event['ref-id'], systemId, messageId)
      : ackDigest(message.correlation_id, systemId, messageId),
    systemId,
    vin: message.vin,
    messageId,
    correlationId: message.correlation_id,
    triggerId: uuidOfCloudMessageId(message.correlation_id) ?? null,
    refId: event ? event['ref-id'] : null,
    status: event ? event.status : null,
    statusName: event ? statusName(event.status) : null,
    reaches: event ? reachedMask(event.status) : 0,
    eventTime,
    eventKey: event ? eventKey(event, messageId, eventTime) : null,
    subSystemId: message.sub_system_id,
    deviceId: event?.device_id ?? message.device_id,
    deviceType: event?.device_type ?? message.ecu_type,
    meta: event ? JSON.stringify(event.meta) : '[]',
    envelope: hasExtraFields(message) ? utf8.decode(received.payload) : null,
    traceParent: typeof traceparent === 'string' ? traceparent : null,
  };
}

/** Cannot stand in a message id, and is less than whatever can (`values/text.ts`). */
const SEPARATOR = '\u0001';
const TIME_DIGITS = 15;
const RANK_DIGITS = 4;

/**
 * An event's place among the events of its attempt, as the columns `interruption` and `reported` of a delivery
 * hold it: of two, the greater text is the newer event (contract section 5.2).
 */
function eventKey({ status, meta }: OtaEventBody, messageId: string, eventTime: number): string {
  const time = String(eventTime).padStart(TIME_DIGITS, '0');
  const rank = String(lifecycleRank(status)).padStart(RANK_DIGITS, '0');
  const reason = (reasonOf(meta) ?? '').replaceAll(SEPARATOR, ' ');
  return `${time}${rank}${messageId}${SEPARATOR}${statusName(status)}${SEPARATOR}${reason}`;
}

function invalid(fault: Fault | { code: string; path: string; detail: string }): Refusal {
  const detail = 'detail' in fault ? fault.detail : fault.message;
  return { status: 'INVALID', reason: fault.code, path: fault.path, detail };
}

/** A message that cannot be read has no identity but its bytes: the same bytes are the same message. */
function refused(
  received: Received,
  refusal: Refusal,
  identity: Partial<Pick<Common, 'systemId' | 'vin' | 'messageId'>> = {},
): Refused {
  return {
    received,
    kind: 'refused',
    digest: digestOf(Buffer.concat([Buffer.from(`${received.topic}\0`), received.payload])),
    systemId: identity.systemId ?? null,
    vin: identity.vin ?? null,
    messageId: identity.messageId ?? null,
    refusal,
  };
}

/** First 128 bits of the SHA-256, as a UUID is read. */
const digestOf = (bytes: string | Uint8Array) => hash('sha256', bytes, 'hex').slice(0, 32);
