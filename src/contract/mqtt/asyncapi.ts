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
  readonly c2dTopic?: string;
  readonly d2cTopic?: string;
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

/** JSON Schema as plain data, for use in a document. */
const plain = (schema: Type.TSchema): unknown => JSON.parse(JSON.stringify(schema));

/**
 * The AsyncAPI 3 document of the MQTT interface, as plain data. Its schemas are those that {@link decodeMessage}
 * checks.
 */
export function asyncApiDocument(options: AsyncApiOptions) {
  const ref = (path: string) => ({ $ref: `#/${path}` });
  const channel = (address: string, description: string, names: readonly string[]) => ({
    address,
    description,
    parameters: { system_id: { description: 'Id of the vehicle’s message link.' } },
    messages: Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)])),
  });
  const operation = (action: 'send' | 'receive', name: string, summary: string) => ({
    action,
    channel: ref(`channels/${name}`),
    summary,
    bindings: { mqtt: { qos: 1, retain: false, bindingVersion: '0.2.0' } },
  });
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'OTA Operations: messages between cloud and vehicle',
      version: options.version,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'OTA Operations' },
      description:
        'Seen from the OTA Adapter. The body of each envelope is base64 of UTF-8 JSON; its schema is the one that `x-body` names. A message with the character NUL (U+0000) in any text, keys and unknown fields included, is refused as INVALID.',
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: options.host,
        protocol: options.protocol,
        description: 'MQTT 5 or 3.1.1, QoS 1, with a persistent session (contract section 3).',
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
      sendTrigger: operation('send', 'c2d', 'The C2DSender sends each vehicle its own trigger.'),
      receiveFromVehicle: operation('receive', 'd2c', 'The D2C receiver takes acks and events.'),
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
        credential: {
          type: 'userPassword',
          description:
            'User name: the vehicle’s `system_id`, which is its client id too. Password: the `credential` of its registration. So the embedded broker does it.',
        },
        certificate: {
          type: 'X509',
          description:
            'A client certificate whose subject or SAN is the `system_id` (mutual TLS), where the broker checks it (contract section 9).',
        },
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
