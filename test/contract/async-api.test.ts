/** The AsyncAPI documents, of an adapter with the embedded broker and with another one, judged by third-party tools. */
import { createRequire } from 'node:module';
import { Parser } from '@asyncapi/parser';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { type RulesetDefinition } from '@stoplight/spectral-core';
import { describe, expect, test } from 'vitest';
import { asyncApiDocument, decodeMessage } from '../../src/contract/index.js';
import { isFullDepth } from '../support/depth.js';

const OPTIONS = { version: '1.0.0', host: '127.0.0.1:1883', protocol: 'mqtt' } as const;
const DOCUMENTS = [
  {
    name: 'with the embedded broker',
    document: asyncApiDocument({ ...OPTIONS, isEmbedded: true }),
  },
  { name: 'with another broker', document: asyncApiDocument({ ...OPTIONS, isEmbedded: false }) },
];

/** Of the tests' OpenAPI validator: a validator of JSON Schema that is not ours. */
const Ajv = createRequire(import.meta.resolve('@seriousme/openapi-schema-validator'))('ajv')
  .default as new (options: object) => {
  addSchema(schema: object, key: string): void;
  validate(schema: object, value: unknown): boolean;
  readonly errors: unknown;
};

async function redocly(document: object) {
  const config = await createConfig({ extends: ['recommended'] });
  const source = JSON.stringify(document, null, 2);
  const problems = await lintFromString({ source, absoluteRef: 'asyncapi.json', config });
  return problems.map(({ ruleId, message }) => [ruleId, message]);
}

describe.each(DOCUMENTS)('$name', ({ document }) => {
  test('the parser of AsyncAPI finds nothing', async () => {
    const { diagnostics } = await new Parser().parse(JSON.stringify(document));
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([]);
  });

  test('Redocly finds nothing', async () => {
    expect(await redocly(document)).toEqual([]);
  });

  // It takes seconds.
  test.runIf(isFullDepth)('Spectral finds nothing', async () => {
    const { default: core } = await import('@stoplight/spectral-core');
    const { default: rulesets } = await import('@stoplight/spectral-rulesets');
    const spectral = new core.Spectral();
    spectral.setRuleset({
      extends: [[rulesets.asyncapi as RulesetDefinition, 'all']],
      // The project has no URL yet.
      rules: { 'asyncapi-info-contact-properties': 'off' },
    });
    const results = await spectral.run(JSON.stringify(document));
    expect(results.map(({ code, message, path }) => [code, message, path.join('/')])).toEqual([]);
  });

  test('every example fits its schema, body included', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addSchema(document, 'document');
    const check = (pointer: string, value: unknown) => {
      const fits = ajv.validate({ $ref: `document#/${pointer}` }, value);
      expect.soft([pointer, fits ? null : ajv.errors]).toEqual([pointer, null]);
    };
    const messages = Object.values(document.components.messages);
    expect(messages.map(({ name }) => name)).toEqual([
      'OTA_TRIGGER',
      'OTA_TRIGGER_ACK',
      'OTA_EVENT',
    ]);
    for (const { name, examples, ...message } of messages) {
      const body = message['x-body'].$ref.replace(/^#\//, '');
      for (const { payload } of examples) {
        check(`components/messages/${name}/payload`, payload);
        const decoded = JSON.parse(
          Buffer.from(String(payload.body), 'base64').toString(),
        ) as object;
        check(body, decoded);
        expect(decoded).toEqual(message['x-body-example']);
        const read = decodeMessage(Buffer.from(JSON.stringify(payload)));
        expect(read).toMatchObject({ ok: true, value: { message_type: name } });
      }
    }
  });

  test('an example that does not fit is found', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addSchema(document, 'document');
    const payload = document.components.messages.OTA_EVENT?.examples[0]?.payload;
    const schema = { $ref: 'document#/components/messages/OTA_EVENT/payload' };
    expect(ajv.validate(schema, { ...payload, vin: 'short' })).toBe(false);
    expect(ajv.validate(schema, { ...payload, message_type: 'OTA_TRIGGER' })).toBe(false);
  });
});

test('Redocly finds a broken reference', async () => {
  const text = JSON.stringify(DOCUMENTS[0]?.document).replace('schemas/Envelope', 'schemas/None');
  expect(await redocly(JSON.parse(text) as object)).not.toEqual([]);
});

test('the version is stated where it is known: of the embedded broker', () => {
  const [embedded, other] = DOCUMENTS.map(({ document }) => document.servers.broker);
  expect(embedded).toMatchObject({ protocolVersion: '3.1.1' });
  expect(embedded?.description).not.toContain('MQTT 5');
  expect(other).not.toHaveProperty('protocolVersion');
  expect(other?.description).toMatch(/^MQTT 5 .* otherwise MQTT 3\.1\.1/);
});
