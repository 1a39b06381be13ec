/** The documents of both interfaces pass their official validators and match the adapter. */
import { Parser } from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  credentialOf,
  eventually,
  startTestAdapter,
  type TestAdapter,
} from '../support/adapter.js';
import { hasMosquitto } from '../support/databases.js';
import { startMosquitto } from '../support/servers.js';

let t: TestAdapter;
beforeAll(async () => {
  t = await startTestAdapter();
});
afterAll(() => t.stop());

const get = (path: string) => t.call('GET', path, { token: null });

test('the OpenAPI document is valid OpenAPI 3.1', async () => {
  const { status, body } = await get('/openapi.json');
  expect(status).toBe(200);
  const validator = new Validator();
  const result = await validator.validate(body as Record<string, unknown>);
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('the OpenAPI document describes every route of contract section 4', async () => {
  const { body } = await get('/openapi.json');
  const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const operation = '/v1.0/ota/operations/{ref-id}';
  expect(routes).toEqual(
    expect.arrayContaining([
      'POST /v1.0/ota/trigger',
      'GET /v1.0/ota/operations',
      `GET ${operation}`,
      `GET ${operation}/vehicles`,
      `GET ${operation}/vehicles/{vin}`,
      `POST ${operation}/pause`,
      `POST ${operation}/resume`,
      `POST ${operation}/cancel`,
      `POST ${operation}/vehicles/{vin}/retrigger`,
      'PUT /v1.0/vehicles/{vin}',
      'GET /v1.0/vehicles/{vin}',
      'DELETE /v1.0/vehicles/{vin}',
      'GET /v1.0/vehicles',
      'POST /v1.0/vehicles/import',
      'GET /v1.0/dead-letters',
      'POST /v1.0/dead-letters/{id}/replay',
      'POST /v1.0/dead-letters/replay',
      `PATCH ${operation}`,
      `POST ${operation}/retrigger`,
      `GET ${operation}/summary`,
      `GET ${operation}/export`,
      `GET ${operation}/audit`,
      `GET ${operation}/vehicles/{vin}/timeline`,
      'GET /v1.0/ota/vehicles',
      'GET /v1.0/ota/events',
      'GET /v1.0/ota/events/stream',
      'POST /v1.0/callbacks',
      'POST /v1.0/callbacks/{id}/replay',
      'PUT /v1.0/dispatch',
      'GET /v1.0/audit',
      'GET /healthz',
      'GET /readyz',
      'GET /metrics',
    ]),
  );
  const trigger = body.paths['/v1.0/ota/trigger'].post;
  expect(trigger.security).toEqual([{ token: [] }, { session: [], console: [] }]);
  expect(trigger.requestBody.content['application/json'].schema).toEqual({
    $ref: '#/components/schemas/CarOtaServerEvent',
  });
  expect(body.components.schemas.CarOtaServerEvent.required).toEqual(['time', 'version', 'body']);
});

test('the OpenAPI document describes the requests that call-back receivers get', async () => {
  const { body } = await get('/openapi.json');
  const { requestBody, parameters } = body.webhooks.events.post;
  expect(requestBody.content['application/json'].schema.$ref).toMatch(/CallbackMessage$/);
  expect(parameters.map(({ name }: { name: string }) => name)).toEqual([
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
  ]);
  expect(Object.keys(body.components.schemas.CallbackEvent.properties)).toEqual([
    'event-id',
    'ref-id',
    'vin',
    'device_id',
    'device_type',
    'status',
    'status-name',
    'meta',
    'timestamp',
    'received-at',
  ]);
});

test('the AsyncAPI document is valid AsyncAPI 3, with the topics and the broker of this adapter', async () => {
  const { body } = await get('/asyncapi.json');
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(body));
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([]);
  expect(document?.version()).toBe('3.1.0');
  expect(
    document
      ?.channels()
      .all()
      .map((channel) => channel.address()),
  ).toEqual(['c2d/{system_id}', 'd2c/{system_id}']);
  expect(body.servers.broker.host).toBe(new URL(t.adapter.mqttUrl).host);
});

describe('a client that knows only the AsyncAPI document', () => {
  const VEHICLE = { vin: '5YJSA1E40FF345678', systemId: 'c2c-sys-doc-1' };
  const LEVELS = { '3.1.1': 4, '5': 5 } as const;

  /** Connects as the document says, sends its example of an event, and disconnects. */
  async function sends(document: any, version: keyof typeof LEVELS): Promise<void> {
    const { host, protocol } = document.servers.broker;
    const client = await mqtt.connectAsync(`${protocol}://${host}`, {
      clientId: VEHICLE.systemId,
      username: VEHICLE.systemId,
      password: credentialOf(VEHICLE.vin),
      protocolVersion: LEVELS[version],
      reconnectPeriod: 0,
    });
    try {
      const topic = document.channels.d2c.address.replace('{system_id}', VEHICLE.systemId);
      const [{ payload }] = document.components.messages.OTA_EVENT.examples;
      const message = { ...payload, system_id: VEHICLE.systemId, vin: VEHICLE.vin };
      await client.publishAsync(topic, JSON.stringify(message), { qos: 1 });
    } finally {
      await client.endAsync();
    }
  }

  test('sends a message to the embedded broker, with its version and no other', async () => {
    const { body } = await get('/asyncapi.json');
    await t.register(VEHICLE);
    const { protocolVersion } = body.servers.broker;
    expect(protocolVersion).toBe('3.1.1');
    await sends(body, protocolVersion);
    expect(await t.storedMessages()).toBe(1);
    await expect(sends(body, '5')).rejects.toThrow();
  });

  test.runIf(hasMosquitto())('sends messages to Mosquitto, with either version', async () => {
    const broker = await startMosquitto();
    const other = await startTestAdapter({ mqttUrl: broker.url });
    try {
      await eventually(
        async () => (await other.call('GET', '/readyz')).status,
        (status) => status === 200,
      );
      const { body } = await other.call('GET', '/asyncapi.json', { token: null });
      expect(body.servers.broker).not.toHaveProperty('protocolVersion');
      const versions = String(body.servers.broker.description).match(/(?<=MQTT )[\d.]*\d/g) ?? [];
      expect(versions).toEqual(['5', '3.1.1']);
      for (const version of versions) await sends(body, version as keyof typeof LEVELS);
    } finally {
      await other.stop();
      await broker.stop();
    }
  });
});

test('the page with the documents is served from our own files only', async () => {
  const { status, body } = await get('/docs');
  expect(status).toBe(200);
  expect(body).toContain('swagger-ui');
  expect(body).not.toMatch(/(src|href)="https?:/);
});

test('health and readiness', async () => {
  expect((await get('/healthz')).body).toEqual({ status: 'alive' });
  expect((await get('/readyz')).body).toEqual({
    status: 'ready',
    database: true,
    messageLink: true,
  });
});
