/** One received message as a row for the ingest statement: pure. */
import { hash } from 'node:crypto';
import {
  decodeMessage,
  expiresAt,
  type Fault,
  hasExtraFields,
  isPlausible,
  lifecycleRank,
  settleEventTime,
  statusName,
  toMilliseconds,
  type TopicTemplate,
  uuidOfCloudMessageId,
} from '../../protocol/index.js';

export interface Received {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** ms */
  readonly receivedAt: number;
  /** system_id of the vehicle that the broker has authenticated; null where it does not tell. */
  readonly publisher: string | null;
}

export type DeadLetterStatus = 'INVALID' | 'EXPIRED';

/** Why a message cannot be applied. */
export interface Refusal {
  readonly status: DeadLetterStatus;
  readonly reason: string;
  readonly path: string;
  readonly detail: string;
}

interface Common extends Received {
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
  readonly rank: number | null;
  /** ms, settled at this first arrival (contract section 5.3). */
  readonly eventTime: number;
  readonly subSystemId: string;
  readonly deviceId: string;
  readonly deviceType: string;
  /** JSON text. */
  readonly meta: string;
  /** The envelope as it came, if it has fields that are not the contract's. */
  readonly envelope: string | null;
}

export interface Refused extends Common {
  readonly kind: 'refused';
  readonly refusal: Refusal;
}

export type BatchRow = Applicable | Refused;

const utf8 = new TextDecoder();

/** Decodes and settles what has arrived. Never throws. */
export function batchRow(received: Received, d2cTopic: TopicTemplate): BatchRow {
  const topicOwner = d2cTopic.systemIdOf(received.topic);
  if (received.publisher !== null && received.publisher !== topicOwner) {
    const detail = `${received.publisher} may not publish to ${received.topic}`;
    return refused(received, invalid({ code: 'WRONG_TOPIC', path: '', detail }));
  }
  const decoded = decodeMessage(received.payload);
  if (!decoded.ok) return refused(received, invalid(decoded.fault));
  const message = decoded.value;
  if (message.message_type === 'OTA_TRIGGER') {
    const detail = 'a vehicle sends OTA_TRIGGER_ACK and OTA_EVENT';
    return refused(received, invalid({ code: 'WRONG_DIRECTION', path: '/message_type', detail }));
  }
  const identity = {
    systemId: message.system_id,
    vin: message.vin,
    messageId: message.message_id,
  };
  if (topicOwner !== message.system_id) {
    const detail = `the topic ${received.topic} belongs to another system_id`;
    return refused(
      received,
      invalid({ code: 'WRONG_TOPIC', path: '/system_id', detail }),
      identity,
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
      identity,
    );
  }
  const common = {
    ...received,
    ...identity,
    // Neither of the two can hold a control character.
    digest: digestOf(`${message.system_id}\0${message.message_id}`),
    correlationId: message.correlation_id,
    triggerId: uuidOfCloudMessageId(message.correlation_id) ?? null,
    subSystemId: message.sub_system_id,
    envelope: hasExtraFields(message) ? utf8.decode(received.payload) : null,
  };
  if (message.message_type === 'OTA_TRIGGER_ACK') {
    const { acknowledge_time: acknowledgedAt = message.time } = message.body;
    return {
      ...common,
      kind: 'ack',
      refId: null,
      status: null,
      statusName: null,
      rank: null,
      eventTime: settleEventTime(acknowledgedAt, message.time, received.receivedAt),
      deviceId: message.device_id,
      deviceType: message.ecu_type,
      meta: '[]',
    };
  }
  const { body } = message;
  return {
    ...common,
    kind: 'event',
    refId: body['ref-id'],
    status: body.status,
    statusName: statusName(body.status),
    rank: lifecycleRank(body.status),
    eventTime: settleEventTime(body.timestamp, message.time, received.receivedAt),
    deviceId: body.device_id ?? message.device_id,
    deviceType: body.device_type ?? message.ecu_type,
    meta: JSON.stringify(body.meta),
  };
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
    ...received,
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
