/** The envelope around every message between cloud and vehicle (contract section 2). */
import Type from '../typebox.js';
import { Identifier, OptionalIdentifier, SystemId } from '../values/text.js';
import { UnixTime } from '../values/time.js';
import { Vin } from '../values/vin.js';

/** The messages of the contract, as `message_type` names them. */
export const MESSAGE_TYPES = ['OTA_TRIGGER', 'OTA_TRIGGER_ACK', 'OTA_EVENT'] as const;
/** One of {@link MESSAGE_TYPES}. */
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** `body_encoding_type` 1: base64 (RFC 4648 section 4) of UTF-8 JSON. The only one there is. */
export const BASE64_JSON = 1;

/** Largest message that either side takes, in bytes. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** `version` of every envelope and of every HTTP message. */
export const PROTOCOL_VERSION = 'v1';

/** Names of the two ends, as the seed writes them in `source_id` and `target_id`. */
export const OTA_ADAPTER = 'c2c-otaadapter';
/** Name of the vehicle’s end, as the seed writes it in `source_id` and `target_id`. */
export const C2C_EDGE = 'c2c-edge';

const PropertyBag = Type.Object({
  body_encoding_type: Type.Number({ description: '1: base64 of UTF-8 JSON.' }),
  ack_required: Type.Optional(
    Type.String({ description: '"1": the vehicle acknowledges; "0": it need not.' }),
  ),
  traceparent: Type.Optional(
    Type.Unknown({
      description:
        'W3C Trace Context, where the trigger is traced; the vehicle hands it back in its answers.',
    }),
  ),
});

/** The envelope as read. Unknown extra fields are allowed everywhere and kept. */
export const Envelope = Type.Object({
  message_id: Identifier('msg-cld-<uuid v7> from the cloud, msg-dev-<unique> from a device.'),
  correlation_id: Type.Optional(OptionalIdentifier('message_id of the message that this answers.')),
  version: Type.Literal(PROTOCOL_VERSION),
  system_id: SystemId,
  sub_system_id: Type.Optional(OptionalIdentifier('Part of the vehicle’s system.')),
  vin: Vin,
  device_id: Type.Optional(OptionalIdentifier('Primary device of the vehicle.')),
  ecu_type: Type.Optional(OptionalIdentifier('Type of the primary device.')),
  source_id: Identifier('Who sends.'),
  target_id: Identifier('For whom.'),
  message_type: Type.String({ description: MESSAGE_TYPES.join(', ') }),
  time: UnixTime('When the message was made.'),
  ttl: Type.Optional(Type.Number({ description: 'Seconds from `time`; -1 = never expires.' })),
  status: Type.Optional(Type.String({ description: 'SUBMIT on the wire.' })),
  property_bag: PropertyBag,
  body: Type.String({ description: 'Base64 of the UTF-8 JSON body.' }),
});
export type Envelope = Type.Static<typeof Envelope>;

/** An envelope with its body decoded. All fields of the seed's example are present. */
export interface Message<Name extends MessageType, Body> extends Required<
  Omit<Envelope, 'body' | 'message_type' | 'version'>
> {
  readonly version: typeof PROTOCOL_VERSION;
  readonly message_type: Name;
  readonly body: Body;
}
