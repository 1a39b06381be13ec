/** The documents of both interfaces pass their official validators and match the adapter. */
import { Parser } from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeMessage } from '../../src/contract/index.js';
import { startTestAdapter, type TestAdapter } from '../support/adapter.js';

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

test('the AsyncAPI document is valid AsyncAPI 3', async () => {
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
  expect(
    document
      ?.messages()
      .all()
      .map((message) => message.name())
      .sort(),
  ).toEqual(['OTA_EVENT', 'OTA_TRIGGER', 'OTA_TRIGGER_ACK']);
  expect(body.servers.broker.host).toBe(new URL(t.adapter.mqttUrl).host);
  for (const { name, examples } of Object.values<any>(body.components.messages)) {
    const [{ payload }] = examples;
    const decoded = decodeMessage(Buffer.from(JSON.stringify(payload)));
    expect(decoded).toMatchObject({ ok: true, value: { message_type: name } });
  }
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
