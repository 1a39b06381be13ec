/** The MQTT side as an AsyncAPI 3 document, made from the schemas that the decoder uses. */
import type Type from '../typebox.js';
import { Envelope } from './envelope.js';
import { EXAMPLES, wireExample } from './examples.js';
import { OtaEventBody } from './ota-event.js';
import { OtaTriggerAckBody } from './ota-trigger-ack.js';
import { OtaTriggerBody } from './ota-trigger.js';
import { DEFAULT_C2D_TOPIC, DEFAULT_D2C_TOPIC } from './topics.js';

/** What differs from one installation to the next in the AsyncAPI document. */
export interface AsyncApiOptions {
  readonly version: string;
  /** host:port of the broker, e.g. `127.0.0.1:1883`. */
  readonly host: string;
  readonly protocol: string;
  /** Whether the adapter is its own broker, which speaks MQTT 3.1.1 only and checks the credentials of the registry. */
  readonly isEmbedded: boolean;
  readonly c2dTopic?: string;
  readonly d2cTopic?: string;
}

interface OperationTexts {
  readonly summary: string;
  readonly description: string;
}

const MESSAGES = [
  {
    name: 'OTA_TRIGGER',
    summary: 'Cloud to device: start one update in one vehicle.',
    body: 'OtaTriggerBody',
  },
  {
    name: 'OTA_TRIGGER_ACK',
    summary: 'Device to cloud: the trigger has arrived.',
    body: 'OtaTriggerAckBody',
  },
  {
    name: 'OTA_EVENT',
    summary: 'Device to cloud: status, consent and progress of an update.',
    body: 'OtaEventBody',
  },
] as const;

/** What holds for the embedded broker. */
const EMBEDDED = {
  server: {
    protocolVersion: '3.1.1',
    description: 'MQTT 3.1.1, QoS 1, with a persistent session (contract section 3).',
  },
  credential:
    'User name: the vehicle’s `system_id`, which is its client id too. Password: the `credential` of its registration. Not needed with a client certificate.',
  puback: 'PUBACK means that the message is stored.',
  certificate:
    'A client certificate whose subject or SAN is the `system_id`, on the port with mutual TLS, if there is one (contract section 9).',
};
/** What holds for any other broker: it has its own accounts, and its version shows when connecting. */
const EXTERNAL = {
  server: {
    description:
      'MQTT 5 if the broker supports it, otherwise MQTT 3.1.1; QoS 1, with a persistent session (contract section 3).',
  },
  credential:
    'User name and password as the broker’s operator assigns them; the client id is the vehicle’s `system_id`.',
  puback: 'The adapter acknowledges a message to the broker once it is stored.',
  certificate:
    'A client certificate whose subject or SAN is the `system_id` (mutual TLS), if the broker checks it (contract section 9).',
};

/** JSON Schema as plain data, for use in a document. */
const plain = (schema: Type.TSchema): unknown => JSON.parse(JSON.stringify(schema));

/**
 * The AsyncAPI 3 document of the MQTT interface, as plain data. Its schemas are those that {@link decodeMessage}
 * checks.
 */
export function asyncApiDocument(options: AsyncApiOptions) {
  const broker = options.isEmbedded ? EMBEDDED : EXTERNAL;
  const ref = (path: string) => ({ $ref: `#/${path}` });
  const channel = (address: string, description: string, names: readonly string[]) => ({
    address,
    description,
    parameters: { system_id: { description: 'Id of the vehicle’s message link.' } },
    messages: Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)])),
  });
  const operation = (action: 'send' | 'receive', name: string, texts: OperationTexts) => ({
    action,
    channel: ref(`channels/${name}`),
    ...texts,
    bindings: { mqtt: { qos: 1, retain: false, bindingVersion: '0.2.0' } },
  });
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'OTA Operations: messages between cloud and vehicle',
      version: options.version,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'OTA Operations' },
      tags: [{ name: 'OTA', description: 'Over-the-air updates of vehicles.' }],
      description:
        'Seen from the OTA Adapter. The body of each envelope is base64 of UTF-8 JSON; its schema is the one that `x-body` names. A message with the character NUL (U+0000) in any text, keys and unknown fields included, is refused as INVALID.',
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: options.host,
        protocol: options.protocol,
        ...broker.server,
        security: [
          ref('components/securitySchemes/credential'),
          ref('components/securitySchemes/certificate'),
        ],
      },
    },
    channels: {
      c2d: channel(options.c2dTopic ?? DEFAULT_C2D_TOPIC, 'To one vehicle.', ['OTA_TRIGGER']),
      d2c: channel(options.d2cTopic ?? DEFAULT_D2C_TOPIC, 'From one vehicle.', [
        'OTA_TRIGGER_ACK',
        'OTA_EVENT',
      ]),
    },
    operations: {
      sendTrigger: operation('send', 'c2d', {
        summary: 'The C2DSender sends each vehicle its own trigger.',
        description:
          'It is repeated under its `message_id` until the vehicle acknowledges it; with `ack_required` "0" it is sent once.',
      }),
      receiveFromVehicle: operation('receive', 'd2c', {
        summary: 'The D2C receiver takes acknowledgements and events.',
        description: `${broker.puback} The vehicle repeats, under the same \`message_id\`, a message without PUBACK; the adapter recognises the repetition.`,
      }),
    },
    components: {
      messages: Object.fromEntries(
        MESSAGES.map(({ name, summary, body }) => [
          name,
          {
            name,
            title: name,
            summary,
            contentType: 'application/json',
            correlationId: ref('components/correlationIds/trigger'),
            payload: {
              allOf: [
                ref('components/schemas/Envelope'),
                { type: 'object', properties: { message_type: { const: name } } },
              ],
            },
            examples: [{ name: 'example', summary: 'All fields.', payload: wireExample(name) }],
            'x-body': ref(`components/schemas/${body}`),
            'x-body-example': EXAMPLES[name].body,
          },
        ]),
      ),
      correlationIds: {
        trigger: {
          description: '`message_id` of the trigger; empty in the trigger itself.',
          location: '$message.payload#/correlation_id',
        },
      },
      securitySchemes: {
        credential: { type: 'userPassword', description: broker.credential },
        certificate: { type: 'X509', description: broker.certificate },
      },
      schemas: {
        Envelope: plain(Envelope),
        OtaTriggerBody: plain(OtaTriggerBody),
        OtaTriggerAckBody: plain(OtaTriggerAckBody),
        OtaEventBody: plain(OtaEventBody),
      },
    },
  };
}
