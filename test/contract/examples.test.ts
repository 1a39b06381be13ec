/** Every JSON request body and answer has an example, which fits its schema. */
import { describe, expect, test } from 'vitest';
import { ADAPTER_ROUTES, adapterDocument } from '../../src/contract/adapter-api/index.js';
import { ADAPTER_FACTS } from '../../src/contract/adapter-api/examples.js';
import { CAROTA_ROUTES, carotaDocument } from '../../src/contract/carota-api/index.js';
import { CAROTA_FACTS } from '../../src/contract/carota-api/examples.js';
import { EVENT_MESSAGE_ID, REF_ID, SYSTEM_ID } from '../../src/contract/campaign.js';
import { checkOf, eventDigest, type Route } from '../../src/contract/index.js';
import { exampleOf } from '../../src/contract/http/example.js';
import { wireExample } from '../../src/contract/mqtt/examples.js';
import Type from '../../src/contract/typebox.js';

const INTERFACES = [
  {
    name: 'OTA Adapter',
    routes: ADAPTER_ROUTES,
    document: adapterDocument('1'),
    facts: ADAPTER_FACTS,
  },
  {
    name: 'CarOTA Server',
    routes: CAROTA_ROUTES,
    document: carotaDocument('1'),
    facts: CAROTA_FACTS,
  },
] as const;

interface Content {
  readonly example?: unknown;
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Partial<Record<string, Content>>> }>
  >;
}

/** Bytes have no example, and tools that send examples cannot write NDJSON. */
const WITHOUT_EXAMPLE = new Set([
  'application/octet-stream',
  'application/ndjson',
  'application/x-ndjson',
]);

/** Content of a document by operation and place: of requests, and of successful JSON answers. */
function* contents(document: object): Generator<[string, Content]> {
  type Paths = Record<string, Record<string, Operation & { readonly operationId: string }>>;
  const { paths, webhooks = {} } = document as { paths: Paths; webhooks?: Paths };
  for (const { operationId, requestBody, responses } of [paths, webhooks].flatMap((group) =>
    Object.values(group).flatMap((methods) => Object.values(methods)),
  )) {
    for (const [type, content] of Object.entries(requestBody?.content ?? {})) {
      if (!WITHOUT_EXAMPLE.has(type)) yield [`${operationId} ${type}`, content];
    }
    for (const [status, { content = {} }] of Object.entries(responses)) {
      const json = content['application/json'];
      if (json && status.startsWith('2')) yield [`${operationId} ${status}`, json];
    }
  }
}

/** Schemas of JSON bodies, by place. */
function* schemasOf({
  id,
  body,
  answer,
  otherAnswers = [],
}: Route): Generator<[string, Type.TSchema]> {
  if (body?.kind === 'json') yield [`${id} request`, body.schema];
  if (answer.kind === 'json') yield [`${id} ${answer.status}`, answer.schema];
  if (answer.kind === 'stream' && answer.schema && answer.mediaTypes.includes('application/json')) {
    yield [`${id} ${answer.status}`, answer.schema];
  }
  for (const { status, schema, mediaType } of otherAnswers) {
    if (schema && mediaType === undefined && status < 300) yield [`${id} ${status}`, schema];
  }
}

describe.each(INTERFACES)('$name', ({ routes, document, facts }) => {
  test.each([...contents(document)])('%s has an example', (_place, content) => {
    expect(content.example).toBeDefined();
  });

  test.each(routes.flatMap((route) => [...schemasOf(route)]))(
    'the example of %s fits',
    (_place, schema) => {
      expect(checkOf(schema).errors(exampleOf(schema, facts))).toEqual([]);
    },
  );
});

test('every fact belongs to an existing member', () => {
  const members = new Set<string>();
  const schemas = new Map<string, Set<string>>();
  for (const { document } of INTERFACES) {
    const { components } = document as unknown as {
      components: { schemas: Record<string, { properties?: object }> };
    };
    for (const [title, { properties = {} }] of Object.entries(components.schemas)) {
      const names = schemas.get(title) ?? new Set();
      for (const name of Object.keys(properties)) {
        names.add(name);
        members.add(name);
      }
      schemas.set(title, names);
    }
  }
  for (const { facts } of INTERFACES) {
    expect(Object.keys(facts.members).filter((name) => !members.has(name))).toEqual([]);
    for (const [title, own] of Object.entries(facts.schemas)) {
      const unknown = Object.keys(own).filter((name) => !schemas.get(title)?.has(name));
      expect([title, unknown]).toEqual([title, []]);
    }
  }
});

test('the campaign is the same in messages and in the interface of the adapter', () => {
  const { members, schemas } = ADAPTER_FACTS;
  expect(members['event-id']).toBe(`evt-${eventDigest(REF_ID, SYSTEM_ID, EVENT_MESSAGE_ID)}`);
  const envelope = schemas.RawMessage?.envelope as string;
  expect(JSON.parse(envelope)).toEqual(wireExample('OTA_EVENT'));
  expect(schemas.DeadLetter?.payload).toBe(Buffer.from(envelope).toString('base64'));
});

test('a member without an example is named', () => {
  const Vehicle = Type.Object({ vin: Type.String(), axles: Type.Integer() }, { title: 'Vehicle' });
  expect(() => exampleOf(Type.Object({ items: Type.Array(Vehicle) }), ADAPTER_FACTS)).toThrow(
    'there is no example of Vehicle.axles',
  );
});
