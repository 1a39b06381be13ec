/** A field has one name in all interfaces: that of the seed or the contract, otherwise camelCase. */
import Type from 'typebox';
import { expect, test } from 'vitest';
import { ADAPTER_ROUTES } from '../../src/contract/adapter-api/index.js';
import { CarOtaServerEvent } from '../../src/contract/adapter-api/carota-server-event.js';
import { CAROTA_ROUTES } from '../../src/contract/carota-api/index.js';
import {
  CallbackMessage,
  Envelope,
  OtaEventBody,
  OtaTriggerAckBody,
  OtaTriggerBody,
  type Route,
} from '../../src/contract/index.js';

/** The messages defined field by field in the seed and the contract. */
const MESSAGES = [
  CarOtaServerEvent,
  Envelope,
  OtaTriggerBody,
  OtaTriggerAckBody,
  OtaEventBody,
  CallbackMessage,
];

/** Names of the properties of a schema, and of all schemas within it. */
function* fieldsOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* fieldsOf(item);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (name === 'examples' || name === 'default') continue;
      if (name !== 'properties') yield* fieldsOf(member);
      else {
        for (const [field, schema] of Object.entries(member as object)) {
          yield field;
          yield* fieldsOf(schema);
        }
      }
    }
  }
}

/** `script-ref-id` → `scriptRefId` */
const camelCase = (name: string) =>
  name.replaceAll(/[-_]([a-z])/g, (_all, letter: string) => letter.toUpperCase());
const isCamelCase = (name: string) => /^[a-z][a-zA-Z0-9]*$/.test(name);

const CONTRACT_NAMES = new Set([...fieldsOf(MESSAGES)].filter((name) => !isCamelCase(name)));
const TWINS = new Map([...CONTRACT_NAMES].map((name) => [camelCase(name), name]));

/** Names that an OpenID Connect provider sends: those of RFC 6749 and OpenID Connect Session Management. */
const OAUTH_NAMES = new Set(['logout_token', 'error_description', 'error_uri', 'session_state']);
const OAUTH_ROUTES = new Set(['completeSignOn', 'takeLogoutToken']);

/** Naming errors in the fields of a schema. */
function faultsOf(schema: unknown): string[] {
  return [...new Set(fieldsOf(schema))].flatMap((name) => {
    const own = TWINS.get(name);
    if (own !== undefined) return [`${name}: the contract calls it ${own}`];
    return isCamelCase(name) || CONTRACT_NAMES.has(name) ? [] : [`${name} is not camelCase`];
  });
}

const schemasOf = ({ params, query, body, answer, otherAnswers = [] }: Route) => [
  params,
  query,
  body?.kind === 'json' ? body.schema : undefined,
  'schema' in answer ? answer.schema : undefined,
  ...otherAnswers.map(({ schema }) => schema),
];

test('field names are found in the messages', () => {
  expect([...CONTRACT_NAMES].sort()).toEqual([
    'ack_required',
    'acknowledge_time',
    'body_encoding_type',
    'correlation_id',
    'device_id',
    'device_type',
    'ecu_type',
    'event-id',
    'message_id',
    'message_type',
    'property_bag',
    'received-at',
    'ref-id',
    'script-ref-id',
    'source_id',
    'status-name',
    'sub_system_id',
    'system_id',
    'target_id',
  ]);
});

test.each([...ADAPTER_ROUTES, ...CAROTA_ROUTES].map((route) => [route.id, route] as const))(
  'the fields of %s follow the naming rules',
  (id, route) => {
    const faults = schemasOf(route).flatMap(faultsOf);
    const isOAuth = (fault: string) =>
      OAUTH_ROUTES.has(id) && OAUTH_NAMES.has(fault.split(' ')[0] ?? '');
    expect(faults.filter((fault) => !isOAuth(fault))).toEqual([]);
  },
);

test('every answer of JSON has a schema whose names are checked, also one that is streamed', () => {
  const unchecked = [...ADAPTER_ROUTES, ...CAROTA_ROUTES].flatMap(({ id, answer }) =>
    answer.kind === 'stream' &&
    answer.mediaTypes.some((type) => /json|event-stream/.test(type)) &&
    answer.schema === undefined
      ? [id]
      : [],
  );
  expect(unchecked).toEqual([]);
});

test('a second spelling and a malformed name are detected', () => {
  const Bad = Type.Object({
    items: Type.Array(Type.Object({ messageId: Type.String(), created_at: Type.String() })),
  });
  expect(faultsOf(Bad)).toEqual([
    'messageId: the contract calls it message_id',
    'created_at is not camelCase',
  ]);
});
