/**
 * Decodes bytes from the wire into messages. Never throws on foreign input: the result is the message, or a fault with the
 * path of the error (contract section 2).
 */
import { type Decoded, decoded, faulty, type FaultCode } from './decoded.js';
import {
  BASE64_JSON,
  Envelope,
  MAX_MESSAGE_BYTES,
  type Message,
  MESSAGE_TYPES,
  type MessageType,
} from './envelope.js';
import { parseJson } from './json-text.js';
import { normaliseMeta } from './meta.js';
import { type OtaEvent, OtaEventBody } from './ota-event.js';
import { type OtaTriggerAck, OtaTriggerAckBody } from './ota-trigger-ack.js';
import { type OtaTrigger, OtaTriggerBody } from './ota-trigger.js';
import { NEVER_EXPIRES } from '../values/time.js';
import { type Check, checkOf } from '../values/validate.js';

/** A message from a vehicle to the cloud. */
export type D2cMessage = OtaTriggerAck | OtaEvent;
/** Any message of the contract, in either direction. */
export type AnyMessage = OtaTrigger | D2cMessage;

const envelopeCheck = checkOf(Envelope);
const bodyChecks = {
  OTA_TRIGGER: checkOf(OtaTriggerBody),
  OTA_TRIGGER_ACK: checkOf(OtaTriggerAckBody),
  OTA_EVENT: checkOf(OtaEventBody),
} as const;

/**
 * Decodes any message of the contract (section 2). Never throws.
 *
 * @param bytes of the payload of PUBLISH; at most {@link MAX_MESSAGE_BYTES}
 * @returns the message with its decoded body, or the first fault with its path
 */
export function decodeMessage(bytes: Uint8Array): Decoded<AnyMessage> {
  if (bytes.byteLength > MAX_MESSAGE_BYTES) {
    const size = `${bytes.byteLength} bytes`;
    return faulty(
      'PAYLOAD_TOO_LARGE',
      '',
      `${size} are more than the ${MAX_MESSAGE_BYTES} allowed`,
    );
  }
  const json = readJson(bytes, '', ['NOT_UTF8', 'NOT_JSON', 'INVALID_ENVELOPE']);
  if (!json.ok) return json;
  const envelope = validated(json.value, envelopeCheck, '', 'INVALID_ENVELOPE');
  if (!envelope.ok) return envelope;
  return decodeBody(envelope.value);
}

function decodeBody(envelope: Envelope): Decoded<AnyMessage> {
  const type = envelope.message_type;
  if (!isMessageType(type)) {
    const types = MESSAGE_TYPES.join(', ');
    return faulty('UNKNOWN_MESSAGE_TYPE', '/message_type', `must be one of ${types}`);
  }
  if (envelope.property_bag.body_encoding_type !== BASE64_JSON) {
    const path = '/property_bag/body_encoding_type';
    return faulty('UNSUPPORTED_BODY_ENCODING', path, 'must be 1 (base64 of UTF-8 JSON)');
  }
  const bytes = decodeBase64(envelope.body);
  if (!bytes) return faulty('BODY_NOT_BASE64', '/body', 'must be base64 (RFC 4648 section 4)');
  const json = readJson(bytes, '/body', ['BODY_NOT_UTF8', 'BODY_NOT_JSON', 'INVALID_BODY']);
  if (!json.ok) return json;
  switch (type) {
    case 'OTA_TRIGGER':
      return decodeTrigger(envelope, json.value);
    case 'OTA_TRIGGER_ACK':
      return decodeAck(envelope, json.value);
    case 'OTA_EVENT':
      return decodeEvent(envelope, json.value);
  }
}

function decodeTrigger(envelope: Envelope, json: unknown): Decoded<OtaTrigger> {
  const body = validated(json, bodyChecks.OTA_TRIGGER, '/body', 'INVALID_BODY');
  if (!body.ok) return body;
  const vin = sameVin(envelope, body.value.vin);
  if (!vin.ok) return vin;
  return decoded(message(envelope, 'OTA_TRIGGER', { ...body.value, vin: vin.value }));
}

function decodeAck(envelope: Envelope, json: unknown): Decoded<OtaTriggerAck> {
  if (!envelope.correlation_id) {
    const why = 'must be the message_id of the OTA_TRIGGER that is acknowledged';
    return faulty('INVALID_ENVELOPE', '/correlation_id', why);
  }
  const body = validated(json, bodyChecks.OTA_TRIGGER_ACK, '/body', 'INVALID_BODY');
  if (!body.ok) return body;
  return decoded(message(envelope, 'OTA_TRIGGER_ACK', body.value));
}

function decodeEvent(envelope: Envelope, json: unknown): Decoded<OtaEvent> {
  const body = validated(json, bodyChecks.OTA_EVENT, '/body', 'INVALID_BODY');
  if (!body.ok) return body;
  const { vin: bodyVin, meta } = body.value;
  const vin = sameVin(envelope, bodyVin);
  if (!vin.ok) return vin;
  const filled = body.value as OtaEventBody;
  if (bodyVin !== undefined) filled.vin = vin.value;
  filled.meta = normaliseMeta(meta);
  return decoded(message(envelope, 'OTA_EVENT', filled));
}

/** A body that names another vehicle than its envelope would let one vehicle speak for another. */
function sameVin(envelope: Envelope, vin: string | undefined): Decoded<string> {
  const own = envelope.vin.toUpperCase();
  return vin === undefined || vin.toUpperCase() === own
    ? decoded(own)
    : faulty('INVALID_BODY', '/body/vin', 'must be the vin of the envelope');
}

/**
 * Adds fields of the seed's example that the sender omitted; extra fields stay. The parsed envelope belongs to us alone, so
 * it is changed in place: this runs for every message of every vehicle.
 */
function message<Name extends MessageType, Body>(
  envelope: Envelope,
  type: Name,
  body: Body,
): Message<Name, Body> {
  envelope.correlation_id ??= '';
  envelope.sub_system_id ??= '';
  envelope.vin = envelope.vin.toUpperCase();
  envelope.device_id ??= '';
  envelope.ecu_type ??= '';
  envelope.ttl ??= NEVER_EXPIRES;
  envelope.status ??= 'SUBMIT';
  return Object.assign(envelope as object, { message_type: type, body }) as Message<Name, Body>;
}

function isMessageType(type: string): type is MessageType {
  return (MESSAGE_TYPES as readonly string[]).includes(type);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readJson(
  bytes: Uint8Array,
  base: string,
  [notUtf8, notJson, invalid]: readonly [FaultCode, FaultCode, FaultCode],
): Decoded<unknown> {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return faulty(notUtf8, base, 'must be UTF-8');
  }
  const parsed = parseJson(text);
  if (parsed.ok) return decoded(parsed.value);
  const code = parsed.kind === 'syntax' ? notJson : invalid;
  return faulty(code, base + parsed.path, parsed.message);
}

function validated<T>(value: unknown, check: Check<T>, base: string, code: FaultCode): Decoded<T> {
  if (check.matches(value)) return decoded(value);
  const [first] = check.errors(value);
  return faulty(code, base + (first?.path ?? ''), first?.message ?? 'is not valid');
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function decodeBase64(text: string): Uint8Array | undefined {
  return text.length % 4 === 0 && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}
