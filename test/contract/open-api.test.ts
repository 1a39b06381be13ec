/** The OpenAPI documents are good enough to generate clients from, judged by third-party tools. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { type RulesetDefinition } from '@stoplight/spectral-core';
import { describe, expect, test } from 'vitest';
import { ADAPTER_ROUTES, adapterDocument, GRANTS } from '../../src/contract/adapter-api/index.js';
import {
  CAROTA_GRANTS,
  CAROTA_ROUTES,
  carotaDocument,
} from '../../src/contract/carota-api/index.js';
import { isFullDepth, sampleOf } from '../support/depth.js';

/** All rules of `spectral:oas`, with three exceptions, which are off by default. */
const spectralRules = (oas: RulesetDefinition): RulesetDefinition => ({
  extends: [[oas, 'all']],
  rules: {
    // A license has an SPDX identifier or a URL (OpenAPI 3.1, section 4.8.4).
    'license-url': 'off',
    // The project has no URL yet.
    'contact-properties': 'off',
    // Tags are in reading order.
    'openapi-tags-alphabetical': 'off',
  },
});

const DOCUMENTS = [
  ['OTA Adapter', adapterDocument('1.0.0'), ADAPTER_ROUTES],
  ['CarOTA Server', carotaDocument('1.0.0'), CAROTA_ROUTES],
] as const;

test.each(sampleOf(DOCUMENTS, 2))(
  'Redocly finds nothing in the document of the %s',
  async (_name, document) => {
    const config = await createConfig({ extends: ['recommended'] });
    const source = JSON.stringify(document, null, 2);
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    ).toEqual([]);
  },
);

interface Operation {
  readonly operationId: string;
  readonly description: string;
  readonly responses: Readonly<Record<string, object>>;
}
function operationsOf(document: object): Map<string, Operation> {
  const { paths } = document as { paths: Record<string, Record<string, Operation>> };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  return new Map(operations.map((operation) => [operation.operationId, operation]));
}

test.each(DOCUMENTS)(
  'each route of the %s succeeds with a 2XX, or redirects a browser and otherwise answers with a problem',
  (_name, document, routes) => {
    const operations = operationsOf(document);
    for (const { id, answer } of routes) {
      const isRedirect = ['beginSignOn', 'completeSignOn', 'leaveSignOn'].includes(id);
      expect([id, Math.floor(answer.status / 100)]).toEqual([id, isRedirect ? 3 : 2]);
      const other = operations.get(id)?.responses.default;
      const problem = {
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      };
      if (isRedirect) expect(other).toMatchObject(problem);
      else expect(other).toBeUndefined();
    }
  },
);

describe.each([
  { name: 'OTA Adapter', document: adapterDocument('1'), routes: ADAPTER_ROUTES, grants: GRANTS },
  {
    name: 'CarOTA Server',
    document: carotaDocument('1'),
    routes: CAROTA_ROUTES,
    grants: CAROTA_GRANTS,
  },
] as const)('descriptions of the $name', ({ document, routes, grants }) => {
  const operations = operationsOf(document);
  const texts = routes.map((route) => ({
    ...route,
    text: operations.get(route.id)?.description ?? '',
  }));

  test('name the roles that may call', () => {
    for (const { id, permission, text } of texts) {
      const roles = Object.entries(grants)
        .filter(([, granted]) => (granted as readonly string[]).includes(permission))
        .map(([role]) => `\`${role}\``);
      const named = /(?:^|\n)Roles: (.*?)\./.exec(text)?.[1]?.split(', ') ?? [];
      expect([id, named]).toEqual([id, roles]);
      if (permission === 'open') expect(text, id).toContain('No token is needed.');
      if (permission === 'any') expect(text, id).toContain('Any valid token will do.');
    }
  });

  test('say what the audit log records, and why it does not', () => {
    for (const { id, audit, unaudited, text } of texts) {
      const action = /Recorded in the audit log as `([\w-]+)`\./.exec(text)?.[1];
      expect([id, action]).toEqual([id, audit]);
      const reason = /Not recorded in the audit log: (.+?)\.(?: |$)/.exec(text)?.[1];
      expect([id, reason]).toEqual([id, unaudited]);
    }
  });

  test('say how lists continue, what is limited in number, and what may be sent again', () => {
    for (const { id, method, query, load, loadWith, freshSignIn, repeatable, text } of texts) {
      const says = (part: string) => text.includes(part);
      const isPaged = query !== undefined && 'cursor' in query.properties;
      expect([id, says('`nextCursor`')]).toEqual([id, isPaged]);
      expect([id, says('are limited in number')]).toEqual([id, load !== undefined]);
      if (loadWith !== undefined) expect(text, id).toContain(`Requests with \`${loadWith}\` are`);
      expect([id, says('`SIGN_IN_AGAIN`')]).toEqual([id, freshSignIn === true]);
      const isSentAgain = repeatable === true && (method === 'POST' || method === 'PATCH');
      expect([id, says('may be sent again')]).toEqual([id, isSentAgain]);
    }
  });

  test('say what holds for callers limited to vehicle models', () => {
    for (const { id, scope, text } of texts) {
      const says = text.includes('allers limited to vehicle models');
      expect([id, says]).toEqual([id, scope !== 'none']);
    }
  });
});

// Takes seconds for each document: longer than all other tests of the contract.
test.runIf(isFullDepth).each(DOCUMENTS)(
  'Spectral finds nothing in the document of the %s',
  async (_name, document) => {
    // Large, so they are loaded only here.
    const { default: core } = await import('@stoplight/spectral-core');
    const { default: rulesets } = await import('@stoplight/spectral-rulesets');
    const spectral = new core.Spectral();
    spectral.setRuleset(spectralRules(rulesets.oas as RulesetDefinition));
    const results = await spectral.run(JSON.stringify(document));
    expect(results.map(({ code, message, path }) => [code, message, path.join('/')])).toEqual([]);
  },
);
