/** One received message as a row for the ingest statement: pure. */
import { hash } from 'node:crypto';
import {
  ackDigest,
  type D2cMessage,
  type DeadLetterReason,
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
import { NOT_JOINABLE } from '../../service/database/index.js';

export interface Received {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** ms */
  readonly receivedAt: number;
  /** system_id of the vehicle that the broker has authenticated; null if the broker does not say. */
  readonly publisher: string | null;
}

/** A received message that must be acknowledged to its sender. */
export interface Arrival extends Received {
  /** Length of the payload. */
  readonly payloadBytes: number;
  /** Whether the broker may have sent it before (DUP, which an external broker sets itself; MQTT 3.1.1, 3.3.1.1). */
  readonly isRepeated: boolean;
  /**
   * To be called once it is durably applied, recognised as a duplicate or kept as a dead letter. Afterwards its topic
   * and payload are no longer valid.
   */
  acknowledge(): void;
}

export type DeadLetterStatus = 'INVALID' | 'EXPIRED';

/** Why a message cannot be applied. */
export interface Refusal {
  readonly status: DeadLetterStatus;
  readonly reason: DeadLetterReason;
  readonly path: string;
  readonly detail: string;
}

interface Common {
  readonly received: Received;
  /** UUID by which a duplicate of the message is recognised. */
  readonly digest: string;
  readonly systemId: string | null;
  readonly vin: string | null;
  readonly messageId: string | null;
}

/** A message that can be applied if its vehicle, operation and trigger exist. */
export interface Applicable extends Common {
  readonly kind: 'ack' | 'event';
  readonly systemId: string;
  readonly vin: string;
  readonly messageId: string;
  readonly correlationId: string;
  /** UUID of the trigger that `correlation_id` names; null if it is not an id of ours. */
  readonly triggerId: string | null;
  /** Of an event: its operation. */
  readonly refId: string | null;
  readonly status: number | null;
  readonly statusName: string | null;
  /** Of an event: the bit of its status in `deliveries.reached`; 0 for a status outside the enum. */
  readonly reaches: number;
  /** ms, determined at this first arrival (contract section 5.3). */
  readonly eventTime: number;
  /** Of an event: its position among the events of its attempt, see {@link eventKey}. */
  readonly eventKey: string | null;
  readonly subSystemId: string;
  readonly deviceId: string;
  readonly deviceType: string;
  /** JSON text. */
  readonly meta: string;
  /** The envelope as received, if it has fields that the contract does not name. */
  readonly envelope: string | null;
  /** Trace context of the trigger, if the vehicle has returned it. */
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
    // Only the topic's vehicle may publish to it, so the vehicle is known even if the message does not name it.
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
    const detail = `its ttl of ${message.ttl} s expired before it arrived`;
    return refused(
      received,
      { status: 'EXPIRED', reason: 'EXPIRED', path: '/ttl', detail },
      identity(),
    );
  }
  return applicable(received, message);
}

/** Written out field by field: this is the hot path, and spreading objects is much slower. */
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

/** Cannot occur in a message id, and sorts before every character that can (`values/text.ts`). */
const SEPARATOR = '\u0001';
const TIME_DIGITS = 15;
const RANK_DIGITS = 4;

/**
 * An event's position among the events of its attempt, as stored in the columns `interruption` and `reported` of a
 * delivery: of two texts, the greater one is the newer event (contract section 5.2).
 */
function eventKey({ status, meta }: OtaEventBody, messageId: string, eventTime: number): string {
  const time = String(eventTime).padStart(TIME_DIGITS, '0');
  const rank = String(lifecycleRank(status)).padStart(RANK_DIGITS, '0');
  const reason = reasonOf(meta)?.replaceAll(SEPARATOR, ' ').replace(NOT_JOINABLE, ' ') ?? '';
  return `${time}${rank}${messageId}${SEPARATOR}${statusName(status)}${SEPARATOR}${reason}`;
}

function invalid(fault: Fault | { code: DeadLetterReason; path: string; detail: string }): Refusal {
  const detail = 'detail' in fault ? fault.detail : fault.message;
  return { status: 'INVALID', reason: fault.code, path: fault.path, detail };
}

/** A refused message is identified by its topic and bytes. */
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

/** First 128 bits of the SHA-256, which PostgreSQL reads as a UUID. */
const digestOf = (bytes: string | Uint8Array) => hash('sha256', bytes, 'hex').slice(0, 32);
